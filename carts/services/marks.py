"""Marks "this must go to that cart" (stock, an item, a customer), written in the transaction of the change.

One statement for all items and all carts, whatever changed them: an adjustment, a document approved, an order that
came in from another cart. The wake-up that follows the commit only saves the wait for the next tick.
"""

import threading
import time
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from carts.choices import CartStatus, Kind, PushKind, PushState, RecordState
from carts.models import Cart, Push, Record
from carts.services import stock_rows, wakeups
from cartsync.statements import table

ITEMS_PER_STATEMENT = 900  # Django counts on 999 parameters a statement for SQLite
PUSHES_STOCK = Q(status=CartStatus.RUNNING, to_stock_updates=True)
# Of each kind of push: the record it goes to, the cart's switch, and the task that sends it.
RECORD_KIND = {PushKind.STOCK: Kind.ITEM, PushKind.ITEM: Kind.ITEM, PushKind.CUSTOMER: Kind.CUSTOMER}
SWITCH = {
    PushKind.STOCK: "to_stock_updates",
    PushKind.ITEM: "to_item_updates",
    PushKind.CUSTOMER: "to_customer_updates",
}


class _Switch:
    """Whether any cart takes stock at all, asked at most every so often: most installations never do, and an import
    would pay a statement a page for nothing. A cart that was just switched on is therefore swept only when this is
    over (`stock_sweep.FIRST_SWEEP_AFTER`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = float("-inf")

    def is_off(self) -> bool:
        with self._lock:
            if time.monotonic() - self._asked_at < settings.STOCK_SWITCH_SECONDS:
                return True
            if Cart.objects.filter(PUSHES_STOCK).exists():
                return False
            self._asked_at = time.monotonic()
            return True


_switch = _Switch()
# When this process last woke a worker for a cart's pushes of a kind, by the monotonic clock.
_woken_at: dict[tuple[int, PushKind], float] = {}


def on_stock_changed(item_ids: Sequence[int], **_: Any) -> None:
    """Receiver of backoffice.signals.stock_changed, inside its transaction."""
    if not _switch.is_off():
        mark_stock(item_ids)


def mark_stock(item_ids: Collection[int], *, cart_id: int | None = None) -> None:
    """A mark for every RUNNING cart that takes stock and has one of these items linked (or for one such cart)."""
    mark(PushKind.STOCK, item_ids, cart_id=cart_id)


def mark(kind: PushKind, local_ids: Collection[int], *, cart_id: int | None = None) -> None:
    """As mark_stock, of any kind: the carts are those whose switch for this kind is on."""
    ids = sorted(set(local_ids))
    cart_ids: set[int] = set()
    now = timezone.now()
    for start in range(0, len(ids), ITEMS_PER_STATEMENT):
        cart_ids |= _upsert(kind, ids[start : start + ITEMS_PER_STATEMENT], now, cart_id)
    for each in sorted(cart_ids):
        transaction.on_commit(partial(nudge, each, kind))


def nudge(cart_id: int, kind: PushKind = PushKind.STOCK) -> None:
    """Wake a worker, unless one is sending already: who sends looks for more before it ends, and once after. Only where
    one was woken a moment ago is it asked for at all."""
    now = time.monotonic()
    is_again = now - _woken_at.get((cart_id, kind), float("-inf")) < settings.STOCK_WINDOW_SECONDS
    if not (is_again and stock_rows.is_being_sent(cart_id, kind)):
        _woken_at[cart_id, kind] = now
        wake(cart_id, kind)


def wake(cart_id: int, kind: PushKind) -> None:
    if kind == PushKind.STOCK:
        wakeups.wake_stock(cart_id)
    else:
        wakeups.send("carts.tasks.push_records", cart_id, kind.value)


def _upsert(kind: PushKind, local_ids: list[int], now: datetime, cart_id: int | None) -> set[int]:
    """Ids of the carts marked. A mark that is there counts one generation on, and is no failure any more."""
    push, record, cart = map(table, (Push, Record, Cart))
    at = connection.ops.adapt_datetimefield_value(now)
    only = "AND c.id = %s" if cart_id else ""
    sql = (
        f"INSERT INTO {push} (cart_id, kind, local_id, generation, state, failures, reason, marked_at) "
        f"SELECT DISTINCT c.id, %s, r.local_id, 1, %s, 0, '', {_typed('%s')} "
        f"FROM {cart} c JOIN {record} r ON r.cart_id = c.id "
        f"WHERE c.status = %s AND c.{SWITCH[kind]} {only} AND r.kind = %s AND r.state = %s "
        f"AND r.local_id IN ({', '.join(['%s'] * len(local_ids))}) "
        # Every transaction takes the rows in this order, so that no two wait for each other.
        "ORDER BY 1, 3 "
        f"ON CONFLICT (local_id, cart_id, kind) DO UPDATE SET generation = {push}.generation + 1, "
        "state = EXCLUDED.state, failures = 0, reason = '', due_at = NULL, marked_at = EXCLUDED.marked_at "
        "RETURNING cart_id"
    )
    given: list[Any] = [kind.value, PushState.WAITING.value, at, CartStatus.RUNNING.value]
    given += [*([cart_id] if cart_id else []), RECORD_KIND[kind].value, RecordState.IMPORTED.value]
    given += local_ids
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return {row[0] for row in cursor.fetchall()}


def _typed(place: str) -> str:
    return f"CAST({place} AS timestamp with time zone)" if connection.vendor == "postgresql" else place
