"""Export selected: records of ours that a person picked, into the cart. Matched first (link, SKU, e-mail), created only
where there is no match; so a second export creates nothing.

The oldest unfinished export of a cart works alone: two that look for the same SKU at once would both find nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from carts import gateway
from carts.choices import ACTIVE_RUN_STATES, Kind, Outcome, Reason, RecordState, RunKind
from carts.errors import Refused, Rejected
from carts.models import Cart, Record, Run, RunItem
from carts.platforms.base import CartAdapter
from carts.records import ItemRef, RawRecord
from carts.services import control, leases, pairs, performing, records_import, runs, sending
from carts.services.budgets import Priority
from carts.services.connections import adapter_for

BATCH = 50
DELETED_HERE = "It was deleted here meanwhile, so nothing was sent."
WAIT_FOR_ANOTHER = timedelta(seconds=2)


def begin(
    cart: Cart,
    kind: Kind,
    local_ids: Sequence[int],
    by: str,
    request_key: str = "",
    *,
    run_kind: RunKind = RunKind.EXPORT,
) -> Run:
    """A queued run over these records of ours, or with RunKind.REHEARSAL_TO its rehearsal; the same request key gives
    the same run. Refused when nothing is selected or the connection is not tested."""
    ids = list(dict.fromkeys(local_ids))
    if not ids:
        raise Refused("Nothing was selected, so nothing was exported. Tick some rows first.")
    if not control.is_tested(cart):
        raise Refused("The connection was not tested since it changed. Click Test Connection, then export again.")
    items = [RunItem(external_id=str(each), local_id=each) for each in ids]
    return performing.queue(
        cart, run_kind, by, request_key, items=items, record_kind=kind, total=len(ids), parameters={"picked": True}
    )


def perform(run: Run, token: str) -> None:
    """Under a lease on the run."""

    def left() -> int:
        return run.items.filter(outcome=Outcome.PENDING).count()

    if not _waits_for_another(run):
        performing.perform(
            run,
            lambda: _work(run, token),
            left=left,
            advice=lambda: f"{left()} records were not exported; export them again.",
        )


def _waits_for_another(run: Run) -> bool:
    """The lease is kept for a moment, and then left to the tick."""
    older = Run.objects.filter(cart=run.cart, kind=RunKind.EXPORT, state__in=ACTIVE_RUN_STATES, pk__lt=run.pk)
    if not older.exists():
        return False
    kept = Run.objects.filter(pk=run.pk, lease_token=run.lease_token)
    kept.update(lease_until=timezone.now() + WAIT_FOR_ANOTHER)
    return True


def _work(run: Run, token: str) -> None:
    cart, adapter, kind = run.cart, adapter_for(run.cart, Priority.RUN), Kind(run.record_kind)
    hold = partial(leases.hold_run, run.pk, token)
    for items, labels, records in _batches(run):
        found: dict[int, str] = {}
        for item in items:
            hold()
            label = labels.get(item.local_id or 0)
            if label is None:
                _tell(item, "", Outcome.FAILED, DELETED_HERE)
            elif item.local_id not in records:
                record = _link_or_create(cart, adapter, run, item, label, hold)
                if record is not None and item.local_id is not None:
                    records[item.local_id] = record
                    found[item.local_id] = "It was in the cart already, and is linked now. "
        pending = {item.local_id: item for item in items if item.outcome == Outcome.PENDING}
        _send(cart, adapter, kind, [records[each] for each in pending if each in records], pending, found, hold)
        runs.save_counts(run, runs.counts_of_items(run))


def _batches(run: Run) -> Iterator[tuple[list[RunItem], dict[int, gateway.Label], dict[int, Record]]]:
    """Pending items with what ours are looked up by, and the records they are linked with; until none is pending."""
    while items := list(run.items.filter(outcome=Outcome.PENDING).order_by("id")[:BATCH]):
        ids = [item.local_id for item in items if item.local_id is not None]
        linked = Record.objects.filter(
            cart=run.cart, kind=run.record_kind, state=RecordState.IMPORTED, local_id__in=ids
        ).select_related("cart")
        yield items, gateway.labels(run.record_kind, ids), {record.local_id or 0: record for record in linked}


def rehearse(run: Run, token: str) -> None:
    """Under a lease on the run: what an export of these would do. Writes nothing but the run."""
    cart, adapter, kind = run.cart, adapter_for(run.cart, Priority.RUN), Kind(run.record_kind)
    for items, labels, records in _batches(run):
        told = sending.would_send(cart, adapter, kind, list(records.values()), all_fields=True)
        for item in items:
            leases.hold_run(run.pk, token)
            label, record = labels.get(item.local_id or 0), records.get(item.local_id or 0)
            if label is None:
                _tell(item, "", Outcome.FAILED, DELETED_HERE)
            elif record is not None:
                _tell(item, record.label or record.name, told[record.pk].outcome, told[record.pk].message)
            else:
                would = _would_create(cart, adapter, kind, label)
                _tell(item, label.key or label.name, would.outcome, would.message)
        runs.save_counts(run, runs.counts_of_items(run))


def _would_create(cart: Cart, adapter: CartAdapter, kind: Kind, label: gateway.Label) -> sending.Would:
    try:
        rows = _found(adapter, kind, label)
    except Rejected as error:
        return sending.Would(Outcome.FAILED, error.sentence)
    if rows:
        return sending.Would(Outcome.ALREADY, "It is in the cart already, and would be linked; ours would be sent.")
    return sending.Would(Outcome.CREATED, "")


def _found(adapter: CartAdapter, kind: Kind, label: gateway.Label) -> list[RawRecord]:
    """The one record of the cart with the same key, or none where it may be created. Rejected where neither is so."""
    if not label.key:
        what = "SKU" if kind == Kind.ITEM else "e-mail address"
        raise Rejected(f"It has no {what}, so it cannot be found in the cart. Give it one, then export again.")
    rows = adapter.find(kind, label.key)
    if len(rows) > 1:
        raise Rejected(f"{len(rows)} records of the cart have {label.key}. Give each its own there, then export again.")
    if not rows and (label.is_variation or label.is_group):
        raise Rejected(
            "Products with variations are not created in the cart. Create it in the shop's admin with the same SKUs, "
            "then export again: it is linked by SKU."
        )
    return rows


def _send(
    cart: Cart,
    adapter: CartAdapter,
    kind: Kind,
    records: list[Record],
    pending: dict[int | None, RunItem],
    found: dict[int, str],
    hold: pairs.Hold,
) -> None:
    for sent in sending.send(cart, adapter, kind, records, hold, all_fields=True):
        record = sent.pair.record
        item, label = pending[record.local_id], record.label or record.name
        note = found.get(record.local_id or 0, "")
        if sent.error is not None:
            _tell(item, label, Outcome.FAILED, sent.error.sentence)
        elif sent.values:
            _tell(item, label, Outcome.SENT, note + sending.changes_told(kind, sent.pair, sent.values))
        else:
            _tell(item, label, Outcome.ALREADY if note else Outcome.UNCHANGED, note)
    for record in records:
        item = pending[record.local_id]
        if item.outcome == Outcome.PENDING:
            text = "It is not in the cart any more, and is marked so now. Export it again to create it anew."
            _tell(item, record.label, Outcome.MISSING, text)


def _link_or_create(
    cart: Cart, adapter: CartAdapter, run: Run, item: RunItem, label: gateway.Label, hold: pairs.Hold
) -> Record | None:
    """The record of a match, which is sent like any other; None when the item's end is told already."""
    kind, local_id = Kind(run.record_kind), item.local_id or 0
    try:
        rows = _found(adapter, kind, label)
        if rows:
            return _link(cart, adapter, kind, rows[0], local_id, hold)
        ours = gateway.values(kind, [local_id])[local_id]
        ours = gateway.beside(ours, {"name": "", "email": label.key}) if kind == Kind.CUSTOMER else ours
        able = pairs.able_of(cart, kind, is_variation=False)
        hold()
        values = {name: text for name, text in ours.items() if name in able and text}
        made = adapter.create_record(kind, label.key, values)
        # As it is shown, which may be in another way than it was written.
        row = adapter.read_records(kind, [ItemRef(made.external_id)]).get(ItemRef(made.external_id), made)
    except Rejected as error:
        _tell(item, label.key or label.name, Outcome.FAILED, error.sentence)
        return None
    _link(cart, adapter, kind, row, local_id, hold)
    _tell(item, label.key, Outcome.CREATED, "")
    return None


def _link(cart: Cart, adapter: CartAdapter, kind: Kind, row: RawRecord, local_id: int, hold: pairs.Hold) -> Record:
    with transaction.atomic():
        hold()
        taken = Record.objects.filter(cart=cart, kind=kind, external_id=row.external_id).exclude(local_id=None)
        other = taken.exclude(local_id=local_id).first()
        if other is not None:
            raise Rejected(
                f"{other} of the cart has the same key, but is linked with another record of ours. Unlink that first."
            )
        # The one it was linked with is gone from the cart; only one of the two can be meant.
        Record.objects.filter(cart=cart, kind=kind, local_id=local_id, state=RecordState.MISSING).update(
            local_id=None, state=RecordState.IGNORED, reason_code=Reason.GONE, base="", differs=""
        )
        label, name = pairs.names_of(adapter, kind, row)
        parent_id = adapter.parse_item(row.body).parent_id if kind == Kind.ITEM else ""
        return records_import.save_link(cart, adapter, kind, row, local_id, label, name, parent_id)


def _tell(item: RunItem, label: str, outcome: Outcome, message: str) -> None:
    item.label, item.outcome, item.message = (item.label or label)[:200], outcome, message
    item.save(update_fields=["label", "outcome", "message"])
