"""What happens to orders of a Shopify shop and of no other."""

from __future__ import annotations

from msgspec import to_builtins

from sandbox.money import add_up, cents
from sandbox.records import Order
from sandbox.shop import Shop


def edit_quantity(shop: Shop, order_id: int, line_id: int, quantity: int) -> Order:
    """Edit the order: the line counts so many units from now on (0: removed), and still tells how many it had."""
    order = shop.orders.rows[order_id]
    line = next(line for line in order.lines if line.id == line_id)
    order.extra = {**order.extra, "sold": {str(line_id): to_builtins(line), **order.extra.get("sold", {})}}
    line.subtotal = cents(line.subtotal * quantity / line.quantity)
    line.total = cents(line.total * quantity / line.quantity)
    line.quantity = quantity
    add_up(order, shop.next_item_id)
    return shop.touch_order(order)
