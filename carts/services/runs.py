"""Runs: made, counted, logged and ended here, whoever does the work."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db.models import Count
from django.utils import timezone

from carts.choices import ACTIVE_RUN_STATES, Outcome, RunKind, RunState
from carts.errors import Refused
from carts.models import Cart, Run, RunItem, RunLogLine
from carts.secrets import redact

# Outcomes that make a run "partly failed" although it came to its end.
TROUBLED = (Outcome.FAILED,)


def create(cart: Cart, kind: RunKind, *, started_by: str = "", **fields: object) -> Run:
    run = Run(cart=cart, kind=kind, started_by=started_by, **fields)
    if run.state == RunState.RUNNING:
        run.started_at = timezone.now()
    run.save()
    return run


def log(run: Run, text: str, level: str = "info") -> None:
    RunLogLine.objects.create(run=run, at=timezone.now(), level=level, text=redact(text))


def save_counts(run: Run, counts: Mapping[str, int]) -> None:
    run.counts = {outcome: count for outcome, count in counts.items() if count}
    Run.objects.filter(pk=run.pk).update(counts=run.counts)


def counts_of_items(run: Run) -> Counter[str]:
    rows = run.items.values_list("outcome").annotate(number=Count("id")).order_by()
    return Counter(dict(rows))


def save_items(run: Run, items: Sequence[RunItem]) -> None:
    """Outcomes of records by their external id; what was told of one before is told anew."""
    RunItem.objects.bulk_create(
        items,
        update_conflicts=True,
        unique_fields=["run", "external_id"],
        update_fields=["label", "outcome", "message", "reason_code", "local_id"],
    )


def finish(run: Run, state: RunState | None = None, error: str = "") -> None:
    """End a run that is still active and whose lease is still the worker's; one that was stopped meanwhile stays
    stopped, one that was taken over is ended by who took it."""
    unchanged = run.counts.get(Outcome.UNCHANGED)
    # Counted anew, since a list that moves while it is read brings some records twice. What a poll found unchanged
    # has no items.
    run.counts = ({Outcome.UNCHANGED.value: unchanged} if unchanged else {}) | dict(counts_of_items(run))
    if state is None:
        state = RunState.PARTLY_FAILED if any(run.counts.get(outcome) for outcome in TROUBLED) else RunState.DONE
    run.state, run.error, run.finished_at = state, redact(error), timezone.now()
    Run.objects.filter(pk=run.pk, state__in=ACTIVE_RUN_STATES, lease_token=run.lease_token).update(
        state=run.state,
        error=run.error,
        finished_at=run.finished_at,
        counts=run.counts,
        lease_token="",
        lease_until=None,
    )


def stop(run: Run) -> None:
    """A person's Stop: the worker loses its lease, what is done stays done."""
    stopped = Run.objects.filter(pk=run.pk, state__in=ACTIVE_RUN_STATES).update(
        state=RunState.STOPPED, finished_at=timezone.now(), lease_token="", lease_until=None
    )
    if not stopped:
        raise Refused("This run has ended already; there was nothing to stop.")
    log(run, "Stopped by a member of staff.")
