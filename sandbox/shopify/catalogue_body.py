"""Products with their variants, stock items and customers as the Admin API shows them.

What the neutral shop calls a simple product is a product with its default variant here, and both go by its number; a
variation is a variant. `Product.extra` holds `barcode`, `weight` ({"value", "unit"}), `description`, and `levels`: the
quantities at the locations beside the first, by location id.
"""

from __future__ import annotations

from typing import Any

from sandbox.records import Customer, Product
from sandbox.shopify.looks import gid, iso, place

_STATUSES = {"publish": "ACTIVE", "draft": "DRAFT", "private": "DRAFT", "pending": "DRAFT", "archived": "ARCHIVED"}


def status_of(product: Product) -> str:
    return _STATUSES.get(product.status, "ACTIVE")


def product_body(product: Product) -> dict[str, Any]:
    """A product, or a simple product's two sides; of a variation the variant alone."""
    body: dict[str, Any] = {"variant": variant_body(product) if product.kind != "variable" else None}
    if not product.parent_id:
        body["product"] = {
            "__typename": "Product",
            "id": gid("Product", product.id),
            "title": product.name,
            "descriptionHtml": product.extra.get("description", ""),
            "status": status_of(product),
            "hasOnlyDefaultVariant": product.kind != "variable",
            "createdAt": iso(product.created),
            "updatedAt": iso(product.modified),
            "variants": product.children if product.kind == "variable" else [product.id],
        }
    return body


def variant_body(product: Product) -> dict[str, Any]:
    on_sale = bool(product.sale_price)
    title = product.option or "Default Title"
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", product.id),
        "sku": product.sku or None,
        "title": title,
        "barcode": product.extra.get("barcode") or None,
        "price": product.price or "0.00",
        "compareAtPrice": product.regular_price if on_sale else None,
        "updatedAt": iso(product.modified),
        "inventoryQuantity": total_quantity(product),
        "selectedOptions": [{"name": "Size" if product.option else "Title", "value": title}],
        "product": product.parent_id or product.id,
        "inventoryItem": {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", product.id),
            "sku": product.sku or None,
            "tracked": product.manages_stock,
            "updatedAt": iso(product.modified),
            "measurement": {
                "id": gid("InventoryItemMeasurement", product.id),
                "weight": product.extra.get("weight", {"value": 0.0, "unit": "KILOGRAMS"}),
            },
        },
    }


def total_quantity(product: Product) -> int:
    return (product.stock or 0) + sum(product.extra.get("levels", {}).values())


def quantity_at(product: Product, location: int) -> int | None:
    """None where the item is not stocked there; all are stocked at the first location."""
    return (product.stock or 0) if location == 1 else product.extra.get("levels", {}).get(str(location))


def set_quantity_at(product: Product, location: int, quantity: int) -> None:
    if location == 1:
        product.stock = quantity
    else:
        product.extra = {**product.extra, "levels": {**product.extra.get("levels", {}), str(location): quantity}}


def customer_body(customer: Customer) -> dict[str, Any]:
    phone = customer.billing.phone
    return {
        "__typename": "Customer",
        "id": gid("Customer", customer.id),
        "firstName": customer.first_name or None,
        "lastName": customer.last_name or None,
        "createdAt": iso(customer.created),
        "updatedAt": iso(customer.modified or customer.created),
        "defaultEmailAddress": {"emailAddress": customer.email} if customer.email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
        "defaultAddress": place(customer.billing, str(customer.id)),
    }
