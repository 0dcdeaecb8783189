"""The figures of a refund, taken from the order's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from sandbox.money import cents, tax_lines
from sandbox.records import ZERO, Line, Order, Refund, TaxShare


def left_to_refund(order: Order) -> Decimal:
    return order.total - sum((refund.amount for refund in order.refunds), ZERO)


def make_refund(
    order: Order,
    moment: datetime,
    next_item_id: Callable[[], int],
    amount: Decimal | None,
    lines: dict[int, int],
) -> Refund:
    """A refund without a number of `lines` as {line id: quantity}, or of money alone when there are none.

    `amount` defaults to what the lines cost with tax, else to all that is left. Raises ValueError when it is
    nothing or more than is left.
    """
    ordered = {line.id: line for line in order.lines}
    parts = [_part(ordered[line_id], quantity, next_item_id()) for line_id, quantity in lines.items()]
    left = left_to_refund(order)
    if amount is None:
        amount = -sum((part.total + part.total_tax for part in parts), ZERO) if parts else left
    if not ZERO < amount <= left:
        raise ValueError("Invalid refund amount.")
    whole = Order(0, "", moment, moment, order.currency, lines=parts)
    return Refund(
        id=0,
        order_id=order.id,
        created=moment,
        amount=cents(amount),
        total_tax=sum((part.total_tax for part in parts), ZERO),
        lines=parts,
        refunded_lines=list(lines),
        taxes=tax_lines(whole, next_item_id),
    )


def _part(line: Line, quantity: int, item_id: int) -> Line:
    """The refunded part of a line: everything negative, no price before discount of its own."""
    taxes = []
    for share in line.taxes:
        part = -cents(share.total * quantity / line.quantity)
        taxes.append(TaxShare(share.rate_id, part, part))
    total = -cents(line.total * quantity / line.quantity)
    tax = sum((share.total for share in taxes), ZERO)
    return Line(
        id=item_id,
        name=line.name,
        quantity=-quantity,
        product_id=line.product_id,
        variation_id=line.variation_id,
        tax_class=line.tax_class,
        subtotal=total,
        subtotal_tax=tax,
        total=total,
        total_tax=tax,
        taxes=taxes,
    )
