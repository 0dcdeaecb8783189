"""Work that a worker would do, done here and now, under the same leases: a worker that wants it too finds it taken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from carts import gateway
from carts.choices import Kind, PushKind, RunKind
from carts.errors import Refused
from carts.models import Cart, Feed, Run
from carts.services import exporting, feeds, leases, reading_all, rehearsal, rehearsal_to, runs, selection, ticking
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


def export_records(cart: Cart, kind: Kind, keys: Sequence[str], by: str, *, rehearse: bool = False) -> Run:
    """Ours by SKU, or by code or e-mail. Refused where one of them names none of ours, or several."""
    find = gateway.search_items if kind == Kind.ITEM else gateway.search_customers
    ids = []
    for key in keys:
        found = find(key)
        exact = [ref for ref in found if ref.label.casefold().startswith(f"{key.casefold()} ")] or found
        if len(exact) != 1:
            how = "Nothing here is called" if not exact else f"{len(exact)} records begin with"
            raise Refused(f"{how} {key}. Nothing was exported; give whole SKUs, codes or e-mail addresses.")
        ids.append(exact[0].id)
    run_kind = RunKind.REHEARSAL_TO if rehearse else RunKind.EXPORT
    return _work(lambda: exporting.begin(cart, kind, ids, by, run_kind=run_kind))


def read_all(cart: Cart, kind: Kind, by: str) -> Run:
    return _work(lambda: reading_all.begin(cart, kind, by))


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
    """Queued runs of this cart; then, when it is RUNNING, one poll of its orders, of its items and customers where they
    pass, and what waits to be sent. An interval that is not over holds nothing back, since a person asked; a back-off
    does, since the shop or its host asked for it."""
    done = Synced()
    for run_id in Run.objects.filter(pk__in=ticking.forsaken_runs(), cart=cart).values_list("pk", flat=True):
        ticking.work_on_run(run_id)
        done.runs.append(Run.objects.get(pk=run_id))
    _poll(cart, by, done)
    _take_updates(cart, by, done)
    ticking.push_stock(cart.pk)
    for kind in (PushKind.ITEM, PushKind.CUSTOMER):
        ticking.push_records(cart.pk, kind.value)
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


def _take_updates(cart: Cart, by: str, done: Synced) -> None:
    """Items and customers of the cart that changed. Of a kind that is switched off, backing off, in need of a person or
    in another worker's hands nothing is read; an error is told when there is none about the orders."""
    for feed in Feed.objects.filter(cart=cart).exclude(kind=Kind.ORDER):
        Feed.objects.filter(pk=feed.pk, error="").update(next_poll_at=None)
        if feed.pk not in feeds.due_feeds(timezone.now(), cart):
            continue
        token = leases.claim_feed(feed.pk)
        run = ticking.poll_now(feed.pk, token, started_by=by) if token else None
        feed.refresh_from_db()
        done.note = done.note or feed.error
        if run:
            done.runs.append(Run.objects.get(pk=run.pk))
