"""Writing products, combinations and stock rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.prestashop.goods import STOCK_ROWS, follows_warehouses, has_stock_row, i18n, is_live, quantity_of
from sandbox.prestashop.looks import DEFAULT_LANGUAGE, LANGUAGES
from sandbox.prestashop.xml import ApiError
from sandbox.records import Product
from sandbox.shop import Shop

_TEXTS = ("name", "description", "link_rewrite")
MOST = 2147483647


def invalid(what: str, code: int = 85) -> ApiError:
    return ApiError(400, code, f'Validation error: "{what}"')


def number(field: str, text: str) -> Decimal:
    """Raises ApiError on what PrestaShop takes for no number."""
    try:
        value = Decimal(text.strip() or "0")
    except InvalidOperation:
        raise invalid(f"Property {field} is not valid") from None
    return value


class Products:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def has(self, key: int) -> bool:
        product = self.shop.products.rows.get(key)
        return is_live(product) and product is not None and not product.parent_id

    def create(self, given: Mapping[str, Any]) -> int:
        _check(given)
        product = self.shop.add_product("", _default(given.get("name", "")), "0", stock=0, status="draft")
        self._write(product, given)
        return product.id

    def change(self, key: int, given: Mapping[str, Any], whole: bool) -> None:
        product = self.shop.products.rows[key]
        _check(given)
        self._write(product, {**_nothing(), **given} if whole else given)

    def delete(self, key: int) -> None:
        self.shop.delete_product(key)

    def _write(self, product: Product, given: Mapping[str, Any]) -> None:
        for field in _TEXTS:
            if field in given:
                _set_texts(product, field, given[field])
        _set_own(product, given)
        if "price" in given:
            product.regular_price = f"{number('price', given['price']):f}"
        if "active" in given:
            product.status = "publish" if given["active"] == "1" else "draft"
        with self.shop.changing():
            self.shop.touch_product(product)
            self.shop.forget_orders_of({product.id})


def _nothing() -> dict[str, Any]:
    """What a PUT makes of the fields it does not send."""
    blank = dict.fromkeys(map(str, LANGUAGES), "")
    return {"reference": "", "active": "0", "ean13": "", "weight": "0", "name": blank, "description": blank,
            "link_rewrite": blank}  # fmt: skip


def _check(given: Mapping[str, Any]) -> None:
    names = given.get("name", "")
    for text in names.values() if isinstance(names, Mapping) else [names]:
        if re.search(r"[<>;=#{}]", text):
            raise invalid("The field Product->name is not valid", 84)
    if not re.fullmatch(r"\d{0,13}", given.get("ean13", "")):
        raise invalid("Property Product->ean13 is not valid")
    if len(given.get("reference", "")) > 64:
        raise invalid("Property Product->reference length is more than 64")
    for field in ("price", "weight"):
        if field in given:
            number(f"Product->{field}", given[field])


def _default(texts: Any) -> str:
    return str(texts.get(str(DEFAULT_LANGUAGE), "")) if isinstance(texts, Mapping) else str(texts)


def _set_texts(product: Product, field: str, given: Any) -> None:
    """Languages that are not sent keep their text."""
    shown = {str(key): text for key, text in i18n(product, field, _shown(product, field)).items()}
    sent = given if isinstance(given, Mapping) else {str(DEFAULT_LANGUAGE): given}
    product.extra[f"{field}_texts"] = {**shown, **sent}
    if field == "name":
        product.name = product.extra["name_texts"][str(DEFAULT_LANGUAGE)]


def _shown(product: Product, field: str) -> str:
    return product.name if field == "name" else str(product.extra.get(field, ""))


def _set_own(product: Product, given: Mapping[str, Any]) -> None:
    if "reference" in given:
        product.sku = given["reference"]
    for field in ("ean13", "weight"):
        if field in given:
            product.extra[field] = given[field]


class Combinations(Products):
    """Saving one leaves the product's time alone."""

    def has(self, key: int) -> bool:
        product = self.shop.products.rows.get(key)
        return is_live(product) and product is not None and bool(product.parent_id)

    def create(self, given: Mapping[str, Any]) -> int:
        parent = self.shop.products.rows[int(given["id_product"])]
        made = self.shop.add_product("", "", "0", stock=0, parent=parent, option="New")
        self._write(made, given)
        return made.id

    def change(self, key: int, given: Mapping[str, Any], whole: bool) -> None:
        _check(given)
        blank = {"reference": "", "ean13": "", "weight": "0", "price": "0"}
        self._write(self.shop.products.rows[key], {**blank, **given} if whole else given)

    def _write(self, product: Product, given: Mapping[str, Any]) -> None:
        parent = self.shop.products.rows[product.parent_id]
        _set_own(product, given)
        if "price" in given:
            own = number("Combination->price", given["price"])
            product.regular_price = f"{Decimal(parent.regular_price or '0') + own:f}"
        with self.shop.changing():
            self.shop.touch_stock(product)
            self.shop.forget_orders_of({product.id})


class Stock:
    """The row of a product with combinations is their sum again, whatever is written there."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def has(self, key: int) -> bool:
        return has_stock_row(self.shop, key)

    def change(self, key: int, given: Mapping[str, Any], whole: bool) -> None:
        product = self.shop.products.rows[key - STOCK_ROWS]
        text = given.get("quantity", str(quantity_of(self.shop, product)))
        quantity = int(text) if re.fullmatch(r"-?\d+", text) else MOST + 1
        if not -MOST <= quantity <= MOST:
            raise invalid(f"StockAvailable->quantity is {text}. It must be between -{MOST} and {MOST}.")
        if product.children or follows_warehouses(product):
            return
        product.stock = quantity
        with self.shop.changing():
            self.shop.touch_stock(product)
