"""Every fault of the practice shop ends, after recovery, with no order lost and none doubled."""

from datetime import timedelta

import pytest
from django.utils import timezone

from carts.choices import RunState
from carts.models import Feed, Run
from carts.services import control, feeds, problems
from carts.services.feeds import MAX_BACK_OFF_SECONDS, RATE_LIMIT_SECONDS
from carts.services.state import state_of
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    documents,
    feed_of,
    fresh,
    know_the_items,
    poll,
    row_counts,
    running_cart,
    try_poll,
)

pytestmark = pytest.mark.django_db

FAULTS = {
    "latency": {"seconds": 0.2},
    "401": {},
    "429": {},
    "429 with a time": {"retry_after": 7},
    "500": {},
    "timeout": {"seconds": 0.2},
    "timeout after the work": {"seconds": 0.2, "processed": True},
    "reset": {},
    "truncated": {},
    "html200": {},
    "html503": {},
    "redirect": {},
    "same_second": {"count": 9},
    "late_commit": {"count": 4, "seconds": 100},
    "rows_move": {"count": 7},
}


def recover(cart) -> None:
    """What time and staff do: ticks go on, and somebody clicks Test Connection where a person is needed."""
    for _ in range(12):
        if feed_of(cart).needs_person:
            control.test_connection(fresh(cart), "staff")
        try_poll(cart)
        if not feed_of(cart).error:
            return
    raise AssertionError(f"it did not recover: {feed_of(cart).error}")


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_on_the_second_and_third_page(history, name, in_flight):
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=in_flight)
    history.faults.add(name.split(" ")[0], match=r"/orders\?", after=1, times=2, **FAULTS[name])
    poll(cart)
    history.shop.place_order()
    recover(cart)
    poll(cart)
    assert_none_lost_none_doubled(history, cart)
    assert_runs_add_up(cart)
    assert problems.count() == 0


def test_all_faults_one_after_the_other_while_the_shop_lives_on(history):
    know_the_items(history)
    cart = running_cart(history)
    for name, options in FAULTS.items():
        history.faults.add(name.split(" ")[0], match=r"/orders\?", **options)
        history.shop.place_order()
        recover(cart)
    poll(cart)
    assert_none_lost_none_doubled(history, cart)
    assert_runs_add_up(cart)


def test_pages_read_before_a_fault_stay_and_are_not_asked_for_again(history):
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=1)
    history.faults.add("500", match=r"/orders\?", after=1)
    run = poll(cart)
    assert (run.state, len(documents(cart))) == (RunState.FAILED, 100)
    history.requests.clear()
    poll(cart)
    # From the cursor less the overlap: the 150 that are left, and a row or two before them.
    assert len(history.requests) == 2
    assert_none_lost_none_doubled(history, cart)


# What each kind of error does to the feed -----------------------------------------------------------


def test_a_refused_key_needs_a_person_until_test_connection_passes(cart, place):
    place.shop.place_order()
    place.faults.add("401", match=r"/orders\?")
    poll(cart)
    feed = feed_of(cart)
    assert (feed.needs_person, feed.error_kind) == (True, "auth")
    assert problems.count() == 1
    assert state_of(fresh(cart)).text.startswith("RUNNING, but needs you: The shop refused the key")
    assert try_poll(cart) is None and feeds.due_feeds(timezone.now() + timedelta(days=9)) == []
    place.faults.add("401", match="/orders")
    assert not control.test_connection(fresh(cart), "staff").passed
    assert feed_of(cart).needs_person
    assert control.test_connection(fresh(cart), "staff").passed
    assert feeds.due_feeds(timezone.now()) == [feed.pk]
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


@pytest.mark.parametrize(("retry_after", "waits"), [(90, 90), (0, 1), (None, RATE_LIMIT_SECONDS)])
def test_being_asked_to_wait_is_obeyed_and_is_no_failure(cart, place, time_machine, retry_after, waits):
    time_machine.move_to(place.shop.clock.now(), tick=False)
    place.faults.add("429", match=r"/orders\?", retry_after=retry_after)
    poll(cart)
    feed = feed_of(cart)
    assert (feed.failures, feed.needs_person, feed.error_kind) == (0, False, "rate_limited")
    assert feed.next_poll_at == timezone.now() + timedelta(seconds=waits)
    assert feeds.due_feeds(feed.next_poll_at - timedelta(microseconds=1)) == []
    assert feeds.due_feeds(feed.next_poll_at) == [feed.pk]
    poll(cart)
    assert (feed_of(cart).error, feed_of(cart).error_kind) == ("", "")


def test_back_off_doubles_is_capped_and_ends_with_the_first_answer(cart, place, time_machine):
    time_machine.move_to(place.shop.clock.now(), tick=False)
    place.faults.add("500", match=r"/orders\?", times=9)
    waits = []
    for _ in range(9):
        poll(cart)
        waits.append((feed_of(cart).next_poll_at - timezone.now()).total_seconds())
    assert waits == [120, 240, 480, 960, 1800, 1800, 1800, 1800, 1800]
    assert waits[-1] == MAX_BACK_OFF_SECONDS
    assert (feed_of(cart).failures, feed_of(cart).needs_person) == (9, False)
    poll(cart)
    feed = feed_of(cart)
    assert (feed.failures, feed.next_poll_at) == (0, timezone.now() + timedelta(seconds=60))


def test_a_failure_that_lasts_is_one_run_not_one_a_poll(cart, place):
    place.faults.add("500", match=r"/orders\?", times=5)
    for _ in range(5):
        poll(cart)
    assert Run.objects.filter(cart=cart, state=RunState.FAILED).count() == 1


def test_an_error_holds_no_secret_wherever_it_is_kept(cart, place):
    place.faults.add("500", match=r"/orders\?")
    place.faults.add(
        "redirect", match=r"/orders\?", after=1, to="http://elsewhere.invalid/?consumer_secret=cs_1234567890"
    )
    poll(cart), poll(cart)
    told = [feed_of(cart).error, *Run.objects.values_list("error", flat=True)]
    told += [text for run in Run.objects.all() for text in run.log_lines.values_list("text", flat=True)]
    assert len(told) == 3
    assert not [text for text in told if place.secret in text or "cs_1234567890" in text or "oauth_" in text]


def test_a_failed_poll_changes_nothing_but_its_feed_and_its_run(cart, place):
    place.shop.place_order()
    place.faults.add("500", match=r"/orders\?")
    but = ("Run", "RunLogLine")
    before = row_counts(but=but)
    poll(cart)
    assert row_counts(but=but) == before
    assert feed_of(cart).high_water is None
    assert Feed.objects.get().lease_token == ""
