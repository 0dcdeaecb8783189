"""Orders: what buyers and the shop's staff do to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from sandbox.catalogue import Catalogue, assign
from sandbox.money import add_up, apply_coupon, cents
from sandbox.records import ZERO, Address, Coupon, Fee, Line, Order, Product, Refund, Shipping
from sandbox.refunding import left_to_refund, make_refund

PAID = ("processing", "completed")
TAKES_STOCK = ("processing", "completed", "on-hold")
GIVES_STOCK_BACK = ("pending", "cancelled")


class LineDraft(Struct):
    """One line to order: by SKU or by product id. Figures given win over the product's price."""

    sku: str = ""
    quantity: int = 1
    product_id: int = 0
    name: str | None = None
    subtotal: Decimal | None = None
    total: Decimal | None = None


class OrderDraft(Struct):
    """What a checkout hands over. `coupons` are (code, "percent" or "fixed", amount); `fees` (name, amount,
    is it taxable); `placed` and `modified` default to the shop's clock, the currency to the shop's."""

    lines: list[LineDraft]
    status: str = "processing"
    customer_id: int = 0
    billing: Address = field(default_factory=Address)
    shipping: Address = field(default_factory=Address)
    shipping_lines: list[tuple[str, str, Decimal]] = field(default_factory=list)
    fees: list[tuple[str, Decimal, bool]] = field(default_factory=list)
    coupons: list[tuple[str, str, Decimal]] = field(default_factory=list)
    currency: str = ""
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    note: str = ""
    created_via: str = "checkout"
    is_paid: bool | None = None
    placed: datetime | None = None
    modified: datetime | None = None
    meta: list[dict[str, Any]] = field(default_factory=list)


class Trading(Catalogue):
    """Each method saves, moves the order's modified time and keeps stock in step, unless it says otherwise."""

    def take_order(self, draft: OrderDraft) -> Order:
        """Place an order. A line whose SKU or product is unknown is taken with no product, as the real shop does."""
        with self.changing():
            order = self.price(draft)
            if order.status in TAKES_STOCK:
                self.move_stock(order, taken=True)
            self.save(self.orders, order)
        return order

    def price(self, draft: OrderDraft) -> Order:
        """The order a draft makes, numbered and with exact figures, neither saved nor taken from stock."""
        placed = draft.placed or self.clock.now()
        number = self.next_id("post", 11)
        order = Order(
            id=number,
            key=f"wc_order_{number:09d}",
            created=placed,
            modified=draft.modified or placed,
            currency=draft.currency or self.currency,
            status=draft.status,
            customer_id=draft.customer_id,
            billing=draft.billing,
            shipping=draft.shipping,
            payment_method=draft.payment_method,
            payment_title=draft.payment_title,
            transaction_id=draft.transaction_id,
            note=draft.note,
            created_via=draft.created_via,
            meta=draft.meta,
            lines=[self.line(line) for line in draft.lines],
            shipping_lines=[Shipping(self.next_item_id(), t, cost, m) for t, m, cost in draft.shipping_lines],
            fees=[Fee(self.next_item_id(), name, amount, taxable) for name, amount, taxable in draft.fees],
            coupons=[Coupon(self.next_item_id(), *coupon) for coupon in draft.coupons],
        )
        for coupon in order.coupons:
            apply_coupon(order.lines, coupon)
        add_up(order, self.next_item_id)
        is_paid = order.status in PAID if draft.is_paid is None else draft.is_paid
        order.paid = placed if is_paid else None
        order.completed = order.modified if order.status == "completed" else None
        return order

    def line(self, draft: LineDraft) -> Line:
        """A numbered line, priced by its product unless the draft says what it costs."""
        product = self.products.rows.get(draft.product_id) or self.product_by_sku(draft.sku)
        unit = Decimal(product.price or "0") if product else ZERO
        subtotal = draft.subtotal if draft.subtotal is not None else draft.total
        if subtotal is None:
            subtotal = cents(unit * draft.quantity)
        return Line(
            id=self.next_item_id(),
            name=draft.name if draft.name is not None else self.line_name(product),
            quantity=draft.quantity,
            sku=product.sku if product else draft.sku,
            product_id=(product.parent_id or product.id) if product else 0,
            variation_id=product.id if product and product.parent_id else 0,
            tax_class=product.tax_class if product else "",
            subtotal=subtotal,
            total=draft.total if draft.total is not None else subtotal,
        )

    def line_name(self, product: Product | None) -> str:
        if product is None:
            return ""
        parent = self.products.rows.get(product.parent_id)
        return f"{parent.name} - {product.option}" if parent else product.name

    def place_order(
        self,
        *skus: str,
        status: str = "processing",
        quantity: int = 1,
        customer_id: int = 0,
        email: str = "guest@example.test",
        placed: datetime | None = None,
        modified: datetime | None = None,
        **draft: Any,
    ) -> Order:
        """Place an order of `quantity` each of `skus` (default: any product in stock). Further fields: OrderDraft."""
        customer = self.customers.rows.get(customer_id)
        default = Address(first_name="Guest", last_name="Buyer", country="US", state="NY", email=email)
        draft.setdefault("billing", customer.billing if customer else default)
        lines = [LineDraft(sku, quantity) for sku in skus or (self.any_sku(),)]
        return self.take_order(
            OrderDraft(lines, status=status, customer_id=customer_id, placed=placed, modified=modified, **draft)
        )

    def any_sku(self) -> str:
        """The SKU of the first simple product that can be sold."""
        products = self.products.rows.values()
        return next(p.sku for p in products if p.sku and p.price and p.kind != "variable")

    def place_in_same_second(self, count: int, moment: datetime | None = None) -> list[Order]:
        """Place `count` orders that share one second (default: now)."""
        second = moment or self.clock.now()
        return [self.place_order(placed=second) for _ in range(count)]

    def commit_late(self, seconds: int = 120, *skus: str) -> Order:
        """An order that becomes visible only now although its times lie `seconds` back."""
        return self.place_order(*skus, placed=self.clock.now() - timedelta(seconds=seconds))

    def edit_order(self, order_id: int, **changes: Any) -> Order:
        """Change fields of an order (records.Order) and its modified time; figures stay as they are."""
        order = self.orders.rows[order_id]
        assign(order, changes)
        return self.touch_order(order)

    def touch_order(self, order: Order) -> Order:
        with self.changing():
            order.modified = self.clock.now()
            self.save(self.orders, order)
        return order

    def set_quantity(self, order_id: int, line_id: int, quantity: int) -> Order:
        """Change a line's quantity at its unit price and add the order up again; 0 removes the line.

        Stock is left as it is, as the real shop's REST interface does.
        """
        order = self.orders.rows[order_id]
        line = next(line for line in order.lines if line.id == line_id)
        if quantity == 0:
            order.lines.remove(line)
        else:
            line.subtotal = cents(line.subtotal * quantity / line.quantity)
            line.total = cents(line.total * quantity / line.quantity)
            line.quantity = quantity
        add_up(order, self.next_item_id)
        return self.touch_order(order)

    def set_status(self, order_id: int, status: str) -> Order:
        """Move an order on: paid and completed times are set once, stock is taken or given back."""
        order = self.orders.rows[order_id]
        with self.changing():
            order.status = status
            if status in PAID and order.paid is None:
                order.paid = self.clock.now()
            order.completed = self.clock.now() if status == "completed" else order.completed
            if status in TAKES_STOCK or status in GIVES_STOCK_BACK:
                self.move_stock(order, taken=status in TAKES_STOCK)
            return self.touch_order(order)

    def cancel_order(self, order_id: int) -> Order:
        """Cancel; stock it had taken comes back."""
        return self.set_status(order_id, "cancelled")

    def refund_order(
        self,
        order_id: int,
        amount: Decimal | None = None,
        reason: str = "",
        lines: dict[int, int] | None = None,
        restock: bool = True,
    ) -> Refund:
        """Refund money only (`amount`, default all that is left) or `lines` as {line id: quantity} with their tax.

        A partial refund leaves status and total alone; one that takes all that is left makes the order refunded.
        Raises ValueError when more than what is left is asked for, or nothing.
        """
        order = self.orders.rows[order_id]
        with self.changing():
            refund = self.refund(order, self.clock.now(), amount, reason, lines)
            if restock:
                self._restock(order, lines or {})
            if self.refunds_touch_orders:
                self.touch_order(order)
            else:
                self.save(self.orders, order)
        return refund

    def refund(
        self,
        order: Order,
        moment: datetime,
        amount: Decimal | None = None,
        reason: str = "",
        lines: dict[int, int] | None = None,
    ) -> Refund:
        """What `refund_order` writes into the order itself; saves nothing and moves no stock."""
        refund = make_refund(order, moment, self.next_item_id, amount, lines or {})
        refund.id = self.next_id("post", 11)
        refund.reason = reason
        order.refunds.insert(0, refund)
        if left_to_refund(order) == ZERO:
            order.status = "refunded"
        return refund

    def _restock(self, order: Order, quantities: dict[int, int]) -> None:
        for line in order.lines:
            product = self.stock_holder(line)
            back = min(quantities.get(line.id, 0), line.stock_taken)
            if back and product:
                product.stock = (product.stock or 0) + back
                line.stock_taken, line.restocked = line.stock_taken - back, line.restocked + back
                self.touch_stock(product)

    def trash_order(self, order_id: int) -> Order:
        """Into the trash: no list but status=trash shows it any more."""
        order = self.orders.rows[order_id]
        order.status_before_trash, order.status = order.status, "trash"
        return self.touch_order(order)

    def untrash_order(self, order_id: int) -> Order:
        """Out of the trash, with the status it had."""
        order = self.orders.rows[order_id]
        order.status = order.status_before_trash
        return self.touch_order(order)

    def delete_order(self, order_id: int) -> None:
        """Delete for good: it vanishes from every answer."""
        with self.changing():
            self.erase(self.orders, order_id)
