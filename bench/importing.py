"""What an import takes on one database: python -m bench.importing '{"fast": URL, "slow": URL, "database": URL, ...}'

`fast` and `slow` are practice shops, `database` is "" for SQLite, `sizes` is a Sizes as an object. A process of its
own, because Django knows one set of settings a process. Prints its measurements as JSON.
"""

import json
import sys
from functools import partial
from typing import Any

import requests

from bench.fetching import fetch_only
from bench.measuring import alternate, counted, seconds_of
from bench.sizes import Sizes
from bench.world import database, empty, fence_of_newest, forget_cursor, make_cart, poll, stock_items

MANY_IN_FLIGHT = 4


def main() -> None:
    given = json.loads(sys.argv[1])
    sizes = Sizes(**given["sizes"])
    with database(given["database"]):
        stock_items(sizes.items)
        measured = measure(given["fast"], given["slow"], sizes)
    print(json.dumps(measured))


def measure(fast: str, slow: str, sizes: Sizes) -> dict[str, Any]:
    """Seconds an order by case and side, and what was counted."""
    few, some = fence_of_newest(slow, sizes.slow), fence_of_newest(slow, sizes.in_flight)
    some_at_once = fence_of_newest(fast, sizes.in_flight)
    seconds_of_ours(make_cart(fast, fence=fence_of_newest(fast, sizes.slow)), sizes.slow)  # warms everything up
    second: list[float] = []
    at_once = alternate(
        {
            "plain": partial(seconds_of_plain, fast, sizes.plain),
            "floor": partial(seconds_of_floor, fast, sizes.orders),
            "ours": lambda: import_twice(fast, sizes.orders, second),
        },
        sizes.pairs,
    )
    return {
        "at_once": at_once,
        "again": {"first": at_once["ours"], "second": second} | counts_of_two_imports(fast, sizes.orders),
        "slow": alternate(
            {
                "plain": partial(seconds_of_plain, slow, sizes.plain_slow),
                "floor": partial(seconds_of_floor, slow, sizes.floor_slow),
                "ideal": lambda: seconds_of(lambda: fetch_only(slow, few, 1)) / sizes.slow,
                "ours": lambda: fresh_import(slow, sizes.slow, in_flight=1, fence=few),
            },
            sizes.pairs,
        ),
        "slow_in_flight": alternate(
            {
                "ideal": lambda: seconds_of(lambda: fetch_only(slow, some, MANY_IN_FLIGHT)) / sizes.in_flight,
                "ours": lambda: fresh_import(slow, sizes.in_flight, in_flight=MANY_IN_FLIGHT, fence=some),
                "work": lambda: fresh_import(fast, sizes.in_flight, in_flight=MANY_IN_FLIGHT, fence=some_at_once),
            },
            sizes.pairs,
        ),
        "idle": idle_poll(fast),
    }


def seconds_of_ours(cart: Any, orders: int) -> float:
    taken = seconds_of(lambda: poll(cart))
    imported = cart.records.filter(kind="order", state="imported").count()
    if imported != orders:
        raise RuntimeError(f"{imported} of {orders} orders were imported, so the figure would mean nothing.")
    return taken / orders


def fresh_import(url: str, orders: int, **settings: Any) -> float:
    empty()
    return seconds_of_ours(make_cart(url, **settings), orders)


def seconds_of_plain(url: str, orders: int) -> float:
    from bench.plain import import_plainly

    empty()
    return seconds_of(lambda: import_plainly(url, orders)) / orders


def seconds_of_floor(url: str, orders: int) -> float:
    from bench.floor import Floor
    from carts.choices import RunKind
    from carts.services import runs

    empty()
    cart = make_cart(url)
    floor = Floor(cart, runs.create(cart, RunKind.SYNC))
    return seconds_of(lambda: floor.fill(orders)) / orders


def import_twice(url: str, orders: int, second: list[float]) -> float:
    """Seconds an order of the first import; those of the second, of the same orders, are added to `second`."""
    empty()
    cart = make_cart(url)
    first = seconds_of_ours(cart, orders)
    forget_cursor(cart)
    second.append(seconds_of_ours(cart, orders))
    return first


def counts_of_two_imports(url: str, orders: int) -> dict[str, float]:
    """Statements an order of the first import, and statements of the second that write but its heartbeat."""
    empty()
    cart = make_cart(url)
    with counted() as first:
        poll(cart)
    forget_cursor(cart)
    with counted() as second:
        poll(cart)
    return {"statements": len(first.all) / orders, "rows_written": len(but_heartbeat(second.writes))}


def idle_poll(url: str) -> dict[str, int]:
    """Of the cart that has just been read to its end. `polled_at` of its feed is the heartbeat."""
    from carts.models import Cart

    requests.delete(f"{url}/_practice/requests", timeout=30).raise_for_status()
    with counted() as statements:
        poll(Cart.objects.get())
    asked = requests.get(f"{url}/_practice/requests", timeout=30).json()
    return {"requests": len(asked), "writes": len(but_heartbeat(statements.writes))}


def but_heartbeat(writes: list[str]) -> list[str]:
    return [sql for sql in writes if not sql.startswith('UPDATE "carts_feed"')]


if __name__ == "__main__":
    main()
