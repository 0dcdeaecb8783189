"""Writing orders and refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from sandbox.messages import Request, Response
from sandbox.money import add_up, apply_coupon
from sandbox.records import Address, Coupon, Fee, Order, Shipping
from sandbox.shop import Shop
from sandbox.trading import LineDraft, OrderDraft
from sandbox.woocommerce.errors import ApiError, invalid_id
from sandbox.woocommerce.fields import Field, body_of, is_true, money, whole
from sandbox.woocommerce.order_body import refund_body
from sandbox.woocommerce.writing_customers import merged

# Coupons the shop knows, as (kind, amount).
COUPONS = {"ten": ("percent", Decimal(10)), "fivefix": ("fixed", Decimal(5))}
_STATUSES = (
    *("auto-draft", "pending", "processing", "on-hold", "completed"),
    *("cancelled", "refunded", "failed", "checkout-draft"),
)
# WooCommerce's names of plain fields and ours.
_PLAIN = {
    "payment_method": "payment_method",
    "payment_method_title": "payment_title",
    "transaction_id": "transaction_id",
    "customer_note": "note",
    "currency": "currency",
    "customer_id": "customer_id",
}


class Orders:
    """The resource /orders."""

    fields = {
        **dict.fromkeys((name for name in _PLAIN if name != "customer_id"), Field("string")),
        "customer_id": Field("integer"),
        "status": Field("string", _STATUSES),
        "set_paid": Field("boolean"),
        "billing": Field("object"),
        "shipping": Field("object"),
        **dict.fromkeys(("line_items", "shipping_lines", "fee_lines", "coupon_lines", "meta_data"), Field("array")),
    }
    path = "orders"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def body(self, record_id: int) -> bytes:
        return self.shop.orders.body(record_id)

    def create(self, given: dict[str, Any]) -> int:
        """A line with an unknown product or SKU is taken all the same, at 0.00."""
        self._check(given)
        draft = OrderDraft(
            lines=[_line(each) for each in given.get("line_items") or []],
            status="processing" if is_true(given.get("set_paid")) else given.get("status", "pending"),
            billing=merged(Address(), given.get("billing") or {}),
            shipping=merged(Address(), given.get("shipping") or {}),
            shipping_lines=[
                (str(each.get("method_title", "")), str(each.get("method_id", "")), money(each.get("total")))
                for each in given.get("shipping_lines") or []
            ],
            fees=[_fee(each) for each in given.get("fee_lines") or []],
            coupons=[(code, *COUPONS[code]) for code in _codes(given)],
            created_via="rest-api",
            meta=self._meta(given),
        )
        for name, attribute in _PLAIN.items():
            if name in given:
                setattr(draft, attribute, given[name])
        return self.shop.take_order(draft).id

    def update(self, record_id: int, given: dict[str, Any]) -> None:
        order = self.shop.orders.rows.get(record_id)
        if order is None:
            raise invalid_id("shop_order", 400)
        self._check(given)
        self._check_items(order, given)
        with self.shop.changing():
            for name, attribute in _PLAIN.items():
                if name in given:
                    setattr(order, attribute, given[name])
            for name in ("billing", "shipping"):
                if name in given:
                    setattr(order, name, merged(getattr(order, name), given[name]))
            if "meta_data" in given:
                order.meta = self._meta(given)
            if given.keys() & {"line_items", "shipping_lines", "fee_lines", "coupon_lines", "billing", "shipping"}:
                self._write_items(order, given)
                add_up(order, self.shop.next_item_id)
            status = "processing" if is_true(given.get("set_paid")) else given.get("status", order.status)
            if status != order.status:
                self.shop.set_status(record_id, status)
            else:
                self.shop.touch_order(order)

    def delete(self, record_id: int, force: bool) -> bytes:
        """Into the trash, or for good; either way the answer shows the order as it was."""
        order = self.shop.orders.rows.get(record_id)
        if order is None:
            raise invalid_id("shop_order", 404)
        body = self.body(record_id)
        if force:
            self.shop.delete_order(record_id)
        elif order.status == "trash":
            raise ApiError(410, "woocommerce_rest_already_trashed", "The order has already been deleted.")
        else:
            self.shop.trash_order(record_id)
        return body

    def _check(self, given: dict[str, Any]) -> None:
        customer = whole(given.get("customer_id", 0))
        if customer and customer not in self.shop.customers.rows:
            raise ApiError(400, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid.")
        for code in _codes(given):
            if code not in COUPONS:
                text = f'Coupon "{code}" does not exist!'
                raise ApiError(400, "woocommerce_rest_invalid_coupon", text)

    @staticmethod
    def _check_items(order: Order, given: dict[str, Any]) -> None:
        known = {part.id for part in (*order.lines, *order.shipping_lines, *order.fees)}
        for name in ("line_items", "shipping_lines", "fee_lines"):
            if any(each.get("id") not in known for each in given.get(name) or [] if each.get("id")):
                text = "Order item ID provided is not associated with order."
                raise ApiError(400, "woocommerce_rest_invalid_item_id", text)

    def _write_items(self, order: Order, given: dict[str, Any]) -> None:
        next_id = self.shop.next_item_id
        for each in given.get("line_items") or []:
            line = next((line for line in order.lines if line.id == each.get("id")), None)
            if line is None:
                order.lines.append(self.shop.line(_line(each)))
            elif each.get("quantity") == 0:
                order.lines.remove(line)
            else:
                # A new quantity alone leaves the line's figures as they are.
                line.quantity = whole(each.get("quantity", line.quantity))
                line.total = money(each["total"]) if "total" in each else line.total
                line.subtotal = money(each["subtotal"]) if "subtotal" in each else line.subtotal
        for each in given.get("shipping_lines") or []:
            part = next((part for part in order.shipping_lines if part.id == each.get("id")), None)
            if part is None:
                title, method = str(each.get("method_title", "")), str(each.get("method_id", ""))
                order.shipping_lines.append(Shipping(next_id(), title, money(each.get("total")), method))
            elif "total" in each:
                part.total = money(each["total"])
        for each in given.get("fee_lines") or []:
            fee = next((fee for fee in order.fees if fee.id == each.get("id")), None)
            if fee is None:
                order.fees.append(Fee(next_id(), *_fee(each)))
            elif "total" in each:
                fee.total = money(each["total"])
        for code in set(_codes(given)) - {coupon.code for coupon in order.coupons}:
            coupon = Coupon(next_id(), code, *COUPONS[code])
            apply_coupon(order.lines, coupon)
            order.coupons.append(coupon)

    def _meta(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "id": self.shop.next_id("meta"),
                "key": str(each.get("key", "")),
                "value": each.get("value", ""),
            }
            for each in given.get("meta_data") or []
        ]


def _line(given: dict[str, Any]) -> LineDraft:
    total, subtotal = given.get("total"), given.get("subtotal")
    return LineDraft(
        sku=str(given.get("sku") or ""),
        quantity=whole(given.get("quantity", 1)),
        product_id=whole(given.get("variation_id")) or whole(given.get("product_id")),
        name=given.get("name"),
        total=None if total is None else money(total),
        subtotal=None if subtotal is None else money(subtotal),
    )


def _fee(given: dict[str, Any]) -> tuple[str, Decimal, bool]:
    return str(given.get("name", "")), money(given.get("total")), given.get("tax_status", "taxable") != "none"


def _codes(given: dict[str, Any]) -> list[str]:
    return [str(each.get("code", "")).lower() for each in given.get("coupon_lines") or []]


def create_refund(api: Any, request: Request, order_id: int) -> Response:
    """POST orders/{id}/refunds: an amount, or lines by quantity, whose figures follow from the quantity."""
    shop: Shop = api.shop
    order = shop.orders.rows.get(order_id)
    if order is None:
        raise ApiError(404, "woocommerce_rest_invalid_order", "Order is invalid")
    given = body_of(request)
    known = {line.id for line in order.lines}
    lines = {whole(e.get("id")): whole(e.get("quantity")) for e in given.get("line_items") or []}
    if not lines.keys() <= known:
        text = "Order item ID provided is not associated with order."
        raise ApiError(400, "woocommerce_rest_invalid_item_id", text)
    amount = money(given["amount"]) if given.get("amount") not in (None, "") else None
    reason, restocks = str(given.get("reason", "")), is_true(given.get("api_restock", True))
    try:
        refund = shop.refund_order(order_id, amount, reason, lines, restock=restocks)
    except ValueError as refusal:
        code = "woocommerce_rest_cannot_create_order_refund"
        raise ApiError(500, code, str(refusal)) from refusal
    location = f"{shop.url}/wp-json/wc/v3/orders/{order_id}/refunds/{refund.id}"
    return Response(201, msgspec.json.encode(refund_body(shop, refund)), [("Location", location)])
