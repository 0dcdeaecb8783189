"""A rehearsal of To Cart: reads what the shop shows and tells what WOULD be sent. It writes nothing but its own run."""

import logging

from django.db import IntegrityError, transaction
from django.utils import timezone

from carts.choices import Kind, Outcome, Reason, RecordState, RunKind, RunState
from carts.errors import CartError, Refused, StopRequested
from carts.models import Cart, Record, Run, RunItem
from carts.records import ItemRef
from carts.services import control, leases, quantities, runs
from carts.services.connections import adapter_for
from carts.services.wakeups import wake_run

log = logging.getLogger(__name__)

RECORDS_A_STEP = 100


def begin(cart: Cart, by: str, request_key: str = "") -> Run:
    """A queued run. Refused until the connection is tested; the same key gives the same run."""
    if not control.is_tested(cart):
        raise Refused("The connection was not tested since it changed. Click Test Connection, then rehearse.")
    if not cart.to_stock_updates:
        raise Refused("Nothing goes to this cart: real-time stock updates are off. Click Edit and enable them first.")
    try:
        with transaction.atomic():
            run = runs.create(
                cart,
                RunKind.REHEARSAL_TO,
                record_kind=Kind.ITEM,
                started_by=by,
                request_key=request_key or None,
                parameters={"settings": control.to_cart_digest(cart)},
            )
    except IntegrityError:
        return Run.objects.get(request_key=request_key)
    wake_run(run.pk)
    return run


def perform(run: Run, token: str) -> None:
    """Under a lease on the run. A run taken over from a killed worker begins anew: it has written nothing else."""
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now())
    try:
        _read(run, token)
    except StopRequested:
        return
    except CartError as error:
        runs.log(run, f"{error.sentence} {error.detail}".strip(), "error")
        runs.finish(run, RunState.FAILED, error.sentence)
        return
    except Exception:
        log.exception("Rehearsal %s failed", run.pk)
        runs.finish(run, RunState.FAILED, "Something unexpected went wrong; the log has it. Nothing was changed.")
        return
    runs.finish(run)
    cart = Cart.objects.get(pk=run.cart_id)
    if control.to_cart_digest(cart) == run.parameters.get("settings"):
        Cart.objects.filter(pk=cart.pk).update(
            to_cart_rehearsed_for=run.parameters["settings"], to_cart_rehearsed_at=timezone.now()
        )


def _read(run: Run, token: str) -> None:
    cart, adapter, position = run.cart, adapter_for(run.cart), 0
    linked = Record.objects.filter(cart=cart, kind=Kind.ITEM, state=RecordState.IMPORTED, local_id__isnull=False)
    Run.objects.filter(pk=run.pk).update(total=linked.count())
    while records := list(linked.filter(pk__gt=position).order_by("pk").defer("payload")[:RECORDS_A_STEP]):
        position = records[-1].pk
        refs = {record.pk: ItemRef(record.external_id, record.parent_id) for record in records}
        shown = adapter.read_stock(list(refs.values()))
        wanted = quantities.targets(cart, [record.local_id for record in records if record.local_id is not None])
        items = []
        for record in records:
            outcome, reason, message = _would(shown, refs[record.pk], wanted.get(record.local_id or 0))
            items.append(
                RunItem(
                    run=run,
                    external_id=record.external_id,
                    label=(record.label or record.name)[:200],
                    outcome=outcome,
                    reason_code=reason,
                    message=message,
                    local_id=record.local_id,
                )
            )
        with transaction.atomic():
            leases.hold_run(run.pk, token)
            RunItem.objects.bulk_create(
                items,
                update_conflicts=True,
                unique_fields=["run", "external_id"],
                update_fields=["label", "outcome", "reason_code", "message", "local_id"],
            )
        runs.save_counts(run, runs.counts_of_items(run))


def _would(shown: dict, ref: ItemRef, wanted: object) -> tuple[Outcome, Reason, str]:
    if ref not in shown:
        return Outcome.MISSING, Reason.GONE, "The shop does not have this item any more."
    if shown[ref] is None:
        return Outcome.IGNORED, Reason.NONE, "The shop keeps no stock for this item, so it would be left alone."
    if wanted is None:
        return Outcome.IGNORED, Reason.NONE, "This item is not stock-keeping here, so it would be left alone."
    if shown[ref] == wanted:
        return Outcome.UNCHANGED, Reason.NONE, f"The shop shows {wanted} already."
    return Outcome.SENT, Reason.NONE, f"The shop shows {shown[ref]}; it would show {wanted}."
