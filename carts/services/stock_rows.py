"""The statements that stand between a change of stock and the request that sends it. Written by hand, because each is
waited for: the ORM takes longer to write one of them than the database to answer it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL
from django.utils import timezone

from carts.choices import CartStatus, Kind, PushKind, PushState, RecordState
from carts.models import Cart, Feed, OpenUnits, Outbox, Push, Record
from carts.records import ItemRef
from cartsync.statements import among, columns, listed, read, rows, table, value, written

# By id: what the cart's row says, as one text, and the cart that was read with it. Nobody changes that instance.
_carts: dict[int, tuple[str, Cart]] = {}


@dataclass(frozen=True, slots=True)
class StockLease:
    """The right to send a cart's stock; its outbox with its cart, and when the cart's orders were last read, as they
    were when it was taken. `orders_read_at` None: not known."""

    token: str
    outbox: Outbox
    orders_read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """One mark as it was read, and the item of the cart it means. `record_id` None: the cart has none linked any more.
    `tries`: how often it was sent since the last change."""

    push_id: int
    generation: int
    item_id: int
    tries: int
    record_id: int | None
    ref: ItemRef
    known: Decimal | None


def is_being_sent(cart_id: int, kind: PushKind) -> bool:
    """Somebody has the lease on this cart's outbox of this kind."""
    sql = f"SELECT 1 FROM {table(Outbox)} WHERE cart_id = %s AND kind = %s AND lease_until > %s"
    return bool(rows(sql, [cart_id, kind.value, _time()]))


def claim(cart_id: int, token: str, until: datetime) -> StockLease | None:
    """Take the lease on a RUNNING cart's stock, if nobody has it and some is due to be sent."""
    now, outbox, cart = _time(), table(Outbox), table(Cart)
    orders_read_at = f"(SELECT f.polled_at FROM {table(Feed)} f WHERE f.cart_id = {outbox}.cart_id AND f.kind = %s)"
    content = f"(SELECT {_content('c')} FROM {cart} c WHERE c.id = {outbox}.cart_id)"
    sql = (
        f"UPDATE {outbox} SET lease_token = %s, lease_until = %s WHERE cart_id = %s AND kind = %s "
        "AND NOT needs_person AND (lease_until IS NULL OR lease_until < %s) "
        "AND (next_drain_at IS NULL OR next_drain_at <= %s) "
        f"AND EXISTS (SELECT 1 FROM {cart} c WHERE c.id = %s AND c.status = %s AND c.to_stock_updates) "
        f"AND EXISTS (SELECT 1 FROM {table(Push)} p WHERE p.cart_id = %s AND p.kind = %s AND p.state = %s "
        "AND (p.due_at IS NULL OR p.due_at <= %s)) "
        f"RETURNING {orders_read_at}, {content}, {', '.join(columns(Outbox))}"
    )
    stock = PushKind.STOCK.value
    given = [token, _at(until), cart_id, stock, now, now, cart_id, CartStatus.RUNNING.value]
    taken = rows(sql, [*given, cart_id, stock, PushState.WAITING.value, now, Kind.ORDER.value])
    if not taken:
        return None
    polled_at, content, *values = taken[0]
    found: Outbox = read(Outbox, values)
    found.cart = _cart(cart_id, content)
    return StockLease(token, found, value(Feed._meta.get_field("polled_at"), polled_at))


@cache
def _content(row: str) -> str:
    """All of a cart's row, as one text."""
    return " || '\x1f' || ".join(f"COALESCE(CAST({row}.{column} AS text), '')" for column in columns(Cart))


def _cart(cart_id: int, content: str) -> Cart:
    """The cart whose row says this. It seldom changes, and to read all of it would be a statement more."""
    known = _carts.get(cart_id)
    if known is None or known[0] != content:
        found = Cart.objects.annotate(content=RawSQL(_content(table(Cart)), ())).get(pk=cart_id)
        known = _carts[cart_id] = (found.content, found)
    return known[1]


def waiting(cart_id: int, limit: int) -> list[Due]:
    """The oldest marks of a cart that are due, each with every item of the cart that is linked to it.

    Two statements: joined, PostgreSQL reads all items of the cart for each mark while its statistics lag.
    """
    sql = (
        f"SELECT id, generation, local_id, failures FROM {table(Push)} "
        "WHERE cart_id = %s AND kind = %s AND state = %s AND (due_at IS NULL OR due_at <= %s) ORDER BY id LIMIT %s"
    )
    marks = rows(sql, [cart_id, PushKind.STOCK.value, PushState.WAITING.value, _time(), limit])
    if not marks:
        return []
    condition, item_ids = among("local_id", [mark[2] for mark in marks])
    sql = (
        f"SELECT local_id, id, external_id, parent_id, cart_stock FROM {table(Record)} WHERE cart_id = %s "
        f"AND kind = %s AND state = %s AND {condition}"
    )
    given = [cart_id, Kind.ITEM.value, RecordState.IMPORTED.value, *item_ids]
    linked: dict[int, list[tuple[int | None, ItemRef, Decimal | None]]] = defaultdict(list)
    for local_id, record_id, external_id, parent_id, known in rows(sql, given):
        linked[local_id].append((record_id, ItemRef(external_id, parent_id), _quantity(known)))
    nothing: list[tuple[int | None, ItemRef, Decimal | None]] = [(None, ItemRef(""), None)]
    return [
        Due(push_id, generation, item_id, tries, record_id, ref, known)
        for push_id, generation, item_id, tries in marks
        for record_id, ref, known in linked.get(item_id, nothing)
    ]


def forget(record_ids: Collection[int], outbox_id: int, token: str) -> bool:
    """What the cart shows of these is unknown from now on. False, and nothing done, where the lease is not ours."""
    is_ours, lease = _is_ours(outbox_id, token)
    condition, ids = among("id", record_ids)
    return written(f"UPDATE {table(Record)} SET cart_stock = NULL WHERE {condition} AND {is_ours}", [*ids, *lease]) > 0


def take_away(marks: Mapping[int, int], outbox_id: int, token: str) -> list[int]:
    """Inside a transaction: delete those marks (generations by id) that nobody has counted on, while the lease is ours.
    Their ids."""
    is_ours, lease = _is_ours(outbox_id, token)
    # Locked in the order in which marks are made, so that no two wait for each other. (SQLite has one writer anyway.)
    lock = "FOR UPDATE" if connection.features.has_select_for_update else ""
    counted, given = listed(("bigint", "bigint"), marks.items())
    sql = (
        f"DELETE FROM {table(Push)} WHERE id IN (SELECT id FROM {table(Push)} "
        f"WHERE (id, generation) IN ({counted}) AND {is_ours} ORDER BY local_id {lock}) RETURNING id"
    )
    return [row[0] for row in rows(sql, [*given, *lease])]


def remember(shown: Mapping[int, Decimal | None]) -> None:
    """What the cart shows, by record. The ORM's bulk_update spends more on its CASE than the shop on a full batch."""
    if not shown:
        return
    known, given = listed(("bigint", "numeric"), [(record, _stored(quantity)) for record, quantity in shown.items()])
    sql = (
        f"WITH shown (id, quantity) AS ({known}) UPDATE {table(Record)} SET cart_stock = shown.quantity "
        f"FROM shown WHERE {table(Record)}.id = shown.id"
    )
    written(sql, given)


def open_units(skus: Mapping[int, str]) -> list[tuple[int | None, str, Decimal]]:
    """(our item by its link, SKU key, units) of every open line that may be of one of these items."""
    if not skus:
        return []
    record, units = table(Record), table(OpenUnits)
    of_sku, sku_keys = among("u.sku_key", skus.values())
    of_item, item_ids = among("r.local_id", skus)
    line = "u.id, u.cart_id, u.external_item_id, u.sku_key, u.quantity"
    # Two looks into an index. With an OR PostgreSQL reads every open line there is.
    sql = (
        f"SELECT l.local_id, sold.sku_key, sold.quantity FROM (SELECT {line} FROM {units} u WHERE {of_sku} UNION "
        f"SELECT {line} FROM {record} r JOIN {units} u ON u.cart_id = r.cart_id AND u.external_item_id = r.external_id "
        f"WHERE r.kind = %s AND {of_item}) sold LEFT JOIN {record} l ON l.cart_id = sold.cart_id AND l.kind = %s "
        "AND l.external_id = sold.external_item_id AND l.local_id IS NOT NULL"
    )
    found = rows(sql, [*sku_keys, Kind.ITEM.value, *item_ids, Kind.ITEM.value])
    return [(local_id, sku_key, _quantity(units) or Decimal(0)) for local_id, sku_key, units in found]


def _is_ours(outbox_id: int, token: str) -> tuple[str, list[Any]]:
    """The condition that we hold the lease and the cart still takes stock, and its parameters."""
    sql = (
        f"EXISTS (SELECT 1 FROM {table(Outbox)} o JOIN {table(Cart)} c ON c.id = o.cart_id WHERE o.id = %s "
        "AND o.lease_token = %s AND o.lease_until > %s AND c.status = %s AND c.to_stock_updates)"
    )
    return sql, [outbox_id, token, _time(), CartStatus.RUNNING.value]


def _time() -> Any:
    return _at(timezone.now())


def _at(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _stored(quantity: Decimal | None) -> Any:
    return None if quantity is None else connection.ops.adapt_decimalfield_value(quantity, 14, 4)


def _quantity(stored: Any) -> Decimal | None:
    """SQLite gives back a float or an int."""
    if stored is None or isinstance(stored, Decimal):
        return stored
    return Decimal(str(stored)).quantize(Decimal("0.0001"))
