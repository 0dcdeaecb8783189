"""An order of v2, from the shop's own records.

What other platforms do not know is kept in the order's `meta` under the key "bigcommerce": store_credit_amount,
gift_certificate_amount, handling, wrapping, discount, manual_discount (of a line; all amounts as texts),
credit_in_total, is_tax_inclusive, display_currency, display_rate, exchange_rate, payment_status.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.bigcommerce.looks import amount, order_address, rfc2822
from sandbox.bigcommerce.order_parts import ESTIMATE, fees_body, peculiar, products_body
from sandbox.records import ZERO, Order
from sandbox.refunding import left_to_refund
from sandbox.shop import Shop

STATUSES = {
    0: "Incomplete", 1: "Pending", 2: "Shipped", 3: "Partially Shipped", 4: "Refunded", 5: "Cancelled", 6: "Declined",
    7: "Awaiting Payment", 8: "Awaiting Pickup", 9: "Awaiting Shipment", 10: "Completed", 11: "Awaiting Fulfillment",
    12: "Manual Verification Required", 13: "Disputed", 14: "Partially Refunded",
}  # fmt: skip
# The shop's own words for the states of an order; any other is taken as the label of a status above.
_STATUS_IDS = {
    "incomplete": 0, "pending": 7, "processing": 11, "on-hold": 12, "completed": 10, "cancelled": 5, "failed": 6,
    "refunded": 4,
}  # fmt: skip
_LABELS = {label.lower(): status_id for status_id, label in STATUSES.items()}


def status_id(order: Order) -> int:
    status = order.status_before_trash if order.status == "trash" else order.status
    number = _STATUS_IDS.get(status, _LABELS.get(status, 12))
    is_partly_refunded = bool(order.refunds) and left_to_refund(order) > ZERO and number in (10, 11)
    return 14 if is_partly_refunded else number


def order_body(shop: Shop, order: Order, include: set[str]) -> dict[str, Any]:
    """The body of GET v2/orders/{id}; `include` as the query asks for it."""
    extra, root = peculiar(order), f"{shop.url}/stores/practice/v2/orders/{order.id}"
    number = status_id(order)
    links = {name: {"url": f"{root}/{name}", "resource": f"/orders/{order.id}/{name}"} for name in _PARTS}
    body = {
        "id": order.id,
        "customer_id": order.customer_id,
        "date_created": rfc2822(order.created),
        "date_modified": rfc2822(order.modified),
        "date_shipped": "",
        "status_id": number,
        "status": STATUSES[number],
        "custom_status": STATUSES[number],
        **_figures(order, extra),
        "items_total": sum(line.quantity for line in order.lines),
        "items_shipped": 0,
        "payment_method": order.payment_title,
        "payment_provider_id": order.transaction_id,
        "payment_status": extra.get("payment_status", ""),
        "order_is_digital": False,
        "ip_address": "203.0.113.9",
        "ip_address_v6": "",
        "geoip_country": "United States",
        "geoip_country_iso2": "US",
        **_currencies(shop, order, extra),
        "staff_notes": "",
        "customer_message": order.note,
        "shipping_address_count": 1,
        "is_deleted": order.status == "trash",
        "is_email_opt_in": False,
        "cart_id": f"cart-{order.id}",
        "credit_card_type": None,
        "ebay_order_id": "0",
        "order_source": "www",
        "channel_id": 1,
        "external_source": "",
        "external_id": None,
        "external_merchant_id": None,
        "external_order_id": "",
        "tax_provider_id": "BasicTaxProvider",
        "customer_locale": "en",
        "billing_address": order_address(order.billing),
        **links,
    }
    if "fees" in include:
        body["fees"] = fees_body(order)
    if include & {"consignments", "consignments.line_items"}:
        body["consignments"] = _consignments(shop, order, "consignments.line_items" in include)
    return body


_PARTS = ("products", "shipping_addresses", "coupons", "fees", "consignments")


def _figures(order: Order, extra: dict[str, Any]) -> dict[str, Any]:
    subtotal = sum((line.subtotal for line in order.lines), ZERO)
    goods_tax = sum((line.total_tax for line in order.lines), ZERO)
    handling, wrapping = Decimal(extra.get("handling", 0)), Decimal(extra.get("wrapping", 0))
    credit = Decimal(extra.get("store_credit_amount", 0)) + Decimal(extra.get("gift_certificate_amount", 0))
    manual = Decimal(extra.get("discount", 0)) + Decimal(extra.get("manual_discount", 0))
    total = order.total + handling + wrapping - manual - (credit if extra.get("credit_in_total") else ZERO)
    figures = {
        "subtotal": (subtotal, goods_tax),
        "shipping_cost": (order.shipping_total, order.shipping_tax),
        "handling_cost": (handling, ZERO),
        "wrapping_cost": (wrapping, ZERO),
        "total": (total - order.total_tax, order.total_tax),
    }
    body: dict[str, Any] = {}
    off = ESTIMATE if extra.get("is_tax_inclusive") else ZERO
    for name, (net, tax) in figures.items():
        body |= {f"{name}_ex_tax": amount(net + off if net else net), f"{name}_inc_tax": amount(net + tax)}
        body |= {"total_tax": amount(tax)} if name == "total" else {f"{name}_tax": amount(tax)}
    for name in ("shipping", "handling", "wrapping"):
        body |= {f"base_{name}_cost": body[f"{name}_cost_ex_tax"], f"{name}_cost_tax_class_id": 0}
    return body | {
        "is_tax_inclusive_pricing": bool(extra.get("is_tax_inclusive")),
        "discount_amount": amount(manual),
        "coupon_discount": amount(order.discount_total),
        "store_credit_amount": amount(Decimal(extra.get("store_credit_amount", 0))),
        "gift_certificate_amount": amount(Decimal(extra.get("gift_certificate_amount", 0))),
        # Always nothing here; refunds are told by v3 only.
        "refunded_amount": amount(ZERO),
    }


def _currencies(shop: Shop, order: Order, extra: dict[str, Any]) -> dict[str, Any]:
    """`default_currency_code` is, against its name, what the buyer pays in."""
    return {
        "currency_id": 1,
        "currency_code": extra.get("display_currency", order.currency),
        "currency_exchange_rate": extra.get("display_rate", "1.0000000000"),
        "default_currency_id": 1,
        "default_currency_code": order.currency,
        "store_default_currency_code": shop.currency,
        "store_default_to_transactional_exchange_rate": extra.get("exchange_rate", "1.0000000000"),
    }


def _consignments(shop: Shop, order: Order, with_lines: bool) -> dict[str, Any]:
    """Of a long order only the first page of lines is in here, as in the list of lines itself."""
    where = order.shipping if order.shipping.country else order.billing
    lines = products_body(shop, order)[:50] if with_lines else []
    shipping = {
        "id": order.id,
        **order_address(where),
        "items_total": sum(line.quantity for line in order.lines),
        "items_shipped": 0,
        "shipping_method": ", ".join(each.title for each in order.shipping_lines),
        "cost_ex_tax": float(order.shipping_total),
        "cost_inc_tax": float(order.shipping_total + order.shipping_tax),
        "cost_tax": float(order.shipping_tax),
        "shipping_zone_id": 1,
        "shipping_zone_name": "Everywhere",
        "line_items": lines,
    }
    return {"pickups": [], "shipping": [shipping], "downloads": [], "email": {"gift_certificates": []}}
