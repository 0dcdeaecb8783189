"""A product, a variation and a customer as WooCommerce shows them, field for field."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from sandbox.records import Customer, Product
from sandbox.shop import Shop
from sandbox.woocommerce.looks import address, gmt, links, local


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def product_body(shop: Shop, product: Product) -> dict[str, Any]:
    """The body of GET products/{id}; for a variation that of GET products/{parent}/variations/{id}."""
    return _variation(shop, product) if product.parent_id else _product(shop, product)


def _product(shop: Shop, product: Product) -> dict[str, Any]:
    is_variable = product.kind == "variable"
    children = [shop.products.rows[child] for child in product.children if child in shop.products.rows]
    price = min((child.price for child in children if child.price), default="") if is_variable else product.price
    body = {
        "id": product.id,
        "name": product.name,
        "slug": slug(product.name),
        "permalink": f"{shop.url}/product/{slug(product.name)}/",
        **_dates(shop, product),
        "type": product.kind,
        "status": product.status,
        **_storefront(),
        "sku": product.sku,
        **_prices(product, price),
        "purchasable": bool(price),
        "total_sales": product.total_sales,
        **_goods(),
        "tax_class": product.tax_class,
        **_stock(product),
        "parent_id": 0,
        "attributes": _attributes(children),
        "variations": product.children,
        "price_html": f"<span>{price}</span>" if price else "",
        "stock_status": product.stock_status,
        "has_options": is_variable,
        "_links": links(shop.url, f"products/{product.id}", "products"),
    }
    return {**body, **_read(product.extra)}


def _variation(shop: Shop, product: Product) -> dict[str, Any]:
    parent = shop.products.rows[product.parent_id]
    path = f"products/{parent.id}"
    body = {
        "id": product.id,
        "type": "variation",
        **_dates(shop, product),
        "permalink": f"{shop.url}/product/{slug(parent.name)}/?attribute_size={product.option}",
        "sku": product.sku or parent.sku,
        **_prices(product, product.price),
        "status": product.status,
        "purchasable": bool(product.price),
        **_goods(),
        "tax_class": product.tax_class,
        **_stock(product),
        "image": None,
        "gallery_image_ids": [],
        "attributes": [{"id": 0, "name": "Size", "slug": "size", "option": product.option}],
        "name": product.option,
        "parent_id": parent.id,
        "_links": links(
            shop.url,
            f"{path}/variations/{product.id}",
            f"{path}/variations",
            up=path,
        ),
    }
    # A variation without its own quantity shares its parent's.
    if not product.manages_stock and parent.manages_stock:
        shared = {"manage_stock": "parent", "stock_quantity": parent.stock}
        body |= shared | {"stock_status": parent.stock_status}
    return {**body, **_read(product.extra)}


def _storefront() -> dict[str, Any]:
    """What a storefront shows and a connector ignores."""
    return {
        "featured": False,
        "catalog_visibility": "visible",
        "short_description": "",
        "external_url": "",
        "button_text": "",
        "sold_individually": False,
        "shipping_required": True,
        "shipping_taxable": True,
        "reviews_allowed": True,
        "average_rating": "0.00",
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "purchase_note": "",
        "categories": [{"id": 15, "name": "Uncategorized", "slug": "uncategorized"}],
        "brands": [],
        "tags": [],
        "images": [],
        "default_attributes": [],
        "grouped_products": [],
        "related_ids": [],
        "post_password": "",
    }


def _dates(shop: Shop, product: Product) -> dict[str, Any]:
    return {
        "date_created": local(product.created, shop.zone),
        "date_created_gmt": gmt(product.created),
        "date_modified": local(product.modified, shop.zone),
        "date_modified_gmt": gmt(product.modified),
    }


def _prices(product: Product, price: str) -> dict[str, Any]:
    return {
        "price": price,
        "regular_price": product.regular_price,
        "sale_price": product.sale_price,
        "date_on_sale_from": None,
        "date_on_sale_from_gmt": None,
        "date_on_sale_to": None,
        "date_on_sale_to_gmt": None,
        "on_sale": bool(product.sale_price),
    }


def _goods() -> dict[str, Any]:
    return {
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "tax_status": "taxable",
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
        "menu_order": 0,
        "meta_data": [],
        "description": "",
        "global_unique_id": "",
    }


def _stock(product: Product) -> dict[str, Any]:
    backorders = product.backorders
    return {
        "manage_stock": product.manages_stock,
        "stock_quantity": product.stock if product.manages_stock else None,
        "stock_status": product.stock_status,
        "backorders": backorders,
        "backorders_allowed": backorders != "no",
        "backordered": product.stock_status == "onbackorder",
        "low_stock_amount": None,
    }


def _attributes(children: list[Product]) -> list[dict[str, Any]]:
    if not children:
        return []
    options = [child.option for child in children]
    shared = {"position": 0, "visible": True, "variation": True}
    return [{"id": 0, "name": "Size", "slug": "Size", **shared, "options": options}]


def _read(extra: dict[str, Any]) -> dict[str, Any]:
    """Texts as a reader gets them: paragraphs made of lines. Who has just written gets them as they were written."""
    text = extra.get("description")
    if not text or text.startswith("<p>"):
        return extra
    return {**extra, "description": f"<p>{text.replace(chr(10), '<br />' + chr(10))}</p>\n"}


def customer_body(shop: Shop, customer: Customer) -> dict[str, Any]:
    """The body of GET customers/{id}."""
    billing = address(customer.billing, with_email=True)
    # Customers show e-mail, phone and state in another order than orders do; the set of fields is the same.
    return {
        "id": customer.id,
        "date_created": local(customer.created, shop.zone),
        "date_created_gmt": gmt(customer.created),
        "date_modified": local(customer.modified, shop.zone),
        "date_modified_gmt": gmt(customer.modified),
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "role": customer.role,
        "username": customer.username,
        "billing": billing,
        "shipping": address(customer.shipping, with_email=False),
        "is_paying_customer": customer.is_paying,
        "avatar_url": f"https://secure.gravatar.com/avatar/{sha256(customer.email.encode()).hexdigest()}?s=96",
        "meta_data": customer.meta,
        "_links": links(shop.url, f"customers/{customer.id}", "customers"),
    }
