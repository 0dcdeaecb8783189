"""The nights the clocks change: nothing is lost and nothing doubled, in zones of whole and half hours."""

from datetime import UTC, datetime, timedelta

import pytest

from carts.services import control
from sandbox.testing import practice_shop
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    connected_cart,
    documents,
    feed_of,
    fresh,
    know_the_items,
    poll,
)

pytestmark = pytest.mark.django_db

# From well before to well after, so that the change itself and the hour that the shop mistakes for it are both inside:
# a filter in UTC is first read as a local time, and one that the local clock skips is moved on.
NIGHTS = {
    "New York, spring": ("America/New_York", datetime(2026, 3, 8, 0, 30, tzinfo=UTC), 9),
    "New York, autumn": ("America/New_York", datetime(2026, 11, 1, 0, 30, tzinfo=UTC), 9),
    "Lord Howe, spring": ("Australia/Lord_Howe", datetime(2026, 10, 3, 14, 0, tzinfo=UTC), 15),
    "Lord Howe, autumn": ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, 0, tzinfo=UTC), 16),
    "Berlin, spring": ("Europe/Berlin", datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 4),
}


@pytest.fixture(params=NIGHTS.values(), ids=NIGHTS.keys())
def night(request, time_machine):
    """(shop in that zone, the evening, hours until the morning); our own clock goes with the shop's."""
    zone, evening, hours = request.param
    time_machine.move_to(evening, tick=False)
    with practice_shop(timezone=zone) as place:
        place.shop.clock.set(evening)
        yield place, evening, hours


def test_a_poll_every_ten_minutes_finds_each_order_once(night, time_machine):
    place, evening, hours = night
    know_the_items(place)
    cart = connected_cart(place, fence=evening)
    control.start(cart, "staff", without_rehearsal=True)
    place.shop.place_order()
    poll(cart)
    for minutes in range(10, hours * 60, 10):
        now = evening + timedelta(minutes=minutes)
        time_machine.move_to(now, tick=False)
        place.shop.clock.set(now - timedelta(minutes=7))
        order = place.shop.place_order()
        place.shop.clock.set(now)
        poll(cart)
        assert str(order.id) in documents(cart), f"missed at {now:%H:%M} UTC"
    assert_none_lost_none_doubled(place, cart)
    newest = max(order.modified for order in place.shop.orders.rows.values())
    assert feed_of(cart).high_water == newest == fresh(cart).last_order_from


def test_a_fence_at_any_moment_of_the_night_is_kept(night, time_machine):
    place, evening, hours = night
    know_the_items(place)
    for minutes in range(0, hours * 60, 15):
        place.shop.place_order(placed=evening + timedelta(minutes=minutes))
    morning = evening + timedelta(hours=hours)
    time_machine.move_to(morning, tick=False)
    place.shop.clock.set(morning)
    for number, minutes in enumerate(range(0, hours * 60, 75)):
        fence = evening + timedelta(minutes=minutes)
        cart = connected_cart(place, name=f"Cart {number}", fence=fence)
        assert control.start_plan(cart).order_count >= len(range(minutes, hours * 60, 15))
        control.start(cart, "staff", without_rehearsal=True)
        poll(cart)
        assert_none_lost_none_doubled(place, cart)
        assert len(documents(cart)) == len(range(minutes, hours * 60, 15))
