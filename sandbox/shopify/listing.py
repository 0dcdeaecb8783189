"""Lists: what a query lets through, in the order of a sort key, page by page from a cursor."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sandbox.records import Order, Product
from sandbox.shop import Shop
from sandbox.shopify import searching
from sandbox.shopify.catalogue_body import status_of
from sandbox.shopify.errors import bad_request
from sandbox.shopify.order_body import financial_status
from sandbox.shopify.searching import Fields, Matches, SearchError
from sandbox.table import Table

MOST = 250
RECENT = timedelta(days=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = {"UPDATED_AT": "modified", "CREATED_AT": "created", "PROCESSED_AT": "created"}
Key = tuple[datetime, int]
Connection = dict[str, Any]


def modified(record: Any) -> datetime:
    return record.modified or record.created


def _order_fields(shop: Shop) -> Fields:
    return {
        "": searching.anywhere(_order_words),
        "id": searching.number(lambda order: order.id),
        "name": searching.text(lambda order: f"#{order.id}"),
        "email": searching.text(lambda order: order.billing.email),
        "created_at": searching.moment(lambda order: order.created),
        "processed_at": searching.moment(lambda order: order.created),
        "updated_at": searching.moment(modified),
        "financial_status": searching.text(financial_status),
        "status": searching.text(lambda order: "cancelled" if financial_status(order) == "VOIDED" else "open"),
        "test": searching.flag(lambda order: bool(order.extra.get("test"))),
    }


def _order_words(order: Order) -> str:
    billing = order.billing
    names = " ".join(line.name for line in order.lines)
    return f"#{order.id} {billing.email} {billing.first_name} {billing.last_name} {names}"


def _product_fields(shop: Shop) -> Fields:
    return {
        "": searching.anywhere(lambda product: product.name),
        "id": searching.number(lambda product: product.id),
        "updated_at": searching.moment(modified),
        "status": searching.text(status_of),
    }


def _variant_fields(shop: Shop) -> Fields:
    def parent(product: Product) -> Product:
        return shop.products.rows.get(product.parent_id, product)

    return {
        "": searching.anywhere(lambda product: f"{parent(product).name} {product.name} {product.sku}"),
        "id": searching.number(lambda product: product.id),
        "sku": searching.text(lambda product: product.sku),
        "updated_at": searching.moment(modified),
        "product_id": searching.number(lambda product: product.parent_id or product.id),
        "product_ids": searching.number(lambda product: product.parent_id or product.id),
        "product_status": searching.text(lambda product: status_of(parent(product))),
    }


def _stock_item_fields(shop: Shop) -> Fields:
    return {
        "id": searching.number(lambda product: product.id),
        "sku": searching.text(lambda product: product.sku),
        "updated_at": searching.moment(modified),
    }


def _customer_fields(shop: Shop) -> Fields:
    return {
        "": searching.anywhere(lambda customer: f"{customer.email} {customer.first_name} {customer.last_name}"),
        "id": searching.number(lambda customer: customer.id),
        "email": searching.text(lambda customer: customer.email),
        "updated_at": searching.day(modified, shop.zone),
    }


def _is_live(product: Product) -> bool:
    return product.status != "trash"


def _is_variant(product: Product) -> bool:
    return _is_live(product) and product.kind != "variable"


class Lists:
    """Every list of one shop. `sees_all`: whether orders of more than 60 days are shown."""

    _MEMORY = 16

    def __init__(self, shop: Shop, sees_all: Callable[[], bool]) -> None:
        self._shop, self._sees_all = shop, sees_all
        self._found: dict[tuple[Any, ...], list[Key]] = {}
        self._kinds: dict[str, tuple[Table[Any], Fields, Callable[[Any], bool]]] = {
            "Order": (shop.orders, _order_fields(shop), self.shows_order),
            "Product": (shop.products, _product_fields(shop), lambda p: _is_live(p) and not p.parent_id),
            "ProductVariant": (shop.products, _variant_fields(shop), _is_variant),
            "InventoryItem": (shop.products, _stock_item_fields(shop), _is_variant),
            "Customer": (shop.customers, _customer_fields(shop), lambda c: c.role == "customer"),
        }

    def shows_order(self, order: Order) -> bool:
        recent = self._sees_all() or order.created >= self._shop.clock.now() - RECENT
        return order.status != "trash" and recent

    def count(self, kind: str, query: str | None, limit: int | None) -> dict[str, Any]:
        count = len(self._keys(kind, query, "ID"))
        if limit is not None and count > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": count, "precision": "EXACT"}

    def page(self, kind: str, given: dict[str, Any]) -> tuple[list[int], Connection]:
        """The ids of a page, and its pageInfo."""
        first = size_of(given)
        keys = self._keys(kind, given.get("query"), given.get("sortKey", "ID"))
        after = _key_of(given["after"]) if given.get("after") else None
        if given.get("reverse"):
            end = len(keys) if after is None else bisect_left(keys, after)
            shown, has_more = keys[max(0, end - first) : end][::-1], end > first
        else:
            start = 0 if after is None else bisect_right(keys, after)
            shown, has_more = keys[start : start + first], len(keys) > start + first
        info = {"hasNextPage": has_more, "endCursor": _cursor(shown[-1]) if shown else None}
        return [record_id for _, record_id in shown], {"pageInfo": info}

    def _keys(self, kind: str, query: str | None, sort_key: str) -> list[Key]:
        table, _, _ = self._kinds[kind]
        asked = (kind, query, sort_key, table.version, self._shop.clock.now().date(), self._sees_all())
        if asked not in self._found:
            while len(self._found) >= self._MEMORY:
                del self._found[next(iter(self._found))]
            self._found[asked] = self._find(kind, query, sort_key)
        return self._found[asked]

    def _find(self, kind: str, query: str | None, sort_key: str) -> list[Key]:
        table, fields, is_shown = self._kinds[kind]
        if sort_key not in ("ID", *_TIMES):
            raise bad_request(f"The practice shop does not sort by {sort_key}.")
        matches = self._matches(kind, query or "", fields)
        name = _TIMES.get(sort_key)
        rows = [record for record in table.rows.values() if is_shown(record) and matches(record)]
        return sorted((_EPOCH if name is None else _time(record, name), record.id) for record in rows)

    def _matches(self, kind: str, query: str, fields: Fields) -> Matches:
        try:
            asked = searching.fields_of(query)
            # Documented of products' own list: without a word about status, only what is active.
            if kind == "Product" and "status" not in asked:
                query += " status:active"
            if kind == "ProductVariant" and "product_status" not in asked:
                query += " product_status:active"
            return searching.parse(query, fields)
        except (SearchError, ValueError) as wrong:
            raise bad_request(str(wrong)) from None


def _time(record: Any, name: str) -> datetime:
    return modified(record) if name == "modified" else record.created


def size_of(given: dict[str, Any]) -> int:
    first = given.get("first")
    if first is None:
        raise bad_request("you must provide one of first or last")
    if not 0 < first <= MOST:
        raise bad_request(f"first must be between 1 and {MOST}.")
    return first


def _cursor(key: Key) -> str:
    """Where a page ended: the sort key's value and the id, so that the next begins behind it whatever moved."""
    return base64.b64encode(msgspec.json.encode({"last_value": key[0], "last_id": key[1]})).decode()


def _key_of(cursor: str) -> Key:
    try:
        decoded = msgspec.json.decode(base64.b64decode(cursor))
        return datetime.fromisoformat(decoded["last_value"]), int(decoded["last_id"])
    except (binascii.Error, msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise bad_request("Invalid cursor for current pagination sort.") from None


def nested(rows: Sequence[Any], given: dict[str, Any]) -> Connection:
    """A page of a list inside a record; its cursor is a place."""
    first = size_of(given)
    start = 0
    if given.get("after"):
        try:
            start = int(base64.b64decode(given["after"]))
        except (binascii.Error, ValueError):
            raise bad_request("Invalid cursor for current pagination sort.") from None
    end = start + first
    shown = rows[start:end]
    cursor = base64.b64encode(str(start + len(shown)).encode()).decode() if shown else None
    return {"pageInfo": {"hasNextPage": len(rows) > end, "endCursor": cursor}, "nodes": shown}
