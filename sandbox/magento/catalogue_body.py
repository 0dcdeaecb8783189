"""Products, customers and stock items as Magento shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from sandbox.magento.looks import REGIONS, STATE_NAMES, attributes, number, stamp
from sandbox.records import Address, Customer, Product
from sandbox.shop import Shop

ATTRIBUTE_SET = 4
TAX_CLASSES = {"": "2", "reduced-rate": "4"}
TYPES = {"variation": "simple", "variable": "configurable"}


def product_body(shop: Shop, product: Product, *, with_stock: bool = False) -> dict[str, Any]:
    """As a list shows it; `with_stock`: as it is shown alone, with its stock item."""
    parent = shop.products.rows.get(product.parent_id)
    extension: dict[str, Any] = {"website_ids": [1]}
    if with_stock:
        extension["stock_item"] = stock_item(product)
    if product.kind == "variable":
        extension["configurable_product_links"] = product.children
    body: dict[str, Any] = {
        "id": product.id,
        "sku": product.sku,
        "name": f"{parent.name}-{product.option}" if parent and product.name == product.option else product.name,
        "attribute_set_id": ATTRIBUTE_SET,
        "price": _price(product),
        "status": 1 if product.status == "publish" else 2,
        "visibility": 1 if product.parent_id else 4,
        "type_id": TYPES.get(product.kind, product.kind),
        "created_at": stamp(product.created),
        "updated_at": stamp(product.modified),
    }
    if product.extra.get("weight") is not None:
        body["weight"] = product.extra["weight"]
    return {
        **body,
        "extension_attributes": extension,
        "product_links": [],
        "options": [],
        "media_gallery_entries": [],
        "tier_prices": [],
        "custom_attributes": attributes(_custom(product)),
    }


def _price(product: Product) -> int | float:
    return number(Decimal(product.regular_price or "0"))


def _custom(product: Product) -> dict[str, Any]:
    own = dict(product.extra.get("attributes", {}))
    values = {"options_container": "container2", "tax_class_id": TAX_CLASSES.get(product.tax_class, "2")}
    if product.sale_price:
        values["special_price"] = f"{product.sale_price}"
    return values | {"category_ids": []} | own


def stock_item(product: Product) -> dict[str, Any]:
    """The legacy stock of one product."""
    return {
        "item_id": product.id,
        "product_id": product.id,
        "stock_id": 1,
        "qty": product.stock or 0,
        "is_in_stock": is_in_stock(product),
        "is_qty_decimal": False,
        "use_config_min_qty": True,
        "min_qty": 0,
        "use_config_backorders": True,
        "backorders": 0,
        "use_config_manage_stock": product.manages_stock,
        "manage_stock": product.manages_stock,
        "low_stock_date": None,
        "is_decimal_divided": False,
        "stock_status_changed_auto": 0,
    }


def is_in_stock(product: Product, held: int = 0) -> bool:
    """What the API said last, as long as the quantity is the one it set; else whether something is there. `held` is
    reserved for orders and there still."""
    at, said = product.extra.get("in_stock_at", (None, False))
    return said if at == product.stock else (product.stock or 0) + held > 0


def say_in_stock(product: Product, is_there: bool) -> None:
    """Set with the quantity; a later one that says nothing of it does not change it."""
    product.extra["in_stock_at"] = (product.stock, is_there)


def customer_body(customer: Customer) -> dict[str, Any]:
    addresses = stored_addresses(customer)
    body: dict[str, Any] = {
        "id": customer.id,
        "group_id": 1,
        "created_at": stamp(customer.created),
        "updated_at": stamp(customer.modified or customer.created),
        "created_in": "Default Store View",
        "email": customer.email,
        "firstname": customer.first_name or customer.billing.first_name or customer.username,
        "lastname": customer.last_name or customer.billing.last_name or customer.role,
        "store_id": 1,
        "website_id": 1,
        "addresses": addresses,
        "disable_auto_group_change": 0,
        "extension_attributes": {"is_subscribed": False},
        **_kept(customer),
    }
    for kind in ("billing", "shipping"):
        default = next((each["id"] for each in addresses if each.get(f"default_{kind}")), None)
        if default is not None:
            body[f"default_{kind}"] = str(default)
    return body


def _kept(customer: Customer) -> dict[str, Any]:
    """Fields the state has no place for, as they were last written."""
    return next((piece["value"] for piece in customer.meta if piece["key"] == "fields"), {})


def stored_addresses(customer: Customer) -> list[dict[str, Any]]:
    """The address book: as it was last written, else made of what the shop was filled with."""
    billing, shipping = customer.billing, customer.shipping
    written = next((piece for piece in customer.meta if piece["key"] == "addresses"), None)
    # Edited in the shop since: then what was written is not what stands there any more.
    if written is not None and written["of"] == [msgspec.structs.asdict(each) for each in (billing, shipping)]:
        return list(written["value"])
    places = [(billing, True, shipping == billing or not shipping.country)] if billing.country else []
    if shipping.country and shipping != billing:
        places.append((shipping, False, True))
    return [
        _address(customer.id * 2 - 1 + at, customer, place, is_billing, is_shipping)
        for at, (place, is_billing, is_shipping) in enumerate(places)
    ]


def _address(number: int, customer: Customer, place: Address, is_billing: bool, is_shipping: bool) -> dict[str, Any]:
    region_id = REGIONS.get(place.state, 0)
    region = {"region_code": place.state, "region": STATE_NAMES.get(place.state, place.state), "region_id": region_id}
    block: dict[str, Any] = {
        "id": number,
        "customer_id": customer.id,
        "region": region,
        "region_id": region_id,
        "country_id": place.country,
        "street": [line for line in (place.address_1, place.address_2) if line],
        "telephone": place.phone or customer.billing.phone,
        "postcode": place.postcode,
        "city": place.city,
        "firstname": place.first_name,
        "lastname": place.last_name,
    }
    if place.company:
        block["company"] = place.company
    if is_shipping:
        block["default_shipping"] = True
    if is_billing:
        block["default_billing"] = True
    return block
