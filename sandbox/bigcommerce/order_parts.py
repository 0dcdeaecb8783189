"""The parts of an order: lines, addresses, coupons, taxes and fees of v2, refunds of v3."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.bigcommerce.looks import amount, iso_offset, order_address, variant_id
from sandbox.money import spread
from sandbox.records import ZERO, Fee, Line, Order, Refund
from sandbox.shop import Shop

MANUAL = "manual-discount"
# Where prices hold the tax, those without it are estimated: off by a little.
ESTIMATE = Decimal("0.0033")


def peculiar(order: Order) -> dict[str, Any]:
    """What only this platform knows of the order."""
    return next((each["value"] for each in order.meta if each.get("key") == "bigcommerce"), {})


def _manual_discount(order: Order) -> tuple[int, Decimal]:
    """(id of the line it is taken off, how much): the dearest."""
    amount_off = Decimal(peculiar(order).get("manual_discount", 0))
    return max(order.lines, key=lambda line: line.total).id if amount_off else 0, amount_off


def products_body(shop: Shop, order: Order) -> list[dict[str, Any]]:
    """Every line of v2/orders/{id}/products; the caller pages."""
    line_id, manual = _manual_discount(order)
    coupons = [spread(coupon.discount, [line.subtotal for line in order.lines]) for coupon in order.coupons]
    bodies = []
    for place, line in enumerate(order.lines):
        discounts = [
            {"id": "coupon", "code": coupon.code, "name": coupon.code, "amount": parts[place], "target": "order"}
            for coupon, parts in zip(order.coupons, coupons, strict=True)
            if parts[place]
        ]
        net, tax = line.total, line.total_tax
        if line.id == line_id:
            discounts.append(
                {"id": MANUAL, "code": None, "name": "Manual Discount", "amount": manual, "target": "order"}
            )
            net -= manual
        shown = [{**each, "amount": amount(each["amount"])} for each in discounts]
        bodies.append(_product(shop, order, line, net, tax, shown))
    return bodies


def _product(
    shop: Shop, order: Order, line: Line, net: Decimal, tax: Decimal, discounts: list[dict[str, Any]]
) -> dict[str, Any]:
    product = shop.products.rows.get(line.variation_id or line.product_id)
    unit = line.subtotal / (line.quantity or 1)
    unit_tax = line.subtotal_tax / (line.quantity or 1)
    refunded = _refunded(order, line)
    off = ESTIMATE if peculiar(order).get("is_tax_inclusive") and line.subtotal else ZERO
    options = [{"display_name": "Size", "display_value": product.option}] if product and product.parent_id else []
    return {
        "id": line.id,
        "order_id": order.id,
        "product_id": line.product_id if product else 0,
        "variant_id": variant_id(product) if product else 0,
        "order_address_id": order.id,
        "name": line.name,
        "name_customer": line.name,
        "name_merchant": line.name,
        "sku": product.sku if product else "",
        "upc": "",
        "type": "physical",
        "base_price": amount(unit),
        "price_ex_tax": amount(unit + off),
        "price_inc_tax": amount(unit + unit_tax),
        "price_tax": amount(unit_tax),
        "base_total": amount(line.subtotal),
        "total_ex_tax": amount(line.subtotal + off),
        "total_inc_tax": amount(line.subtotal + line.subtotal_tax),
        "total_tax": amount(tax),
        "quantity": line.quantity,
        "is_refunded": refunded == line.quantity,
        "quantity_refunded": refunded,
        "refund_amount": amount(ZERO),
        "wrapping_name": "",
        "wrapping_cost_ex_tax": amount(ZERO),
        "wrapping_cost_inc_tax": amount(ZERO),
        "wrapping_cost_tax": amount(ZERO),
        "quantity_shipped": 0,
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "applied_discounts": discounts,
        "product_options": options,
        "configurable_fields": [],
        "gift_certificate_id": None,
        "discounted_total_inc_tax": amount(net + tax),
    }


def _refunded(order: Order, line: Line) -> int:
    taken = [
        part.quantity
        for refund in order.refunds
        for part, line_id in zip(refund.lines, refund.refunded_lines, strict=True)
        if line_id == line.id
    ]
    return -sum(taken)


def shipping_addresses_body(order: Order) -> list[dict[str, Any]]:
    where = order.shipping if order.shipping.country else order.billing
    return [
        {
            "id": order.id,
            "order_id": order.id,
            **order_address(where),
            "items_total": sum(line.quantity for line in order.lines),
            "shipping_method": ", ".join(each.title for each in order.shipping_lines),
            "cost_ex_tax": amount(order.shipping_total),
            "cost_inc_tax": amount(order.shipping_total + order.shipping_tax),
            "cost_tax": amount(order.shipping_tax),
        }
    ]


def coupons_body(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "id": coupon.id,
            "coupon_id": coupon.id,
            "order_id": order.id,
            "code": coupon.code,
            "amount": float(coupon.nominal),
            "type": 1 if coupon.kind == "percent" else 2,
            "discount": float(coupon.discount),
        }
        for coupon in order.coupons
    ]


def taxes_body(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "id": line.id,
            "order_id": order.id,
            "order_address_id": order.id,
            "tax_rate_id": line.rate_id,
            "name": f"Tax {line.rate_id}",
            "class": "Default Tax Class",
            "priority": 0,
            "priority_amount": amount(line.tax_total + line.shipping_tax_total),
            "line_amount": amount(line.tax_total + line.shipping_tax_total),
            "line_item_type": "item",
        }
        for line in order.taxes
    ]


def fees_body(order: Order) -> list[dict[str, Any]]:
    return [_fee(fee) for fee in order.fees]


def _fee(fee: Fee) -> dict[str, Any]:
    return {
        "id": fee.id,
        "type": "custom_fee",
        "display_name_customer": fee.name,
        "display_name_merchant": fee.name,
        "source": "v2",
        "base_cost": amount(fee.total),
        "cost_ex_tax": amount(fee.total),
        "cost_inc_tax": amount(fee.total + fee.total_tax),
        "cost_tax": amount(fee.total_tax),
        "tax_class_id": 0,
    }


def refund_body(refund: Refund) -> dict[str, Any]:
    """A row of v3/orders/payment_actions/refunds."""
    return {
        "id": refund.id,
        "order_id": refund.order_id,
        "user_id": 1,
        "created": iso_offset(refund.created),
        "reason": refund.reason,
        "total_amount": float(refund.amount),
        "total_tax": float(-refund.total_tax),
        "uses_merchant_override_values": False,
        "items": [
            {
                "item_type": "PRODUCT",
                "item_id": line_id,
                "reason": refund.reason,
                "quantity": -part.quantity,
                "requested_amount": float(-(part.total + part.total_tax)),
            }
            for part, line_id in zip(refund.lines, refund.refunded_lines, strict=True)
        ],
        "payments": [{"id": refund.id, "provider_id": "custom", "amount": float(refund.amount), "offline": True}],
    }
