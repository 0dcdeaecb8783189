"""A first import from a shop with published limits, and stock pushed meanwhile: python -m bench.budget '{...}'

Prints what the shop allowed and what was made of it. All seconds are the shop's own, whose clock hurries.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bench.world import LONG_AGO, database, stock_items

if TYPE_CHECKING:
    from carts.models import Cart
    from carts.records import ItemRef

# What the platforms publish: Shopify's smallest plan, and BigCommerce's Standard and Plus, whose windows of 150
# requests in 30 seconds are cut into fifths, so that an import sees several. `times`: how fast the shop's clock runs,
# `between`: seconds between two pushes of stock.
LIMITS: dict[str, dict[str, Any]] = {
    "shopify": {"plan": "standard", "restores": 100, "times": 15, "between": 5},
    "bigcommerce": {"quota": 30, "window_seconds": 6, "times": 1, "between": 2},
}
HEADINGS = {
    "shopify": "Budget of a Shopify cart (2,000 points, 100/s; its clock runs 15 times as fast)",
    "bigcommerce": "Budget of a BigCommerce cart (150 requests in 30 s, given out in fifths)",
}
PUSHES_A_LOOK = 5


def given(platform: str, *, orders: int, database: str, **more: Any) -> dict[str, Any]:
    """What this program is to be told."""
    sizes = {"orders": orders, "customers": 100, "products": 60}
    return {"platform": platform, "database": database, **(sizes | LIMITS[platform] | more)}


@contextmanager
def limited_shop(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.limited", json.dumps(told)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


class Account:
    """What the cart told with each answer, and how often it refused, over all priorities."""

    def __init__(self, times: float) -> None:
        self.times = times
        self.calls = self.refusals = 0
        # (when, cost, what was left then), as answers came.
        self.answers: list[tuple[float, float, float]] = []
        self._lock = threading.Lock()
        self._waited = threading.local()

    def clock(self) -> float:
        return time.time() * self.times

    def sleep(self, seconds: float) -> None:
        self._waited.seconds = self.waited + seconds
        time.sleep(seconds / self.times)

    @property
    def waited(self) -> float:
        """What this thread has waited for the budget."""
        return getattr(self._waited, "seconds", 0.0)

    def note(self, cost: float, left: float) -> None:
        with self._lock:
            self.calls += 1
            self.answers.append((self.clock(), cost, left))

    def install(self) -> None:
        """Every adapter made from now on counts here, in the shop's time."""
        from carts.services import budgets, connections

        account = self

        class Counted(budgets.SharedBudget):
            def learn(self, allowance: Any, *, spent: float, cost: float) -> None:
                account.note(cost, allowance.left)
                super().learn(allowance, spent=spent, cost=cost)

            def refused(self, wait_seconds: float | None) -> None:
                account.calls += 1
                account.refusals += 1
                super().refused(wait_seconds)

        connections.SharedBudget = partial(Counted, clock=self.clock, sleep=self.sleep)  # type: ignore[misc]


def connected(platform: str, shop: dict[str, Any]) -> "Cart":
    from carts.models import Cart
    from carts.services import control

    changes = {"name": platform, "platform": platform, "url": shop["url"], "last_order_from": LONG_AGO}
    cart = control.create_cart(changes, shop["credentials"], "bench")
    result = control.test_connection(cart, "bench")
    if not result.passed:
        raise RuntimeError(result.message)
    control.start(Cart.objects.get(pk=cart.pk), "bench", without_rehearsal=True)
    return Cart.objects.get(pk=cart.pk)


def import_all(cart: "Cart", account: Account) -> None:
    """Poll until it comes to its end; after a refusal, when the shop says."""
    from django.db import connection

    from carts.services import feeds, leases

    feed = cart.feeds.get()
    while feed.polled_at is None:
        feeds.poll(feed.pk, leases.claim_feed(feed.pk))
        feed.refresh_from_db()
        if feed.error_kind == "rate_limited":
            time.sleep(5.0 / account.times)
        elif feed.error:
            raise RuntimeError(feed.error)
    connection.close()


def push(cart: "Cart", ref: "ItemRef", quantity: int, account: Account) -> tuple[float, float]:
    """A change of stock as a worker sends it: what is there, then what should be. Seconds it took, and those of them
    in which it waited for the budget."""
    from carts.records import StockLevel
    from carts.services.budgets import Priority
    from carts.services.connections import adapter_for

    adapter = adapter_for(cart, Priority.STOCK)
    began, waited = account.clock(), account.waited
    known = adapter.read_stock([ref])[ref]
    (result,) = adapter.push_stock([StockLevel(ref.external_id, ref.parent_id, Decimal(quantity), known)])
    if result.error:
        raise RuntimeError(result.error.sentence)
    return account.clock() - began, account.waited - waited


def look(cart: "Cart", account: Account) -> float | None:
    """A page of the live list, as staff open it; None where they are told to come again."""
    from carts.errors import RateLimited
    from carts.records import ORDER, Listing
    from carts.services.connections import adapter_for

    began = account.clock()
    try:
        adapter_for(cart).listing(ORDER, Listing())
    except RateLimited:
        return None
    return account.clock() - began


def sellable(cart: "Cart") -> "ItemRef":
    from carts.records import ITEM, ItemRef
    from carts.services.connections import adapter_for

    adapter = adapter_for(cart)
    for row in adapter.page_by_id(ITEM, "").rows:
        item = adapter.parse_item(row.body)
        if item.is_stock_managed and not item.has_variations:
            return ItemRef(row.external_id, item.parent_id)
    raise RuntimeError("The practice shop keeps stock of nothing.")


def measure(told: dict[str, Any]) -> dict[str, Any]:
    from carts.models import Record

    account = Account(told["times"])
    account.install()
    with limited_shop(told) as shop:
        cart = connected(told["platform"], shop)
        ref = sellable(cart)
        # From here on the shop's own word is what counts.
        before = len(account.answers)
        at_start = account.answers[-1][2]
        began = account.clock()
        work = threading.Thread(target=import_all, args=(cart, account))
        work.start()
        pushes, looks = [], []
        while work.is_alive():
            time.sleep(told["between"] / account.times)
            if work.is_alive():
                pushes.append(push(cart, ref, 5 + len(pushes) % 3, account))
            if work.is_alive() and len(pushes) % PUSHES_A_LOOK == 1:
                looks.append(look(cart, account))
        work.join()
        seconds = account.clock() - began
    answers = account.answers[before:]
    used, allowed = (in_windows if "quota" in told else in_points)(answers, told, at_start, seconds)
    return {
        "orders": Record.objects.filter(cart=cart, kind="order").count(), "seconds": seconds, "used": used,
        "allowed": allowed, "calls": account.calls, "refusals": account.refusals, "pushes": pushes, "looks": looks,
    }  # fmt: skip


def in_points(
    answers: list[tuple[float, float, float]], told: dict[str, Any], at_start: float, seconds: float
) -> tuple[float, float]:
    """What was used, and what there was: the points of the beginning and those that came back."""
    return sum(cost for _, cost, _ in answers), at_start + told["restores"] * seconds


def in_windows(
    answers: list[tuple[float, float, float]], told: dict[str, Any], at_start: float, seconds: float
) -> tuple[float, float]:
    """Of the windows that the import saw from beginning to end."""
    ends = [before[2] for before, after in pairwise(answers) if after[2] > before[2] + 1]
    whole = ends[1:]
    return sum(told["quota"] - left for left in whole), told["quota"] * len(whole)


def main() -> None:
    told = json.loads(sys.argv[1])
    with database(told["database"]):
        stock_items(told["products"])
        print(json.dumps(measure(told)))


if __name__ == "__main__":
    main()
