"""What carts tell us of their own accord. A webhook only says what to read again; polling stays the truth.

A delivery is stored and answered before anything is done. The worker then takes the lease of the feed of that kind,
reads the records it names as they are now, and takes them the way a poll does; so nothing is doubled by what comes
twice, late or in another order, and nothing is lost by what never comes.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import cast

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from carts import gateway
from carts.choices import CartStatus, Kind, Reason, RecordState
from carts.errors import CartError, RateLimited, Rejected, StopRequested
from carts.models import Cart, Delivery, Feed, HeldFor, Record, Webhooks
from carts.platforms.base import CartAdapter, WebhookAdapter
from carts.records import ItemRef, RawRecord
from carts.services import feeds, leases, open_units, updates, wakeups
from carts.services.budgets import Priority
from carts.services.connections import adapter_for

log = logging.getLogger(__name__)

READ_AT_ONCE = 100  # what an adapter's fetch_many takes
TRY_AGAIN_SECONDS = 60.0
# A delivery that was not to be read so often is left to the poll.
MOST_TRIES = 5
# Longer than any platform sends one again: BigCommerce does for two days.
KEPT = timedelta(days=3)
# Shopify shows orders of more than 60 days only to keys that may read all: gone, or kept from us, look alike.
GONE = (
    "The shop told of this order but does not show it: it was deleted there, or our key may not read it. It was not "
    "imported."
)
GONE_TODO = (
    "The shop told of a change to this order but does not show it any more: it was deleted there, or our key may not "
    "read orders this old. Look at it in the shop's admin; then cancel this document, or keep it."
)


class Receipt(Enum):
    """What becomes of one delivery."""

    UNKNOWN = 404
    REFUSED = 401
    TAKEN = 200


def receive(key: str, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Store what this delivery names, once. A STOPPED cart's is taken and not kept: its next Start reads everything
    since. Raises ConfigError when the cart's credentials cannot be read."""
    cart = Cart.objects.filter(webhooks__key=key).first()
    if cart is None:
        return Receipt.UNKNOWN
    now, mine = timezone.now(), Webhooks.objects.filter(pk=cart.pk)
    try:
        hints = cast(WebhookAdapter, adapter_for(cart)).read_webhook(headers, body)
    except Rejected as error:
        log.warning("A webhook for cart %s was refused: %s", cart.pk, error.detail or error.sentence)
        mine.update(refused=F("refused") + 1, refused_at=now)
        return Receipt.REFUSED
    came = [
        Delivery(
            cart=cart, delivery_id=(hint.delivery_id or secrets.token_hex(16))[:200], kind=hint.kind,
            external_id=hint.external_id, received_at=now, due_at=now,
        )
        for hint in hints
    ]  # fmt: skip
    with transaction.atomic():
        mine.update(told=F("told") + 1, told_at=now)
        if came and cart.is_running:
            Delivery.objects.bulk_create(came, ignore_conflicts=True)
            transaction.on_commit(partial(wakeups.send, "carts.tasks.read_webhooks", cart.pk))
    return Receipt.TAKEN


# Reading again ----------------------------------------------------------------------------------------


def due(now: datetime) -> list[int]:
    """Ids of RUNNING carts with deliveries to be read."""
    waiting = Delivery.objects.filter(done_at=None, due_at__lte=now, cart__status=CartStatus.RUNNING)
    return list(waiting.order_by().values_list("cart_id", flat=True).distinct())


def read_again(cart_id: int) -> None:
    """All that this cart's deliveries name, as far as its feeds are free; for the others the tick comes back."""
    for kind in Kind:
        while deliveries := _waiting(cart_id, kind):
            feed = Feed.objects.filter(cart_id=cart_id, kind=kind).first()
            if feed is None or not feeds.is_wanted(feed):
                _done(deliveries)  # nobody asked for this kind
                continue
            token = leases.claim_feed(feed.pk)
            if not token or not _read(feed, token, deliveries):
                break


def _waiting(cart_id: int, kind: Kind) -> list[Delivery]:
    waiting = Delivery.objects.filter(
        cart_id=cart_id, kind=kind, done_at=None, due_at__lte=timezone.now(), cart__status=CartStatus.RUNNING
    )
    return list(waiting.order_by("id")[:READ_AT_ONCE])


def _done(deliveries: Sequence[Delivery]) -> None:
    Delivery.objects.filter(pk__in=[each.pk for each in deliveries]).update(done_at=timezone.now())


def _read(feed: Feed, token: str, deliveries: Sequence[Delivery]) -> bool:
    """Under the feed's lease; False where there is no sense in going on just now."""
    feed = Feed.objects.select_related("cart").get(pk=feed.pk)
    try:
        _take(feed, token, list(dict.fromkeys(each.external_id for each in deliveries)))
        _done(deliveries)
    except StopRequested:
        return False  # the lease is somebody else's already
    except CartError as error:
        wait = error.wait_seconds if isinstance(error, RateLimited) else None
        _try_later(deliveries, TRY_AGAIN_SECONDS if wait is None else wait, error.sentence)
        return False
    except Exception:
        log.exception("What webhooks of cart %s name could not be taken", feed.cart_id)
        _try_later(deliveries, TRY_AGAIN_SECONDS, "something unexpected")
        return False
    finally:
        # Neither the cursor nor the next poll is moved: that is the poll's own.
        leases.release_feed(feed.pk, token)
    return True


def _try_later(deliveries: Sequence[Delivery], wait: float, why: str) -> None:
    now = timezone.now()
    mine = Delivery.objects.filter(pk__in=[each.pk for each in deliveries])
    mine.filter(tries__gte=MOST_TRIES - 1).update(done_at=now)
    mine.update(tries=F("tries") + 1, due_at=now + timedelta(seconds=max(1.0, wait)))
    log.info("Webhooks wait for %.0f seconds, or for the poll: %s", wait, why)


def _take(feed: Feed, token: str, ids: Sequence[str]) -> None:
    cart, kind, hold = feed.cart, Kind(feed.kind), partial(leases.hold_feed, feed.pk, token)
    adapter = adapter_for(cart, Priority.ORDERS if kind == Kind.ORDER else Priority.BACKGROUND)
    known = Record.objects.filter(cart=cart, kind=kind, external_id__in=ids)
    parents = dict(known.exclude(parent_id="").values_list("external_id", "parent_id")) if kind == Kind.ITEM else {}
    hold()
    found = _fetch(adapter, kind, ids, parents)
    modified = dict(known.values_list("external_id", "modified_at"))
    rows = [row for row in found if not _is_older(row, modified.get(row.external_id))]
    if kind == Kind.ORDER:
        feeds.take_again(feed, token, rows)
    else:
        updates.take_again(feed, token, [updates.Row(row, parents.get(row.external_id, "")) for row in rows])
    gone = set(ids) - {row.external_id for row in found}
    if gone:
        with transaction.atomic():
            hold()
            _mark_gone(cart, kind, gone)


def _fetch(adapter: CartAdapter, kind: Kind, ids: Sequence[str], parents: Mapping[str, str]) -> list[RawRecord]:
    alone = [each for each in ids if each not in parents]
    rows = adapter.fetch_many(kind, alone) if alone else []
    refs = [ItemRef(external_id, parent_id) for external_id, parent_id in parents.items()]
    return [*rows, *(adapter.read_records(kind, refs).values() if refs else ())]


def _is_older(row: RawRecord, known: datetime | None) -> bool:
    """A shop may answer from a copy that is behind."""
    return known is not None and row.modified_at is not None and row.modified_at < known


def _mark_gone(cart: Cart, kind: Kind, ids: set[str]) -> None:
    records = Record.objects.filter(cart=cart, kind=kind, external_id__in=ids)
    if kind != Kind.ORDER:
        # With a product its variations are gone, which nobody names.
        theirs = Record.objects.filter(Q(external_id__in=ids) | Q(parent_id__in=ids), cart=cart, kind=kind)
        updates.mark_missing(theirs.filter(state=RecordState.IMPORTED))
        return
    # What was imported is never edited: a person decides.
    documents = [local_id for local_id in records.values_list("local_id", flat=True) if local_id is not None]
    gateway.add_todos({local_id: [gateway.NewTodo(key="deleted", text=GONE_TODO)] for local_id in documents})
    for record in records.filter(local_id=None).exclude(state=RecordState.MISSING):
        HeldFor.objects.filter(record=record).delete()
        open_units.forget(record)
        Record.objects.filter(pk=record.pk).update(
            state=RecordState.MISSING, reason_code=Reason.GONE, reason=GONE, due_at=None, changed_at=timezone.now()
        )
