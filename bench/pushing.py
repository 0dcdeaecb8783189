"""How soon, and in how many calls, stock is in the cart: python -m bench.pushing '{"shop": URL, "database": URL, ...}'

With a `database` and a `broker`, a Celery worker is started as the Procfile does and sends; without either, the threads
of the embedded set-up in this process do. The clock is the practice shop's note of when it had done a request, on this
machine: for ours from the commit, for a direct call from before it. Prints its measurements as JSON.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.sizes import Sizes
from bench.stocked import PATIENCE_SECONDS, START, Shop, change, check, link, settle
from bench.world import database

if TYPE_CHECKING:
    from carts.records import ItemRef, StockLevel

FULL_BATCH = 100
SLOW_SECONDS = 0.05
PLAIN_ROUNDS = 3
FIRST_LOOK_SECONDS = 0.03  # our own looking must not slow what is looked for
PAUSE_SECONDS = 0.01  # the worker's last look after it gave the lease back
WORKER = ["celery", "-A", "cartsync", "worker", "--pool", "threads", "--concurrency", "8"]


def main() -> None:
    given = json.loads(sys.argv[1])
    os.environ.pop("REDIS_URL", None)
    if given["broker"]:
        os.environ["REDIS_URL"] = given["broker"]
    found: dict[str, Any] = {}

    def measure() -> None:
        found.update(Pushing(Shop(given["shop"]), Sizes(**given["sizes"])).measure(with_bursts=bool(given["broker"])))

    with database(given["database"]):
        (with_worker if given["broker"] else embedded)(measure)
    print(json.dumps(found))


def with_worker(measure: Callable[[], None]) -> None:
    process = subprocess.Popen([sys.executable, "-m", *WORKER], stdout=subprocess.DEVNULL)
    try:
        measure()
    finally:
        process.terminate()
        process.wait()


def embedded(measure: Callable[[], None]) -> None:
    """Its worker and its beat; its web server would only wait. Both are left to end with this process."""
    from cartsync.embedded import Embedded

    parts = Embedded("127.0.0.1", 0, web_threads=1, worker_threads=4)
    for thread in parts.threads:
        thread.start()
    parts.ready.wait()
    try:
        measure()
    finally:
        parts.stopping.set()


class Pushing:
    """One cart under measurement."""

    def __init__(self, shop: Shop, sizes: Sizes) -> None:
        from django.conf import settings

        from carts.services.connections import adapter_for

        self._shop, self._sizes = shop, sizes
        self._window: float = settings.STOCK_WINDOW_SECONDS
        self._cart, self._wares = link(shop, sizes.stock_items)
        self._adapter = adapter_for(self._cart)
        change([*self._wares.simple.values(), *self._wares.variations.values()], START)
        settle()

    def measure(self, *, with_bursts: bool) -> dict[str, Any]:
        measured: dict[str, Any] = {
            "window": self._window,
            "latency": self.latency(self._sizes.stock_changes),
            "slow": self.slow_latency(),
        }
        if with_bursts:
            measured |= {"together": self.together(), "one_by_one": self.one_by_one(), "variations": self.variations()}
        check(self._cart, self._wares)
        return measured

    def slow_latency(self) -> dict[str, list[float]]:
        """The same of a shop that takes its time, as every real one does."""
        self._shop.slow_down(SLOW_SECONDS)
        sides = self.latency(self._sizes.stock_changes_slow)
        self._shop.slow_down(0)
        return sides

    def latency(self, changes: int) -> dict[str, list[float]]:
        """Seconds of single changes and of direct calls, in turns. Each change finds the window before it over."""
        sides: dict[str, list[float]] = {"ours": [], "direct": []}
        items = list(self._wares.simple.values())
        for number in range(changes):
            self._shop.forget()
            committed = self._commit(partial(change, [items[number % len(items)]], 1))
            time.sleep(FIRST_LOOK_SECONDS)
            sides["ours"].append(self._done(1)[-1] - committed)
            self._shop.forget()
            before = time.time()
            self._send_plainly([self._wares.spare], number)
            sides["direct"].append(self._done(1)[-1] - before)
            settle()
            time.sleep(PAUSE_SECONDS)
        return sides

    def together(self) -> dict[str, float]:
        """Every change in one transaction, each item's turn after turn."""
        ids = list(self._wares.simple.values())
        turns = self._sizes.burst // len(ids)

        def change_all() -> None:
            for _ in range(turns):
                change(ids, 1)

        self._shop.forget()
        committed = self._commit(change_all)
        settle()
        return self._end_of_burst(committed)

    def one_by_one(self) -> dict[str, float]:
        """As fast as the database takes them, items in no order."""
        chance = random.Random(1)
        ids = list(self._wares.simple.values())
        self._shop.forget()
        first = last = time.time()
        for _ in range(self._sizes.one_by_one):
            last = self._commit(partial(change, [chance.choice(ids)], 1))
        settle()
        return self._end_of_burst(last) | {"windows": max((last - first) / self._window, 1.0)}

    def variations(self) -> dict[str, float]:
        self._shop.forget()
        self._commit(partial(change, list(self._wares.variations.values()), 1))
        settle()
        return {"calls": len(self._shop.writes())}

    def _commit(self, work: Callable[[], object]) -> float:
        """When the transaction was committed, before anything else that follows it."""
        from django.db import transaction

        at: list[float] = []
        with transaction.atomic():
            transaction.on_commit(lambda: at.append(time.time()))
            work()
        return at[0]

    def _done(self, number: int) -> list[float]:
        """When the shop had done each of its writes, once there are so many."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(writes := self._shop.writes()) < number:
            if time.monotonic() > deadline:
                raise RuntimeError("The shop was not written to within a minute, so the figures would mean nothing.")
            time.sleep(0.005)
        return writes

    def _end_of_burst(self, last: float) -> dict[str, float]:
        """Calls in all, the time from the last change to the last call, and what as many full calls take plainly."""
        check(self._cart, self._wares)
        writes = self._shop.writes()
        left = sum(done > last for done in writes)
        plain = median(self._seconds_plainly(left) for _ in range(PLAIN_ROUNDS))
        return {"calls": len(writes), "left": left, "tail": max(writes[-1] - last, 0.0), "plain": plain}

    def _seconds_plainly(self, calls: int) -> float:
        """Full batches one after the other, of what the shop shows already."""
        from backoffice.models import StockLevel

        quantities = dict(StockLevel.objects.values_list("pk", "on_hand"))
        levels = [self._level(ref, quantities[item]) for ref, item in self._wares.simple.items()]
        self._shop.forget()
        before = time.time()
        for number in range(calls):
            at = number * FULL_BATCH % len(levels)
            self._adapter.push_stock(levels[at : at + FULL_BATCH])
        return self._done(calls)[-1] - before if calls else 0.0

    def _send_plainly(self, refs: "list[ItemRef]", quantity: int) -> None:
        self._adapter.push_stock([self._level(ref, Decimal(quantity)) for ref in refs])

    @staticmethod
    def _level(ref: "ItemRef", quantity: Decimal) -> "StockLevel":
        from carts.records import StockLevel

        return StockLevel(ref.external_id, ref.parent_id, quantity)


if __name__ == "__main__":
    main()
