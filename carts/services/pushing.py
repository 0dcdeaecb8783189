"""Stock to one cart: marks in, requests out, marks away.

Whoever holds the outbox's lease sends. No transaction is open while a request is under way, and a quantity is unknown
from before the request that sets it until its answer is stored: so a write whose answer was lost is read before it is
written again, and never written blindly.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from carts.choices import Kind, PushState, Reason, RecordState
from carts.errors import CartError, NotFound, RateLimited, Stale, StopRequested
from carts.models import Cart, Feed, Outbox, Push, Record
from carts.platforms.base import CartAdapter
from carts.records import ItemRef, RowResult, StockLevel
from carts.services import feeds, leases, quantities, stock_rows, stock_sweep
from carts.services.budgets import Priority
from carts.services.connections import adapter_for
from carts.services.stock_rows import Due, StockLease

log = logging.getLogger(__name__)

MARKS_A_ROUND = 2_000
ORDERS_FIRST_SECONDS = 5.0
LOOK_SECONDS = 0.05
# Of one change, where the cart takes a quantity and shows another afterwards, or shows a new one at every look.
MOST_TRIES = 5
NO_STOCK_THERE = (
    "The cart keeps no stock for this item, so nothing was sent. Tick Manage stock on it in the shop's admin and click "
    "Retry, or click Ignore: it is then left alone until its stock changes again."
)
LINKED_TWICE = (
    "Two items of the cart are linked to this one, and each would show the whole quantity, so nothing was sent. Unlink "
    "one of them, then click Retry."
)
NEVER_SETTLES = (
    "The cart took the quantity several times and still shows another one. Something else may write its stock: another "
    "connector, or a plug-in of the shop. End that, then click Retry."
)
GONE = "The shop does not have this item any more; it may have been deleted there. Nothing more is sent to it."


def drain(lease: StockLease) -> None:
    """Everything that waits for this cart. Errors end in the outbox: what happened, and when the next try is."""
    outbox = lease.outbox
    try:
        Drain(lease).send_all()
    except StopRequested:
        return  # the lease is somebody else's already
    except CartError as error:
        end_failed(outbox, lease.token, error)
        return
    except Exception:
        log.exception("Stock of cart %s could not be sent", outbox.cart_id)
        unexpected = CartError("Something unexpected went wrong; the log has it. The next try follows.")
        end_failed(outbox, lease.token, unexpected)
        return
    leases.release_outbox(
        outbox.pk, lease.token, drained_at=timezone.now(), next_drain_at=None, failures=0, error="", error_kind=""
    )


def end_failed(outbox: Outbox, token: str, error: CartError) -> None:
    now, is_limit = timezone.now(), isinstance(error, RateLimited)
    is_waiting = isinstance(error, OrdersFirst)
    failures = outbox.failures if is_limit or is_waiting else outbox.failures + 1
    wait = ORDERS_FIRST_SECONDS if is_waiting else min(5.0 * 2 ** min(failures, 12), feeds.MAX_BACK_OFF_SECONDS)
    if isinstance(error, RateLimited):
        wait = error.wait_seconds if error.wait_seconds is not None else feeds.RATE_LIMIT_SECONDS
    leases.release_outbox(
        outbox.pk, token, next_drain_at=now + timedelta(seconds=max(1, wait)), failures=failures,
        needs_person=error.permanent, error=error.sentence, error_kind=error.kind, error_at=now,
    )  # fmt: skip


class OrdersFirst(CartError):
    """Not an error of the cart: the orders could not be read just now, and stock does not go before them."""

    kind = "orders_first"


def _is_behind(feed: Feed, oldest: datetime) -> bool:
    return feed.polled_at is None or feed.polled_at < oldest


def _wait_for_the_poll(feed: Feed, oldest: datetime) -> None:
    """Which somebody else is at. Until it is done, or takes longer than a poll that brings little."""
    until = time.monotonic() + ORDERS_FIRST_SECONDS
    while _is_behind(feed, oldest) and feed.lease_token and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        feed.refresh_from_db(fields=["polled_at", "lease_token"])


class Drain:
    """The work under one lease."""

    def __init__(self, lease: StockLease) -> None:
        self._outbox, self._token = lease.outbox, lease.token
        self._cart: Cart = lease.outbox.cart
        self._orders_read_at = lease.orders_read_at
        self._held_at = time.monotonic()

    def send_all(self) -> None:
        if stock_sweep.is_due(self._outbox, timezone.now()):
            # Settings that are saved make it due. If that was while the lease was taken, the cart is still the old one.
            self._cart = self._outbox.cart = Cart.objects.get(pk=self._cart.pk)
            self._orders_first()
            stock_sweep.sweep(self._outbox, self._token)
        adapter = adapter_for(self._cart, Priority.STOCK)
        while due := stock_rows.waiting(self._cart.pk, MARKS_A_ROUND):
            began = time.monotonic()
            self._orders_first()
            self._send(adapter, due)
            if len(due) < MARKS_A_ROUND:
                # Later changes gather; the first of them found nobody waiting and went at once.
                time.sleep(max(0.0, settings.STOCK_WINDOW_SECONDS - (time.monotonic() - began)))

    def _hold(self) -> None:
        leases.hold_outbox(self._outbox.pk, self._token)
        self._held_at = time.monotonic()

    def _orders_first(self) -> None:
        """Units the cart has sold since the last poll are to be counted; a poll that is recent enough will do."""
        oldest = timezone.now() - timedelta(seconds=self._cart.poll_interval_seconds)
        if self._orders_read_at and self._orders_read_at >= oldest:
            return
        feed = Feed.objects.get(cart=self._cart, kind=Kind.ORDER)
        if _is_behind(feed, oldest):
            if token := leases.claim_feed(feed.pk):
                feeds.poll(feed.pk, token)
            else:
                # One tick starts a poll and wakes us. Were we to come back later, it would be at such a tick again.
                _wait_for_the_poll(feed, oldest)
            feed.refresh_from_db()
        self._orders_read_at = feed.polled_at
        if _is_behind(feed, oldest):
            raise OrdersFirst(
                "Stock waits until the cart's orders could be read, so that what was sold there is counted. "
                f"{feed.error or 'They are being read now.'}"
            )

    # One round ------------------------------------------------------------------------------------

    def _send(self, adapter: CartAdapter, marks: Sequence[Due]) -> None:
        due = self._linked_once(marks)
        unknown = [each.ref for each in due if each.known is None]
        shown: dict[ItemRef, Decimal | None] = {each.ref: each.known for each in due if each.known is not None}
        if unknown:
            self._hold()
            shown |= adapter.read_stock(unknown)
        due = self._without_those_that_cannot(due, shown)
        # Read after the cart was: what was sold in between is not in here, and marked anew when its order comes.
        wanted = quantities.targets(self._cart, [each.item_id for each in due])
        to_send: dict[ItemRef, Due] = {}
        done: list[Due] = []
        for each in due:
            if each.item_id not in wanted or shown[each.ref] == wanted[each.item_id]:
                done.append(each)
            elif each.tries >= MOST_TRIES:
                self._fail(each, NEVER_SETTLES)
            else:
                to_send[each.ref] = replace(each, known=shown[each.ref])
        self._settle(done, {each.record_id: wanted.get(each.item_id) for each in done})
        self._send_batches(
            adapter, [[to_send[ref] for ref in batch] for batch in adapter.stock_batches(list(to_send))], wanted
        )

    def _linked_once(self, marks: Sequence[Due]) -> list[Due]:
        """A mark that means no item of the cart any more is taken away; one that means two is a problem."""
        met = Counter(each.push_id for each in marks)
        for each in marks:
            if each.record_id is None:
                Push.objects.filter(pk=each.push_id, generation=each.generation).delete()
            elif met[each.push_id] > 1:
                self._fail(each, LINKED_TWICE)
        return [each for each in marks if each.record_id is not None and met[each.push_id] == 1]

    def _without_those_that_cannot(self, due: list[Due], shown: Mapping[ItemRef, Decimal | None]) -> list[Due]:
        able = []
        for each in due:
            if each.ref not in shown:
                self._gone(each)
            elif shown[each.ref] is None:
                self._fail(each, NO_STOCK_THERE)
            else:
                able.append(each)
        return able

    def _send_batches(self, adapter: CartAdapter, batches: list[list[Due]], wanted: dict[int, Decimal]) -> None:
        """One request after the other; what the database has to do for a batch is done while another is under way."""
        if len(batches) == 1:
            self._forget(batches[0])
            self._conclude(adapter, batches[0], adapter.push_stock(_levels(batches[0], wanted)), wanted)
            return
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="push") as pool:
            before: tuple[list[Due], Future[list[RowResult]]] | None = None
            for batch in batches:
                self._forget(batch)
                results = before[1].result() if before else []
                request = pool.submit(adapter.push_stock, _levels(batch, wanted))
                if before:
                    self._conclude(adapter, before[0], results, wanted)
                before = batch, request
            if before:
                self._conclude(adapter, before[0], before[1].result(), wanted)
            pool.submit(connections.close_all)  # of that thread: a cart's budget is kept in the database

    def _forget(self, batch: Sequence[Due]) -> None:
        if time.monotonic() - self._held_at > leases.LEASE_SECONDS / 4:
            self._hold()
        if not stock_rows.forget([each.record_id for each in batch if each.record_id], self._outbox.pk, self._token):
            raise StopRequested

    def _conclude(
        self, adapter: CartAdapter, batch: Sequence[Due], results: Sequence[RowResult], wanted: dict[int, Decimal]
    ) -> None:
        sent, again = [], []
        for each, result in zip(batch, results, strict=True):
            if result.error is None:
                sent.append(each)
            elif isinstance(result.error, Stale):
                again.append(each)
            elif isinstance(result.error, NotFound):
                self._gone(each)
            else:
                self._fail(each, result.error.sentence)
        self._look_again(again, 0.0)
        if settles := adapter.capabilities.stock_settles_seconds:
            self._look_again(sent, settles)
        else:
            self._settle(sent, {each.record_id: wanted[each.item_id] for each in sent})

    # How a mark ends --------------------------------------------------------------------------------

    def _look_again(self, rows: Sequence[Due], seconds: float) -> None:
        """The marks stay, to be read and reckoned anew: the cart showed another quantity than we knew, or says later
        whether it took ours. A change that came meanwhile is sent at once."""
        for each in rows:
            Push.objects.filter(pk=each.push_id, generation=each.generation).update(
                due_at=timezone.now() + timedelta(seconds=seconds), failures=F("failures") + 1
            )

    def _settle(self, done: Sequence[Due], shows: Mapping[int | None, Decimal | None]) -> None:
        """The mark goes if nothing changed since it was read; only then is what the cart shows known for sure."""
        if not done:
            return
        by_push = {each.push_id: each for each in done}
        generations = {each.push_id: each.generation for each in done}
        with transaction.atomic():
            # A change that comes now marks after us, and its order forgets what we store here.
            settled = [by_push[pk].record_id for pk in stock_rows.take_away(generations, self._outbox.pk, self._token)]
            stock_rows.remember({record_id: shows[record_id] for record_id in settled if record_id is not None})

    def _fail(self, each: Due, sentence: str) -> None:
        Push.objects.filter(pk=each.push_id, generation=each.generation).update(
            state=PushState.FAILED, reason=sentence, failures=F("failures") + 1
        )

    def _gone(self, each: Due) -> None:
        with transaction.atomic():
            self._hold()
            Record.objects.filter(pk__in=[each.record_id]).update(
                state=RecordState.MISSING, reason_code=Reason.GONE, reason=GONE, cart_stock=None,
                changed_at=timezone.now(),
            )  # fmt: skip
            Push.objects.filter(pk=each.push_id).delete()


def _levels(batch: Sequence[Due], wanted: Mapping[int, Decimal]) -> list[StockLevel]:
    return [StockLevel(each.ref.external_id, each.ref.parent_id, wanted[each.item_id], each.known) for each in batch]
