"""Read all from the cart: every item, with variations, or every customer is remembered, so that it can be mapped. Links
and records of ours stay as they are."""

from functools import partial

from django.db import transaction

from carts.choices import Kind, Outcome, RunKind
from carts.errors import Refused, Rejected
from carts.models import Cart, Record, Run
from carts.services import control, leases, performing, runs, updates
from carts.services.budgets import Priority
from carts.services.connections import adapter_for


def begin(cart: Cart, kind: Kind, by: str, request_key: str = "") -> Run:
    """A queued run; the same request key gives the same run. Refused until the connection is tested."""
    if not control.is_tested(cart):
        raise Refused("The connection was not tested since it changed. Click Test Connection, then read again.")
    return performing.queue(cart, RunKind.READ, by, request_key, record_kind=kind, parameters={"position": ""})


def perform(run: Run, token: str) -> None:
    """Under a lease on the run; goes on at the page where a killed worker left."""
    performing.perform(
        run,
        lambda: _read(run, token),
        left=lambda: run.parameters.get("position", ""),
        advice=lambda: "What was read is kept; read again.",
        kept="What was read is kept.",
    )


def _read(run: Run, token: str) -> None:
    cart, adapter, kind = run.cart, adapter_for(run.cart, Priority.RUN), Kind(run.record_kind)
    hold = partial(leases.hold_run, run.pk, token)
    is_last = False
    while not is_last:
        page = adapter.page_by_id(kind, run.parameters.get("position", ""))
        rows = [updates.Row(raw) for raw in page.rows]
        if kind == Kind.ITEM:
            rows += updates.variations(cart, adapter, page.rows, every=True, hold=hold)
        known = set(
            Record.objects.filter(
                cart=cart, kind=kind, external_id__in=[row.raw.external_id for row in rows]
            ).values_list("external_id", flat=True)
        )
        for row in rows:
            if row.raw.external_id in known:
                run.counts[Outcome.UNCHANGED] = run.counts.get(Outcome.UNCHANGED, 0) + 1
                continue
            with transaction.atomic():
                hold()
                try:
                    updates.remember_new(cart, adapter, kind, row)
                    updates.tell(run, row.raw.external_id, row.raw.external_id, Outcome.WAITING, "Can be mapped now.")
                except Rejected as error:
                    updates.tell(run, row.raw.external_id, row.raw.external_id, Outcome.FAILED, error.sentence)
        is_last = page.is_last
        run.parameters = {**run.parameters, "position": page.next_position}
        counts = runs.counts_of_items(run) + type(runs.counts_of_items(run))(
            {Outcome.UNCHANGED.value: run.counts.get(Outcome.UNCHANGED, 0)}
        )
        Run.objects.filter(pk=run.pk).update(parameters=run.parameters)
        runs.save_counts(run, counts)
