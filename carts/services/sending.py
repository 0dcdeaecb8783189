"""Items and customers to one cart: marks in, the fields that changed here out, marks away.

Every record is read before it is written: so what changed there meanwhile is met (field by field, carts.services.
merging), and a write whose answer was lost is not written again. No transaction is open while a request is under way.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from carts import fields, gateway
from carts.choices import Kind, Outcome, PushKind, PushState, RecordState
from carts.errors import CartError, NotFound, Rejected, StopRequested
from carts.models import Cart, Outbox, Push, Record
from carts.platforms.base import CartAdapter
from carts.records import ItemRef, RawRecord, RecordChange
from carts.services import leases, marks, pairs, pushing, updates
from carts.services.budgets import Priority
from carts.services.connections import adapter_for
from carts.services.merging import Merge

log = logging.getLogger(__name__)

MARKS_A_ROUND = 100


GONE = "The shop does not have it any more."


@dataclass(frozen=True, slots=True)
class Would:
    """What would become of one record, for a rehearsal."""

    outcome: Outcome
    message: str


@dataclass(frozen=True, slots=True)
class Sent:
    """How one record ended: `values` are the fields that were set in the cart, `error` why none were."""

    pair: pairs.Pair
    values: Mapping[str, str]
    error: CartError | None = None


def drain(outbox_id: int, token: str) -> None:
    """Everything that waits for this cart of one kind; as pushing.drain."""
    outbox = Outbox.objects.select_related("cart").get(pk=outbox_id)
    work = RecordDrain(outbox, token)
    try:
        work.send_all()
    except StopRequested:
        return  # the lease is somebody else's already
    except CartError as error:
        pushing.end_failed(outbox, token, error)
        return
    except Exception:
        log.exception("%ss of cart %s could not be sent", outbox.kind, outbox.cart_id)
        pushing.end_failed(
            outbox, token, CartError("Something unexpected went wrong; the log has it. The next try follows.")
        )
        return
    leases.release_outbox(
        outbox_id, token, drained_at=timezone.now(), next_drain_at=None, failures=0, error="", error_kind=""
    )


class RecordDrain:
    """The work under one lease."""

    def __init__(self, outbox: Outbox, token: str) -> None:
        self._outbox, self._token = outbox, token
        self._cart: Cart = outbox.cart
        self._kind = Kind(outbox.kind)
        self._switch = marks.SWITCH[PushKind(outbox.kind)]

    def send_all(self) -> None:
        adapter = adapter_for(self._cart, Priority.BACKGROUND)
        while True:
            waiting = Push.objects.filter(cart=self._cart, kind=self._outbox.kind, state=PushState.WAITING)
            pushes = list(waiting.order_by("id")[:MARKS_A_ROUND])
            if not pushes:
                return
            self._send(adapter, {push.local_id: push for push in pushes})

    def hold(self) -> None:
        leases.hold_outbox(self._outbox.pk, self._token, switch=self._switch)

    def _send(self, adapter: CartAdapter, pushes: dict[int, Push]) -> None:
        self.hold()
        linked = Record.objects.filter(
            cart=self._cart, kind=self._kind, state=RecordState.IMPORTED, local_id__in=pushes
        ).select_related("cart")
        records = [record for record in linked if record.differs or not record.base]
        failed: dict[int, str] = {}
        for sent in send(self._cart, adapter, self._kind, records, self.hold):
            if sent.error is not None and not isinstance(sent.error, NotFound):
                failed[sent.pair.record.local_id or 0] = sent.error.sentence
        for local_id, push in pushes.items():
            mine = Push.objects.filter(pk=push.pk, generation=push.generation)
            if local_id in failed:
                mine.update(state=PushState.FAILED, reason=failed[local_id], failures=F("failures") + 1)
            else:
                mine.delete()


def send(
    cart: Cart,
    adapter: CartAdapter,
    kind: Kind,
    records: Sequence[Record],
    hold: pairs.Hold,
    *,
    all_fields: bool = False,
) -> list[Sent]:
    """Read, merge and write these linked records; those that are gone are marked missing and not among the answers.
    `all_fields`: a person picked them, so what differs is sent though it did not change, save fields the cart owns."""
    refs = {ItemRef(record.external_id, record.parent_id): record for record in records}
    rows = adapter.read_records(kind, list(refs)) if refs else {}
    gone = [record.pk for ref, record in refs.items() if ref not in rows]
    if gone:
        with transaction.atomic():
            hold()
            updates.mark_missing(Record.objects.filter(pk__in=gone))
    done: list[Sent] = []
    to_send: dict[ItemRef, tuple[pairs.Pair, dict[str, str]]] = {}
    # Read after the cart was: what is changed here from now on is marked anew.
    ours = gateway.values(kind, [record.local_id for record in refs.values() if record.local_id is not None])
    for ref, row in rows.items():
        record = refs[ref]
        if record.local_id not in ours:
            continue
        try:
            pair = pairs.pair_of(cart, adapter, record, row, ours[record.local_id])
            merged = pair.merged()
            pair = _take(pair, merged, hold)
        except (Rejected, gateway.NotTaken) as error:
            log.info("%s of cart %s was not sent: %s", record, cart.pk, error)
            continue
        values = all_that_differs(pair) if all_fields else merged.send
        if values:
            to_send[ref] = (pair, values)
        else:
            done.append(Sent(pair, {}))
    can = adapter.capabilities
    size = can.items_a_request if kind == Kind.ITEM else can.customers_a_request
    for batch in adapter.stock_batches(list(to_send)):
        for at in range(0, len(batch), size):
            done += _send_batch(adapter, kind, [to_send[ref] for ref in batch[at : at + size]], hold)
    return done


def would_send(
    cart: Cart, adapter: CartAdapter, kind: Kind, records: Sequence[Record], *, all_fields: bool = False
) -> dict[int, Would]:
    """By record: what `send` would do with it now. Writes nothing on either side."""
    refs = {ItemRef(record.external_id, record.parent_id): record for record in records}
    rows = adapter.read_records(kind, list(refs)) if refs else {}
    ours = gateway.values(kind, [record.local_id for record in records if record.local_id is not None])
    told = {}
    for ref, record in refs.items():
        if ref not in rows or record.local_id not in ours:
            told[record.pk] = Would(Outcome.MISSING, GONE)
            continue
        try:
            pair = pairs.pair_of(cart, adapter, record, rows[ref], ours[record.local_id])
        except Rejected as error:
            told[record.pk] = Would(Outcome.FAILED, error.sentence)
            continue
        merged = pair.merged()
        values = all_that_differs(pair) if all_fields else merged.send
        text = changes_told(kind, pair, values)
        if merged.conflicts and not all_fields:
            asked = ", ".join(fields.LABELS[kind][name] for name in merged.conflicts)
            told[record.pk] = Would(Outcome.HELD, f"Changed on both sides: {asked}. {text}".strip())
        else:
            told[record.pk] = Would(Outcome.SENT, text) if values else Would(Outcome.UNCHANGED, "")
    return told


def changes_told(kind: str, pair: pairs.Pair, values: Mapping[str, str]) -> str:
    """Each field with its old and new value, as a person reads them."""
    changes = [
        f"{fields.LABELS[kind][name]}: {fields.shown(name, pair.theirs.get(name, ''))} → {fields.shown(name, text)}"
        for name, text in values.items()
    ]
    return f"{'; '.join(changes)[:2000]}." if changes else ""


def all_that_differs(pair: pairs.Pair) -> dict[str, str]:
    able = pairs.able(pair.record)
    kept = {name for name, owner in pair.way.owners.items() if owner == "cart"}
    return {
        name: text
        for name, text in pair.ours.items()
        if name in able - kept and pair.theirs.get(name) not in (None, text)
    }


def _take(pair: pairs.Pair, merged: Merge, hold: pairs.Hold) -> pairs.Pair:
    """What the cart changed meanwhile is taken first; the pair as it is then."""
    with transaction.atomic():
        hold()
        ours = pairs.take(pair, merged.take)
        return pairs.settle(pair, merged, ours)


def _send_batch(
    adapter: CartAdapter, kind: Kind, batch: Sequence[tuple[pairs.Pair, dict[str, str]]], hold: pairs.Hold
) -> list[Sent]:
    hold()
    changes = [RecordChange(ItemRef(pair.record.external_id, pair.record.parent_id), values) for pair, values in batch]
    results = adapter.push_records(kind, changes)
    # Read, not taken from the answer: a shop may show a text in another way than it was written.
    shown = adapter.read_records(kind, [change.ref for change in changes])
    done = []
    for (pair, values), result in zip(batch, results, strict=True):
        error = result.error
        with transaction.atomic():
            hold()
            if isinstance(error, NotFound):
                updates.mark_missing(Record.objects.filter(pk=pair.record.pk))
            elif error is None and (row := shown.get(ItemRef(pair.record.external_id, pair.record.parent_id))):
                error = _remember(adapter, pair, values, row)
        done.append(Sent(pair, values if error is None else {}, error))
    return done


def _remember(adapter: CartAdapter, pair: pairs.Pair, values: Collection[str], row: RawRecord) -> CartError | None:
    """What the cart shows now is what later changes are measured by, even where it wrote our text in its own way: so
    reading it back is no change."""
    try:
        now_theirs = fields.of_cart(adapter, pair.record.kind, row.body)
    except Rejected as error:
        return error
    pairs.settle(pairs.replace_row(pair, row, now_theirs), Merge(), pair.ours, sent=list(values))
    return None
