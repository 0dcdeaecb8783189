"""Reading orders, products and customers, and the routes that write the latter two."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.magento.catalogue_body import TYPES, product_body
from sandbox.magento.criteria import Rows, only_fields, page
from sandbox.magento.errors import no_product, not_found
from sandbox.magento.looks import STATES, STATUSES, stamp
from sandbox.magento.order_body import creditmemo_body, increment_id
from sandbox.magento.stock import product_of
from sandbox.magento.writing import given_under, save_customer, save_product
from sandbox.messages import Request, Response
from sandbox.records import Product
from sandbox.shop import Shop

ORDER_VALUES = {
    "entity_id": lambda order: order.id,
    "increment_id": increment_id,
    "state": lambda order: STATES.get(order.status, "new"),
    "status": lambda order: STATUSES.get(STATES.get(order.status, "new"), STATES.get(order.status, "new")),
    "created_at": lambda order: stamp(order.created),
    "updated_at": lambda order: stamp(order.modified),
    "customer_email": lambda order: order.billing.email,
    "customer_id": lambda order: order.customer_id or None,
    "store_id": lambda order: 1,
    "grand_total": lambda order: float(order.total),
}
PRODUCT_VALUES = {
    "entity_id": lambda product: product.id,
    "sku": lambda product: product.sku,
    "name": lambda product: product.name,
    "type_id": lambda product: TYPES.get(product.kind, product.kind),
    "status": lambda product: 1 if product.status == "publish" else 2,
    "price": lambda product: float(product.regular_price or 0),
    "created_at": lambda product: stamp(product.created),
    "updated_at": lambda product: stamp(product.modified),
}
CUSTOMER_VALUES = {
    "entity_id": lambda customer: customer.id,
    "email": lambda customer: customer.email,
    "firstname": lambda customer: customer.first_name,
    "lastname": lambda customer: customer.last_name,
    "website_id": lambda customer: 1,
    "created_at": lambda customer: stamp(customer.created),
    "updated_at": lambda customer: stamp(customer.modified or customer.created),
}
MEMO_VALUES = {
    "entity_id": lambda memo: memo[1].id,
    "order_id": lambda memo: memo[0].id,
    "created_at": lambda memo: stamp(memo[1].created),
    "updated_at": lambda memo: stamp(memo[1].created),
}


def orders(api: Any, request: Request) -> Response:
    shop: Shop = api.shop
    rows = Rows(ORDER_VALUES, lambda order: shop.orders.body(order.id), "order")
    live = [shop.orders.rows[number] for _, number in shop.orders.by_created]
    return page(request, rows, live, repeats_last=api.repeats_last_page)


def order(api: Any, request: Request, number: str) -> Response:
    if not number.isdecimal() or int(number) not in api.shop.orders.rows:
        raise not_found("orderId", number)
    return _one(request, api.shop.orders.body(int(number)))


def creditmemos(api: Any, request: Request) -> Response:
    shop: Shop = api.shop
    memos = [(order, refund) for order in shop.orders.rows.values() for refund in reversed(order.refunds)]
    return page(request, Rows(MEMO_VALUES, lambda memo: msgspec.json.encode(creditmemo_body(shop, *memo))), memos)


def products(api: Any, request: Request, scope: str) -> Response:
    shop: Shop = api.shop
    rows = Rows(PRODUCT_VALUES, lambda product: _in_scope(shop, product, scope), "product")
    return page(request, rows, [shop.products.rows[number] for _, number in shop.products.by_created])


def _in_scope(shop: Shop, product: Product, scope: str) -> bytes:
    own = product.extra.get("views", {}).get(scope)
    if not own:
        return shop.products.body(product.id)
    return msgspec.json.encode(product_body(shop, product) | own)


def product(api: Any, request: Request, scope: str, sku: str) -> Response:
    found = product_of(api.shop, sku)
    if found is None:
        raise no_product()
    body = product_body(api.shop, found, with_stock=True) | found.extra.get("views", {}).get(scope, {})
    return _one(request, msgspec.json.encode(body))


def children(api: Any, request: Request, scope: str, sku: str) -> Response:
    parent = product_of(api.shop, sku)
    if parent is None:
        raise no_product()
    rows = [_in_scope(api.shop, api.shop.products.rows[number], scope) for number in parent.children]
    return Response(200, b"[" + b",".join(rows) + b"]")


def upsert(api: Any, request: Request, scope: str) -> Response:
    given = given_under(request, "product")
    return _written(api, scope, str(given.get("sku") or ""), given)


def update(api: Any, request: Request, scope: str, sku: str) -> Response:
    return _written(api, scope, sku, given_under(request, "product"))


def _written(api: Any, scope: str, sku: str, given: dict[str, Any]) -> Response:
    saved = save_product(api.shop, scope, sku, given)
    return Response(200, msgspec.json.encode(product_body(api.shop, saved, with_stock=True)))


def customers(api: Any, request: Request) -> Response:
    shop: Shop = api.shop
    rows = Rows(CUSTOMER_VALUES, lambda customer: shop.customers.body(customer.id), "customer")
    return page(request, rows, shop.customers.rows.values())


def customer(api: Any, request: Request, number: str) -> Response:
    _known_customer(api, number)
    return _one(request, api.shop.customers.body(int(number)))


def create_customer(api: Any, request: Request) -> Response:
    saved = save_customer(api.shop, 0, given_under(request, "customer"))
    return Response(200, api.shop.customers.body(saved.id))


def update_customer(api: Any, request: Request, number: str) -> Response:
    _known_customer(api, number)
    saved = save_customer(api.shop, int(number), given_under(request, "customer"))
    return Response(200, api.shop.customers.body(saved.id))


def _known_customer(api: Any, number: str) -> None:
    if not number.isdecimal() or int(number) not in api.shop.customers.rows:
        raise not_found("customerId", number)


def _one(request: Request, body: bytes) -> Response:
    return Response(200, only_fields(body, request.args.get("fields", "")))
