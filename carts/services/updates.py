"""Items and customers of the cart that changed: into ours where they are linked, created or offered where they are new.

Two ways find them. The poll asks for what was modified since the cursor, where the shop can tell. The sweep reads all
of them by id, slowly and on from where it stopped, and finds what no time tells: changed variations, customers of shops
that cannot filter, deleted records. Both end in `take_rows`.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from carts import fields, gateway
from carts.choices import Kind, NewRecords, Outcome, Reason, RecordState, RunKind, RunState
from carts.errors import CartError, NotFound, Rejected, StopRequested
from carts.models import Cart, Feed, Record, Run, RunItem
from carts.platforms.base import CartAdapter
from carts.records import ItemRef, RawRecord, Window
from carts.services import feeds, leases, marks, pairs, records_import, runs
from carts.services.budgets import Priority
from carts.services.connections import adapter_for, capabilities
from carts.services.merging import Merge

log = logging.getLogger(__name__)

VERIFIED_AT_ONCE = 100
# A sweep that has read no page yet; no position of a platform.
SWEEP_BEGINS = "begin"
GONE = "The shop does not have it any more; it may have been deleted there. It is not created anew by itself."


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the cart as it came; `parent_id` is "" unless it is a variation."""

    raw: RawRecord
    parent_id: str = ""


def poll(feed_id: int, token: str, *, started_by: str = "") -> Run | None:
    """One poll of items or customers under a lease that is held already; as feeds.poll."""
    feed = Feed.objects.select_related("cart").get(pk=feed_id)
    work = UpdatePoll(feed, token, started_by)
    try:
        work.read()
        work.end()
    except StopRequested:
        if work.run:
            runs.log(work.run, "Ended early: Stop was clicked, or another worker took over. It goes on from there.")
            runs.finish(work.run, RunState.STOPPED)
    except CartError as error:
        work.end_failed(error)
    except Exception:
        log.exception("Poll of feed %s failed", feed_id)
        work.end_failed(CartError("Something unexpected went wrong; the log has it. The next try follows by itself."))
    return work.run


def take_again(feed: Feed, token: str, rows: Sequence[Row]) -> None:
    """Records that were read by id, as a webhook asked for, and the variations of those; as feeds.take_again."""
    work = UpdatePoll(feed, token)
    try:
        work.take(rows)
    except StopRequested:
        if work.run:
            runs.finish(work.run, RunState.STOPPED)
        raise
    move_last_update_time(feed.cart)
    if work.run:
        runs.finish(work.run)


@dataclass
class UpdatePoll:
    """The work of one poll; a run appears with the first thing worth telling."""

    feed: Feed
    token: str
    started_by: str = ""
    run: Run | None = None
    high_water: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        self.cart: Cart = self.feed.cart
        self.kind = Kind(self.feed.kind)
        self.high_water = self.feed.high_water

    def read(self) -> None:
        adapter = adapter_for(self.cart, Priority.BACKGROUND)
        if self.kind in capabilities(self.cart).tells_changes and getattr(self.cart, pairs.TAKES[self.kind]):
            self._read_changed(adapter)
        if self._sweep_is_due():
            self._sweep(adapter)

    def _read_changed(self, adapter: CartAdapter) -> None:
        overlap = timedelta(seconds=capabilities(self.cart).overlap_seconds)
        since = self.high_water - overlap if self.high_water else self.cart.update_fence or self.cart.last_update_time
        window = Window(since, self.cart.requests_in_flight, before_request=self._hold)
        with closing(adapter.fetch(self.kind, window)) as pages:
            for page in pages:
                self._take(adapter, page.rows)

    def _sweep_is_due(self) -> bool:
        feed, now = self.feed, timezone.now()
        if feed.sweep_position or feed.swept_at is None:
            return True
        return now >= feed.swept_at + timedelta(hours=self.cart.record_sweep_hours)

    def _sweep(self, adapter: CartAdapter) -> None:
        feed = self.feed
        if not feed.sweep_position:
            feed.sweep_started_at = timezone.now()
            self._hold(sweep_started_at=feed.sweep_started_at, sweep_position=SWEEP_BEGINS)
            feed.sweep_position = SWEEP_BEGINS
        is_last = False
        while not is_last:
            position = "" if feed.sweep_position == SWEEP_BEGINS else feed.sweep_position
            page = adapter.page_by_id(self.kind, position)
            self._take(adapter, page.rows, is_sweep=True)
            is_last = page.is_last
            # Behind the last page there is only what is missing, which is looked for anew if we are killed now.
            feed.sweep_position = page.next_position or feed.sweep_position
            self._hold(sweep_position=feed.sweep_position)
        self._find_missing(adapter)
        feed.sweep_position = ""
        self._hold(sweep_position="", swept_at=timezone.now())

    def _take(self, adapter: CartAdapter, rows: Sequence[RawRecord], *, is_sweep: bool = False) -> None:
        taken = [Row(raw) for raw in rows]
        if self.kind == Kind.ITEM:
            taken += variations(self.cart, adapter, rows, every=is_sweep, hold=self._hold)
        taken = self._take_news(adapter, taken)
        if is_sweep:
            seen = [raw.external_id for raw in rows] + [row.raw.external_id for row in taken]
            Record.objects.filter(cart=self.cart, kind=self.kind, external_id__in=seen).update(seen_at=timezone.now())
        if is_sweep and self.kind in capabilities(self.cart).tells_changes:
            # Rows it has passed may have changed since, before those it meets now: the cursor is the poll's alone.
            return
        modified = [raw.modified_at for raw in rows if raw.modified_at]
        self.high_water = max([*modified, *([self.high_water] if self.high_water else [])], default=None)

    def take(self, rows: Sequence[Row]) -> None:
        adapter = adapter_for(self.cart, Priority.BACKGROUND)
        taken = list(rows)
        if self.kind == Kind.ITEM:
            # What a webhook tells of a product may have happened to any of its variations.
            taken += variations(self.cart, adapter, [row.raw for row in rows], every=True, hold=self._hold)
        self._take_news(adapter, taken)

    def _take_news(self, adapter: CartAdapter, taken: Sequence[Row]) -> list[Row]:
        """The rows that are behind the fence; those of them that have changed are taken."""
        fence = self.cart.update_fence
        since = [row for row in taken if not (fence and row.raw.modified_at and row.raw.modified_at < fence)]
        news = changed(self.cart, self.kind, since)
        for row in news:
            if self.run is None:
                self.run = runs.create(
                    self.cart, RunKind.SYNC, started_by=self.started_by, record_kind=self.kind, state=RunState.RUNNING
                )
            take_row(self.cart, self.run, adapter, self.kind, row, self._hold)
        settle_groups(self.cart, news)
        return since

    def _find_missing(self, adapter: CartAdapter) -> None:
        """Linked, but not met by the sweep: asked for by id, since a row may have moved between two pages."""
        began = self.feed.sweep_started_at
        linked = Record.objects.filter(
            cart=self.cart, kind=self.kind, state=RecordState.IMPORTED, local_id__isnull=False, seen_at__lt=began
        )
        unmet = list(linked.order_by("pk").values_list("pk", "external_id", "parent_id"))
        for start in range(0, len(unmet), VERIFIED_AT_ONCE):
            refs = {ItemRef(row[1], row[2]): row[0] for row in unmet[start : start + VERIFIED_AT_ONCE]}
            there = adapter.read_records(self.kind, list(refs))
            gone = [pk for ref, pk in refs.items() if ref not in there]
            with transaction.atomic():
                self._hold()
                mark_missing(Record.objects.filter(pk__in=gone))

    def _hold(self, **moved: object) -> None:
        leases.hold_feed(self.feed.pk, self.token, **moved)

    # How it ends ------------------------------------------------------------------------------------

    def end(self) -> None:
        now = timezone.now()
        leases.release_feed(
            self.feed.pk, self.token, polled_at=now, high_water=self.high_water, failures=0, error="", error_kind="",
            next_poll_at=now + timedelta(seconds=self.cart.poll_interval_seconds),
        )  # fmt: skip
        move_last_update_time(self.cart)
        if self.run:
            runs.finish(self.run)

    def end_failed(self, error: CartError) -> None:
        # The cursor stays where the poll began: what was taken is there already, and taking it again changes nothing.
        failed = feeds.after_failure(self.feed, error)
        released = leases.release_feed(self.feed.pk, self.token, **failed)
        if self.run is None and released and failed["failures"] == 1:
            self.run = runs.create(
                self.cart, RunKind.SYNC, started_by=self.started_by, record_kind=self.kind, state=RunState.RUNNING
            )
        if self.run:
            runs.log(self.run, f"{error.sentence} {error.detail}".strip(), "error")
            runs.finish(self.run, RunState.FAILED, error.sentence)


def move_last_update_time(cart: Cart) -> None:
    """As far as every enabled feed has come, and never back."""
    enabled = [kind for kind, switch in pairs.TAKES.items() if getattr(cart, switch)]
    reached = list(Feed.objects.filter(cart=cart, kind__in=enabled).values_list("high_water", flat=True))
    known = [at for at in reached if at is not None]
    if known and len(known) == len(enabled):
        earlier = Q(last_update_time__isnull=True) | Q(last_update_time__lt=min(known))
        Cart.objects.filter(earlier, pk=cart.pk).update(last_update_time=min(known))


def mark_missing(records: QuerySet[Record]) -> None:
    records.update(
        state=RecordState.MISSING, reason_code=Reason.GONE, reason=GONE, cart_stock=None, changed_at=timezone.now()
    )


def variations(
    cart: Cart, adapter: CartAdapter, rows: Sequence[RawRecord], *, every: bool, hold: Callable[[], None]
) -> list[Row]:
    """Variations of the products among the rows: of all when `every`, else of those whose own text has changed."""
    known = dict(
        Record.objects.filter(cart=cart, kind=Kind.ITEM, external_id__in=[raw.external_id for raw in rows]).values_list(
            "external_id", "digest"
        )
    )
    found = []
    for raw in rows:
        if not every and bytes(known.get(raw.external_id) or b"") == raw.digest:
            continue
        try:
            has_variations = adapter.parse_item(raw.body).has_variations
        except Rejected:
            continue
        if has_variations:
            hold()
            try:
                found += [Row(child, raw.external_id) for child in adapter.fetch_variations(raw.external_id)]
            except NotFound:
                continue  # deleted while it was read; the next look tells
    return found


# One record -------------------------------------------------------------------------------------------


def changed(cart: Cart, kind: Kind, rows: Sequence[Row]) -> list[Row]:
    """Those that are not as they were when last seen."""
    ids = [row.raw.external_id for row in rows]
    known = Record.objects.filter(cart=cart, kind=kind, external_id__in=ids).values_list(
        "external_id", "digest", "state"
    )
    digests = {
        external_id: None if state == RecordState.MISSING else bytes(digest) for external_id, digest, state in known
    }
    return [row for row in rows if digests.get(row.raw.external_id) != row.raw.digest]


def take_row(cart: Cart, run: Run, adapter: CartAdapter, kind: Kind, row: Row, guard: Callable[[], None]) -> None:
    """In a transaction of its own: one bad record blocks nothing."""
    records = Record.objects.select_related("cart").filter(cart=cart, kind=kind, external_id=row.raw.external_id)
    try:
        with transaction.atomic():
            guard()
            record = records.first()
            if record is not None and record.local_id is not None:
                _take_linked(cart, run, adapter, record, row.raw)
            elif record is not None and record.state == RecordState.IGNORED:
                Record.objects.filter(pk=record.pk).update(digest=row.raw.digest, seen_at=timezone.now())
            else:
                _take_new(cart, run, adapter, kind, row)
    except (Rejected, gateway.NotTaken, records_import.Undecided) as error:
        sentence = str(error)
        with transaction.atomic():
            guard()
            _keep_unread(cart, kind, row, sentence)
            tell(run, row.raw.external_id, row.raw.external_id, Outcome.FAILED, f"Nothing was changed: {sentence}")


def _take_linked(cart: Cart, run: Run, adapter: CartAdapter, record: Record, raw: RawRecord) -> None:
    assert record.local_id is not None
    ours = gateway.values(record.kind, [record.local_id]).get(record.local_id)
    if ours is None:
        return
    pair = pairs.pair_of(cart, adapter, record, raw, ours)
    merged = pair.merged()
    after = pairs.take(pair, merged.take)
    pairs.settle(pair, merged, after)
    if merged.send:
        marks.mark(pairs.PUSH_KIND[Kind(record.kind)], [record.local_id], cart_id=cart.pk)
    if merged.take or merged.conflicts:
        outcome = Outcome.HELD if merged.conflicts else Outcome.UPDATED
        tell(run, raw.external_id, record.label or record.name, outcome, told(record.kind, merged), record.local_id)


def told(kind: str, merged: Merge) -> str:
    labels = fields.LABELS[kind]
    taken = [f"{labels[name]}: {fields.shown(name, text)}" for name, text in merged.take.items()]
    asked = [f"{labels[name]} was changed on both sides; see Problems" for name in merged.conflicts]
    return "; ".join([*taken, *asked])[:2000]


def _take_new(cart: Cart, run: Run, adapter: CartAdapter, kind: Kind, row: Row) -> None:
    """Linked by SKU or e-mail or created where the cart is set so; else only remembered, to be picked."""
    rule = cart.new_items if kind == Kind.ITEM else cart.new_customers
    is_group = kind == Kind.ITEM and adapter.parse_item(row.raw.body).has_variations
    if rule == NewRecords.CREATE and not is_group and getattr(cart, pairs.TAKES[kind]):
        existed, local_id, label = records_import.link(cart, adapter, kind, row.raw, row.parent_id)
        outcome = Outcome.ALREADY if existed else Outcome.NEW
        tell(run, row.raw.external_id, label, outcome, "", local_id)
        return
    remember_new(cart, adapter, kind, row)


def settle_groups(cart: Cart, rows: Sequence[Row]) -> None:
    """What groups variations counts as seen only when these were taken: a worker killed in between reads them again."""
    groups = Record.objects.filter(cart=cart, kind=Kind.ITEM, reason_code=Reason.GROUP)
    digests = {row.raw.external_id: row.raw.digest for row in rows}
    for pk, external_id in groups.filter(external_id__in=digests, digest=b"").values_list("pk", "external_id"):
        Record.objects.filter(pk=pk).update(digest=digests[external_id])


def remember_new(cart: Cart, adapter: CartAdapter, kind: Kind, row: Row) -> None:
    """Seen, and nothing more; the product that groups variations is no item itself (see settle_groups). Raises
    Rejected."""
    is_group = kind == Kind.ITEM and adapter.parse_item(row.raw.body).has_variations
    label, name = pairs.names_of(adapter, kind, row.raw)
    digest = {"digest": b""} if is_group else {}
    records_import.remember(
        cart, adapter, kind, row.raw, row.parent_id, label, name,
        state=RecordState.FILTERED if is_group else RecordState.SEEN,
        reason_code=Reason.GROUP if is_group else Reason.NONE, **digest,
    )  # fmt: skip


def _keep_unread(cart: Cart, kind: Kind, row: Row, sentence: str) -> None:
    """Its digest, so that it is looked at again only when it changes; a link stays a link."""
    now = timezone.now()
    Record.objects.update_or_create(
        cart=cart,
        kind=kind,
        external_id=row.raw.external_id,
        defaults={"digest": row.raw.digest, "seen_at": now, "reason": sentence, "changed_at": now},
        create_defaults={
            "parent_id": row.parent_id,
            "state": RecordState.SEEN,
            "digest": row.raw.digest,
            "payload": "",
            "reason": sentence,
            "seen_at": now,
            "changed_at": now,
        },
    )


def tell(
    run: Run, external_id: str, label: str, outcome: Outcome, message: str = "", local_id: int | None = None
) -> None:
    RunItem.objects.update_or_create(
        run=run,
        external_id=external_id,
        defaults={"label": label[:200], "outcome": outcome, "message": message, "local_id": local_id},
    )
