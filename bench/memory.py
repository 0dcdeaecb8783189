"""Peak memory of one import: python -m bench.memory '{"database": URL, "shop": URL, "orders": N}'

A process of its own, since a peak is never forgotten. Prints MiB.
"""

import json
import resource
import sys

from bench.world import database, empty, fence_of_newest, make_cart, poll, stock_items


def main() -> None:
    given = json.loads(sys.argv[1])
    with database(given["database"]):
        empty()
        stock_items(given["items"])
        cart = make_cart(given["shop"], fence=fence_of_newest(given["shop"], given["orders"]))
        poll(cart)
        if cart.records.filter(kind="order", state="imported").count() != given["orders"]:
            raise RuntimeError("Not every order was imported, so the figure would mean nothing.")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
