"""Products, variants and customers of v3."""

from __future__ import annotations

from typing import Any

from sandbox.bigcommerce.looks import COUNTRIES, iso, iso_offset, number, variant_id
from sandbox.records import Address, Customer, Product
from sandbox.shop import Shop

# Written and handed back, with no effect in the shop.
KEPT = ("description", "weight", "upc", "mpn", "gtin", "brand_id", "categories", "type", "condition")


def is_complex(product: Product) -> bool:
    """A product whose variants are the things one buys."""
    return product.kind == "variable"


def tracking(shop: Shop, product: Product) -> str:
    """none, product or variant: whose stock an adjustment may set."""
    if not is_complex(product):
        return "product" if product.manages_stock else "none"
    kept = [shop.products.rows[child].manages_stock for child in product.children if child in shop.products.rows]
    if any(kept):
        return "variant"
    return "product" if product.manages_stock else "none"


def product_body(shop: Shop, product: Product, include: set[str], fields: set[str]) -> dict[str, Any]:
    extra = product.extra
    whole = {
        "id": product.id,
        "name": product.name,
        "type": extra.get("type", "physical"),
        "sku": product.sku,
        "description": extra.get("description", ""),
        "weight": number(extra.get("weight", 1)),
        "width": 0,
        "depth": 0,
        "height": 0,
        "price": number(product.regular_price),
        "cost_price": 0,
        "retail_price": 0,
        "sale_price": number(product.sale_price),
        "map_price": 0,
        "tax_class_id": 1 if product.tax_class else 0,
        "calculated_price": number(product.price),
        "categories": extra.get("categories", []),
        "brand_id": extra.get("brand_id", 0),
        "inventory_level": _level(shop, product),
        "inventory_warning_level": 0,
        "inventory_tracking": tracking(shop, product),
        "total_sold": product.total_sales,
        "is_visible": product.status == "publish",
        "is_featured": False,
        "upc": extra.get("upc", ""),
        "mpn": extra.get("mpn", ""),
        "gtin": extra.get("gtin", ""),
        "availability": "available",
        "condition": "New",
        "view_count": 7,
        "date_created": iso_offset(product.created),
        "date_modified": iso_offset(product.modified),
        "base_variant_id": None if is_complex(product) else variant_id(product),
    }
    if fields:
        whole = {name: value for name, value in whole.items() if name in fields or name == "id"}
    if "variants" in include:
        whole["variants"] = [variant_body(shop, each) for each in variants_of(shop, product)]
    return whole


def variants_of(shop: Shop, product: Product) -> list[Product]:
    """A simple product stands for its own base variant."""
    if not is_complex(product):
        return [product]
    return [shop.products.rows[child] for child in product.children if child in shop.products.rows]


def _level(shop: Shop, product: Product) -> int:
    if not is_complex(product) or tracking(shop, product) == "product":
        return product.stock or 0
    return sum(each.stock or 0 for each in variants_of(shop, product))


def variant_body(shop: Shop, variant: Product) -> dict[str, Any]:
    extra = variant.extra
    is_own = bool(variant.parent_id)
    options = [
        {"id": variant.id, "option_id": variant.parent_id, "option_display_name": "Size", "label": variant.option}
    ]
    return {
        "id": variant_id(variant),
        "product_id": variant.parent_id or variant.id,
        "sku": variant.sku,
        "sku_id": variant.id if is_own else None,
        # Nothing of its own: then the product's counts.
        "price": number(variant.regular_price) if is_own and variant.regular_price else None,
        "calculated_price": number(variant.price),
        "sale_price": number(variant.sale_price) if is_own and variant.sale_price else None,
        "retail_price": None,
        "cost_price": 0,
        "weight": number(extra["weight"]) if is_own and extra.get("weight") is not None else None,
        "upc": extra.get("upc", ""),
        "mpn": "",
        "gtin": "",
        "purchasing_disabled": variant.status != "publish",
        "purchasing_disabled_message": "",
        "inventory_level": variant.stock or 0,
        "inventory_warning_level": 0,
        "bin_picking_number": "",
        "option_values": options if is_own else [],
    }


def customer_body(customer: Customer, include: set[str]) -> dict[str, Any]:
    body = {
        "id": customer.id,
        "email": customer.email,
        # No customer is without either.
        "first_name": customer.first_name or "-",
        "last_name": customer.last_name or "-",
        "company": customer.billing.company,
        "phone": customer.billing.phone,
        "registration_ip_address": "203.0.113.9",
        "notes": "",
        "tax_exempt_category": "",
        "customer_group_id": 0,
        "date_created": iso(customer.created),
        "date_modified": iso(customer.modified or customer.created),
        "address_count": len(addresses_of(customer)),
        "attribute_count": 0,
        "authentication": {"force_password_reset": False},
        "accepts_product_review_abandoned_cart_emails": False,
        "origin_channel_id": 1,
        "channel_ids": [1],
    }
    if "addresses" in include:
        body["addresses"] = [address_body(customer, *each) for each in addresses_of(customer)]
    return body


def addresses_of(customer: Customer) -> list[tuple[int, Address]]:
    """(address id, address). The billing address is the first, where there are both."""
    places = ((customer.id * 10 + 1, customer.billing), (customer.id * 10 + 2, customer.shipping))
    return [(address_id, where) for address_id, where in places if where.address_1]


def address_body(customer: Customer, address_id: int, where: Address) -> dict[str, Any]:
    return {
        "id": address_id,
        "customer_id": customer.id,
        "first_name": where.first_name,
        "last_name": where.last_name,
        "company": where.company,
        "address1": where.address_1,
        "address2": where.address_2,
        "city": where.city,
        "state_or_province": where.state,
        "postal_code": where.postcode,
        "country": COUNTRIES.get(where.country, where.country),
        "country_code": where.country,
        "phone": where.phone,
        "address_type": "residential",
    }
