"""The state every practice shop has, and the one way to change it: inside `changing()`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.records import Customer, Order, Product
from sandbox.store import Store
from sandbox.table import Table


class ShopState:
    """Tables, counters, clock and store of one shop.

    `timezone` is an IANA name, `currency` an ISO code. Reading or changing takes `lock`; a
    process killed in the middle of a change leaves none of it in the store.
    """

    def __init__(self, *, state: str = ":memory:", timezone: str = "America/New_York", currency: str = "USD"):
        self.name = "Practice shop"
        self.zone = ZoneInfo(timezone)
        self.currency = currency
        self.url = "http://127.0.0.1"
        self.clock = Clock()
        # Whether a sale, or saving a variation, moves a product's own modified time; the platform says.
        self.sales_touch_products = True
        # Whether there can be a product without a SKU; where not, one is made of its id.
        self.skus_are_required = False
        # Whether a refund moves the order's modified time.
        self.refunds_touch_orders = True
        self.lock = RLock()
        self.products: Table[Product] = Table("product", Product)
        self.customers: Table[Customer] = Table("customer", Customer)
        self.orders: Table[Order] = Table("order", Order)
        self.tables = (self.products, self.customers, self.orders)
        self._store = Store(state)
        self._depth = 0
        self._read()

    def _read(self) -> None:
        self._counters: dict[str, int] = self._store.fact("counters", {})
        for table in self.tables:
            table.load(self._store.read(table.kind, table.struct))

    def next_id(self, sequence: str, first: int = 1) -> int:
        """The next number of a sequence; never given twice, not even after a restart."""
        self._counters[sequence] = number = self._counters.get(sequence, first - 1) + 1
        return number

    def next_item_id(self) -> int:
        return self.next_id("item")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock and write all changes made inside as one transaction; nests.

        Actions check before they change, so what is in memory when one raises is sound and is written.
        """
        with self.lock:
            if self._depth == 0:
                self._store.begin()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._store.set_fact("counters", self._counters)
                    self._store.commit()

    def save(self, table: Table, record: Any) -> None:
        table.put(record)
        self._store.put(table.kind, [record])

    def save_many(self, table: Table, records: list[Any]) -> None:
        """Add many new records quickly."""
        table.load(records)
        self._store.put(table.kind, records)

    def erase(self, table: Table, record_id: int) -> None:
        table.remove(record_id)
        self._store.remove(table.kind, record_id)

    def fact(self, name: str, default: Any = None) -> Any:
        return self._store.fact(name, default)

    def set_fact(self, name: str, value: Any) -> None:
        with self.changing():
            self._store.set_fact(name, value)

    def close(self) -> None:
        with self.lock:
            self._store.close()
