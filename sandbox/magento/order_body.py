"""An order and a credit memo as Magento shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.magento.looks import STATES, STATUSES, number, order_address, stamp
from sandbox.magento.order_lines import figures_of, items_of
from sandbox.money import cents
from sandbox.records import ZERO, Order, Refund
from sandbox.refunding import left_to_refund
from sandbox.shop import Shop

# What one unit of the shop's own currency is in an order's, where a buyer paid in another.
FOREIGN_RATE = Decimal("0.91355")
STORE = {"store_id": 1, "store_name": "Main Website\nMain Website Store\nDefault Store View"}


def rate_of(shop: Shop, order: Order) -> Decimal:
    return Decimal(1) if order.currency == shop.currency else FOREIGN_RATE


def order_body(shop: Shop, order: Order, *, includes_tax: bool = False) -> dict[str, Any]:
    """The body of GET orders/{id}; `meta` of the order holds what it was edited from or into (see editing)."""
    rate = rate_of(shop, order)
    amounts = _amounts(order, includes_tax=includes_tax)
    state = STATES.get(order.status, "new")
    email = order.billing.email
    body = {
        **{name: number(amount) for name, amount in amounts.items()},
        **{_base(name): number(cents(amount / rate)) for name, amount in amounts.items()},
        **_who(order, email),
        "base_currency_code": shop.currency,
        "base_to_global_rate": 1,
        "base_to_order_rate": number(rate),
        "created_at": stamp(order.created),
        "entity_id": order.id,
        "global_currency_code": shop.currency,
        "increment_id": increment_id(order),
        "is_virtual": 0 if order.shipping_lines else 1,
        "order_currency_code": order.currency,
        "state": state,
        "status": STATUSES.get(state, state),
        "store_currency_code": shop.currency,
        **STORE,
        "total_qty_ordered": sum(line.quantity for line in order.lines),
        "updated_at": stamp(order.modified),
        **{piece["key"]: piece["value"] for piece in order.meta if piece["key"].startswith(("relation_", "edit_"))},
    }
    if order.shipping_lines:
        body["shipping_description"] = order.shipping_lines[0].title
    if order.note:
        body["customer_note"] = order.note
    return {
        **dict(sorted(body.items())),
        "items": items_of(shop, order, rate, includes_tax=includes_tax),
        "billing_address": order_address(order.billing, "billing", order.id, email),
        "payment": _payment(order, rate),
        "status_histories": [],
        "extension_attributes": _extension(order, email),
    }


def increment_id(order: Order) -> str:
    edited = next((str(piece["value"]) for piece in order.meta if piece["key"] == "increment_id"), "")
    return edited or f"{order.id:09d}"


def _base(name: str) -> str:
    """The base twin of one name is spelled in a way of its own."""
    return (
        f"base_{name.replace('shipping_discount_tax_compensation_amount', 'shipping_discount_tax_compensation_amnt')}"
    )


def _amounts(order: Order, *, includes_tax: bool) -> dict[str, Decimal]:
    figures = [figures_of(line, includes_tax=includes_tax) for line in order.lines]
    fees = sum((fee.total for fee in order.fees), ZERO)
    subtotal = sum((each.gross for each in figures), ZERO) + fees
    paid = order.total if order.paid else ZERO
    amounts = {
        "discount_amount": -sum((each.discount for each in figures), ZERO),
        "discount_tax_compensation_amount": sum((each.compensation for each in figures), ZERO),
        "grand_total": order.total,
        "shipping_amount": order.shipping_total,
        "shipping_discount_amount": ZERO,
        "shipping_discount_tax_compensation_amount": ZERO,
        "shipping_incl_tax": order.shipping_total + order.shipping_tax,
        "shipping_tax_amount": order.shipping_tax,
        "subtotal": subtotal,
        "subtotal_incl_tax": subtotal + sum((line.subtotal_tax for line in order.lines), ZERO),
        "tax_amount": order.total_tax,
        "total_due": order.total - paid,
    }
    if order.paid:
        amounts["total_paid"] = paid
    if order.refunds:
        amounts["total_refunded"] = order.total - left_to_refund(order)
    if order.status in ("cancelled", "failed"):
        amounts["total_canceled"] = order.total
    return amounts


def _who(order: Order, email: str) -> dict[str, Any]:
    """The buyer, and what gives the buyer away."""
    who: dict[str, Any] = {
        "protect_code": f"{order.id:032x}",
        "quote_id": order.id,
        "remote_ip": "203.0.113.7",
        "customer_email": email,
        "customer_firstname": order.billing.first_name,
        "customer_group_id": 1 if order.customer_id else 0,
        "customer_is_guest": 0 if order.customer_id else 1,
        "customer_lastname": order.billing.last_name,
    }
    return who | ({"customer_id": order.customer_id} if order.customer_id else {})


def _payment(order: Order, rate: Decimal) -> dict[str, Any]:
    return {
        "account_status": None,
        "additional_information": [order.payment_title or "Check / Money order"],
        "amount_ordered": number(order.total),
        "base_amount_ordered": number(cents(order.total / rate)),
        "cc_last4": None,
        "entity_id": order.id,
        "method": order.payment_method or "checkmo",
        "parent_id": order.id,
    }


def _extension(order: Order, email: str) -> dict[str, Any]:
    """An order without anything to ship has no assignment at all."""
    title = order.payment_title or "Check / Money order"
    shown: dict[str, Any] = {"payment_additional_info": [{"key": "method_title", "value": title}]}
    if order.shipping_lines:
        place = order.shipping if order.shipping.country else order.billing
        address = order_address(place, "shipping", order.id, email)
        shown["shipping_assignments"] = [{"shipping": {"address": address, "method": "flatrate_flatrate"}}]
    return shown


def creditmemo_body(shop: Shop, order: Order, refund: Refund) -> dict[str, Any]:
    """Money alone is an adjustment; lines come back as the subtotal with their tax."""
    rate = rate_of(shop, order)
    goods = -sum((line.total for line in refund.lines), ZERO)
    tax = -sum((line.total_tax for line in refund.lines), ZERO)
    amounts = {
        "adjustment_negative": max(ZERO, goods + tax - refund.amount),
        "adjustment_positive": max(ZERO, refund.amount - goods - tax),
        "discount_amount": ZERO,
        "grand_total": refund.amount,
        "shipping_amount": ZERO,
        "subtotal": goods,
        "tax_amount": tax,
    }
    return {
        **{name: number(amount) for name, amount in amounts.items()},
        **{f"base_{name}": number(cents(amount / rate)) for name, amount in amounts.items()},
        "created_at": stamp(refund.created),
        "customer_note": refund.reason,
        "entity_id": refund.id,
        "increment_id": f"{refund.id:09d}",
        "order_currency_code": order.currency,
        "order_id": order.id,
        "state": 2,
        "updated_at": stamp(refund.created),
        "items": [],
        "comments": [],
    }
