"""What can be read: the store, orders with their parts, refunds, products, variants, customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.bigcommerce import order_body as orders_look
from sandbox.bigcommerce import order_parts as parts_look
from sandbox.bigcommerce.catalogue_body import (
    address_body,
    addresses_of,
    customer_body,
    product_body,
    variant_body,
    variants_of,
)
from sandbox.bigcommerce.errors import not_found
from sandbox.bigcommerce.listing import (
    between,
    ids_in,
    moment,
    ordered,
    v2_list,
    v2_parts,
    v3_list,
    whole,
    words_in,
)
from sandbox.bigcommerce.looks import record_id
from sandbox.messages import Request, Response, json_response
from sandbox.records import Order, Product
from sandbox.shop import Shop

if TYPE_CHECKING:
    from sandbox.bigcommerce.api import BigCommerce

# What the connector asks for; such bodies are kept ready.
USUAL = {"consignments.line_items", "fees"}
ORDERS_AT_MOST, CUSTOMERS_AT_MOST, ITEMS_OF_STOCK_AT_MOST = 250, 250, 1000


# Orders, v2 --------------------------------------------------------------------------------------


def order_text(shop: Shop, order: Order, include: set[str]) -> bytes:
    if include == USUAL:
        return shop.orders.body(order.id)
    return msgspec.json.encode(orders_look.order_body(shop, order, include))


def orders(api: BigCommerce, request: Request) -> Response:
    shop, include = api.shop, words_in(request, "include")
    ids = api.remembered(request, lambda: _sorted_orders(api, request))
    return v2_list(
        request, ids, lambda each: order_text(shop, shop.orders.rows[each], include), "order", ORDERS_AT_MOST
    )


def _matching(api: BigCommerce, request: Request) -> list[Order]:
    now = api.shop.clock.now()
    low, high = moment(request, "min_date_modified", now), moment(request, "max_date_modified", now)
    first, last = moment(request, "min_date_created", now), moment(request, "max_date_created", now)
    low_id, high_id = whole(request, "min_id", 0), whole(request, "max_id", 1 << 62)
    email, status = str(request.args.get("email", "")).lower(), whole(request, "status_id", -1)
    customer = whole(request, "customer_id", -1)
    return [
        order
        for order in api.shop.orders.rows.values()
        if low_id <= order.id <= high_id
        and between(order.modified, low, high)
        and between(order.created, first, last)
        and (not email or order.billing.email.lower() == email)
        and status in (-1, orders_look.status_id(order))
        and customer in (-1, order.customer_id)
    ]


def _sorted_orders(api: BigCommerce, request: Request) -> list[int]:
    name, _, direction = str(request.args.get("sort", "id:asc")).partition(":")
    key = {"date_modified": lambda order: order.modified, "date_created": lambda order: order.created}.get(name)
    return ordered(_matching(api, request), key or (lambda order: order.id), descending=direction == "desc")


def count_orders(api: BigCommerce, request: Request) -> Response:
    numbers = [orders_look.status_id(order) for order in _matching(api, request)]
    statuses = [
        {"id": number, "name": label, "system_label": label, "custom_label": label, "count": numbers.count(number)}
        for number, label in orders_look.STATUSES.items()
    ]
    return json_response({"count": len(numbers), "statuses": statuses})


def _order(api: BigCommerce, order_id: int) -> Order:
    order = api.shop.orders.rows.get(order_id)
    if order is None:
        raise not_found()
    return order


def order(api: BigCommerce, request: Request, order_id: int) -> Response:
    return Response(200, order_text(api.shop, _order(api, order_id), words_in(request, "include")))


def order_parts(api: BigCommerce, request: Request, order_id: int, part: str) -> Response:
    found = _order(api, order_id)
    rows = {
        "products": lambda: parts_look.products_body(api.shop, found),
        "shipping_addresses": lambda: parts_look.shipping_addresses_body(found),
        "shippingaddresses": lambda: parts_look.shipping_addresses_body(found),
        "coupons": lambda: parts_look.coupons_body(found),
        "taxes": lambda: parts_look.taxes_body(found),
        "fees": lambda: parts_look.fees_body(found),
    }[part]()
    return v2_parts(request, rows)


def refunds(api: BigCommerce, request: Request, order_id: int = 0) -> Response:
    wanted = {order_id} if order_id else ids_in(request, "order_id:in")
    rows = api.shop.orders.rows
    some = [rows[each] for each in wanted if each in rows] if wanted is not None else rows.values()
    found = {refund.id: refund for order in some for refund in order.refunds}
    return v3_list(request, sorted(found), lambda each: parts_look.refund_body(found[each]))


# Catalogue, v3 -----------------------------------------------------------------------------------


def _products(shop: Shop) -> list[Product]:
    return [product for product in shop.products.rows.values() if not product.parent_id and product.status != "trash"]


def _has_sku(product: Product, skus: set[str]) -> bool:
    return not skus or product.sku.lower() in skus


def products(api: BigCommerce, request: Request) -> Response:
    shop, now = api.shop, api.shop.clock.now()
    low = moment(request, "date_modified:min", now, fills_date=True)
    high = moment(request, "date_modified:max", now, fills_date=True)
    wanted, keyword = ids_in(request, "id:in"), str(request.args.get("keyword", "")).lower()
    skus = {each.lower() for each in words_in(request, "sku:in") | {str(request.args.get("sku", ""))} if each}
    least = max(whole(request, "id:min", 0), whole(request, "id:greater", -1) + 1)
    found = [
        product
        for product in _products(shop)
        if (wanted is None or product.id in wanted)
        and product.id >= least
        and between(product.modified, low, high)
        and _has_sku(product, skus)
        and (not keyword or keyword in f"{product.name} {product.sku}".lower())
    ]
    by_time = request.args.get("sort") == "date_modified"
    ids = ordered(
        found,
        (lambda p: p.modified) if by_time else (lambda p: p.id),
        descending=request.args.get("direction") == "desc",
    )
    include, fields = words_in(request, "include"), words_in(request, "include_fields")
    # Options and modifiers cut the page to ten.
    most = 10 if include & {"options", "modifiers"} else 250
    request.args["limit"] = (
        str(min(whole(request, "limit", 50), most)) if most == 10 else request.args.get("limit", "50")
    )
    return v3_list(request, ids, lambda each: product_body(shop, shop.products.rows[each], include, fields), "product")


def product(api: BigCommerce, request: Request, product_id: int) -> Response:
    found = api.product(product_id)
    body = product_body(api.shop, found, words_in(request, "include"), words_in(request, "include_fields"))
    return json_response({"data": body, "meta": {}})


def variants(api: BigCommerce, request: Request, product_id: int = 0) -> Response:
    """No filter by time, and no order but by id."""
    shop = api.shop
    wanted = {product_id} if product_id else ids_in(request, "product_id:in")
    sku = str(request.args.get("sku", "")).lower()
    rows = [
        variant
        for product in _products(shop)
        if wanted is None or product.id in wanted
        for variant in variants_of(shop, product)
        if not sku or variant.sku.lower() == sku
    ]
    if product_id:
        api.product(product_id)
    found = {variant.id: variant for variant in rows}
    return v3_list(request, sorted(found), lambda each: variant_body(shop, found[each]))


def variant_record(shop: Shop, number: int) -> Product | None:
    """The record behind a variant id; that of a product with variants has none."""
    found = shop.products.rows.get(record_id(number))
    return None if found is None or found.kind == "variable" or found.status == "trash" else found


# Customers, v3 -----------------------------------------------------------------------------------


def customers(api: BigCommerce, request: Request) -> Response:
    shop, now = api.shop, api.shop.clock.now()
    low, high = moment(request, "date_modified:min", now), moment(request, "date_modified:max", now)
    wanted = ids_in(request, "id:in")
    emails = {each.lower() for each in words_in(request, "email:in")}
    names = [each.lower() for each in words_in(request, "name:like")]
    rows = [
        row
        for row in shop.customers.rows.values()
        if (wanted is None or row.id in wanted)
        and between(row.modified or row.created, low, high)
        and (not emails or row.email.lower() in emails)
        and (not names or any(name in f"{row.first_name} {row.last_name}".lower() for name in names))
    ]
    name, _, direction = str(request.args.get("sort", "")).partition(":")
    keys: dict[str, Any] = {
        "date_modified": lambda row: row.modified or row.created,
        "date_created": lambda row: row.created,
        "last_name": lambda row: row.last_name,
    }
    ids = ordered(rows, keys.get(name, lambda row: row.id), descending=direction == "desc")
    include = words_in(request, "include")
    return v3_list(
        request, ids, lambda each: customer_body(shop.customers.rows[each], include), "customer", most=CUSTOMERS_AT_MOST
    )


def addresses(api: BigCommerce, request: Request) -> Response:
    wanted, ids = ids_in(request, "customer_id:in"), ids_in(request, "id:in")
    found = {
        address_id: address_body(customer, address_id, where)
        for customer in api.shop.customers.rows.values()
        if wanted is None or customer.id in wanted
        for address_id, where in addresses_of(customer)
        if ids is None or address_id in ids
    }
    return v3_list(request, sorted(found), lambda each: found[each])


# The store ---------------------------------------------------------------------------------------


def store(api: BigCommerce, request: Request) -> Response:
    shop = api.shop
    return json_response(
        {
            "id": api.store_hash,
            "name": shop.name,
            "domain": "practice.example.test",
            "secure_url": "https://practice.example.test",
            "control_panel_base_url": "https://store-practice.mybigcommerce.com",
            "status": "live",
            "currency": shop.currency,
            "currency_symbol": "$",
            "decimal_places": 2,
            "weight_units": "KGS",
            "timezone": {"name": shop.zone.key, "raw_offset": -18000, "dst_offset": -14400, "dst_correction": True},
            "plan_name": "Practice",
            "plan_level": "Practice",
            "is_price_entered_with_tax": False,
            "country_code": "US",
            "language": "en",
        }
    )


def time_now(api: BigCommerce, request: Request) -> Response:
    return json_response({"time": int(api.shop.clock.now().timestamp())})
