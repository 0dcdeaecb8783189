"""One sentence of state a cart, true within seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from carts.choices import BAD, GOOD, INFO, PROBLEM_STATES, QUIET, WARN, CartStatus, Kind, PushKind, PushState
from carts.models import Cart, Feed, Outbox, Push, Record
from carts.services.control import shop_time


@dataclass(frozen=True, slots=True)
class State:
    text: str
    tone: str
    since: datetime | None = None


def state_of(cart: Cart) -> State:
    return states([cart])[cart.pk]


def states(carts: Iterable[Cart]) -> dict[int, State]:
    """Four statements, however many carts."""
    carts = list(carts)
    feeds = {feed.cart_id: feed for feed in Feed.objects.filter(cart__in=carts, kind=Kind.ORDER)}
    problems = Record.objects.filter(cart__in=carts, state__in=PROBLEM_STATES).order_by().values_list("cart_id")
    held = dict(problems.annotate(number=Count("id")))
    boxes = {box.cart_id: box for box in Outbox.objects.filter(cart__in=carts, kind=PushKind.STOCK)}
    failed = Push.objects.filter(cart__in=carts, state=PushState.FAILED).order_by().values_list("cart_id")
    unsent = dict(failed.annotate(number=Count("id")))
    found = {}
    for cart in carts:
        of_orders = _state(cart, feeds.get(cart.pk), held.get(cart.pk, 0))
        of_stock = _stock(cart, boxes.get(cart.pk), unsent.get(cart.pk, 0)) if cart.is_running else None
        found[cart.pk] = _both(of_orders, of_stock) if of_stock else of_orders
    return found


def _both(of_orders: State, of_stock: State) -> State:
    tone = BAD if BAD in (of_orders.tone, of_stock.tone) else WARN
    return State(f"{of_orders.text} {of_stock.text}", tone, of_orders.since)


def _stock(cart: Cart, outbox: Outbox | None, unsent: int) -> State | None:
    """What is wrong with the stock that goes to the cart, if anything is."""
    if not cart.to_stock_updates or outbox is None:
        return None
    if outbox.needs_person:
        return State(f"Stock is not sent and needs you: {outbox.error}", BAD)
    if outbox.error:
        at = f" Next try at {shop_time(cart, outbox.next_drain_at):%H:%M:%S}." if outbox.next_drain_at else ""
        return State(f"Stock cannot be sent just now: {outbox.error}{at}", WARN)
    if unsent:
        items = "1 item" if unsent == 1 else f"{unsent} items"
        return State(f"The stock of {items} could not be sent: see Problems.", WARN)
    return None


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
