"""The only way stock changes, and what can be sold."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from backoffice.choices import DocumentState, LineKind, MovementReason
from backoffice.errors import StockError
from backoffice.models import Document, DocumentLine, Item, StockLevel, StockMovement
from backoffice.signals import stock_changed
from backoffice.types import QUANTITY_DECIMALS, ZERO, Availability, StockChange
from cartsync import statements

ITEMS_PER_STATEMENT = 300  # SQLite takes 999 parameters


def move(
    changes: Sequence[StockChange],
    *,
    document: Document | None = None,
    by: User | None = None,
    note: str = "",
) -> None:
    """Write one movement for each change and bring the levels up to date, in one transaction.

    However many items: one statement for the movements, one for the levels. `stock_changed` is sent inside.
    """
    document_id = document.pk if document else None
    move_for([(change, document_id) for change in changes], by=by, note=note)


def move_for(changes: Iterable[tuple[StockChange, int | None]], *, by: User | None = None, note: str = "") -> None:
    """Like `move`, for the changes of several documents at once: (change, document id)."""
    now = timezone.now()
    movements = [
        StockMovement(
            item_id=change.item_id,
            on_hand_change=change.on_hand,
            committed_change=change.committed,
            reason=change.reason,
            document_id=document_id,
            note=note,
            at=now,
            by=by,
        )
        for change, document_id in changes
        if change.on_hand or change.committed
    ]
    if not movements:
        return
    with transaction.atomic():
        StockMovement.objects.bulk_create(movements)
        item_ids = _add_to_levels(movements)
        stock_changed.send(sender=StockLevel, item_ids=tuple(item_ids))


def adjust(item: Item, quantity: Decimal, *, by: User | None, note: str) -> None:
    """Add to (below zero: take from) what is on hand, by hand. StockError when there is no stock to keep."""
    if not item.is_stock_keeping:
        raise StockError(f"{item} is not stock-keeping, so nothing was changed. Tick stock-keeping on it first.")
    if not quantity:
        raise StockError("The quantity is zero, so nothing was changed. Enter what came in, or what left with a minus.")
    move([StockChange(item.pk, MovementReason.ADJUSTMENT, on_hand=quantity)], by=by, note=note)


def availability(item_ids: Collection[int]) -> dict[int, Availability]:
    """What is known of each item asked for, of those without stock too. Two statements."""
    levels = {level.pk: level for level in StockLevel.objects.filter(pk__in=item_ids).only("on_hand", "committed")}
    pending = dict(
        DocumentLine.objects.filter(kind=LineKind.ITEM, item_id__in=item_ids, document__state=DocumentState.PENDING)
        .values_list("item_id")
        .annotate(Sum("quantity"))
    )
    return {
        item_id: Availability(
            on_hand=levels[item_id].on_hand if item_id in levels else ZERO,
            committed=levels[item_id].committed if item_id in levels else ZERO,
            # SQLite adds in binary fractions.
            pending=round(pending.get(item_id, ZERO), QUANTITY_DECIMALS),
        )
        for item_id in item_ids
    }


def sellable(item_ids: Collection[int]) -> dict[int, tuple[str, Decimal]]:
    """Of each of these that keeps stock: (SKU key, on hand less committed and PENDING). One statement, by hand: it is
    waited for at every change of stock."""
    if not item_ids:
        return {}
    item, level, line, document = map(statements.table, (Item, StockLevel, DocumentLine, Document))
    condition, ids = statements.among("i.id", item_ids)
    sql = (
        "SELECT i.id, i.sku_key, COALESCE(l.on_hand, 0) - COALESCE(l.committed, 0) - COALESCE(("
        f"SELECT SUM(p.quantity) FROM {line} p JOIN {document} d ON d.id = p.document_id "
        "WHERE p.kind = %s AND p.item_id = i.id AND d.state = %s), 0) "
        f"FROM {item} i LEFT JOIN {level} l ON l.item_id = i.id "
        f"WHERE i.is_stock_keeping AND {condition}"
    )
    found = statements.rows(sql, [LineKind.ITEM.value, DocumentState.PENDING.value, *ids])
    # SQLite adds in binary fractions.
    return {item_id: (sku, round(Decimal(str(available)), QUANTITY_DECIMALS)) for item_id, sku, available in found}


def announce(item_ids: Iterable[int | None]) -> None:
    """Tell that what can be sold of these items changed though none moved: a PENDING document came or went."""
    known = sorted({item_id for item_id in item_ids if item_id is not None})
    if known:
        stock_changed.send(sender=StockLevel, item_ids=tuple(known))


def _add_to_levels(movements: Iterable[StockMovement]) -> list[int]:
    on_hand: dict[int, Decimal] = defaultdict(Decimal)
    committed: dict[int, Decimal] = defaultdict(Decimal)
    for movement in movements:
        on_hand[movement.item_id] += movement.on_hand_change
        committed[movement.item_id] += movement.committed_change
    # Every transaction takes the rows in this order, so that no two wait for each other.
    item_ids = sorted(on_hand)
    for start in range(0, len(item_ids), ITEMS_PER_STATEMENT):
        part = item_ids[start : start + ITEMS_PER_STATEMENT]
        _upsert([(item_id, on_hand[item_id], committed[item_id]) for item_id in part])
    return item_ids


def _upsert(rows: Sequence[tuple[int, Decimal, Decimal]]) -> None:
    # The ORM's upsert can only set what it inserts; this one adds, making the row of a new item on the way.
    # ROUND takes off what SQLite's binary fractions leave behind.
    table = statements.table(StockLevel)
    places = ", ".join(["(%s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (item_id, on_hand, committed) VALUES {places} "
            f"ON CONFLICT (item_id) DO UPDATE SET "
            f"on_hand = ROUND({table}.on_hand + EXCLUDED.on_hand, 4), "
            f"committed = ROUND({table}.committed + EXCLUDED.committed, 4)",
            [value for row in rows for value in row],
        )
