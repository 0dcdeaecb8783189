"""Auto-sync: which feeds are due, and one poll of a feed from claim to release."""

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from carts.choices import CartStatus, Kind, Outcome, RecordState, RunKind, RunState
from carts.errors import CartError, RateLimited, StopRequested
from carts.models import Cart, Feed, Record, Run
from carts.records import RawRecord, Window
from carts.services import leases, runs
from carts.services.budgets import Priority
from carts.services.connections import adapter_for, capabilities
from carts.services.held import release_mended, stored_row
from carts.services.importing import Importer
from carts.services.judging import Rules
from carts.services.planning import Decision
from cartsync import bulk

log = logging.getLogger(__name__)

RATE_LIMIT_SECONDS = 60  # when the shop does not say how long
MAX_BACK_OFF_SECONDS = 1800
WAITING_BATCH = 100
# Of a run's counts: a person looks every two seconds, and each is a transaction of its own.
SECONDS_BETWEEN_COUNTS = 1.0
# The overlap finds orders committed late by seconds. Now and then a poll looks back much further, for orders that a
# plug-in, an import or a restored backup of the shop wrote with an older time.
LOOK_BACK = timedelta(days=2)
LOOK_BACK_EVERY = timedelta(hours=6)
# After a longer time without a poll there is a backlog, which lets everything else pass.
BACKLOG_AFTER = timedelta(hours=1)
# A feed stays when its updates are switched off; it rests then.
WANTED = (
    Q(kind=Kind.ORDER)
    | Q(kind=Kind.ITEM) & (Q(cart__from_item_updates=True) | Q(cart__to_item_updates=True))
    | Q(kind=Kind.CUSTOMER) & (Q(cart__from_customer_updates=True) | Q(cart__to_customer_updates=True))
)
# Feeds that a tick wakes; the rest is due still at the next one.
MAX_WOKEN = 200


def due_feeds(now: datetime, cart: Cart | None = None) -> list[int]:
    """Ids of feeds of RUNNING carts (or of one) that are due and free, the longest waiting first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    due = Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=now)
    feeds = Feed.objects.filter(free, due, WANTED, cart__status=CartStatus.RUNNING, needs_person=False)
    feeds = feeds if cart is None else feeds.filter(cart=cart)
    return list(feeds.order_by(F("next_poll_at").asc(nulls_first=True)).values_list("pk", flat=True)[:MAX_WOKEN])


def is_wanted(feed: Feed) -> bool:
    return Feed.objects.filter(WANTED, pk=feed.pk).exists()


def poll(feed_id: int, token: str, *, started_by: str = "") -> Run | None:
    """One poll under a lease that is held already. The run, if there was anything to tell; None for an idle poll.

    Errors of the cart end in the feed (what happened, when the next try is); errors of the program are logged whole
    and treated as the cart being unavailable.
    """
    feed = Feed.objects.select_related("cart").get(pk=feed_id)
    work = Poll(feed, token, started_by)
    try:
        work.read()
        work.end()
    except StopRequested:
        work.end_stopped()
    except CartError as error:
        work.end_failed(error)
    except Exception:
        log.exception("Poll of feed %s failed", feed_id)
        work.end_failed(CartError("Something unexpected went wrong; the log has it. The next try follows by itself."))
    return work.run


def take_again(feed: Feed, token: str, rows: Sequence[RawRecord]) -> None:
    """Orders that were read by id, as a webhook asked for, under a lease that is held; the cursor stays where it is.
    Raises StopRequested."""
    work = Poll(feed, token, "")
    try:
        work.take(rows)
    except StopRequested:
        work.end_stopped()
        raise
    if work.run:
        work.end_run()


class Poll:
    """The work of one poll; a run appears with the first thing worth telling."""

    def __init__(self, feed: Feed, token: str, started_by: str) -> None:
        self.feed = feed
        self.cart: Cart = feed.cart
        self._importer: Importer | None = None
        self._token = token
        self._started_by = started_by
        self._high_water = feed.high_water
        self._newest_placed: datetime | None = None
        # As far as the page at hand goes; the cursor follows when that page is stored.
        self._reached = feed.high_water
        self._held_at = time.monotonic()
        self._counted_at = -SECONDS_BETWEEN_COUNTS
        looked = feed.looked_back_at
        self._looks_back = looked is None or looked < timezone.now() - LOOK_BACK_EVERY

    def since(self) -> datetime | None:
        """Closed start: the fence, or the newest order stored less the overlap for late commits."""
        if self.feed.high_water is None:
            return self.cart.order_fence
        overlap = timedelta(seconds=capabilities(self.cart).overlap_seconds)
        start = self.feed.high_water - (LOOK_BACK if self._looks_back else overlap)
        return max(start, self.cart.order_fence) if self.cart.order_fence else start

    def _priority(self) -> Priority:
        feed = self.feed
        is_recent = feed.polled_at is not None and feed.polled_at > timezone.now() - BACKLOG_AFTER
        is_backlog = feed.high_water is None or not is_recent or self._looks_back
        return Priority.BACKGROUND if is_backlog else Priority.ORDERS

    @property
    def run(self) -> Run | None:
        return self._importer.run if self._importer else None

    def read(self) -> None:
        adapter = adapter_for(self.cart, self._priority())
        importer = Importer(self.cart, adapter, Rules.of(self.cart), self._open_run)
        self._importer = importer
        window = Window(self.since(), self.cart.requests_in_flight, before_request=self._look_for_stop)
        with closing(adapter.fetch(Kind.ORDER, window)) as pages:
            for page in pages:
                self._store(importer, page.rows)
        self._import_waiting(importer)
        release_mended(self.cart, self._guard)

    def take(self, rows: Sequence[RawRecord]) -> None:
        importer = Importer(self.cart, adapter_for(self.cart, Priority.ORDERS), Rules.of(self.cart), self._open_run)
        self._importer = importer
        self._note_newest(importer.import_rows(rows, partial(leases.hold_feed, self.feed.pk, self._token)))

    def _note_newest(self, decisions: Sequence[Decision]) -> None:
        placed = [d.order.placed_at for d in decisions if d.order and d.outcome == Outcome.NEW]
        self._newest_placed = max([*placed, *([self._newest_placed] if self._newest_placed else [])], default=None)

    def _store(self, importer: Importer, rows: tuple[RawRecord, ...]) -> None:
        if not rows:
            return
        modified = [row.modified_at for row in rows if row.modified_at]
        self._reached = max([*modified, *([self._high_water] if self._high_water else [])], default=None)
        decisions = [] if importer.passes_by(rows) else importer.import_rows(rows, self._guard)
        self._high_water = self._reached
        if time.monotonic() - self._held_at > leases.LEASE_SECONDS / 4:
            self._guard()  # nothing was written for a while, but the worker is alive
        self._note_newest(decisions)
        if importer.run is None:
            return
        importer.run.counts = dict(importer.counts)
        if time.monotonic() - self._counted_at >= SECONDS_BETWEEN_COUNTS:
            runs.save_counts(importer.run, importer.counts)
            self._counted_at = time.monotonic()

    def _guard(self) -> None:
        leases.hold_feed(self.feed.pk, self._token, high_water=self._reached)
        self._held_at = time.monotonic()

    def _look_for_stop(self) -> None:
        """A page is not asked for that could not be written any more. One that takes many requests, or waits for what
        the cart allows, outlasts a lease."""
        if time.monotonic() - self._held_at > leases.LEASE_SECONDS / 4:
            self._guard()
        elif not bulk.count(Feed, {"id": self.feed.pk, "lease_token": self._token}, {}):
            raise StopRequested

    def _open_run(self) -> Run:
        return runs.create(self.cart, RunKind.SYNC, started_by=self._started_by, state=RunState.RUNNING)

    def _import_waiting(self, importer: Importer) -> None:
        """Orders whose grace delay is over, from the text of their last poll, which was just now."""
        while True:
            due = Record.objects.filter(
                cart=self.cart, kind=Kind.ORDER, state=RecordState.WAITING, due_at__lte=timezone.now()
            ).order_by("due_at")[:WAITING_BATCH]
            rows = [stored_row(record) for record in due]
            if not rows:
                return
            self._store(importer, tuple(rows))

    # How it ends ------------------------------------------------------------------------------------

    def end(self) -> None:
        now = timezone.now()
        leases.release_feed(
            self.feed.pk,
            self._token,
            next_poll_at=now + timedelta(seconds=self.cart.poll_interval_seconds),
            polled_at=now,
            high_water=self._high_water,
            failures=0,
            error="",
            error_kind="",
            **({"looked_back_at": now} if self._looks_back else {}),
        )
        if self.run:
            self.end_run()

    def end_run(self) -> None:
        assert self.run is not None
        move_last_order_from(self.cart, self._newest_placed)
        runs.finish(self.run)

    def end_stopped(self) -> None:
        if self.run:
            runs.log(
                self.run,
                "Ended early: Stop was clicked, the settings were changed, or another worker took over. The page "
                "being written was taken back; it is read again.",
            )
            runs.finish(self.run, RunState.STOPPED)

    def end_failed(self, error: CartError) -> None:
        failed = after_failure(self.feed, error)
        released = leases.release_feed(self.feed.pk, self._token, high_water=self._high_water, **failed)
        run = self.run
        if run is None and released and failed["failures"] == 1:
            run = self._open_run()  # the first failure is worth a run; the ones after it only repeat it
        if run:
            runs.log(run, f"{error.sentence} {error.detail}".strip(), "error")
            move_last_order_from(self.cart, self._newest_placed)
            runs.finish(run, RunState.FAILED, error.sentence)


def after_failure(feed: Feed, error: CartError) -> dict[str, Any]:
    """The feed's fields after a poll that ended in this error: what is told, and when the next try is."""
    now = timezone.now()
    failures = feed.failures if isinstance(error, RateLimited) else feed.failures + 1
    if isinstance(error, RateLimited):
        wait = error.wait_seconds if error.wait_seconds is not None else RATE_LIMIT_SECONDS
    else:
        wait = min(feed.cart.poll_interval_seconds * 2 ** min(failures, 12), MAX_BACK_OFF_SECONDS)
    return {
        "next_poll_at": now + timedelta(seconds=max(1, wait)),
        "failures": failures,
        "needs_person": error.permanent,
        "error": error.sentence,
        "error_kind": error.kind,
        "error_at": now,
    }


def move_last_order_from(cart: Cart, placed_at: datetime | None) -> None:
    """Forward only, by the placed time of what was imported."""
    if placed_at is not None:
        earlier = Q(last_order_from__isnull=True) | Q(last_order_from__lt=placed_at)
        Cart.objects.filter(earlier, pk=cart.pk).update(last_order_from=placed_at)
