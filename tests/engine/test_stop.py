"""Stop stops: nothing of a page in flight is written, no further page is asked for, and Start goes on whole."""

import random
import threading

import pytest

from carts.choices import CartStatus, RunState
from carts.errors import Refused
from carts.models import Run
from carts.services import control, feeds
from tests.engine.helpers import (
    Worker,
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    documents,
    elsewhere,
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
RUN_TABLES = ("Run", "RunItem", "RunLogLine")


def stop(cart) -> None:
    elsewhere(lambda: control.stop(fresh(cart), "staff"))


@pytest.mark.parametrize("in_flight", [1, 4])
def test_stop_while_the_first_page_is_read_writes_nothing_of_it(history, in_flight):
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=in_flight)
    before = row_counts(but=RUN_TABLES)
    history.requests.clear()
    with around(history, before=at_request(1, lambda: stop(cart))):
        run = poll(cart)
    assert row_counts(but=RUN_TABLES) == before
    assert len(history.requests) == 1
    assert run is None or (run.state, run.counts) == (RunState.STOPPED, {})
    stopped = fresh(cart)
    assert stopped.status == CartStatus.STOPPED
    assert "A page of orders was being read; it is not written" in stopped.stopped_note
    assert "reads from Last Order from" in stopped.stopped_note
    control.start(stopped, "staff", without_rehearsal=True)
    poll(cart)
    assert_none_lost_none_doubled(history, cart)


def test_stop_while_a_later_page_is_read_keeps_the_pages_before_and_says_where_it_resumes(history):
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=1)

    def stop_once_the_first_is_written() -> None:
        wait_until(lambda: elsewhere(lambda: len(documents(cart))) == 100)
        stop(cart)

    history.requests.clear()
    with around(history, before=at_request(2, stop_once_the_first_is_written)):
        run = poll(cart)
    assert (len(documents(cart)), run.state) == (100, RunState.STOPPED)
    assert len(history.requests) == 2  # the one in flight, and no third
    assert "it goes on from orders modified at" in fresh(cart).stopped_note
    history.shop.place_order()
    assert feeds.due_feeds(feed_of(cart).next_poll_at) == []
    control.start(fresh(cart), "staff", without_rehearsal=True)
    poll(cart)
    assert_none_lost_none_doubled(history, cart)
    assert_runs_add_up(cart)


def test_stop_of_a_resting_cart_says_so(cart):
    note = control.stop(fresh(cart), "staff")
    assert note.startswith("Nothing was in flight.")


def test_each_click_counts_once(cart):
    before = feed_of(cart)
    with pytest.raises(Refused, match="RUNNING already"):
        control.start(fresh(cart), "staff", without_rehearsal=True)
    assert feed_of(cart).next_poll_at == before.next_poll_at
    control.stop(fresh(cart), "staff")
    stopped_at = fresh(cart).stopped_at
    with pytest.raises(Refused, match="STOPPED already"):
        control.stop(fresh(cart), "staff")
    assert fresh(cart).stopped_at == stopped_at


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_start_and_stop_clicked_at_random_moments(history, seed):
    know_the_items(history)
    cart = running_cart(history, requests_in_flight=1 + seed)
    chance, over = random.Random(seed), threading.Event()
    history.server.latency = 0.01

    def click() -> None:
        for _ in range(12):
            over.wait(chance.random() * 0.15)
            try:
                if fresh(cart).is_running:
                    control.stop(fresh(cart), "staff")
                else:
                    control.start(fresh(cart), "staff", without_rehearsal=True)
            except Refused:
                pass
        over.set()

    def work() -> None:
        while not over.is_set():
            try_poll(cart)

    workers = [Worker(click), Worker(work), Worker(work)]
    for worker in workers:
        worker.join()
    if fresh(cart).is_running:
        control.stop(fresh(cart), "staff")
    at_rest = row_counts()
    assert try_poll(cart) is None
    assert row_counts() == at_rest
    control.start(fresh(cart), "staff", without_rehearsal=True)
    poll(cart)
    assert_none_lost_none_doubled(history, cart)
    assert not any(run.is_active for run in Run.objects.all())
