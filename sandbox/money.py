"""Exact figures of an order: taxes rate by rate, discounts spread over lines, totals as sums of their parts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from msgspec import Struct

from sandbox.records import ZERO, Coupon, Fee, Line, Order, Shipping, TaxLine, TaxShare

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


class TaxRate(Struct, frozen=True):
    id: int
    code: str
    label: str
    percent: Decimal
    country: str
    state: str = ""
    tax_class: str = ""


# Two rates hold for one Colorado line and a second class exists in Germany, so that lines with several
# shares and orders with several rates both occur; California has none.
TAX_RATES = (
    TaxRate(1, "US-NY-NY TAX-1", "NY Tax", Decimal("8.875"), "US", "NY"),
    TaxRate(2, "US-CO-STATE TAX-1", "State Tax", Decimal("2.9"), "US", "CO"),
    TaxRate(3, "DE-MWST-1", "MwSt", Decimal(19), "DE"),
    TaxRate(4, "US-CO-CITY TAX-2", "City Tax", Decimal("4.81"), "US", "CO"),
    TaxRate(5, "DE-MWST 7-1", "MwSt 7", Decimal(7), "DE", "", "reduced-rate"),
)
RATES_BY_ID = {rate.id: rate for rate in TAX_RATES}


def cents(amount: Decimal) -> Decimal:
    """Round half away from zero to two decimals, as PHP's round() does."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@cache
def rates_for(country: str, state: str, tax_class: str) -> tuple[TaxRate, ...]:
    """The rates that hold at an address for a tax class; a class unknown there pays no tax."""
    return tuple(r for r in TAX_RATES if r.country == country and r.state in ("", state) and r.tax_class == tax_class)


def spread(amount: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split `amount` over `weights` in whole cents; the parts sum to it exactly."""
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO for _ in weights]
    parts, left, weight_left = [], amount, whole
    for weight in weights:
        part = cents(left * weight / weight_left) if weight_left else ZERO
        parts.append(part)
        left, weight_left = left - part, weight_left - weight
    return parts


def apply_coupon(lines: list[Line], coupon: Coupon) -> None:
    """Take the coupon off the lines' totals; `coupon.discount` becomes what was taken."""
    if coupon.kind == "percent":
        parts = [cents(line.total * coupon.nominal / HUNDRED) for line in lines]
    else:
        available = sum((line.total for line in lines), ZERO)
        parts = spread(min(coupon.nominal, available), [line.total for line in lines])
    for line, part in zip(lines, parts, strict=True):
        line.total -= part
    coupon.discount = sum(parts, ZERO)


def add_up(order: Order, next_item_id: Callable[[], int]) -> None:
    """Set every tax and total of the order from its lines' `subtotal` and `total`, shipping and fees.

    `next_item_id()` numbers the tax lines that are new; a rate that stays keeps its line's id.
    """
    where = order.shipping if order.shipping.country else order.billing
    place = (where.country, where.state)
    for line in order.lines:
        _tax_line_item(line, place)
    for part in (*order.shipping_lines, *order.fees):
        _tax_part(part, place)
    _total(order, next_item_id)


def _tax_line_item(line: Line, place: tuple[str, str]) -> None:
    rates = rates_for(*place, line.tax_class)
    line.taxes = [
        TaxShare(r.id, cents(line.total * r.percent / HUNDRED), cents(line.subtotal * r.percent / HUNDRED))
        for r in rates
    ]
    line.total_tax = sum((share.total for share in line.taxes), ZERO)
    line.subtotal_tax = sum((share.subtotal for share in line.taxes), ZERO)


def _tax_part(part: Shipping | Fee, place: tuple[str, str]) -> None:
    # A negative fee sent as untaxed comes back taxed on the real server.
    is_taxed = not isinstance(part, Fee) or part.is_taxable or part.total < 0
    rates = rates_for(*place, getattr(part, "tax_class", "")) if is_taxed else ()
    part.taxes = [TaxShare(r.id, cents(part.total * r.percent / HUNDRED)) for r in rates]
    part.total_tax = sum((share.total for share in part.taxes), ZERO)


def _total(order: Order, next_item_id: Callable[[], int]) -> None:
    order.taxes = tax_lines(order, next_item_id)
    lines_total = sum((line.total for line in order.lines), ZERO)
    order.discount_total = sum((line.subtotal for line in order.lines), ZERO) - lines_total
    # From unrounded taxes, so that it may differ by a cent from what the lines' rounded ones say.
    order.discount_tax = cents(
        sum(
            (
                (line.subtotal - line.total) * RATES_BY_ID[share.rate_id].percent / HUNDRED
                for line in order.lines
                for share in line.taxes
            ),
            ZERO,
        )
    )
    discounts = spread(order.discount_tax, [coupon.discount for coupon in order.coupons])
    for coupon, tax in zip(order.coupons, discounts, strict=True):
        coupon.discount_tax = tax
    order.shipping_total = sum((part.total for part in order.shipping_lines), ZERO)
    order.shipping_tax = sum((part.total_tax for part in order.shipping_lines), ZERO)
    order.cart_tax = sum((part.total_tax for part in (*order.lines, *order.fees)), ZERO)
    order.total_tax = order.cart_tax + order.shipping_tax
    fees = sum((fee.total for fee in order.fees), ZERO)
    order.total = lines_total + order.shipping_total + fees + order.total_tax


def tax_lines(order: Order, next_item_id: Callable[[], int]) -> list[TaxLine]:
    """One line a rate used, its sums over goods and fees apart from shipping."""
    known = {line.rate_id: line.id for line in order.taxes}
    found: dict[int, TaxLine] = {}
    for part in (*order.lines, *order.fees, *order.shipping_lines):
        for share in part.taxes:
            line = found.get(share.rate_id)
            if line is None:
                line_id = known.get(share.rate_id) or next_item_id()
                line = found[share.rate_id] = TaxLine(line_id, share.rate_id, ZERO, ZERO)
            if isinstance(part, Shipping):
                line.shipping_tax_total += share.total
            else:
                line.tax_total += share.total
    return list(found.values())
