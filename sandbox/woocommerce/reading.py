"""The GET routes of orders, refunds, products, variations and customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.messages import Request, Response
from sandbox.records import Refund
from sandbox.table import Table
from sandbox.woocommerce import params
from sandbox.woocommerce.dates import bounds
from sandbox.woocommerce.errors import ApiError, invalid_id
from sandbox.woocommerce.finding import find_customers, find_orders, find_products
from sandbox.woocommerce.listing import included, list_response
from sandbox.woocommerce.order_body import refund_body

if TYPE_CHECKING:
    from sandbox.woocommerce.api import WooCommerce


def orders(api: WooCommerce, request: Request) -> Response:
    values = params.read(request.args, params.ORDERS)
    table = api.shop.orders
    ids = api.memo.ids(table, values, lambda: find_orders(api.shop, values))
    return list_response(request, api.shop.url, ids, values, table.body, kind=table.kind, forgets_total=True)


def order(api: WooCommerce, request: Request, order_id: int) -> Response:
    return one(api.shop.orders, order_id, "shop_order")


def one(table: Table, record_id: int, kind: str) -> Response:
    """The body of one record. Raises ApiError 404."""
    if record_id not in table.rows:
        raise invalid_id(kind)
    return Response(200, table.body(record_id))


def products(api: WooCommerce, request: Request) -> Response:
    values = params.read(request.args, params.PRODUCTS)
    return _product_list(api, request, values, variations=False)


def variations(api: WooCommerce, request: Request) -> Response:
    values = params.read(request.args, params.VARIATIONS)
    return _product_list(api, request, values, variations=True)


def variations_of(api: WooCommerce, request: Request, parent_id: int) -> Response:
    if parent_id not in api.shop.products.rows:
        raise ApiError(404, "woocommerce_rest_product_invalid_id", "Invalid product ID.")
    values = params.read(request.args, params.VARIATIONS)
    return _product_list(api, request, values, variations=True, parent=parent_id)


def _product_list(api: WooCommerce, request: Request, values: dict, *, variations: bool, parent: int = 0) -> Response:
    table = api.shop.products
    asked = {**values, "_variations": variations, "_parent": parent}
    ids = api.memo.ids(table, asked, lambda: find_products(api.shop, values, variations=variations, parent=parent))
    return list_response(request, api.shop.url, ids, values, table.body, kind=table.kind)


def product(api: WooCommerce, request: Request, product_id: int) -> Response:
    return one(api.shop.products, product_id, "product")


def variation(api: WooCommerce, request: Request, parent_id: int, variation_id: int) -> Response:
    found = api.shop.products.rows.get(variation_id)
    if found is None or found.parent_id != parent_id:
        raise invalid_id("product_variation")
    return Response(200, api.shop.products.body(variation_id))


def customers(api: WooCommerce, request: Request) -> Response:
    values = params.read(request.args, params.CUSTOMERS)
    table = api.shop.customers
    ids = api.memo.ids(table, values, lambda: find_customers(api.shop, values))
    return list_response(request, api.shop.url, ids, values, table.body, kind=table.kind)


def customer(api: WooCommerce, request: Request, customer_id: int) -> Response:
    if customer_id not in api.shop.customers.rows:
        raise ApiError(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
    return Response(200, api.shop.customers.body(customer_id))


def refunds(api: WooCommerce, request: Request) -> Response:
    """All refunds of all orders."""
    found = [refund for order in api.shop.orders.rows.values() for refund in order.refunds]
    return _refund_list(api, request, found, is_global=True)


def refunds_of(api: WooCommerce, request: Request, order_id: int) -> Response:
    order = api.shop.orders.rows.get(order_id)
    if order is None:
        raise ApiError(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
    return _refund_list(api, request, order.refunds, is_global=False)


def refund(api: WooCommerce, request: Request, order_id: int, refund_id: int) -> Response:
    order = api.shop.orders.rows.get(order_id)
    if order is None:
        raise ApiError(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
    for each in order.refunds:
        if each.id == refund_id:
            return Response(200, msgspec.json.encode(refund_body(api.shop, each)))
    raise ApiError(404, "woocommerce_rest_order_refund_invalid_id", "Invalid order refund ID.")


def _refund_list(api: WooCommerce, request: Request, found: list[Refund], *, is_global: bool) -> Response:
    # A refund is never edited, so its modified time is the one it was made at.
    values = params.read(request.args, params.REFUNDS)
    limits = bounds(values, api.shop.zone, stores_utc=True)
    by_id = {r.id: r for r in found if all(limit.admits(r.created, api.shop.zone) for limit in limits)}
    by_time = values["orderby"] in ("date", "modified")
    ids = sorted(by_id, key=lambda each: (by_id[each].created, each) if by_time else each)
    if values["order"] == "desc":
        ids.reverse()

    def body(refund_id: int) -> bytes:
        return msgspec.json.encode(refund_body(api.shop, by_id[refund_id], is_global=is_global))

    return list_response(request, api.shop.url, included(ids, values), values, body, forgets_total=True)
