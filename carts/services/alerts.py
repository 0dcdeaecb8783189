"""Mail to a cart's Notification Email: digests, not floods; and silence for too long is an alert of its own."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone

from carts.choices import PROBLEM_STATES, CartStatus, Kind, RecordState
from carts.models import Cart, Feed, Outbox, Record
from carts.secrets import redact
from carts.services import platform_facts, stock_state
from carts.services.connections import capabilities

log = logging.getLogger(__name__)

# At most one mail a cart in this time, whatever happens.
QUIET_MINUTES = 60
# A RUNNING cart that was not read for this long is worth a mail even if nothing failed.
STALE_MINUTES = 30
LISTED = 20


def send_due() -> None:
    """One digest for each cart that has something new to tell."""
    now = timezone.now()
    rested = Q(alerted_at=None) | Q(alerted_at__lt=now - timedelta(minutes=QUIET_MINUTES))
    for cart in Cart.objects.filter(rested, status=CartStatus.RUNNING).exclude(notification_emails=""):
        lines = _news(cart, now)
        # Claimed before it is sent: two ticks at once send one mail; a mail that fails is told in the log.
        if lines and Cart.objects.filter(rested, pk=cart.pk).update(alerted_at=now):
            _send(cart, lines)


def _news(cart: Cart, now: datetime) -> list[str]:
    since = cart.alerted_at or cart.started_at or cart.created_at
    lines = []
    feed = Feed.objects.filter(cart=cart, kind=Kind.ORDER).first()
    if feed and feed.error_at and feed.error_at > since and (feed.needs_person or feed.failures > 3):
        lines.append(feed.error)
    for outbox in Outbox.objects.filter(cart=cart, error_at__gt=since):
        if outbox.needs_person or outbox.failures > 3:
            lines.append(f"Stock is not sent: {outbox.error}")
    unsent = stock_state.failed(cart).filter(marked_at__gt=since).count()
    if unsent:
        lines.append(f"The stock of {unsent} {'item' if unsent == 1 else 'items'} could not be sent; see Problems.")
    if _is_stale(cart, feed, now) and not lines:
        lines.append(f"The cart was not read for {STALE_MINUTES} minutes. Check that the workers and beat are running.")
    problems = Record.objects.filter(cart=cart, state__in=PROBLEM_STATES, changed_at__gt=since)
    number = problems.count()
    if number:
        lines.append(f"{number} {'order needs' if number == 1 else 'orders need'} you:")
        lines += [f"  {record.label}: {record.reason}" for record in problems.order_by("-changed_at")[:LISTED]]
        if number > LISTED:
            lines.append(f"  ... and {number - LISTED} more under Problems.")
    if cart.silence_hours and _is_silent(cart, now):
        lines.append(f"No new order came for {cart.silence_hours} hours. Check that the shop takes orders.")
    retirement = platform_facts.retirement(capabilities(cart), now.date())
    if lines and retirement.warning:
        lines.append(retirement.warning)
    return lines


def _is_stale(cart: Cart, feed: Feed | None, now: datetime) -> bool:
    last = max(
        filter(None, [cart.started_at, feed.polled_at if feed else None, feed.error_at if feed else None]), default=None
    )
    patience = timedelta(minutes=STALE_MINUTES, seconds=cart.poll_interval_seconds)
    return last is not None and last < now - patience


def _is_silent(cart: Cart, now: datetime) -> bool:
    since = now - timedelta(hours=cart.silence_hours)
    if cart.started_at is None or cart.started_at > since:
        return False
    newest = Record.objects.filter(cart=cart, kind=Kind.ORDER, state=RecordState.IMPORTED).order_by("-placed_at", "-id")
    placed = newest.values_list("placed_at", flat=True).first()
    return placed is None or placed < since


def _send(cart: Cart, lines: list[str]) -> None:
    try:
        send_mail(
            subject=f"CartSync: {cart.name} needs you",
            message=redact("\n".join(lines)),
            from_email=settings.DEFAULT_FROM_EMAIL,
            recipient_list=cart.notification_addresses,
        )
    except OSError as error:
        log.error("The mail about cart %s could not be sent: %s", cart.pk, type(error).__name__)
