"""Two workers on one cart: whoever lost the lease writes nothing more."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from carts.choices import RunState
from carts.errors import StopRequested
from carts.models import Feed, Run
from carts.services import control, feeds, leases, ticking
from tests.engine.helpers import (
    Worker,
    assert_none_lost_none_doubled,
    documents,
    feed_of,
    fresh,
    know_the_items,
    poll,
    row_counts,
    running_cart,
    try_poll,
    wait_until,
)
from tests.platforms.around import around, at_request

pytestmark = pytest.mark.django_db(transaction=True)


def expire(feed: Feed) -> None:
    """As if the worker had not been heard of for longer than its lease."""
    Feed.objects.filter(pk=feed.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_feed_is_claimed_once(cart):
    feed = feed_of(cart)
    assert leases.claim_feed(feed.pk)
    assert leases.claim_feed(feed.pk) == ""


def test_of_two_claims_that_meet_one_wins(cart):
    """The second waits for the first one's transaction and must then look again."""
    feed = feed_of(cart)
    with transaction.atomic():
        mine = leases.claim_feed(feed.pk)
        other = Worker(lambda: leases.claim_feed(feed.pk))
        threading.Event().wait(0.5)  # long enough for it to be waiting; if it is not, it loses all the more
    other.join()
    assert (bool(mine), other.result) == (True, "")
    assert feed_of(cart).lease_token == mine


def test_a_holder_that_meets_a_revocation_stops(cart):
    feed = feed_of(cart)
    token = leases.claim_feed(feed.pk)

    def hold() -> str:
        try:
            leases.hold_feed(feed.pk, token)
        except StopRequested:
            return "stopped"
        return "held"

    with transaction.atomic():
        leases.revoke_feeds(cart.pk)
        other = Worker(hold)
        threading.Event().wait(0.5)
    other.join()
    assert other.result == "stopped"
    assert feed_of(cart).lease_until is None


def test_a_stopped_cart_is_not_claimed_and_nothing_is_held_on_it(cart):
    feed = feed_of(cart)
    token = leases.claim_feed(feed.pk)
    control.stop(fresh(cart), "staff")
    assert leases.claim_feed(feed.pk) == ""
    # A claim that met the Stop halfway.
    Feed.objects.filter(pk=feed.pk).update(lease_token=token)
    with pytest.raises(StopRequested):
        leases.hold_feed(feed.pk, token)


def test_an_expired_lease_is_taken_over_and_the_first_worker_writes_nothing_more(history):
    """The first one hangs with its second page in hand while another does the whole work."""
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=1)
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        goes_on.wait(60)

    with around(history, before=at_request(2, hang)):
        first = Worker(lambda: poll(cart))
        assert hangs.wait(60)
        wait_until(lambda: len(documents(cart)) == 100)
        expire(feed_of(cart))
        second = leases.claim_feed(feed_of(cart).pk)
        assert second
        goes_on.set()
        first.join()
    assert len(documents(cart)) == 100
    assert first.result.state == RunState.STOPPED
    feeds.poll(feed_of(cart).pk, second)
    assert_none_lost_none_doubled(history, cart)


@pytest.mark.parametrize("in_flight", [1, 4])
def test_two_workers_that_both_believe_to_hold_the_lease(history, in_flight):
    """A message delivered twice carries the same token: both may read, and each order still is one document."""
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=in_flight)
    feed = feed_of(cart)
    token = leases.claim_feed(feed.pk)
    workers = [Worker(lambda: feeds.poll(feed.pk, token)) for _ in range(2)]
    for worker in workers:
        worker.join()
    assert_none_lost_none_doubled(history, cart)
    assert not any(run.is_active for run in Run.objects.filter(cart=cart))


def test_many_workers_poll_one_cart_while_orders_are_placed(history):
    know_the_items(history)
    cart = running_cart(history)

    def work() -> None:
        for _ in range(4):
            history.shop.place_order()
            try_poll(cart)

    for worker in [Worker(work) for _ in range(3)]:
        worker.join()
    poll(cart)
    assert_none_lost_none_doubled(history, cart)


def test_a_wake_up_that_comes_late_or_twice_does_nothing(cart, place):
    place.shop.place_order()
    feed = feed_of(cart)
    token = leases.claim_feed(feed.pk)
    feeds.poll(feed.pk, token)
    before, requests = row_counts(), len(place.requests)
    ticking.poll_claimed(feed.pk, token)
    ticking.poll_if_due(feed.pk)  # not due before its interval is over
    assert (row_counts(), len(place.requests)) == (before, requests)


def test_a_run_left_by_a_killed_worker_is_ended_once_its_time_is_over(cart, time_machine):
    run = Run.objects.create(cart=cart, kind="sync", state=RunState.RUNNING, started_at=timezone.now())
    Feed.objects.filter(cart=cart).update(lease_token="killed", lease_until=leases.lease_end(timezone.now()))
    ticking.end_forsaken_polls()
    assert fresh(run).state == RunState.RUNNING
    time_machine.move_to(timezone.now() + timedelta(seconds=leases.LEASE_SECONDS + 1))
    ticking.end_forsaken_polls()
    assert fresh(run).state == RunState.STOPPED
    assert run.log_lines.count() == 1
