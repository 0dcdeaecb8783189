"""The items of an order. What has parts comes as a parent with its parts behind it, each naming the parent.

A configurable product's parent carries the figures and the SKU of the size that was chosen; the size itself costs
nothing. Of a bundle with a price of its own the parent carries all; of one whose price is the sum of its parts the
parent carries row and tax, and the parts carry theirs too, and the discount.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from sandbox.magento.looks import number, stamp
from sandbox.money import RATES_BY_ID, cents, spread
from sandbox.records import ZERO, Fee, Line, Order, Product
from sandbox.shop import Shop

# Item ids times this leave room for the parts of a line.
STRIDE = 10


class Figures(Struct):
    """Of one item, for all its pieces: before discount, discount, what of that was tax, and the tax charged."""

    gross: Decimal = ZERO
    discount: Decimal = ZERO
    compensation: Decimal = ZERO
    tax: Decimal = ZERO


def figures_of(line: Line, *, includes_tax: bool) -> Figures:
    """`includes_tax`: the catalogue's prices include tax, so a discount takes tax with it, which is given back."""
    discount = line.subtotal - line.total
    percent = sum((RATES_BY_ID[share.rate_id].percent for share in line.taxes), ZERO)
    compensation = cents(discount * percent / 100) if includes_tax else ZERO
    return Figures(line.subtotal, discount + compensation, compensation, line.total_tax)


def items_of(shop: Shop, order: Order, rate: Decimal, *, includes_tax: bool) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for line in order.lines:
        product = shop.products.rows.get(line.variation_id or line.product_id)
        figures = figures_of(line, includes_tax=includes_tax)
        if product is not None and product.kind == "bundle":
            items += _bundle(shop, order, line, product, figures, rate)
        elif line.variation_id:
            items += _configurable(shop, order, line, figures, rate)
        else:
            items.append(_item(order, line, figures, rate, _identity(line, product), "simple"))
    if items and order.fees:
        _add_fixed_taxes(items[0], order.fees)
    return items


def _identity(line: Line, product: Product | None) -> dict[str, Any]:
    name = line.name or (product.name if product else "")
    sku = line.sku or (product.sku if product else "") or name.lower().replace(" ", "-")
    # A product that is gone keeps its id on old orders; what never was one has none.
    return {"sku": sku, "name": name} | ({"product_id": line.product_id} if line.product_id else {})


def _configurable(shop: Shop, order: Order, line: Line, figures: Figures, rate: Decimal) -> list[dict[str, Any]]:
    size = shop.products.rows.get(line.variation_id)
    identity = _identity(line, size)
    parent = _item(order, line, figures, rate, identity | {"product_id": line.product_id}, "configurable")
    child = _item(order, line, Figures(), rate, identity | {"product_id": line.variation_id}, "simple", part=1)
    return [parent, {**child, "parent_item_id": parent["item_id"], "parent_item": parent}]


def _bundle(
    shop: Shop, order: Order, line: Line, product: Product, figures: Figures, rate: Decimal
) -> list[dict[str, Any]]:
    """`extra["parts"]` of the product: [SKU, quantity] each; `extra["is_fixed"]`: it has a price of its own."""
    found = [(shop.product_by_sku(sku), quantity) for sku, quantity in product.extra["parts"]]
    parts = [(part, quantity) for part, quantity in found if part is not None]
    is_fixed = bool(product.extra.get("is_fixed"))
    weights = [ZERO if is_fixed else Decimal(part.price or "0") * quantity for part, quantity in parts]
    split = [spread(amount, weights) for amount in (figures.gross, figures.discount, figures.compensation, figures.tax)]
    identity = _identity(line, product)
    if not is_fixed:
        identity["sku"] = "-".join([product.sku, *(part.sku for part, _ in parts)])
    whole = figures if is_fixed else Figures(gross=figures.gross, tax=figures.tax)
    parent = _item(order, line, whole, rate, identity, "bundle")
    children = [
        _item(
            order, line, Figures(*(amounts[place] for amounts in split)), rate,
            {"product_id": part.id, "sku": part.sku, "name": part.name}, "simple", part=place + 1, pieces=quantity,
        )
        for place, (part, quantity) in enumerate(parts)
    ]  # fmt: skip
    return [parent, *({**child, "parent_item_id": parent["item_id"], "parent_item": parent} for child in children)]


def _item(
    order: Order,
    line: Line,
    figures: Figures,
    rate: Decimal,
    identity: dict[str, Any],
    kind: str,
    *,
    part: int = 0,
    pieces: int = 1,
) -> dict[str, Any]:
    quantity = line.quantity * pieces
    net = figures.gross - figures.discount + figures.compensation
    tax_percent = sum((RATES_BY_ID[share.rate_id].percent for share in line.taxes), ZERO)
    amounts = {
        "discount_amount": figures.discount,
        "discount_tax_compensation_amount": figures.compensation,
        "price": cents(figures.gross / quantity),
        "price_incl_tax": cents((figures.gross + figures.gross * tax_percent / 100) / quantity),
        # Over REST the row is net of the discount already.
        "row_total": max(ZERO, figures.gross - figures.discount),
        "row_total_incl_tax": net + figures.tax,
        "tax_amount": figures.tax,
    }
    return {
        **{name: number(amount) for name, amount in amounts.items()},
        **{f"base_{name}": number(cents(amount / rate)) for name, amount in amounts.items()},
        **identity,
        "created_at": stamp(order.created),
        "is_qty_decimal": 0,
        "is_virtual": 0,
        "item_id": line.id * STRIDE + part,
        "order_id": order.id,
        "original_price": number(cents(figures.gross / quantity)),
        "product_type": kind,
        **_progress(order, quantity),
        "store_id": 1,
        "tax_percent": number(tax_percent),
        "updated_at": stamp(order.modified),
    }


def _progress(order: Order, quantity: int) -> dict[str, int]:
    """How many of the pieces have come how far."""
    reached = {
        "qty_canceled": order.status in ("cancelled", "failed"),
        "qty_invoiced": order.paid is not None,
        "qty_ordered": True,
        "qty_refunded": order.status == "refunded",
        "qty_shipped": order.status in ("completed", "refunded"),
    }
    return {name: quantity if is_reached else 0 for name, is_reached in reached.items()}


def _add_fixed_taxes(item: dict[str, Any], fees: list[Fee]) -> None:
    """What other shops call a fee is a fixed product tax here: it stands beside the row, not in it."""
    applied = [
        {
            "title": fee.name,
            "row_amount": number(fee.total),
            "row_amount_incl_tax": number(fee.total + fee.total_tax),
        }
        for fee in fees
    ]
    row = number(sum((fee.total for fee in fees), ZERO))
    item |= {"weee_tax_applied": msgspec.json.encode(applied).decode(), "weee_tax_applied_row_amount": row}
