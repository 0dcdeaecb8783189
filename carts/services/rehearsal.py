"""A rehearsal reads the live cart and tells what WOULD be done. It writes nothing but its own run."""

from collections import Counter
from contextlib import closing

from django.db import transaction
from django.utils import timezone

from carts.choices import Kind, Outcome, RunKind
from carts.errors import Refused
from carts.models import Cart, Run, RunItem
from carts.records import Window
from carts.services import control, leases, performing, runs
from carts.services.budgets import Priority
from carts.services.connections import adapter_for
from carts.services.judging import Rules
from carts.services.planning import Decision, Planner


def begin(cart: Cart, by: str, request_key: str = "") -> Run:
    """A queued run. Refused until the connection is tested and the date is set; the same key gives the same run."""
    if not control.is_tested(cart):
        raise Refused("The connection was not tested since it changed. Click Test Connection, then rehearse.")
    if cart.order_fence is None:
        raise Refused("Last Order from is not set. Click Edit and enter the time from which orders are imported.")
    parameters = {"since": cart.order_fence.isoformat(), "settings": control.rehearsal_digest(cart)}
    return performing.queue(cart, RunKind.REHEARSAL, by, request_key, parameters=parameters)


def perform(run: Run, token: str) -> None:
    """Under a lease on the run. A run taken over from a killed worker begins anew: it has written nothing else."""

    def work() -> None:
        run.counts = dict(_read(run, token))

    if not performing.perform(run, work, kept="Nothing was changed."):
        return
    cart = Cart.objects.get(pk=run.cart_id)
    if control.rehearsal_digest(cart) == run.parameters.get("settings"):
        Cart.objects.filter(pk=cart.pk).update(rehearsed_for=run.parameters["settings"], rehearsed_at=timezone.now())


def _read(run: Run, token: str) -> Counter[str]:
    cart, counts = run.cart, Counter[str]()
    adapter = adapter_for(cart, Priority.RUN)
    planner = Planner(cart, adapter, Rules.of(cart))
    window = Window(since=cart.order_fence, requests_in_flight=cart.requests_in_flight)
    with closing(adapter.fetch(Kind.ORDER, window)) as pages:
        for number, page in enumerate(pages):
            news, unchanged = planner.decide(page.rows)
            items = [_item(run, decision) for decision in news]
            items += [_item(run, decision, already=decision.local_id is not None) for decision in unchanged]
            with transaction.atomic():
                leases.hold_run(run.pk, token)
                RunItem.objects.bulk_create(
                    items,
                    update_conflicts=True,
                    unique_fields=["run", "external_id"],
                    update_fields=["label", "outcome", "reason_code", "message", "local_id"],
                )
                if number == 0 and page.total is not None:
                    Run.objects.filter(pk=run.pk).update(total=page.total)
            counts.update(item.outcome for item in items)
            runs.save_counts(run, counts)
    exact = runs.counts_of_items(run)
    Run.objects.filter(pk=run.pk).update(total=sum(exact.values()))
    return exact


def _item(run: Run, decision: Decision, already: bool = False) -> RunItem:
    outcome = Outcome.ALREADY if already or decision.outcome == Outcome.UPDATED else decision.outcome
    return RunItem(
        run=run,
        external_id=decision.row.external_id,
        label=decision.label[:200],
        outcome=outcome,
        reason_code=decision.reason_code,
        message=decision.reason,
        local_id=decision.local_id,
    )
