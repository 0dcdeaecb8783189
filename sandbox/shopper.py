"""Made-up buyers: what they order, and the thread that lets one buy every few seconds."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Event, Thread

from sandbox.records import Address, Order, Product
from sandbox.shop import Shop
from sandbox.trading import TAKES_STOCK, LineDraft, OrderDraft

_STATUSES = ("processing", "completed", "pending", "on-hold", "cancelled", "failed")
_WEIGHTS = (46, 37, 4, 5, 5, 3)
# One order in so many is of the odd kind, so that 250 hold several of each.
_UNKNOWN_EVERY, _FREE_EVERY, _FOREIGN_EVERY, _DELETED_EVERY = 12, 80, 30, 90
# Guests come back under the same e-mail.
_GUESTS = 35
_PLACES = (
    Address(city="New York", state="NY", postcode="10001", country="US"),
    Address(city="Denver", state="CO", postcode="80202", country="US"),
    Address(city="Berlin", postcode="10115", country="DE"),
    Address(city="Los Angeles", state="CA", postcode="90001", country="US"),
)


class Shopper:
    """Writes orders, each different and the same for the same seed; `lines` makes them plain (see demo.populate)."""

    def __init__(self, shop: Shop, seed: int, lines: int | None, unknown_skus: tuple[str, ...]) -> None:
        self._shop = shop
        self._seed = seed
        self._lines = lines
        self._unknown = unknown_skus
        self._known: list[Product] = []
        self._customers: list[int] = []

    def order(self) -> Order:
        """Place the next order now."""
        with self._shop.changing():
            rng, number = self._next()
            return self._shop.take_order(
                self._draft(rng, number, status=rng.choice(("processing", "processing", "pending")))
            )

    def past_order(self, placed: datetime, now: datetime) -> Order:
        """An order of the past, as it stands today; not saved, and stock already counts it."""
        rng, number = self._next()
        draft = self._draft(rng, number, status=rng.choices(_STATUSES, _WEIGHTS)[0])
        draft.placed = draft.modified = placed
        if draft.status not in ("processing", "pending") and self._lines is None:
            draft.modified = min(now, placed + timedelta(minutes=rng.randrange(5, 3000)))
        order = self._shop.price(draft)
        if order.status in TAKES_STOCK:
            for line in order.lines:
                line.stock_taken = line.quantity if line.product_id else 0
        if self._lines is None and order.paid and order.total > 0:
            self._take_back(rng, order)
        return order

    def _take_back(self, rng: random.Random, order: Order) -> None:
        """Some paid orders are refunded: all of it, one line with its tax, or a little money."""
        chance = rng.random()
        if chance < 0.03:
            self._shop.refund(order, order.modified, reason="Returned")
        elif chance < 0.06 and order.lines[0].total > 0:
            self._shop.refund(order, order.modified, reason="Damaged", lines={order.lines[0].id: 1})
        elif chance < 0.09 and order.total > 1:
            self._shop.refund(order, order.modified, Decimal("1.00"), "Late delivery")

    def _next(self) -> tuple[random.Random, int]:
        number = self._shop.next_id("buyer")
        if not self._known:
            sold = self._shop.products.rows.values()
            self._known = [p for p in sold if p.sku and p.kind != "variable" and p.sku not in self._unknown]
            self._customers = [c.id for c in self._shop.customers.rows.values() if c.role == "customer"]
        return random.Random(f"{self._seed}:buyer:{number}"), number

    def _draft(self, rng: random.Random, number: int, status: str) -> OrderDraft:
        draft = OrderDraft([], status=status)
        self._identify(draft, rng, number)
        if self._lines is not None:
            draft.status = "processing"
            draft.lines = [self._line(rng) for _ in range(self._lines)]
            draft.shipping_lines = [("Flat rate", "flat_rate", Decimal("5.00"))]
            return draft
        draft.lines = [self._line(rng) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))]
        self._add_oddities(draft, rng, number)
        if rng.random() < 0.8:
            cost = rng.choice(("4.90", "5.00", "7.50", "0.00"))
            draft.shipping_lines = [("Flat rate", "flat_rate", Decimal(cost))]
        if rng.random() < 0.12:
            draft.coupons = [("ten", "percent", Decimal(10))]
        elif rng.random() < 0.08:
            draft.coupons = [("fivefix", "fixed", Decimal(5))]
        if rng.random() < 0.1:
            draft.fees.append(("Gift wrap", Decimal("3.33"), True))
        if rng.random() < 0.05:
            draft.fees.append(("Loyalty", Decimal("-1.00"), False))
        method = rng.choice((("bacs", "Bank transfer"), ("cod", "Cash on delivery"), ("card", "Card")))
        draft.payment_method, draft.payment_title = method
        return draft

    def _identify(self, draft: OrderDraft, rng: random.Random, number: int) -> None:
        is_guest = self._lines is None and (not self._customers or rng.random() < 0.3)
        if not is_guest and self._customers:
            draft.customer_id = rng.choice(self._customers)
            customer = self._shop.customers.rows[draft.customer_id]
            draft.billing, draft.shipping = customer.billing, customer.shipping
            return
        place, guest = rng.choice(_PLACES), number % _GUESTS + 1
        draft.billing = Address(
            "Guest", f"Buyer{guest}", "", "1 Example St", "", place.city, place.state, place.postcode,
            place.country, f"guest{guest}@example.test", "555-0000",
        )  # fmt: skip

    def _line(self, rng: random.Random) -> LineDraft:
        product = rng.choice(self._known)
        return LineDraft(product_id=product.id, quantity=rng.choice((1, 1, 1, 2, 3)))

    def _add_oddities(self, draft: OrderDraft, rng: random.Random, number: int) -> None:
        if number % _UNKNOWN_EVERY == 0:
            draft.lines.append(LineDraft(rng.choice(self._unknown)))
        if number % _FREE_EVERY == 0:
            draft.lines = [LineDraft(product_id=rng.choice(self._known).id, total=Decimal("0.00"))]
        if number % _FOREIGN_EVERY == 0:
            draft.currency = "EUR" if self._shop.currency != "EUR" else "USD"
        if number % _DELETED_EVERY == 0:
            draft.lines.append(LineDraft(name="Discontinued Lamp", total=Decimal("9.99")))


class Buying:
    """A thread that lets the shopper buy every `seconds` until `stop`."""

    def __init__(self, shopper: Shopper, seconds: float) -> None:
        self._shopper = shopper
        self._seconds = seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="buyers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._shopper.order()
