"""Work that a worker would do, done here and now, under the same leases: a worker that wants it too finds it taken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from carts.choices import Kind, RunKind
from carts.models import Cart, Feed, Run
from carts.services import feeds, leases, rehearsal, rehearsal_to, runs, selection, ticking
from carts.services.control import shop_time


@dataclass(slots=True)
class Synced:
    """What one `sync` did. `note` says why the orders were not read, or what went wrong while they were."""

    runs: list[Run] = field(default_factory=list)
    polled: bool = False
    note: str = ""
    feed: Feed | None = None


def rehearse(cart: Cart, by: str, *, to_cart: bool = False) -> Run:
    return _work(lambda: (rehearsal_to if to_cart else rehearsal).begin(cart, by))


def import_records(cart: Cart, kind: Kind, external_ids: Sequence[str], by: str) -> Run:
    return _work(lambda: selection.begin(cart, kind, external_ids, by))


def _work(begin: Callable[[], Run]) -> Run:
    # The wake-up is sent when the transaction ends: by then the run is ours.
    with transaction.atomic():
        run = begin()
        token = leases.claim_run(run.pk)
    run = Run.objects.select_related("cart").get(pk=run.pk)
    try:
        ticking.WORKERS[RunKind(run.kind)](run, token)
    except KeyboardInterrupt:
        runs.stop(run)
        raise
    return Run.objects.get(pk=run.pk)


def sync(cart: Cart, by: str) -> Synced:
    """Queued runs of this cart, then one poll of its orders and the stock that waits when it is RUNNING. An interval
    that is not over holds nothing back, since a person asked; a back-off does, since the shop or its host asked for
    it."""
    done = Synced()
    for run_id in Run.objects.filter(pk__in=ticking.forsaken_runs(), cart=cart).values_list("pk", flat=True):
        ticking.work_on_run(run_id)
        done.runs.append(Run.objects.get(pk=run_id))
    _poll(cart, by, done)
    ticking.push_stock(cart.pk)
    done.feed = Feed.objects.filter(cart=cart, kind=Kind.ORDER).first()
    return done


def _poll(cart: Cart, by: str, done: Synced) -> None:
    feed = Feed.objects.filter(cart=cart, kind=Kind.ORDER).first()
    if not cart.is_running or feed is None:
        done.note = "The cart is STOPPED, so its orders were not read. Start it first."
        return
    if feed.needs_person:
        done.note = feed.error
        return
    if feed.error and feed.next_poll_at and feed.next_poll_at > timezone.now():
        done.note = f"{feed.error} Not tried again before {shop_time(cart, feed.next_poll_at):%Y-%m-%d %H:%M:%S %Z}."
        return
    token = leases.claim_feed(feed.pk)
    if not token:
        done.note = "A worker is reading this cart's orders just now, so they were not read a second time."
        return
    try:
        run = feeds.poll(feed.pk, token, started_by=by)
    except KeyboardInterrupt:
        # Its run, if it opened one, is ended by the tick, as after a killed worker.
        leases.release_feed(feed.pk, token)
        raise
    feed.refresh_from_db()
    done.polled, done.note = not feed.error, feed.error
    if run:
        done.runs.append(Run.objects.get(pk=run.pk))
