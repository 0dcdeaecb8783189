"""The statements that stand between a change of stock and the request that sends it. Written by hand, because each is
waited for: the ORM takes longer to write one of them than the database to answer it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from carts.choices import CartStatus, Kind, PushKind, PushState, RecordState
from carts.models import Cart, Feed, OpenUnits, Outbox, Push, Record
from carts.records import ItemRef


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
    sql = f"SELECT 1 FROM {_table(Outbox)} WHERE cart_id = %s AND kind = %s AND lease_until > %s"
    return bool(_rows(sql, [cart_id, kind.value, _time()]))


def orders_are_behind(cart_id: int, oldest: datetime) -> bool:
    """The cart's orders were last read before this moment, or never."""
    sql = f"SELECT 1 FROM {_table(Feed)} WHERE cart_id = %s AND kind = %s AND (polled_at IS NULL OR polled_at < %s)"
    return bool(_rows(sql, [cart_id, Kind.ORDER.value, _at(oldest)]))


def claim(cart_id: int, token: str, until: datetime) -> bool:
    """Take the lease on a RUNNING cart's stock, if nobody has it and some is due to be sent."""
    now = _time()
    sql = (
        f"UPDATE {_table(Outbox)} SET lease_token = %s, lease_until = %s WHERE cart_id = %s AND kind = %s "
        "AND NOT needs_person AND (lease_until IS NULL OR lease_until < %s) "
        "AND (next_drain_at IS NULL OR next_drain_at <= %s) "
        f"AND EXISTS (SELECT 1 FROM {_table(Cart)} c WHERE c.id = %s AND c.status = %s AND c.to_stock_updates) "
        f"AND EXISTS (SELECT 1 FROM {_table(Push)} p WHERE p.cart_id = %s AND p.kind = %s AND p.state = %s "
        "AND (p.due_at IS NULL OR p.due_at <= %s))"
    )
    stock = PushKind.STOCK.value
    given = [token, _at(until), cart_id, stock, now, now, cart_id, CartStatus.RUNNING.value]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given, cart_id, stock, PushState.WAITING.value, now])
        return cursor.rowcount > 0


def outbox(cart_id: int) -> Outbox:
    """That of the cart's stock, with its cart. Every column of both: to name them all takes the ORM its time."""
    cart = Cart.objects.raw(f"SELECT * FROM {_table(Cart)} WHERE id = %s", [cart_id])[0]
    sql = f"SELECT * FROM {_table(Outbox)} WHERE cart_id = %s AND kind = %s"
    found = Outbox.objects.raw(sql, [cart_id, PushKind.STOCK.value])[0]
    found.cart = cart
    return found


def waiting(cart_id: int, limit: int) -> list[Due]:
    """The oldest marks of a cart that are due, each with every item of the cart that is linked to it.

    Two statements: joined, PostgreSQL reads all items of the cart for each mark while its statistics lag.
    """
    sql = (
        f"SELECT id, generation, local_id, failures FROM {_table(Push)} "
        "WHERE cart_id = %s AND kind = %s AND state = %s AND (due_at IS NULL OR due_at <= %s) ORDER BY id LIMIT %s"
    )
    marks = _rows(sql, [cart_id, PushKind.STOCK.value, PushState.WAITING.value, _time(), limit])
    if not marks:
        return []
    sql = (
        f"SELECT local_id, id, external_id, parent_id, cart_stock FROM {_table(Record)} WHERE cart_id = %s "
        f"AND kind = %s AND state = %s AND local_id IN ({_places(marks)})"
    )
    given = [cart_id, Kind.ITEM.value, RecordState.IMPORTED.value, *(mark[2] for mark in marks)]
    linked: dict[int, list[tuple[int | None, ItemRef, Decimal | None]]] = defaultdict(list)
    for local_id, record_id, external_id, parent_id, known in _rows(sql, given):
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
    sql = f"UPDATE {_table(Record)} SET cart_stock = NULL WHERE id IN ({_places(record_ids)}) AND {is_ours}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*record_ids, *lease])
        return cursor.rowcount > 0


def take_away(marks: Mapping[int, int], outbox_id: int, token: str) -> list[int]:
    """Inside a transaction: delete those marks (generations by id) that nobody has counted on, while the lease is ours.
    Their ids."""
    is_ours, lease = _is_ours(outbox_id, token)
    # Locked in the order in which marks are made, so that no two wait for each other. (SQLite has one writer anyway.)
    lock = "FOR UPDATE" if connection.features.has_select_for_update else ""
    places = ", ".join(["(%s, %s)"] * len(marks))
    sql = (
        f"DELETE FROM {_table(Push)} WHERE id IN (SELECT id FROM {_table(Push)} "
        f"WHERE (id, generation) IN (VALUES {places}) AND {is_ours} ORDER BY local_id {lock}) RETURNING id"
    )
    return [row[0] for row in _rows(sql, [*(value for mark in marks.items() for value in mark), *lease])]


def remember(shown: Mapping[int, Decimal | None]) -> None:
    """What the cart shows, by record. The ORM's bulk_update spends more on its CASE than the shop on a full batch."""
    if not shown:
        return
    places = ", ".join(["(CAST(%s AS bigint), CAST(%s AS numeric))"] * len(shown))
    sql = (
        f"WITH shown (id, quantity) AS (VALUES {places}) UPDATE {_table(Record)} SET cart_stock = shown.quantity "
        f"FROM shown WHERE {_table(Record)}.id = shown.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in shown.items() for value in (row[0], _stored(row[1]))])


def open_units(skus: Mapping[int, str]) -> list[tuple[int | None, str, Decimal]]:
    """(our item by its link, SKU key, units) of every open line that may be of one of these items."""
    if not skus:
        return []
    record, units = _table(Record), _table(OpenUnits)
    linked = f"SELECT r.cart_id, r.external_id FROM {record} r WHERE r.kind = %s AND r.local_id IN ({_places(skus)})"
    sql = (
        f"SELECT l.local_id, u.sku_key, u.quantity FROM {units} u LEFT JOIN {record} l ON l.cart_id = u.cart_id "
        "AND l.kind = %s AND l.external_id = u.external_item_id AND l.local_id IS NOT NULL "
        f"WHERE u.sku_key IN ({_places(skus)}) OR (u.cart_id, u.external_item_id) IN ({linked})"
    )
    rows = _rows(sql, [Kind.ITEM.value, *skus.values(), Kind.ITEM.value, *skus])
    return [(local_id, sku_key, _quantity(units) or Decimal(0)) for local_id, sku_key, units in rows]


def _is_ours(outbox_id: int, token: str) -> tuple[str, list[Any]]:
    """The condition that we hold the lease and the cart still takes stock, and its parameters."""
    sql = (
        f"EXISTS (SELECT 1 FROM {_table(Outbox)} o JOIN {_table(Cart)} c ON c.id = o.cart_id WHERE o.id = %s "
        "AND o.lease_token = %s AND o.lease_until > %s AND c.status = %s AND c.to_stock_updates)"
    )
    return sql, [outbox_id, token, _time(), CartStatus.RUNNING.value]


def _rows(sql: str, given: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()


def _table(model: Any) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _places(values: Collection[Any]) -> str:
    return ", ".join(["%s"] * len(values))


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
