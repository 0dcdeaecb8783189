"""Claims by conditional UPDATE. Whoever holds the token works; whoever lost it writes nothing more."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from carts.choices import ACTIVE_RUN_STATES, CartStatus, Kind, RunState
from carts.errors import StopRequested
from carts.models import Cart, Feed, Outbox, Run
from carts.services import stock_rows
from carts.services.stock_rows import StockLease

LEASE_SECONDS: float = settings.LEASE_SECONDS
# A subquery, not a join: with a join Django moves every condition into a subquery, and PostgreSQL, having waited for
# somebody else's change of the row, would not look at the lease again.
RUNNING = Q(cart__in=Cart.objects.filter(status=CartStatus.RUNNING).values("pk"))


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)


def claim_feed(feed_id: int) -> str:
    """A new token when the feed is free and its cart runs, "" otherwise."""
    now = timezone.now()
    token = secrets.token_hex(16)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claimed = Feed.objects.filter(free, RUNNING, pk=feed_id, needs_person=False).update(
        lease_token=token, lease_until=lease_end(now)
    )
    return token if claimed else ""


def hold_feed(feed_id: int, token: str, **moved: object) -> None:
    """Renew the lease, and move the cursor in the same statement. Inside a transaction it is the guard of all its
    writes. StopRequested when the token is not ours any more."""
    # The cart is asked too: a claim that met a Stop halfway may hold a token that the Stop did not see.
    mine = Feed.objects.filter(RUNNING, pk=feed_id, lease_token=token)
    held = mine.update(lease_until=lease_end(timezone.now()), **moved)
    if not held:
        raise StopRequested


def one_writer_of_orders(cart_id: int) -> None:
    """Inside a transaction: until it ends, nobody else writes a page of this cart's orders, be it a poll, an import
    of selected ones or a release. So what was decided about a record still holds when it is written."""
    Feed.objects.filter(cart_id=cart_id, kind=Kind.ORDER).update(kind=Kind.ORDER)


def release_feed(feed_id: int, token: str, **result: object) -> bool:
    return bool(Feed.objects.filter(pk=feed_id, lease_token=token).update(lease_token="", lease_until=None, **result))


def revoke_feeds(cart_id: int) -> int:
    """Stop: every worker on this cart loses its lease. How many were at work."""
    at_work = Feed.objects.filter(cart_id=cart_id).exclude(lease_token="")
    return at_work.update(lease_token="", lease_until=None)


def claim_run(run_id: int) -> str:
    now = timezone.now()
    token = secrets.token_hex(16)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claimed = Run.objects.filter(free, pk=run_id, state__in=ACTIVE_RUN_STATES).update(
        lease_token=token, lease_until=lease_end(now), state=RunState.RUNNING
    )
    return token if claimed else ""


def hold_run(run_id: int, token: str) -> None:
    held = Run.objects.filter(pk=run_id, lease_token=token, state=RunState.RUNNING).update(
        lease_until=lease_end(timezone.now())
    )
    if not held:
        raise StopRequested


def claim_outbox(outbox_id: int) -> str:
    """A new token when nobody is sending and the cart runs, "" otherwise."""
    now = timezone.now()
    token = secrets.token_hex(16)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claimed = Outbox.objects.filter(free, RUNNING, pk=outbox_id, needs_person=False).update(
        lease_token=token, lease_until=lease_end(now)
    )
    return token if claimed else ""


def claim_stock(cart_id: int) -> StockLease | None:
    """As claim_outbox, of a cart's stock and only where some is due to be sent: looked for, claimed and read by one
    statement, since a change of stock waits for it."""
    return stock_rows.claim(cart_id, secrets.token_hex(16), lease_end(timezone.now()))


def hold_outbox(outbox_id: int, token: str, *, switch: str = "to_stock_updates", **moved: object) -> None:
    """As hold_feed. What was switched off is as good as a Stop; `switch` is the cart's field for it."""
    on = Q(cart__in=Cart.objects.filter(status=CartStatus.RUNNING, **{switch: True}).values("pk"))
    mine = Outbox.objects.filter(on, pk=outbox_id, lease_token=token)
    if not mine.update(lease_until=lease_end(timezone.now()), **moved):
        raise StopRequested


def release_outbox(outbox_id: int, token: str, **result: object) -> bool:
    mine = Outbox.objects.filter(pk=outbox_id, lease_token=token)
    return bool(mine.update(lease_token="", lease_until=None, **result))


def revoke_outboxes(cart_id: int) -> int:
    at_work = Outbox.objects.filter(cart_id=cart_id).exclude(lease_token="")
    return at_work.update(lease_token="", lease_until=None)
