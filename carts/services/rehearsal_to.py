"""A rehearsal of To Cart: reads what the shop shows and tells what WOULD be sent. It writes nothing but its own run."""

from django.db import transaction
from django.utils import timezone

from carts.choices import Kind, Outcome, Reason, RecordState, RunKind
from carts.errors import Refused
from carts.models import Cart, Record, Run, RunItem
from carts.platforms.base import CartAdapter
from carts.records import ItemRef
from carts.services import control, exporting, leases, pairs, performing, quantities, runs, sending
from carts.services.budgets import Priority
from carts.services.connections import adapter_for
from carts.services.sending import Would

RECORDS_A_STEP = 100
# Of several things told of one record, the first of these counts.
WEIGHT = [Outcome.MISSING, Outcome.FAILED, Outcome.HELD, Outcome.SENT, Outcome.UNCHANGED, Outcome.IGNORED]


def begin(cart: Cart, by: str, request_key: str = "") -> Run:
    """A queued run over the linked items, or customers; where both pass one of each, and the items' is returned.
    Refused until the connection is tested; the same key gives the same run."""
    if not control.is_tested(cart):
        raise Refused("The connection was not tested since it changed. Click Test Connection, then rehearse.")
    kinds = [Kind.ITEM] if cart.to_stock_updates or cart.to_item_updates else []
    kinds += [Kind.CUSTOMER] if cart.to_customer_updates else []
    if not kinds:
        raise Refused("Nothing goes to this cart: all updates To Cart are off. Click Edit and enable some first.")
    made = [_create(cart, kind, by, f"{request_key}-{kind}" if request_key else "") for kind in kinds]
    return made[0]


def _create(cart: Cart, kind: Kind, by: str, request_key: str) -> Run:
    parameters = {"settings": control.to_cart_digest(cart)}
    return performing.queue(cart, RunKind.REHEARSAL_TO, by, request_key, record_kind=kind, parameters=parameters)


def perform(run: Run, token: str) -> None:
    """Under a lease on the run. A run taken over from a killed worker begins anew: it has written nothing else."""
    if not performing.perform(run, lambda: _read(run, token), kept="Nothing was changed."):
        return
    cart = Cart.objects.get(pk=run.cart_id)
    if run.record_kind == Kind.ITEM and control.to_cart_digest(cart) == run.parameters.get("settings"):
        Cart.objects.filter(pk=cart.pk).update(
            to_cart_rehearsed_for=run.parameters["settings"], to_cart_rehearsed_at=timezone.now()
        )


def _read(run: Run, token: str) -> None:
    if run.parameters.get("picked"):
        exporting.rehearse(run, token)
        return
    cart, kind, adapter, position = run.cart, Kind(run.record_kind), adapter_for(run.cart, Priority.RUN), 0
    linked = Record.objects.filter(cart=cart, kind=kind, state=RecordState.IMPORTED, local_id__isnull=False)
    Run.objects.filter(pk=run.pk).update(total=linked.count())
    while records := list(linked.filter(pk__gt=position).order_by("pk").select_related("cart")[:RECORDS_A_STEP]):
        position = records[-1].pk
        told: dict[int, list[Would]] = {record.pk: [] for record in records}
        if kind == Kind.ITEM and cart.to_stock_updates:
            _stock(cart, adapter, records, told)
        if getattr(cart, pairs.SENDS[kind]):
            for pk, would in sending.would_send(cart, adapter, kind, records).items():
                told[pk].append(would)
        with transaction.atomic():
            leases.hold_run(run.pk, token)
            runs.save_items(run, [_item(run, record, told[record.pk]) for record in records])
        runs.save_counts(run, runs.counts_of_items(run))


def _item(run: Run, record: Record, told: list[Would]) -> RunItem:
    """One row a record, whatever of it would be sent."""
    outcome = min((would.outcome for would in told), key=WEIGHT.index, default=Outcome.UNCHANGED)
    return RunItem(
        run=run,
        external_id=record.external_id,
        label=(record.label or record.name)[:200],
        outcome=outcome,
        reason_code=Reason.GONE if outcome == Outcome.MISSING else Reason.NONE,
        message=" ".join(dict.fromkeys(would.message for would in told if would.message)),
        local_id=record.local_id,
    )


def _stock(cart: Cart, adapter: CartAdapter, records: list[Record], told: dict[int, list[Would]]) -> None:
    refs = {record.pk: ItemRef(record.external_id, record.parent_id) for record in records}
    shown = adapter.read_stock(list(refs.values()))
    wanted = quantities.targets(cart, [record.local_id for record in records if record.local_id is not None])
    for record in records:
        told[record.pk].append(_would(shown, refs[record.pk], wanted.get(record.local_id or 0)))


def _would(shown: dict, ref: ItemRef, wanted: object) -> Would:
    if ref not in shown:
        return Would(Outcome.MISSING, sending.GONE)
    if shown[ref] is None:
        return Would(Outcome.IGNORED, "The shop keeps no stock for this item, so it would be left alone.")
    if wanted is None:
        return Would(Outcome.IGNORED, "This item is not stock-keeping here, so it would be left alone.")
    if shown[ref] == wanted:
        return Would(Outcome.UNCHANGED, f"The shop shows {wanted} already.")
    return Would(Outcome.SENT, f"The shop shows {shown[ref]}; it would show {wanted}.")
