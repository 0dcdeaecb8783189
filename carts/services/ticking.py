"""The tick: finds in the database what is to be done and wakes workers for it. Broker and workers may be lost at any
moment; what they were doing is found here again when its lease is over."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from carts.choices import ACTIVE_RUN_STATES, RunKind, RunState
from carts.models import Feed, Run
from carts.services import alerts, feeds, leases, rehearsal, runs, selection, wakeups


def tick() -> None:
    for feed_id in feeds.due_feeds(timezone.now()):
        token = leases.claim_feed(feed_id)
        if token and not wakeups.send("carts.tasks.poll_feed", feed_id, token):
            leases.release_feed(feed_id, token)
    for run_id in forsaken_runs():
        wakeups.send("carts.tasks.work_on_run", run_id)
    end_forsaken_polls()
    alerts.send_due()


def forsaken_runs() -> list[int]:
    """Queued by a person, or left by a killed worker."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    waiting = Run.objects.filter(free, state__in=ACTIVE_RUN_STATES, kind__in=WORKERS)
    return list(waiting.order_by("id").values_list("pk", flat=True)[:50])


def end_forsaken_polls() -> None:
    """Runs of polls and releases have no lease of their own; when no feed of their cart is at work, they are over."""
    at_work = Feed.objects.filter(lease_until__gt=timezone.now()).values("cart_id")
    since = timezone.now() - timedelta(seconds=leases.LEASE_SECONDS)
    forsaken = Run.objects.filter(state=RunState.RUNNING, started_at__lt=since).exclude(kind__in=WORKERS)
    for run in forsaken.exclude(cart_id__in=at_work):
        run.counts = dict(runs.counts_of_items(run))
        runs.log(
            run, "The worker ended without a word; what it had stored stays, and the next poll goes on from there."
        )
        runs.finish(run, RunState.STOPPED)


def poll_claimed(feed_id: int, token: str) -> None:
    """Nothing happens unless the token still holds the lease: the message may be old or delivered twice."""
    if Feed.objects.filter(pk=feed_id, lease_token=token).exists():
        feeds.poll(feed_id, token)


def poll_if_due(feed_id: int) -> None:
    if feed_id in feeds.due_feeds(timezone.now()):
        token = leases.claim_feed(feed_id)
        if token:
            feeds.poll(feed_id, token)


WORKERS = {RunKind.REHEARSAL: rehearsal.perform, RunKind.IMPORT: selection.perform}


def work_on_run(run_id: int) -> None:
    token = leases.claim_run(run_id)
    if token:
        run = Run.objects.select_related("cart").get(pk=run_id)
        WORKERS[RunKind(run.kind)](run, token)
