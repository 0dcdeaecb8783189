"""Writing products and variations: prices, SKUs and stock by the rules measured on the real server."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.records import Product
from sandbox.shop import Shop
from sandbox.woocommerce.errors import ApiError, invalid_id
from sandbox.woocommerce.fields import Field, is_true, price, whole

_TEXT, _FLAG = Field("string"), Field("boolean")
# Kept and handed back, with no effect in the shop.
_KEPT = {
    **dict.fromkeys(("description", "short_description", "weight", "purchase_note", "global_unique_id"), _TEXT),
    **dict.fromkeys(("featured", "sold_individually", "virtual", "downloadable"), _FLAG),
    "catalog_visibility": Field("string", ("visible", "catalog", "search", "hidden")),
    "tax_status": Field("string", ("taxable", "shipping", "none")),
    "dimensions": Field("object"),
    "menu_order": Field("integer"),
    "low_stock_amount": Field("integer", takes_null=True),
    "meta_data": Field("array"),
}
_FIELDS = {
    **_KEPT,
    "name": _TEXT,
    "type": Field("string", ("simple", "grouped", "external", "variable", "variation")),
    "status": Field("string", ("draft", "pending", "private", "publish", "future", "auto-draft", "trash")),
    "sku": _TEXT,
    "regular_price": _TEXT,
    "sale_price": _TEXT,
    "tax_class": _TEXT,
    "manage_stock": _FLAG,
    "stock_quantity": Field("integer", takes_null=True),
    "stock_status": Field("string", ("instock", "outofstock", "onbackorder")),
    "backorders": Field("string", ("no", "notify", "yes")),
}


class Products:
    """The resource /products; it refuses variations."""

    fields = _FIELDS
    path = "products"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def body(self, record_id: int) -> bytes:
        """As it was written: reading it shows the description in paragraphs."""
        body, kept = self.shop.products.body(record_id), self.shop.products.rows[record_id].extra
        if not kept.get("description"):
            return body
        return msgspec.json.encode({**msgspec.json.decode(body), "description": kept["description"]})

    def create(self, given: dict[str, Any]) -> int:
        self._check_sku(given.get("sku", ""), 0)
        product = self._add(given)
        self._write(product, given)
        return product.id

    def _add(self, given: dict[str, Any]) -> Product:
        return self.shop.add_product("", str(given.get("name") or "Product"), kind=given.get("type", "simple"))

    def update(self, record_id: int, given: dict[str, Any]) -> None:
        product = self._find(record_id, 400)
        if "sku" in given:
            self._check_sku(given["sku"], record_id)
        self._write(product, given)

    def delete(self, record_id: int, force: bool) -> bytes:
        product = self._find(record_id, 404)
        body = self.body(record_id)
        if force:
            self.shop.delete_product(record_id)
        elif product.status == "trash":
            raise ApiError(410, "woocommerce_rest_already_trashed", "The product has already been deleted.")
        else:
            self.shop.trash_product(record_id)
        return body

    def _find(self, record_id: int, status: int) -> Product:
        product = self.shop.products.rows.get(record_id)
        if product is None:
            raise invalid_id("product", status)
        if product.parent_id:
            raise ApiError(
                404,
                "woocommerce_rest_invalid_product_id",
                "To manipulate product variations you should use the "
                "/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.",
            )
        return product

    def _check_sku(self, sku: str, own_id: int) -> None:
        taken = [p for p in self.shop.products.rows.values() if sku and p.sku == sku and p.id != own_id]
        for other in sorted(taken, key=lambda p: p.status == "trash"):
            if other.status == "trash":
                raise ApiError(
                    400,
                    "woocommerce_rest_product_not_created",
                    f"The product with SKU ({sku}) you are trying to insert is already present in the lookup table",
                )
            raise ApiError(
                400,
                "product_invalid_sku",
                "Invalid or duplicated SKU.",
                resource_id=other.id,
                unique_sku=f"{sku}-1",
            )

    def _write(self, product: Product, given: dict[str, Any]) -> None:
        shop = self.shop
        old_sku = product.sku
        for name in ("name", "status", "sku", "tax_class"):
            if name in given:
                setattr(product, name, str(given[name]))
        for name in ("regular_price", "sale_price"):
            if name in given:
                setattr(product, name, price(given[name]))
        write_stock(product, given)
        product.extra |= {name: value for name, value in given.items() if name in _KEPT}
        with shop.changing():
            shop.touch_product(product)
            if product.sku != old_sku:
                shop.forget_orders_of({product.id})
            for child in product.children:
                shop.products.forget_body(child)


def write_stock(product: Product, given: dict[str, Any]) -> None:
    """A quantity counts only while the object manages stock; nothing (null) is zero, decimals are cut.

    A variation that does not manage stock loses quantity and backorders; a product ignores them.
    """
    if "manage_stock" in given:
        product.manages_stock = is_true(given["manage_stock"])
        if not product.manages_stock:
            product.stock = None
    if "backorders" in given:
        product.backorders = given["backorders"]
    if not product.manages_stock:
        if product.parent_id:
            product.stock, product.backorders = None, "no"
        if "stock_status" in given:
            product.stock_status = given["stock_status"]
    elif "stock_quantity" in given:
        product.stock = whole(given["stock_quantity"])
    elif "inventory_delta" in given:
        product.stock = (product.stock or 0) + whole(given["inventory_delta"])


class Variations(Products):
    """The resource /products/{parent}/variations."""

    def __init__(self, shop: Shop, parent_id: int) -> None:
        super().__init__(shop)
        parent = shop.products.rows.get(parent_id)
        if parent is None or parent.parent_id:
            raise ApiError(404, "woocommerce_rest_product_invalid_id", "Invalid product ID.")
        self.parent = parent
        self.path = f"products/{parent_id}/variations"

    def _add(self, given: dict[str, Any]) -> Product:
        chosen = given.get("attributes") or [{}]
        option = str(chosen[0].get("option", ""))
        return self.shop.add_product("", option, parent=self.parent, option=option)

    def _find(self, record_id: int, status: int) -> Product:
        variation = self.shop.products.rows.get(record_id)
        if variation is None or variation.parent_id != self.parent.id:
            raise invalid_id("product_variation", status)
        return variation
