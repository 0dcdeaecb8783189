"""Items both ways: whatever happens, when it is quiet a field is the same on both sides or waits for a person."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.core import serializers
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.models import Customer, Item
from carts.choices import Kind
from carts.fields import number_text
from carts.models import Cart, Conflict, Feed, Outbox, Push, Record
from carts.services import conflicts, feeds, leases, stock_sweep, ticking
from sandbox.testing import PracticeShop
from tests.contract.harness import HARNESSES
from tests.engine.helpers import fresh, poll
from tests.push.conftest import count_in, no_waiting, place, writes  # noqa: F401
from tests.push.test_records import cart, edit_here, edit_there, item_pair  # noqa: F401

ITEMS = 2
numbers = st.integers(0, ITEMS - 1)
fields = st.sampled_from(["price", "name"])
values = st.integers(1, 6)
ACTIONS = st.one_of(
    st.tuples(st.just("here"), numbers, fields, values),
    st.tuples(st.just("there"), numbers, fields, values),
    st.tuples(st.just("poll")),
    st.tuples(st.just("push")),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("decide"), st.sampled_from(["ours", "theirs"])),
    st.tuples(st.just("killed")),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["500", "429", "timeout", "reset", "truncated", "html200"]),
        st.sampled_from(["/batch", "/products"]),
        st.booleans(),
    ),
)


class Life:
    """One cart and its shop; every action is something that happens to live ones."""

    def __init__(self, cart: Cart, place: PracticeShop) -> None:  # noqa: F811
        self.cart, self.place = cart, place
        self.pairs = [item_pair(place, number) for number in range(ITEMS)]

    def begins_equal(self) -> None:
        for number in range(ITEMS):
            for name in ("price", "name"):
                self.here(number, name, 9)
                self.there(number, name, 9)
        self.falls_quiet()

    def here(self, number: int, name: str, value: int) -> None:
        edit_here(fresh(self.pairs[number][1]), **{name: value if name == "price" else f"Name {value}"})

    def there(self, number: int, name: str, value: int) -> None:
        product = self.pairs[number][0]
        values = {"regular_price": str(value)} if name == "price" else {"name": f"Name {value}"}
        edit_there(self.place, product, **values)

    def poll(self) -> None:
        for feed in Feed.objects.filter(cart=self.cart, kind=Kind.ITEM):
            if token := leases.claim_feed(feed.pk):
                ticking.poll_now(feed.pk, token)

    def sweep(self) -> None:
        Feed.objects.update(swept_at=None)
        self.poll()

    def push(self) -> None:
        Outbox.objects.update(next_drain_at=None)
        ticking.push_records(self.cart.pk, "item")

    def decide(self, side: str) -> None:
        for each in list(conflicts.waiting(self.cart)):
            if Conflict.objects.filter(pk=each.pk).exists():
                conflicts.resolve(each, side)

    def killed(self) -> None:
        """A worker took the lease and was never heard of again."""
        outbox = Outbox.objects.get_or_create(cart=self.cart, kind="item")[0]
        leases.claim_outbox(outbox.pk)
        Outbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    def fault(self, kind: str, match: str, processed: bool) -> None:
        match = HARNESSES[self.place.platform_name].paths.get(match, match)
        self.place.faults.add(kind, match=match, processed=processed, seconds=0.01)

    def falls_quiet(self) -> None:
        self.place.faults.clear()
        Feed.objects.update(needs_person=False)
        Outbox.objects.update(needs_person=False)
        for _ in range(2):
            self.poll()
            self.push()

    def differing(self) -> set[tuple[int, str, str, str]]:
        """(item, field, ours, theirs) as both sides really are."""
        found = set()
        for product, item in self.pairs:
            ours, theirs = fresh(item), self.place.shop.products.rows[product.id]
            if (price := number_text(ours.price)) != (shown := number_text(Decimal(theirs.regular_price))):
                found.add((item.pk, "price", price, shown))
            if ours.name != theirs.name:
                found.add((item.pk, "name", ours.name, theirs.name))
        return found


def settles(life: Life, actions: list[tuple]) -> None:
    """Let the actions happen and all fall quiet; then both sides are equal, or differ where a person is asked."""
    place = life.place  # noqa: F811
    place.faults.clear()
    life.begins_equal()
    assert not life.differing()
    for what, *more in actions:
        getattr(life, what)(*more)
    life.falls_quiet()
    asked = {
        (each.record.local_id, each.field, each.ours, each.theirs) for each in Conflict.objects.select_related("record")
    }
    assert life.differing() == asked
    life.decide("ours")
    life.falls_quiet()
    assert not life.differing() and not Conflict.objects.exists() and not Push.objects.exists()
    place.requests.clear()
    life.sweep()
    life.push()
    assert writes(place) == []


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTIONS, max_size=14))
def test_when_it_is_quiet_both_sides_are_equal_or_ask_and_nothing_more_is_written(cart, place, actions):  # noqa: F811
    settles(Life(fresh(cart), place), actions)


# No echo ------------------------------------------------------------------------------------------------


def everything_ours() -> str:
    """All that is in the back office, and what is known of every record, but for when it was last looked at."""
    rows: list[Any] = [*Item.objects.order_by("pk"), *Customer.objects.order_by("pk")]
    records = list(Record.objects.order_by("pk"))
    for record in records:
        record.seen_at = record.changed_at = None  # type: ignore[assignment]
    return serializers.serialize("json", [*rows, *records, *Push.objects.all()])


def ten_minutes(cart: Cart, nth: int) -> None:  # noqa: F811
    """What tick and workers do in the nth ten minutes from now, one tick every ten seconds."""
    began = timezone.now() + nth * timedelta(minutes=11)
    for seconds in range(0, 600, 10):
        with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
            for feed_id in feeds.due_feeds(timezone.now()):
                ticking.poll_now(feed_id, leases.claim_feed(feed_id))
            if cart.pk in ticking.stock_due(timezone.now()):
                ticking.push_stock(cart.pk)
            for cart_id, kind in ticking.records_due(timezone.now()):
                ticking.push_records(cart_id, kind)


def echoes_nothing(cart: Cart, place: PracticeShop) -> None:  # noqa: F811
    """Everything is on: items, customers and stock, both ways. Idle minutes write nothing, one change is one write."""
    poll(cart)
    Cart.objects.filter(pk=cart.pk).update(started_at=timezone.now() - timedelta(days=1), to_stock_updates=True)
    stock_sweep.outbox_of(cart)
    product, item = next(pair for pair in (item_pair(place, n) for n in range(9)) if pair[0].manages_stock)
    ten_minutes(cart, 0)
    place.requests.clear()
    before = everything_ours()
    ten_minutes(cart, 1)
    assert writes(place) == []
    assert everything_ours() == before
    assert len(place.requests) > 10, "it did look"
    edit_here(fresh(item), price=123)
    ten_minutes(cart, 2)
    assert len(writes(place)) == 1
    count_in(item, 5)
    ten_minutes(cart, 3)
    assert len(writes(place)) == 2
    edit_there(place, product, name="Changed in the shop")
    Feed.objects.update(swept_at=None)  # the shop's clock stands where ours was an hour ago
    ten_minutes(cart, 4)
    assert fresh(item).name == "Changed in the shop"
    assert len(writes(place)) == 2, "what came from the cart does not go back"


def test_ten_idle_minutes_write_nothing_and_one_change_is_one_write(cart, place):  # noqa: F811
    echoes_nothing(cart, place)
