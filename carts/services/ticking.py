"""The tick: finds in the database what is to be done and wakes workers for it. Broker and workers may be lost at any
moment; what they were doing is found here again when its lease is over."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from carts.choices import ACTIVE_RUN_STATES, CartStatus, Kind, PushKind, PushState, RunKind, RunState
from carts.models import Feed, Outbox, Push, Run
from carts.services import (
    alerts,
    exporting,
    feeds,
    leases,
    marks,
    pushing,
    reading_all,
    rehearsal,
    rehearsal_to,
    runs,
    selection,
    sending,
    stock_sweep,
    subscriptions,
    updates,
    wakeups,
    webhooks,
)
from carts.services.stock_rows import StockLease


def tick() -> None:
    for feed_id in feeds.due_feeds(timezone.now()):
        token = leases.claim_feed(feed_id)
        if token and not wakeups.send("carts.tasks.poll_feed", feed_id, token):
            leases.release_feed(feed_id, token)
    for cart_id in stock_due(timezone.now()):
        marks.wake(cart_id, PushKind.STOCK)
    for cart_id, kind in records_due(timezone.now()):
        marks.wake(cart_id, PushKind(kind))
    for cart_id in webhooks.due(timezone.now()):
        wakeups.send("carts.tasks.read_webhooks", cart_id)
    for cart_id in subscriptions.due(timezone.now()):
        wakeups.send("carts.tasks.check_webhooks", cart_id)
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
        poll_now(feed_id, token)


def poll_now(feed_id: int, token: str, *, started_by: str = "") -> Run | None:
    kind = Feed.objects.values_list("kind", flat=True).get(pk=feed_id)
    poll = feeds.poll if kind == Kind.ORDER else updates.poll
    return poll(feed_id, token, started_by=started_by)


def poll_if_due(feed_id: int) -> None:
    if feed_id in feeds.due_feeds(timezone.now()):
        token = leases.claim_feed(feed_id)
        if token:
            poll_now(feed_id, token)


def stock_due(now: datetime) -> list[int]:
    """Ids of RUNNING carts with stock to send, or to compare, and nobody at it."""
    return [outbox.cart_id for outbox in _outboxes_due(now)]


def push_stock(cart_id: int) -> None:
    """Send until nothing waits. Looked at once more after the lease is given back: who came in between was told that
    somebody is sending already."""
    while lease := leases.claim_stock(cart_id) or _claim_comparison(cart_id):
        pushing.drain(lease)


def _claim_comparison(cart_id: int) -> StockLease | None:
    """The lease on the cart's stock where all of it is to be compared."""
    for outbox in _outboxes_due(timezone.now(), cart_id=cart_id):
        if token := leases.claim_outbox(outbox.pk):
            return StockLease(token, Outbox.objects.select_related("cart").get(pk=outbox.pk))
    return None


def _outboxes_due(now: datetime, **only: int) -> list[Outbox]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    may = Q(next_drain_at__isnull=True) | Q(next_drain_at__lte=now)
    on = Q(cart__status=CartStatus.RUNNING, cart__to_stock_updates=True)
    due = Q(due_at__isnull=True) | Q(due_at__lte=now)
    waiting = Push.objects.filter(due, cart=OuterRef("cart"), kind=PushKind.STOCK, state=PushState.WAITING)
    outboxes = Outbox.objects.filter(free, may, on, kind=PushKind.STOCK, needs_person=False, **only)
    known = outboxes.select_related("cart").annotate(has_waiting=Exists(waiting))
    return [outbox for outbox in known if outbox.has_waiting or stock_sweep.is_due(outbox, now)]


def records_due(now: datetime) -> list[tuple[int, str]]:
    """(cart id, kind) of RUNNING carts with items or customers to send, and nobody at it."""
    due = []
    for kind in (PushKind.ITEM, PushKind.CUSTOMER):
        waiting = Push.objects.filter(
            kind=kind, state=PushState.WAITING, cart__status=CartStatus.RUNNING, **{f"cart__{marks.SWITCH[kind]}": True}
        )
        busy = Outbox.objects.filter(
            Q(lease_until__gt=now) | Q(next_drain_at__gt=now) | Q(needs_person=True), kind=kind
        )
        carts = waiting.exclude(cart__in=busy.values("cart_id")).values_list("cart_id", flat=True).distinct()
        due += [(cart_id, kind.value) for cart_id in carts.order_by()]
    return due


def push_records(cart_id: int, kind: str) -> None:
    """As push_stock, of items or customers."""
    while (cart_id, kind) in records_due(timezone.now()):
        outbox = Outbox.objects.get_or_create(cart_id=cart_id, kind=kind)[0]
        token = leases.claim_outbox(outbox.pk)
        if not token:
            return
        sending.drain(outbox.pk, token)


WORKERS = {
    RunKind.REHEARSAL: rehearsal.perform,
    RunKind.REHEARSAL_TO: rehearsal_to.perform,
    RunKind.IMPORT: selection.perform,
    RunKind.EXPORT: exporting.perform,
    RunKind.READ: reading_all.perform,
}


def work_on_run(run_id: int) -> None:
    token = leases.claim_run(run_id)
    if token:
        run = Run.objects.select_related("cart").get(pk=run_id)
        WORKERS[RunKind(run.kind)](run, token)
