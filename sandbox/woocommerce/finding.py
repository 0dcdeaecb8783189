"""Which records a list's arguments mean, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.records import Customer, Order, Product
from sandbox.shop import Shop
from sandbox.woocommerce.catalogue_body import slug
from sandbox.woocommerce.dates import bounds
from sandbox.woocommerce.listing import in_range, included

Test = Callable[[Any], bool]


def find_orders(shop: Shop, values: dict[str, Any]) -> list[int]:
    """Order ids for GET orders. Plain date ranges are read off the sorted index, whatever its length."""
    table = shop.orders
    limits = bounds(values, shop.zone, stores_utc=True)
    statuses = set(values["status"])
    tests = _order_tests(values, statuses)
    by_modified = values["orderby"] == "modified"
    if "trash" in statuses:
        rows = table.rows.values()
        keys = sorted((r.modified if by_modified else r.created, r.id) for r in rows)
        tests += [lambda order, limit=limit: limit.admits(getattr(order, limit.field), shop.zone) for limit in limits]
    else:
        field = "modified" if by_modified or any(b.field == "modified" for b in limits) else "created"
        keys = in_range(
            table.by_modified if field == "modified" else table.by_created,
            [limit for limit in limits if limit.field == field],
        )
        others = [limit for limit in limits if limit.field != field]
        tests += [lambda order, limit=limit: limit.admits(getattr(order, limit.field), shop.zone) for limit in others]
        if field == "modified" and not by_modified:
            keys = sorted((table.rows[each].created, each) for _, each in keys)
    ids = [each for _, each in keys]
    if tests:
        ids = [each for each in ids if all(test(table.rows[each]) for test in tests)]
    if values["orderby"] in ("id", "slug", "title"):
        ids.sort()
    if values["order"] == "desc":
        ids.reverse()
    return included(ids, values)


def _order_tests(values: dict[str, Any], statuses: set[str]) -> list[Test]:
    tests: list[Test] = []
    if "any" not in statuses:
        tests.append(lambda order: order.status in statuses)
    if "customer" in values:
        tests.append(lambda order: order.customer_id == values["customer"])
    if product := values.get("product"):
        tests.append(lambda order: any(product in (ln.product_id, ln.variation_id) for ln in order.lines))
    if text := values.get("search", "").lower():
        tests.append(lambda order: text in _order_words(order))
    return tests


def _order_words(order: Order) -> str:
    """What WooCommerce searches: number, names and e-mail of the buyer, names of the lines."""
    who = order.billing
    words = [str(order.id), who.first_name, who.last_name, who.company, who.email]
    return " ".join([*words, *(line.name for line in order.lines)]).lower()


def find_products(shop: Shop, values: dict[str, Any], *, variations: bool, parent: int = 0) -> list[int]:
    """Product ids, or those of variations (of one parent, or of all). Dates compare in the shop's local column."""
    limits = bounds(values, shop.zone, stores_utc=False)
    skus = _skus(values.get("sku", ""))
    words = values.get("search", "").lower()

    def fits(product: Product) -> bool:
        # A SKU finds variations among products too, as on the real server.
        return (
            (bool(skus) or bool(product.parent_id) == variations)
            and (not parent or product.parent_id == parent)
            and _has_status(product, values["status"])
            and (not skus or product.sku.lower() in skus)
            and values.get("type", product.kind) == product.kind
            and values.get("stock_status", product.stock_status) == product.stock_status
            and words in f"{product.name} {product.sku}".lower()
            and all(limit.admits(getattr(product, limit.field), shop.zone) for limit in limits)
        )

    found = [product for product in shop.products.rows.values() if fits(product)]
    found.sort(key=_product_key(shop, values["orderby"]), reverse=values["order"] == "desc")
    return included([product.id for product in found], values)


def _skus(text: str) -> set[str]:
    """A comma list of whole SKUs, without regard to case; one with a comma in it is also tried whole."""
    return {text.lower(), *(part.strip().lower() for part in text.split(","))} - {""}


def _has_status(product: Product, status: str) -> bool:
    return product.status != "trash" if status == "any" else product.status == status


def _product_key(shop: Shop, orderby: str) -> Callable[[Product], Any]:
    """Sort keys, the id breaking ties. The dates are the local columns, which repeat an hour in autumn."""
    if orderby in ("date", "modified"):
        field = "created" if orderby == "date" else "modified"
        return lambda p: (getattr(p, field).astimezone(shop.zone).replace(tzinfo=None), p.id)
    if orderby in ("title", "slug"):
        return lambda p: (slug(p.name), p.id)
    return lambda p: p.id


def find_customers(shop: Shop, values: dict[str, Any]) -> list[int]:
    """Customer ids. There is no filter by time of change: modified_after is silently ignored."""
    email = values.get("email", "").lower()
    words = values.get("search", "").lower()
    role = values["role"]

    def fits(customer: Customer) -> bool:
        return (
            role in ("all", customer.role)
            and (not email or customer.email.lower() == email)
            and words in f"{customer.email} {customer.username} {customer.id}".lower()
        )

    found = [customer for customer in shop.customers.rows.values() if fits(customer)]
    keys: dict[str, Callable[[Customer], Any]] = {
        "name": lambda c: (f"{c.first_name} {c.last_name}".strip() or c.username, c.id),
        "registered_date": lambda c: (c.created, c.id),
    }
    found.sort(key=keys.get(values["orderby"], lambda c: c.id), reverse=values["order"] == "desc")
    return included([customer.id for customer in found], values)
