"""Every stock change of the system passes `move`: ledger rows and levels in one transaction."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.dispatch import Signal

from backoffice.choices import DocumentState, LineKind, MovementReason
from backoffice.models import Document, DocumentLine, StockLevel, StockMovement
from backoffice.types import Availability, StockChange

# Sent inside the transaction of the change, with item_ids: whoever must act on it writes its mark there and then.
stock_changed = Signal()


@transaction.atomic
def move(
    changes: Sequence[StockChange],
    reason: MovementReason,
    *,
    document: Document | None = None,
    by: Any = None,
    note: str = "",
) -> None:
    """Write the ledger and move the levels. Levels are touched in the order of item ids: no two moves deadlock."""
    changes = [change for change in changes if change.on_hand or change.committed]
    if not changes:
        return
    StockMovement.objects.bulk_create(
        StockMovement(
            item_id=change.item_id,
            on_hand_change=change.on_hand,
            committed_change=change.committed,
            reason=reason,
            document=document,
            by=by,
            note=note,
        )
        for change in changes
    )
    sums: dict[int, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for change in changes:
        on_hand, committed = sums[change.item_id]
        sums[change.item_id] = (on_hand + change.on_hand, committed + change.committed)
    StockLevel.objects.bulk_create([StockLevel(item_id=item_id) for item_id in sorted(sums)], ignore_conflicts=True)
    for item_id in sorted(sums):
        on_hand, committed = sums[item_id]
        StockLevel.objects.filter(pk=item_id).update(
            on_hand=F("on_hand") + on_hand, committed=F("committed") + committed
        )
    stock_changed.send(sender=StockLevel, item_ids=sorted(sums))


def availability(item_ids: Collection[int]) -> dict[int, Availability]:
    """For every id asked for; items without stock rows have zeros."""
    levels = {row.pk: row for row in StockLevel.objects.filter(pk__in=item_ids)}
    waiting = DocumentLine.objects.filter(
        item_id__in=item_ids, kind=LineKind.ITEM, document__state=DocumentState.PENDING
    )
    pending = dict(waiting.values_list("item_id").annotate(units=Sum("quantity")).order_by())
    return {
        item_id: Availability(
            on_hand=levels[item_id].on_hand if item_id in levels else Decimal(0),
            committed=levels[item_id].committed if item_id in levels else Decimal(0),
            pending=pending.get(item_id) or Decimal(0),
        )
        for item_id in item_ids
    }
