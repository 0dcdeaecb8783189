"""Stock to one cart: marks in, requests out, marks away.

Whoever holds the outbox's lease sends. No transaction is open while a request is under way, and a quantity is unknown
from before the request that sets it until its answer is stored: so a write whose answer was lost is read before it is
written again, and never written blindly.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from carts.choices import Kind, PushKind, PushState, Reason, RecordState
from carts.errors import CartError, NotFound, RateLimited, StopRequested
from carts.models import Cart, Feed, Outbox, Push, Record
from carts.platforms.base import CartAdapter
from carts.records import ItemRef, RowResult, StockLevel
from carts.services import feeds, leases, quantities, stock_sweep
from carts.services.connections import adapter_for

log = logging.getLogger(__name__)

MARKS_A_ROUND = 500
ORDERS_FIRST_SECONDS = 5.0
NO_STOCK_THERE = (
    "The cart keeps no stock for this item, so nothing was sent. Tick Manage stock on it in the shop's admin and click "
    "Retry, or click Ignore: it is then left alone until its stock changes again."
)
LINKED_TWICE = (
    "Two items of the cart are linked to this one, and each would show the whole quantity, so nothing was sent. Unlink "
    "one of them, then click Retry."
)
GONE = "The shop does not have this item any more; it may have been deleted there. Nothing more is sent to it."


@dataclass(frozen=True, slots=True)
class Due:
    """One mark as it was read, and the item of the cart it means."""

    push_id: int
    generation: int
    item_id: int
    record_id: int
    ref: ItemRef
    known: Decimal | None


def drain(outbox_id: int, token: str) -> None:
    """Everything that waits for this cart. Errors end in the outbox: what happened, and when the next try is."""
    outbox = Outbox.objects.select_related("cart").get(pk=outbox_id)
    work = Drain(outbox, token)
    try:
        work.send_all()
    except StopRequested:
        return  # the lease is somebody else's already
    except CartError as error:
        end_failed(outbox, token, error)
        return
    except Exception:
        log.exception("Stock of cart %s could not be sent", outbox.cart_id)
        end_failed(outbox, token, CartError("Something unexpected went wrong; the log has it. The next try follows."))
        return
    leases.release_outbox(
        outbox_id, token, drained_at=timezone.now(), next_drain_at=None, failures=0, error="", error_kind=""
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


class Drain:
    """The work under one lease."""

    def __init__(self, outbox: Outbox, token: str) -> None:
        self._outbox, self._token = outbox, token
        self._cart: Cart = outbox.cart

    def send_all(self) -> None:
        adapter = adapter_for(self._cart)
        if stock_sweep.is_due(self._outbox, timezone.now()):
            self._orders_first()
            stock_sweep.sweep(self._outbox, self._token)
        while marks := self._marks():
            began = time.monotonic()
            self._orders_first()
            self._send(adapter, marks)
            # Later changes gather; the first of them found nobody waiting and went at once.
            time.sleep(max(0.0, settings.STOCK_WINDOW_SECONDS - (time.monotonic() - began)))

    def _hold(self) -> None:
        leases.hold_outbox(self._outbox.pk, self._token)

    def _marks(self) -> list[tuple[int, int, int]]:
        due = Q(due_at__isnull=True) | Q(due_at__lte=timezone.now())
        waiting = Push.objects.filter(due, cart=self._cart, kind=PushKind.STOCK, state=PushState.WAITING)
        return list(waiting.order_by("id").values_list("pk", "generation", "local_id")[:MARKS_A_ROUND])

    def _orders_first(self) -> None:
        """Units the cart has sold since the last poll are to be counted; a poll that is recent enough will do."""
        feed = Feed.objects.filter(cart=self._cart, kind=Kind.ORDER).first()
        oldest = timezone.now() - timedelta(seconds=self._cart.poll_interval_seconds)
        if feed is None or (feed.polled_at is not None and feed.polled_at >= oldest):
            return
        token = leases.claim_feed(feed.pk)
        if token:
            feeds.poll(feed.pk, token)
            feed.refresh_from_db()
        if feed.polled_at is None or feed.polled_at < oldest:
            raise OrdersFirst(
                "Stock waits until the cart's orders could be read, so that what was sold there is counted. "
                f"{feed.error or 'They are being read now.'}"
            )

    # One round ------------------------------------------------------------------------------------

    def _send(self, adapter: CartAdapter, marks: Sequence[tuple[int, int, int]]) -> None:
        due = self._due(marks)
        unknown = [each for each in due if each.known is None]
        shown = self._read(adapter, unknown) if unknown else {}
        due = self._without_those_that_cannot(due, shown)
        # Read after the cart was: what was sold in between is not in here, and marked anew when its order comes.
        wanted = quantities.targets(self._cart, [each.item_id for each in due])
        to_send: list[Due] = []
        done: list[Due] = []
        for each in due:
            known = each.known if each.known is not None else shown[each.ref]
            is_done = each.item_id not in wanted or known == wanted[each.item_id]
            (done if is_done else to_send).append(each)
        self._settle(done, {each.record_id: wanted.get(each.item_id) for each in done})
        by_ref = {each.ref: each for each in to_send}
        for batch in adapter.stock_batches(list(by_ref)):
            self._send_batch(adapter, [by_ref[ref] for ref in batch], wanted)

    def _read(self, adapter: CartAdapter, unknown: Sequence[Due]) -> dict[ItemRef, Decimal | None]:
        self._hold()
        return adapter.read_stock([each.ref for each in unknown])

    def _due(self, marks: Sequence[tuple[int, int, int]]) -> list[Due]:
        """Marks with the cart's items; a mark that means none any more is taken away."""
        by_item = {item_id: (push_id, generation) for push_id, generation, item_id in marks}
        linked = Record.objects.filter(
            cart=self._cart, kind=Kind.ITEM, state=RecordState.IMPORTED, local_id__in=by_item
        ).values_list("pk", "external_id", "parent_id", "local_id", "cart_stock")
        due = [
            Due(*by_item[item_id], item_id, record_id, ItemRef(external_id, parent_id), known)
            for record_id, external_id, parent_id, item_id, known in linked
            if item_id is not None
        ]
        met = Counter(each.item_id for each in due)
        for each in due:
            if met[each.item_id] > 1:
                self._fail(each, LINKED_TWICE)
        for item_id, (push_id, generation) in by_item.items():
            if item_id not in met:
                Push.objects.filter(pk=push_id, generation=generation).delete()
        return [each for each in due if met[each.item_id] == 1]

    def _without_those_that_cannot(self, due: list[Due], shown: dict[ItemRef, Decimal | None]) -> list[Due]:
        able = []
        for each in due:
            if each.known is None and each.ref not in shown:
                self._gone(each)
            elif each.known is None and shown[each.ref] is None:
                self._fail(each, NO_STOCK_THERE)
            else:
                able.append(each)
        return able

    def _send_batch(self, adapter: CartAdapter, batch: Sequence[Due], wanted: dict[int, Decimal]) -> None:
        levels = [StockLevel(each.ref.external_id, each.ref.parent_id, wanted[each.item_id]) for each in batch]
        with transaction.atomic():
            self._hold()
            Record.objects.filter(pk__in=[each.record_id for each in batch]).update(cart_stock=None)
        results: list[RowResult] = adapter.push_stock(levels)
        sent = []
        for each, result in zip(batch, results, strict=True):
            if result.error is None:
                sent.append(each)
            elif isinstance(result.error, NotFound):
                self._gone(each)
            else:
                self._fail(each, result.error.sentence)
        self._settle(sent, {each.record_id: wanted[each.item_id] for each in sent})

    # How a mark ends --------------------------------------------------------------------------------

    def _settle(self, done: Sequence[Due], shows: dict[int, Decimal | None]) -> None:
        """The mark goes if nothing changed since it was read; only then is what the cart shows known for sure."""
        if not done:
            return
        by_push = {each.push_id: each for each in done}
        with transaction.atomic():
            self._hold()
            # Locked in the order in which marks are made, so that no two wait for each other: a change that comes now
            # marks after us, and its order forgets what we store here. (SQLite has one writer anyway.)
            marks = Push.objects.filter(pk__in=by_push).order_by("local_id").select_for_update()
            settled = [pk for pk, now in marks.values_list("pk", "generation") if now == by_push[pk].generation]
            Push.objects.filter(pk__in=settled).delete()
            _remember({by_push[pk].record_id: shows[by_push[pk].record_id] for pk in settled})

    def _fail(self, each: Due, sentence: str) -> None:
        Push.objects.filter(pk=each.push_id, generation=each.generation).update(
            state=PushState.FAILED, reason=sentence, failures=F("failures") + 1
        )

    def _gone(self, each: Due) -> None:
        with transaction.atomic():
            self._hold()
            Record.objects.filter(pk=each.record_id).update(
                state=RecordState.MISSING, reason_code=Reason.GONE, reason=GONE, cart_stock=None,
                changed_at=timezone.now(),
            )  # fmt: skip
            Push.objects.filter(pk=each.push_id).delete()


def _remember(shown: Mapping[int, Decimal | None]) -> None:
    """What the cart shows, by record. The ORM's bulk_update spends more on its CASE than the shop on a full batch."""
    if not shown:
        return
    table = connection.ops.quote_name(Record._meta.db_table)
    places = ", ".join(["(CAST(%s AS bigint), CAST(%s AS numeric))"] * len(shown))
    sql = (
        f"WITH shown (id, quantity) AS (VALUES {places}) "
        f"UPDATE {table} SET cart_stock = shown.quantity FROM shown WHERE {table}.id = shown.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in shown.items() for value in (row[0], _stored(row[1]))])


def _stored(quantity: Decimal | None) -> Any:
    return None if quantity is None else connection.ops.adapt_decimalfield_value(quantity, 14, 4)
