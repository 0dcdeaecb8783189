"""The schema with what answers each of its fields. A record is the dictionary its table rendered; everything that is
not in there as it is asked for has a resolver here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema, build_schema

from sandbox.shopify import writing
from sandbox.shopify.access import KIND_SCOPES
from sandbox.shopify.call import Call
from sandbox.shopify.catalogue_body import quantity_at
from sandbox.shopify.errors import denied
from sandbox.shopify.listing import nested
from sandbox.shopify.looks import gid, number

Resolver = Callable[..., Any]


@cache
def practice_schema() -> GraphQLSchema:
    schema = build_schema((Path(__file__).parent / "schema.graphql").read_text())
    for type_name, resolvers in RESOLVERS.items():
        fields = schema.type_map[type_name].fields
        for name, resolve in resolvers.items():
            fields[name].resolve = resolve
    return schema


def plain(source: Mapping[str, Any], info: GraphQLResolveInfo, **_: Any) -> Any:
    """What has no resolver of its own is in the record, under its name."""
    return source.get(info.field_name)


def _listed(kind: str) -> Resolver:
    def resolve(_: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        call: Call = info.context
        call.access.check(info.field_name)
        ids, connection = call.lists.page(kind, given)
        call.listed, call.listed_kind = ids, LISTED_KINDS[kind]
        return {**connection, "nodes": [call.record(kind, each) for each in ids]}

    return resolve


# What the fault that moves rows edits.
LISTED_KINDS = {
    "Order": "order", "Product": "product", "ProductVariant": "product", "InventoryItem": "product",
    "Customer": "customer",
}  # fmt: skip


def _counted(kind: str) -> Resolver:
    def resolve(_: Any, info: GraphQLResolveInfo, query: str | None = None, limit: int | None = None) -> Any:
        info.context.access.check(info.field_name)
        return info.context.lists.count(kind, query, limit)

    return resolve


def _one(kind: str) -> Resolver:
    def resolve(_: Any, info: GraphQLResolveInfo, id: str) -> Any:
        info.context.access.check(info.field_name)
        return info.context.record(kind, number(id, kind))

    return resolve


def _nodes(_: Any, info: GraphQLResolveInfo, ids: list[str]) -> Any:
    call: Call = info.context
    found = []
    for each in ids:
        kind = each.removeprefix("gid://shopify/").partition("/")[0]
        if kind in KIND_SCOPES:
            call.access.check(KIND_SCOPES[kind])
        found.append(call.record(kind, number(each, kind)))
    return found


def _refund(_: Any, info: GraphQLResolveInfo, id: str) -> Any:
    """Looked for in every order, as few ask for one."""
    call: Call = info.context
    call.access.check("order")
    for order in call.shop.orders.rows.values():
        if any(gid("Refund", refund.id) == id for refund in order.refunds):
            body = call.record("Order", order.id) or {"refunds": []}
            return next((refund for refund in body["refunds"] if refund["id"] == id), None)
    return None


def _shop(_: Any, info: GraphQLResolveInfo) -> Any:
    return info.context.platform.about()


def _installation(_: Any, info: GraphQLResolveInfo) -> Any:
    scopes = [{"handle": scope} for scope in info.context.access.scopes]
    return {"id": gid("AppInstallation", 1), "accessScopes": scopes}


def _locations(_: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
    info.context.access.check("locations")
    return nested([location_body(info.context, each) for each in info.context.platform.locations], given)


def location_body(call: Call, location: int) -> dict[str, Any]:
    name = call.platform.locations[location]
    return {"__typename": "Location", "id": gid("Location", location), "name": name, "isActive": True}


def _webhooks(_: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
    return nested(info.context.platform.webhooks.subscriptions(), given)


def _inside(source: Mapping[str, Any], info: GraphQLResolveInfo, **given: Any) -> Any:
    return nested(source[info.field_name], given)


def _cut_off(source: Mapping[str, Any], info: GraphQLResolveInfo, first: int | None = None) -> Any:
    return source[info.field_name][:first]


def _related(kind: str) -> Resolver:
    """A record that another one names; what it needs is what its own list needs."""

    def resolve(source: Mapping[str, Any], info: GraphQLResolveInfo) -> Any:
        if not info.context.access.may("read_products"):
            raise denied(info.field_name, "read_products")
        return info.context.record(kind, source[info.field_name])

    return resolve


def _buyer(source: Mapping[str, Any], info: GraphQLResolveInfo) -> Any:
    if not source["customer"]:
        return None
    if not info.context.access.may("read_customers"):
        raise denied("customer", "read_customers")
    return info.context.record("Customer", source["customer"])


def _variants(source: Mapping[str, Any], info: GraphQLResolveInfo, **given: Any) -> Any:
    page = nested(source["variants"], given)
    return {**page, "nodes": [info.context.record("ProductVariant", each) for each in page["nodes"]]}


def _variants_of_item(source: Mapping[str, Any], info: GraphQLResolveInfo, **given: Any) -> Any:
    return nested([info.context.record("ProductVariant", number(source["id"], "InventoryItem"))], given)


def _level(source: Mapping[str, Any], info: GraphQLResolveInfo, locationId: str) -> Any:
    call: Call = info.context
    if not call.access.may("read_inventory"):
        raise denied("inventoryLevel", "read_inventory")
    location = number(locationId, "Location")
    product = call.shop.products.rows[number(source["id"], "InventoryItem")]
    if location not in call.platform.locations or quantity_at(product, location) is None:
        return None
    level_id = gid("InventoryLevel", f"{product.id}?location={location}")
    return {"id": level_id, "quantity": quantity_at(product, location)}


def _quantities(source: Mapping[str, Any], info: GraphQLResolveInfo, names: list[str]) -> Any:
    return [
        {"id": f"{source['id']}&name={name}", "name": name, "quantity": source["quantity"]}
        for name in names
        if name in ("available", "on_hand")
    ]


def _same_skus(source: Mapping[str, Any], info: GraphQLResolveInfo) -> int:
    rows = info.context.shop.products.rows.values()
    return sum(1 for row in rows if row.sku and row.sku == source["sku"]) - 1 if source["sku"] else 0


RESOLVERS: dict[str, dict[str, Resolver]] = {
    "QueryRoot": {
        "orders": _listed("Order"),
        "ordersCount": _counted("Order"),
        "order": _one("Order"),
        "products": _listed("Product"),
        "product": _one("Product"),
        "productVariants": _listed("ProductVariant"),
        "productVariantsCount": _counted("ProductVariant"),
        "inventoryItems": _listed("InventoryItem"),
        "customers": _listed("Customer"),
        "customersCount": _counted("Customer"),
        "customer": _one("Customer"),
        "nodes": _nodes,
        "refund": _refund,
        "shop": _shop,
        "currentAppInstallation": _installation,
        "locations": _locations,
        "webhookSubscriptions": _webhooks,
    },
    "Mutation": writing.RESOLVERS,
    "Order": {
        "lineItems": _inside,
        "shippingLines": _inside,
        "refunds": _cut_off,
        "transactions": _cut_off,
        "customer": _buyer,
    },
    "LineItem": {"variant": _related("ProductVariant"), "product": _related("Product"), "taxLines": _cut_off},
    "Refund": {"refundLineItems": _inside},
    "Product": {"variants": _variants},
    "ProductVariant": {"product": _related("Product")},
    "InventoryItem": {
        "variants": _variants_of_item, "inventoryLevel": _level, "duplicateSkuCount": _same_skus,
    },
    "InventoryLevel": {"quantities": _quantities},
}  # fmt: skip
