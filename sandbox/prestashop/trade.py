"""Orders and what hangs on them: details, rules, slips, histories, carriers, payments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.prestashop.looks import (
    CARRIER_ID,
    CURRENCIES,
    NO_DATE,
    STATE_OF,
    flag,
    local,
    money,
    reference,
)
from sandbox.prestashop.people import ALL, GUESTS, SECRET_KEY, order_addresses
from sandbox.prestashop.query import Resource
from sandbox.prestashop.xml import Row
from sandbox.records import ZERO, Fee, Line, Order, Refund
from sandbox.shop import Shop

PAID_STATES = (2, 5)
WRITTEN = frozenset({"GET", "POST"})
# Kept in Order.meta: what two orders of one checkout share, and a state of the shop's own.
REFERENCE, STATE = "reference", "current_state"


def kept(order: Order, name: str) -> Any:
    return next((each["value"] for each in order.meta if each.get("key") == name), None)


def keep(order: Order, name: str, value: Any) -> None:
    order.meta = [each for each in order.meta if each.get("key") != name] + [{"key": name, "value": value}]


def state_of(order: Order) -> int:
    return int(kept(order, STATE) or STATE_OF.get(order.status, 10))


def reference_of(order: Order) -> str:
    return str(kept(order, REFERENCE) or reference(order.id))


def order_ids(shop: Shop, filters: Mapping[str, str]) -> list[int]:
    return [each.id for each in shop.orders.rows.values() if each.status != "trash"]


def _fees(order: Order, *, wrapping: bool) -> list[Fee]:
    """What is paid on top is wrapping here, what is taken off is a rule."""
    return [fee for fee in order.fees if (fee.total >= 0) == wrapping]


def discounts(order: Order) -> tuple[Decimal, Decimal]:
    """(with tax, without): of the lines, and fees below zero."""
    off = _fees(order, wrapping=False)
    net = sum((line.subtotal - line.total for line in order.lines), ZERO) - sum((fee.total for fee in off), ZERO)
    tax = sum((line.subtotal_tax - line.total_tax for line in order.lines), ZERO)
    return net + tax - sum((fee.total_tax for fee in off), ZERO), net


def _order(shop: Shop, key: int) -> Row:
    order = shop.orders.rows[key]
    state = state_of(order)
    invoice, delivery = order_addresses(shop, order)
    return {
        "id": key, "id_address_delivery": str(delivery), "id_address_invoice": str(invoice), "id_cart": str(key),
        "id_currency": str(CURRENCIES.get(order.currency, 9)), "id_lang": "2",
        "id_customer": str(order.customer_id or GUESTS + key),
        "id_carrier": str(CARRIER_ID if order.shipping_lines else 0), "current_state": str(state),
        "module": order.payment_method or "ps_checkpayment", "invoice_number": "0", "invoice_date": NO_DATE,
        "delivery_number": "0", "delivery_date": NO_DATE, "valid": flag(state in PAID_STATES),
        "date_add": local(shop, order.created), "date_upd": local(shop, order.modified), "shipping_number": "",
        "note": order.note, "id_shop_group": "1", "id_shop": "1", "secure_key": SECRET_KEY,
        "payment": order.payment_title or "Check", **_totals(order), "round_mode": "2", "round_type": "2",
        "conversion_rate": "1.000000", "reference": reference_of(order),
        "associations": {"order_rows": ("order_row", [_order_row(line) for line in order.lines])},
    }  # fmt: skip


def _totals(order: Order) -> Row:
    off, off_net = discounts(order)
    wrapping = _fees(order, wrapping=True)
    wrapping_net = sum((fee.total for fee in wrapping), ZERO)
    shipping = order.shipping_total + order.shipping_tax
    named = {
        "discounts": (off, off_net),
        "shipping": (shipping, order.shipping_total),
        "wrapping": (wrapping_net + sum((fee.total_tax for fee in wrapping), ZERO), wrapping_net),
        "paid": (order.total, order.total - order.total_tax),
    }
    totals = {}
    for name, (gross, net) in named.items():
        totals |= {f"total_{name}": money(gross), f"total_{name}_tax_incl": money(gross)}
        totals[f"total_{name}_tax_excl"] = money(net)
    gross = sum((line.subtotal + line.subtotal_tax for line in order.lines), ZERO)
    return totals | {
        "total_paid_real": money(order.total if order.paid else ZERO),
        "total_products": money(sum((line.subtotal for line in order.lines), ZERO)),
        "total_products_wt": money(gross), "carrier_tax_rate": "0.000",
    }  # fmt: skip


def _order_row(line: Line) -> Row:
    return {
        "id": str(line.id), "product_id": str(line.product_id), "product_attribute_id": str(line.variation_id),
        "product_quantity": str(line.quantity), "product_name": line.name, "product_reference": line.sku,
        "product_price": money(line.subtotal / line.quantity), **_units(line),
    }  # fmt: skip


def _units(line: Line) -> Row:
    gross = line.subtotal + line.subtotal_tax
    return {
        "unit_price_tax_incl": money(gross / line.quantity),
        "unit_price_tax_excl": money(line.subtotal / line.quantity),
    }


def _detail(shop: Shop, order: Order, line: Line) -> Row:
    refunded = sum(
        -part.quantity for each in order.refunds for part in each.lines if part.product_id == line.product_id
    )
    return {
        "id": line.id, "id_order": str(order.id), "product_id": str(line.product_id),
        "product_attribute_id": str(line.variation_id), "id_warehouse": "0", "id_shop": "1",
        "product_name": line.name, "product_quantity": str(line.quantity), "product_quantity_return": "0",
        "product_quantity_refunded": str(refunded), "product_price": money(line.subtotal / line.quantity),
        "product_reference": line.sku, "reduction_percent": "0.00", **_units(line),
        "total_price_tax_incl": money(line.subtotal + line.subtotal_tax), "total_price_tax_excl": money(line.subtotal),
        "original_product_price": money(line.subtotal / line.quantity),
        "associations": {"taxes": ("tax", [{"id": str(share.rate_id)} for share in line.taxes])},
    }  # fmt: skip


def _rules(order: Order) -> list[tuple[int, str, Decimal, Decimal]]:
    """(id, name, value with tax, without) of every discount; what coupons leave over in cents is in the first."""
    gross, net = discounts(order)
    rules = [(each.id, each.code, each.discount + each.discount_tax, each.discount) for each in order.coupons]
    rules += [(fee.id, fee.name, -fee.total - fee.total_tax, -fee.total) for fee in _fees(order, wrapping=False)]
    if rules:
        first, *others = rules
        gross -= sum((each[2] for each in others), ZERO)
        net -= sum((each[3] for each in others), ZERO)
        rules = [(first[0], first[1], gross, net), *others]
    return rules


def _rule(shop: Shop, order: Order, rule: tuple[int, str, Decimal, Decimal]) -> Row:
    return {
        "id": rule[0], "id_order": str(order.id), "id_cart_rule": "1", "name": rule[1], "value": money(rule[2]),
        "value_tax_excl": money(rule[3]), "free_shipping": "0", "deleted": "0",
    }  # fmt: skip


def _slip(shop: Shop, order: Order, refund: Refund) -> Row:
    gross, net = money(refund.amount), money(refund.amount - abs(refund.total_tax))
    return {
        "id": refund.id, "id_customer": str(order.customer_id or GUESTS + order.id), "id_order": str(order.id),
        "conversion_rate": "1.000000", "total_products_tax_excl": net, "total_products_tax_incl": gross,
        "total_shipping_tax_excl": "0.000000", "total_shipping_tax_incl": "0.000000", "amount": gross,
        "shipping_cost": "0", "shipping_cost_amount": "0.000000", "partial": "0",
        "date_add": local(shop, refund.created), "date_upd": local(shop, refund.created), "order_slip_type": "0",
    }  # fmt: skip


def _history(shop: Shop, order: Order, _: Order) -> Row:
    return {"id": order.id, "id_employee": "0", "id_order_state": str(state_of(order)), "id_order": str(order.id),
            "date_add": local(shop, order.modified)}  # fmt: skip


def _order_carrier(shop: Shop, order: Order, _: Order) -> Row:
    return {"id": order.id, "id_order": str(order.id), "id_carrier": str(CARRIER_ID), "tracking_number": "",
            "shipping_cost_tax_incl": money(order.shipping_total + order.shipping_tax),
            "date_add": local(shop, order.created)}  # fmt: skip


def _payment(shop: Shop, order: Order, _: Order) -> Row:
    currency = str(CURRENCIES.get(order.currency, 9))
    return {"id": order.id, "order_reference": reference_of(order), "id_currency": currency,
            "amount": money(order.total), "payment_method": order.payment_title,
            "date_add": local(shop, order.paid)}  # fmt: skip


def _part(
    name: str,
    parts: Callable[[Order], Iterable[Any]],
    row: Callable[[Shop, Order, Any], Row],
    list_name: str = "",
) -> Resource:
    """A resource whose records are parts of orders, found through `id_order` where that is given."""

    def keys(shop: Shop, filters: Mapping[str, str]) -> list[tuple[Order, Any]]:
        wanted = filters.get("id_order", "").strip("[]").split("|")
        orders: Iterable[Order] = shop.orders.rows.values()
        if wanted[0].isdigit():
            orders = [shop.orders.rows[int(each)] for each in wanted if int(each or 0) in shop.orders.rows]
        return [(order, part) for order in orders if order.status != "trash" for part in parts(order)]

    return Resource(name, keys, lambda shop, key: row(shop, *key), list_name=list_name)


RESOURCES = {
    "orders": Resource(
        "order", order_ids, _order, moves="order", methods=ALL, hidden=frozenset({"shipping_number"}),
        quick={
            "date_upd": lambda shop, key: local(shop, shop.orders.rows[key].modified),
            "date_add": lambda shop, key: local(shop, shop.orders.rows[key].created),
            "current_state": lambda shop, key: str(state_of(shop.orders.rows[key])),
            "reference": lambda shop, key: reference_of(shop.orders.rows[key]),
        },
    ),
    "order_details": _part("order_detail", lambda order: order.lines, _detail),
    "order_cart_rules": _part("order_cart_rule", _rules, _rule),
    "order_slip": _part("order_slip", lambda order: order.refunds, _slip, "order_slips"),
    "order_histories": replace(_part("order_history", lambda order: [order], _history), methods=WRITTEN),
    "order_carriers": _part("order_carrier", lambda order: [order] if order.shipping_lines else [], _order_carrier),
    "order_payments": _part("order_payment", lambda order: [order] if order.paid else [], _payment),
}  # fmt: skip
