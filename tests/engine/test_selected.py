"""Import selected: any date, safe to click twice, beside a poll, and after a killed worker."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from carts.choices import Outcome, RecordState, RunState
from carts.errors import Refused
from carts.models import Cart, Run
from carts.records import Listing
from carts.services import control, feeds, leases, runs, selection, ticking
from carts.services.connections import adapter_for
from carts.services.importing import Importer
from carts.services.judging import Rules
from tests.engine.helpers import (
    Worker,
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    connected_cart,
    documents,
    elsewhere,
    feed_of,
    fresh,
    know_the_items,
    poll,
    record_of,
    row_counts,
    running_cart,
    states,
    wait_until,
)
from tests.platforms.around import around, at_request

pytestmark = pytest.mark.django_db(transaction=True)


def select(cart, orders, key: str = "") -> Run:
    return selection.begin(cart, "order", [str(order.id) for order in orders], "staff", key)


def work(run: Run) -> Run:
    ticking.work_on_run(run.pk)
    return fresh(run)


def outcomes(run: Run) -> dict[str, str]:
    return dict(run.items.values_list("external_id", "outcome"))


def test_selected_orders_are_imported_whatever_their_date_and_status(place):
    know_the_items(place)
    fence = place.shop.clock.now()
    old = place.shop.place_order(placed=fence - timedelta(days=400))
    unpaid = place.shop.place_order(status="pending")
    left = place.shop.place_order()
    cart = connected_cart(place, fence=fence)
    run = work(select(cart, [old, unpaid]))
    assert (run.state, run.counts) == (RunState.DONE, {Outcome.NEW: 2})
    assert set(documents(cart)) == {str(old.id), str(unpaid.id)}
    assert str(left.id) not in states(cart)
    assert_runs_add_up(cart)


def test_the_same_click_twice_is_one_run_and_the_same_choice_twice_imports_nothing(cart, place):
    orders = [place.shop.place_order() for _ in range(3)]
    first, same = select(cart, orders, "click-1"), select(cart, orders, "click-1")
    assert first.pk == same.pk
    work(first)
    work(first)
    second = work(select(cart, orders, "click-2"))
    assert second.counts == {Outcome.ALREADY: 3}
    assert {item.local_id for item in second.items.all()} == {row.pk for row in documents(cart).values()}
    assert Run.objects.filter(kind="import").count() == 2
    assert len(documents(cart)) == 3
    assert_runs_add_up(cart)


def test_what_is_gone_held_and_new_is_told_apart(place):
    know_the_items(place, but=["SKU-0001"])
    cart = connected_cart(place)
    held, new, gone = place.shop.place_order("SKU-0001"), place.shop.place_order("SKU-0002"), place.shop.place_order()
    place.shop.delete_order(gone.id)
    run = work(select(cart, [held, new, gone]))
    assert outcomes(run) == {str(held.id): "held", str(new.id): "new", str(gone.id): "failed"}
    assert (run.state, run.total, run.done) == (RunState.PARTLY_FAILED, 3, 3)
    # Picked by hand stays picked by hand: neither date nor status holds it back once it is released.
    assert record_of(cart, held).picked_by_hand


def test_nothing_selected_and_an_untested_cart_are_refused_with_nothing_changed(cart, place):
    before = row_counts()
    with pytest.raises(Refused, match="Nothing was selected"):
        selection.begin(cart, "order", [], "staff")
    Cart.objects.update(tested_for="")
    with pytest.raises(Refused, match="was not tested"):
        selection.begin(fresh(cart), "order", ["1"], "staff")
    assert row_counts() == before


def test_all_that_match_are_imported_over_several_pages(history):
    know_the_items(history)
    cart = connected_cart(history)
    since = history.shop.clock.now() - timedelta(days=40)
    run = work(selection.begin_matching(cart, "order", Listing(placed_from=since), "staff"))
    expected = {str(o.id) for o in history.shop.orders.rows.values() if o.created >= since}
    assert len(expected) > 100
    assert (set(documents(cart)), run.counts) == (expected, {Outcome.NEW: len(expected)})
    assert_runs_add_up(cart)


@pytest.mark.parametrize("state", ["new", "filtered"])
def test_a_pick_between_a_polls_decision_and_its_writing_wins(place, state):
    """The poll decided while the order was nobody's; what the pick wrote meanwhile is not written over."""
    know_the_items(place)
    fence = place.shop.clock.now()
    order = place.shop.place_order(placed=fence - timedelta(days=state == "filtered"))
    cart = running_cart(place, fence=fence)
    adapter = adapter_for(cart)

    def pick_meanwhile() -> Run:
        work(select(cart, [order]))
        return runs.create(cart, "sync", state=RunState.RUNNING)

    importer = Importer(cart, adapter, Rules.of(cart), pick_meanwhile)
    importer.import_rows(adapter.fetch_many("order", [str(order.id)]), lambda: None)
    runs.finish(importer.run)
    [document] = documents(cart).values()
    assert (record_of(cart, order).state, record_of(cart, order).local_id) == (RecordState.IMPORTED, document.pk)


def test_a_poll_and_two_picks_of_the_same_orders_at_the_same_time(history):
    know_the_items(history)
    cart = running_cart(history)
    orders = list(history.shop.orders.rows.values())
    picks = [select(cart, orders[:80]), select(cart, orders[40:120][::-1])]
    together = threading.Barrier(3)

    def begin(job):
        together.wait(30)
        return job()

    jobs = [lambda: poll(cart), lambda: work(picks[0]), lambda: work(picks[1])]
    for worker in [Worker(lambda job=job: begin(job)) for job in jobs]:
        worker.join()
    assert_none_lost_none_doubled(history, cart)
    assert_runs_add_up(cart)
    told = [outcome for run in picks for outcome in outcomes(run).values()]
    assert set(told) <= {Outcome.NEW, Outcome.ALREADY}


def test_a_killed_workers_successor_goes_on_behind_it(history):
    """Taken over after its lease; the first one, still alive after all, writes nothing more."""
    know_the_items(history)
    cart = connected_cart(history)
    run = select(cart, list(history.shop.orders.rows.values())[:60])
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        goes_on.wait(60)

    with around(history, before=at_request(2, hang)):
        first = Worker(lambda: ticking.work_on_run(run.pk))
        assert hangs.wait(60)
        wait_until(lambda: len(documents(cart)) == 25)
        assert ticking.forsaken_runs() == []
        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert ticking.forsaken_runs() == [run.pk]
        token = leases.claim_run(run.pk)
        goes_on.set()
        first.join()
    assert len(documents(cart)) == 25
    selection.perform(Run.objects.select_related("cart").get(pk=run.pk), token)
    run = fresh(run)
    assert (run.state, run.counts, len(documents(cart))) == (RunState.DONE, {Outcome.NEW: 60}, 60)


def test_a_person_stops_a_run_and_what_is_done_stays_done(history):
    know_the_items(history)
    cart = connected_cart(history)
    run = select(cart, list(history.shop.orders.rows.values())[:60])

    def stop() -> None:
        elsewhere(lambda: runs.stop(fresh(run)))

    with around(history, before=at_request(2, stop)):
        run = work(run)
    assert (run.state, len(documents(cart))) == (RunState.STOPPED, 25)
    assert run.items.filter(outcome=Outcome.PENDING).count() == 35
    with pytest.raises(Refused, match="ended already"):
        runs.stop(run)
    work(run)
    assert len(documents(cart)) == 25


def test_a_refused_key_in_the_middle_says_how_many_are_left_and_importing_again_brings_them(history):
    know_the_items(history)
    cart = connected_cart(history)
    orders = list(history.shop.orders.rows.values())[:60]
    history.faults.add("401", match="include=", after=1)
    run = work(select(cart, orders))
    assert (run.state, len(documents(cart))) == (RunState.FAILED, 25)
    assert "35 records were not read" in run.error
    again = work(select(cart, orders))
    assert again.counts == {Outcome.NEW: 35, Outcome.ALREADY: 25}


def test_a_pick_does_not_move_fence_cursor_or_last_order_from(cart, place):
    order = place.shop.place_order()
    before = (fresh(cart).order_fence, fresh(cart).last_order_from, feed_of(cart).high_water)
    work(select(cart, [order]))
    assert (fresh(cart).order_fence, fresh(cart).last_order_from, feed_of(cart).high_water) == before
    assert feeds.due_feeds(timezone.now()) == [feed_of(cart).pk]
    control.stop(fresh(cart), "staff")
    assert len(documents(cart)) == 1
