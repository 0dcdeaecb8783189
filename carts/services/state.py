"""One sentence of state a cart, true within seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from carts.choices import BAD, GOOD, INFO, PROBLEM_STATES, QUIET, WARN, CartStatus, Kind
from carts.models import Cart, Feed, Record
from carts.services.control import shop_time


@dataclass(frozen=True, slots=True)
class State:
    text: str
    tone: str
    since: datetime | None = None


def state_of(cart: Cart) -> State:
    return states([cart])[cart.pk]


def states(carts: Iterable[Cart]) -> dict[int, State]:
    """Two statements, however many carts."""
    carts = list(carts)
    feeds = {feed.cart_id: feed for feed in Feed.objects.filter(cart__in=carts, kind=Kind.ORDER)}
    problems = Record.objects.filter(cart__in=carts, state__in=PROBLEM_STATES).order_by().values_list("cart_id")
    held = dict(problems.annotate(number=Count("id")))
    return {cart.pk: _state(cart, feeds.get(cart.pk), held.get(cart.pk, 0)) for cart in carts}


def _state(cart: Cart, feed: Feed | None, held: int) -> State:
    if cart.status == CartStatus.STOPPED:
        if cart.stopped_at:
            return State(f"STOPPED. {cart.stopped_note}".strip(), QUIET, cart.stopped_at)
        return State("STOPPED. It was never started: nothing is imported by itself.", QUIET)
    if feed is None:
        return State("RUNNING. The first look at the cart is about to begin.", INFO, cart.started_at)
    if feed.needs_person:
        return State(f"RUNNING, but needs you: {feed.error}", BAD, feed.error_at)
    if feed.error:
        again = ""
        if feed.next_poll_at:
            again = f" Next try at {shop_time(cart, feed.next_poll_at):%H:%M:%S}."
        return State(f"RUNNING, but the cart cannot be read just now: {feed.error}{again}", WARN, feed.error_at)
    if feed.lease_token and feed.lease_until and feed.lease_until > timezone.now():
        return State("RUNNING. Reading orders from the cart just now.", GOOD, cart.started_at)
    if feed.polled_at is None:
        return State("RUNNING. The first look at the cart is about to begin.", INFO, cart.started_at)
    waiting = f" {held} {'order needs' if held == 1 else 'orders need'} you: see Problems." if held else ""
    return State(f"RUNNING. Orders are up to date.{waiting}", WARN if held else GOOD, feed.polled_at)
