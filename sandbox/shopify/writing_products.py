"""Products and their variants."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.money import CENT
from sandbox.records import Product
from sandbox.shopify.call import Call
from sandbox.shopify.errors import refusal
from sandbox.shopify.looks import number

Errors = list[dict[str, Any]]


def update_variants(
    _: Any, info: GraphQLResolveInfo, productId: str, variants: list[dict[str, Any]], allowPartialUpdates: bool = False
) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    product = _product(call, productId)
    if product is None:
        return {"userErrors": [refusal("Product does not exist", "productId")]}
    errors: Errors = []
    for place, given in enumerate(variants):
        variant = call.shop.products.rows.get(number(given.get("id") or "", "ProductVariant"))
        if variant is None or (variant.parent_id or variant.id) != product.id:
            errors.append(refusal("Product variant does not exist", "variants", str(place), "id"))
        elif given.get("price") is not None and float(given["price"]) < 0:
            errors.append(refusal("Price must be greater than or equal to 0", "variants", str(place), "price"))
    bad = {int(error["field"][1]) for error in errors}
    if errors and not allowPartialUpdates:
        return {"userErrors": errors}
    done = []
    for place, given in enumerate(variants):
        if place not in bad:
            variant = call.shop.products.rows[number(given["id"], "ProductVariant")]
            _write_variant(call, variant, given)
            done.append(call.record("ProductVariant", variant.id))
    return {"productVariants": done, "userErrors": errors}


def _product(call: Call, given: str | None) -> Product | None:
    product = call.shop.products.rows.get(number(given or "", "Product"))
    return product if product and not product.parent_id and product.status != "trash" else None


def _write_variant(call: Call, variant: Product, given: Mapping[str, Any]) -> None:
    """Price and compare-at price here are the neutral shop's regular and sale price, the other way round on sale."""
    price = given.get("price", variant.price)
    compared = given.get("compareAtPrice", variant.regular_price if variant.sale_price else None)
    price, compared = _with_cents(price or "0"), _with_cents(compared) if compared else ""
    is_sale = bool(compared) and Decimal(compared) > Decimal(price)
    variant.regular_price, variant.sale_price = (compared, price) if is_sale else (price, "")
    if "barcode" in given:
        variant.extra = {**variant.extra, "barcode": given["barcode"] or ""}
    stock_item = given.get("inventoryItem") or {}
    if "tracked" in stock_item:
        variant.manages_stock = bool(stock_item["tracked"])
    if "sku" in stock_item or "sku" in given:
        variant.sku = stock_item.get("sku") or given.get("sku") or ""
    weight = (stock_item.get("measurement") or {}).get("weight")
    if weight:
        variant.extra = {**variant.extra, "weight": weight}
    call.shop.touch_product(variant)


def _with_cents(amount: str) -> str:
    return str(Decimal(amount).quantize(CENT))


def update_product(_: Any, info: GraphQLResolveInfo, product: dict[str, Any] | None = None) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    given = product or {}
    found = _product(call, given.get("id"))
    if found is None:
        return {"userErrors": [refusal("Product does not exist", "id")]}
    if "title" in given and not (given["title"] or "").strip():
        return {"userErrors": [refusal("Title can't be blank", "title")]}
    _write_product(call, found, given)
    return {"userErrors": []}


def _write_product(call: Call, product: Product, given: Mapping[str, Any]) -> None:
    product.name = given.get("title") or product.name
    if "descriptionHtml" in given:
        product.extra = {**product.extra, "description": given["descriptionHtml"] or ""}
    if given.get("status"):
        product.status = {"ACTIVE": "publish", "ARCHIVED": "archived"}.get(given["status"], "draft")
    call.shop.touch_product(product)
    for child in product.children:
        call.shop.products.forget_body(child)


def set_product(_: Any, info: GraphQLResolveInfo, input: dict[str, Any], synchronous: bool = True, **__: Any) -> Any:
    """Creates only: to set a whole product anew would delete what is not named, and no connector should."""
    call: Call = info.context
    call.access.check(info.field_name)
    if not (input.get("title") or "").strip():
        return {"userErrors": [refusal("Title can't be blank", "input", "title")]}
    variants = input.get("variants") or [{}]
    if len(variants) != 1 or not input.get("productOptions"):
        return {"userErrors": [refusal("The practice shop makes products of one variant.", "input", "variants")]}
    product = call.shop.add_product("", input["title"], "0.00")
    _write_product(call, product, {"status": "ACTIVE", **input})
    _write_variant(call, product, variants[0])
    return {"product": call.record("Product", product.id), "userErrors": []}
