"""Products, combinations (without dates), option values and stock rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sandbox.prestashop.looks import DEFAULT_LANGUAGE, LANGUAGES, flag, local, money
from sandbox.prestashop.people import ALL
from sandbox.prestashop.query import Resource
from sandbox.prestashop.xml import Row
from sandbox.records import Product
from sandbox.shop import Shop

# A stock row's id is the product's or combination's above it.
STOCK_ROWS = 5000
# What the body shows as date_upd where that is not what the filter reads (see Product.extra).
SHOWN_DATE = "shown_date_upd"
TAX_RULES = {"": 1, "reduced-rate": 2}


def of_product(product: Product) -> dict[int, str]:
    return {**i18n(product, "name", product.name), DEFAULT_LANGUAGE: product.name}


def i18n(product: Product, name: str, default: str) -> dict[int, str]:
    """A text in every language: as it was written, else the default's with the language beside it."""
    written = product.extra.get(f"{name}_texts", {})
    own = {key: default if key == DEFAULT_LANGUAGE else (default and f"{default} (es)") for key in LANGUAGES}
    return {key: written.get(str(key), text) for key, text in own.items()}


def is_live(product: Product | None) -> bool:
    return product is not None and product.status != "trash"


def product_ids(shop: Shop, filters: Mapping[str, str]) -> list[int]:
    return [each.id for each in shop.products.rows.values() if not each.parent_id and is_live(each)]


def combination_ids(shop: Shop, filters: Mapping[str, str]) -> list[int]:
    return [each.id for each in shop.products.rows.values() if each.parent_id and is_live(each)]


def shown_date(shop: Shop, key: int) -> str:
    product = shop.products.rows[key]
    shown = product.extra.get(SHOWN_DATE)
    return local(shop, datetime.fromisoformat(shown) if shown else product.modified)


def _product(shop: Shop, key: int) -> Row:
    product = shop.products.rows[key]
    extra = product.extra
    stock = [{"id": str(STOCK_ROWS + each), "id_product_attribute": "0" if each == key else str(each)}
             for each in (key, *product.children)]  # fmt: skip
    return {
        "id": key, "id_manufacturer": "0", "id_supplier": "0", "id_category_default": "2", "new": "",
        "id_default_combination": str(product.children[0]) if product.children else "0",
        "id_tax_rules_group": str(TAX_RULES.get(product.tax_class, 1)), "position_in_category": "1",
        "manufacturer_name": "", "quantity": "0", "type": "simple", "reference": product.sku,
        "weight": money(Decimal(extra.get("weight") or "0")), "ean13": extra.get("ean13", ""), "state": "1",
        "product_type": "combinations" if product.children else "standard", "minimal_quantity": "1",
        "price": money(Decimal(product.regular_price or "0")), "active": flag(product.status == "publish"),
        "date_add": local(shop, product.created), "date_upd": shown_date(shop, key),
        "link_rewrite": i18n(product, "link_rewrite", "product"), "name": of_product(product),
        "description": i18n(product, "description", extra.get("description", "")),
        "associations": {
            "categories": ("category", [{"id": "2"}]),
            "combinations": ("combination", [{"id": str(each)} for each in product.children]),
            "stock_availables": ("stock_available", stock),
        },
    }  # fmt: skip


def _combination(shop: Shop, key: int) -> Row:
    each = shop.products.rows[key]
    parent = shop.products.rows[each.parent_id]
    own = Decimal(each.regular_price or "0") - Decimal(parent.regular_price or "0")
    return {
        "id": key, "id_product": str(each.parent_id), "ean13": each.extra.get("ean13", ""), "reference": each.sku,
        "price": money(own), "weight": money(Decimal(each.extra.get("weight") or "0")), "minimal_quantity": "1",
        "default_on": flag(parent.children[:1] == [key]),
        "associations": {"product_option_values": ("product_option_value", [{"id": str(key)}])},
    }  # fmt: skip


def _option_value(shop: Shop, key: int) -> Row:
    option = shop.products.rows[key].option or "One"
    return {
        "id": key,
        "id_attribute_group": "1",
        "color": "",
        "position": "0",
        "name": dict.fromkeys(LANGUAGES, option),
    }


def stock_ids(shop: Shop, filters: Mapping[str, str]) -> list[int]:
    return [STOCK_ROWS + each.id for each in shop.products.rows.values() if is_live(each)]


def quantity_of(shop: Shop, product: Product) -> int:
    """A product with combinations shows their sum."""
    if product.children:
        return sum(shop.products.rows[each].stock or 0 for each in product.children)
    return product.stock or 0


def follows_warehouses(product: Product) -> bool:
    """Advanced stock management, for what has no quantity of its own."""
    return not product.manages_stock and not product.children


def _stock(shop: Shop, key: int) -> Row:
    product = shop.products.rows[key - STOCK_ROWS]
    return {
        "id": key, "id_product": str(product.parent_id or product.id),
        "id_product_attribute": str(product.id if product.parent_id else 0), "id_shop": "1", "id_shop_group": "0",
        "quantity": str(quantity_of(shop, product)), "depends_on_stock": flag(follows_warehouses(product)),
        "out_of_stock": "2", "location": "",
    }  # fmt: skip


def has_stock_row(shop: Shop, key: int) -> bool:
    return is_live(shop.products.rows.get(key - STOCK_ROWS))


RESOURCES = {
    # The filter reads one table, the sort and the body another.
    "products": Resource(
        "product", product_ids, _product, moves="product", methods=ALL,
        quick={"date_upd": lambda shop, key: local(shop, shop.products.rows[key].modified)},
        sorts={"date_upd": shown_date},
        hidden=frozenset({"quantity", "type", "position_in_category", "manufacturer_name", "id_default_combination"}),
    ),
    "combinations": Resource("combination", combination_ids, _combination, methods=ALL),
    "product_option_values": Resource("product_option_value", combination_ids, _option_value),
    "stock_availables": Resource("stock_available", stock_ids, _stock, methods=frozenset({"GET", "PUT", "PATCH"})),
}  # fmt: skip
