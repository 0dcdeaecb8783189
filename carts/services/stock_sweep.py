"""Now and then all stock is compared with what the cart shows, and what differs is marked.

Finds what no mark tells of: quantities edited in the shop, orders the cart did not report, and everything at the first
time. It writes marks and its own position, nothing else; it goes on where it stopped.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from carts.choices import Kind, PushKind, RecordState
from carts.models import Cart, Outbox, Record
from carts.platforms.base import CartAdapter
from carts.records import ItemRef
from carts.services import leases, marks, quantities
from carts.services.budgets import Priority
from carts.services.connections import adapter_for

RECORDS_A_STEP = 300
# Longer than any transaction that began while "no cart takes stock" was still believed (marks._Switch).
FIRST_SWEEP_AFTER = timedelta(seconds=10)


def is_due(outbox: Outbox, now: datetime) -> bool:
    if outbox.sweep_position:
        return True
    started = outbox.cart.started_at or now
    first = outbox.swept_at is None or outbox.swept_at < started
    if first:
        return now >= started + FIRST_SWEEP_AFTER
    assert outbox.swept_at is not None
    return now >= outbox.swept_at + timedelta(hours=outbox.cart.stock_sweep_hours)


def sweep(outbox: Outbox, token: str) -> None:
    """Under the outbox's lease. Raises CartError, StopRequested."""
    cart, adapter = outbox.cart, adapter_for(outbox.cart, Priority.BACKGROUND)
    position = int(outbox.sweep_position or 0)
    while True:
        linked = Record.objects.filter(
            ~Q(local_id=None), cart=cart, kind=Kind.ITEM, state=RecordState.IMPORTED, pk__gt=position
        ).order_by("pk")
        rows = list(linked.values_list("pk", "external_id", "parent_id", "local_id")[:RECORDS_A_STEP])
        if not rows:
            leases.hold_outbox(outbox.pk, token, sweep_position="", swept_at=timezone.now())
            return
        differing = _differing(cart, adapter, {ItemRef(row[1], row[2]): row[3] for row in rows if row[3] is not None})
        position = rows[-1][0]
        leases.hold_outbox(outbox.pk, token, sweep_position=str(position))
        refs = {(row[1], row[2]): row[0] for row in rows}
        Record.objects.filter(pk__in=[refs[ref.external_id, ref.parent_id] for ref in differing]).update(
            cart_stock=None
        )
        marks.mark_stock(set(differing.values()), cart_id=cart.pk)


def _differing(cart: Cart, adapter: CartAdapter, linked: dict[ItemRef, int]) -> dict[ItemRef, int]:
    """Items whose cart shows another quantity, or is gone; one whose cart keeps no stock is left alone."""
    shown = adapter.read_stock(list(linked))
    wanted = quantities.targets(cart, list(linked.values()))
    return {
        ref: item_id
        for ref, item_id in linked.items()
        if item_id in wanted and (ref not in shown or shown[ref] not in (None, wanted[item_id]))
    }


def outbox_of(cart: Cart) -> Outbox:
    return Outbox.objects.get_or_create(cart=cart, kind=PushKind.STOCK)[0]
