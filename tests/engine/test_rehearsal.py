"""A rehearsal reads the live cart, writes nothing on either side, and tells what the import then does; and Start
is refused, with the reason, as long as it must not be clicked."""

from datetime import timedelta

import pytest

from carts.choices import CartStatus, Outcome, RunState
from carts.errors import Refused
from carts.models import Cart, Run
from carts.services import control, rehearsal, ticking
from sandbox.demo import UNKNOWN_SKUS
from sandbox.testing import practice_shop
from tests.engine.helpers import (
    LONG_AGO,
    assert_runs_add_up,
    connected_cart,
    documents,
    feed_of,
    fresh,
    know_the_items,
    poll,
    row_counts,
    save,
)

pytestmark = pytest.mark.django_db
RUN_TABLES = ("Run", "RunItem", "RunLogLine")


def rehearse(cart: Cart) -> Run:
    run = rehearsal.begin(cart, "staff")
    ticking.work_on_run(run.pk)
    return fresh(run)


def told(run: Run) -> dict[str, tuple[str, str, str]]:
    return {
        item.external_id: (item.outcome, item.reason_code, item.message) for item in run.items.order_by("external_id")
    }


@pytest.fixture
def demo():
    with practice_shop(orders=120, customers=20, products=60) as demo:
        yield demo


def test_it_writes_nothing_and_tells_what_the_import_then_does(demo):
    know_the_items(demo, but=UNKNOWN_SKUS)
    cart = connected_cart(demo, fence=demo.shop.clock.now() - timedelta(days=45))
    demo.shop.edit_order(min(demo.shop.orders.rows), note="Old, but edited after the fence")
    before, stock = row_counts(but=RUN_TABLES), stock_of(demo)
    demo.requests.clear()
    would = rehearse(cart)
    assert row_counts(but=RUN_TABLES) == before
    assert {request.method for request in demo.requests} == {"GET"}
    assert stock_of(demo) == stock
    assert (documents(cart), feed_of(cart).high_water) == ({}, None)
    control.start(fresh(cart), "staff")
    did = poll(cart)
    assert told(did) == told(would)
    assert {Outcome.NEW, Outcome.HELD, Outcome.FILTERED, Outcome.BEFORE_START} <= set(would.counts)
    assert (would.state, would.total) == (RunState.DONE, len(told(would)))
    assert_runs_add_up(cart)


def stock_of(demo) -> dict[str, int | None]:
    return {product.sku: product.stock for product in demo.shop.products.rows.values()}


def test_a_second_rehearsal_after_the_import_says_already_there(history):
    know_the_items(history)
    cart = connected_cart(history)
    control.start(cart, "staff", without_rehearsal=True)
    poll(cart)
    assert rehearse(fresh(cart)).counts == {Outcome.ALREADY: 250}


def test_a_rehearsal_that_fails_says_so_and_counts_for_nothing(demo):
    cart = connected_cart(demo)
    demo.faults.add("500", match=r"/orders\?", after=1)
    run = rehearse(cart)
    assert run.state == RunState.FAILED and run.error
    with pytest.raises(Refused, match="was not rehearsed"):
        control.start(fresh(cart), "staff")


def test_it_asks_for_the_test_and_the_date_first(place):
    cart = connected_cart(place)
    Cart.objects.update(order_fence=None)
    before = row_counts()
    with pytest.raises(Refused, match="Last Order from is not set"):
        rehearsal.begin(fresh(cart), "staff")
    Cart.objects.update(tested_for="")
    with pytest.raises(Refused, match="was not tested"):
        rehearsal.begin(fresh(cart), "staff")
    assert row_counts() == before


def test_the_same_click_twice_is_one_rehearsal(place):
    cart = connected_cart(place)
    assert rehearsal.begin(cart, "staff", "click").pk == rehearsal.begin(cart, "staff", "click").pk
    assert Run.objects.count() == 1


# Start ----------------------------------------------------------------------------------------------


def rehearsed(place, **settings) -> Cart:
    cart = connected_cart(place, **settings)
    assert rehearse(cart).state == RunState.DONE
    return fresh(cart)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"order_fence": None}, "Last Order from is not set"),
        ({"tested_for": ""}, "The connection was not tested"),
        ({"url": "http://127.0.0.1:9/other"}, "The connection was not tested"),
        ({"from_item_updates": True}, "Last update time is not set"),
        ({"from_customer_updates": True}, "Last update time is not set"),
        ({"order_statuses": []}, "No order status is chosen"),
        ({"rehearsed_for": ""}, "This cart was not rehearsed"),
        ({"order_fence": LONG_AGO - timedelta(days=1)}, "This cart was not rehearsed"),
        ({"grace_minutes": 5}, "This cart was not rehearsed"),
        ({"import_orders_as": "cash_sale"}, "This cart was not rehearsed"),
    ],
)
def test_start_is_refused_with_the_reason_and_nothing_changes(place, change, reason):
    cart = rehearsed(place)
    Cart.objects.filter(pk=cart.pk).update(**change)
    cart, feed, rows = fresh(cart), feed_of(cart), row_counts()
    with pytest.raises(Refused, match=reason):
        control.start(cart, "staff")
    assert fresh(cart).status == CartStatus.STOPPED
    assert fresh(cart).started_at is None
    assert (feed_of(cart).next_poll_at, row_counts()) == (feed.next_poll_at, rows)
    assert any(reason in text for text in (*control.start_plan(cart).refusals, control.start_plan(cart).question)) or (
        reason == "This cart was not rehearsed" and "not rehearsed" in control.start_plan(cart).question
    )


def test_every_reason_is_told_at_once(place):
    cart = rehearsed(place)
    Cart.objects.update(order_fence=None, tested_for="", order_statuses=[])
    with pytest.raises(Refused) as refused:
        control.start(fresh(cart), "staff")
    for part in ("was not tested", "Last Order from", "No order status", "not rehearsed"):
        assert part in refused.value.sentence


def test_changed_credentials_ask_for_a_new_test_and_the_same_ones_do_not(place):
    cart = rehearsed(place)
    same = control.save_cart(cart, {}, {"consumer_key": place.key}, "staff", cart.settings_version)
    assert control.is_tested(same)
    other = control.save_cart(same, {}, {"consumer_secret": "cs_other"}, "staff", same.settings_version)
    assert not control.is_tested(other)


def test_start_shows_from_when_and_how_many(place):
    now = place.shop.clock.now()
    for hours in (1, 2, 50):
        place.shop.place_order(placed=now - timedelta(hours=hours))
    place.shop.place_order(status="pending")
    cart = rehearsed(place, fence=now - timedelta(hours=2))
    plan = control.start_plan(cart)
    assert (plan.refusals, plan.question, plan.since, plan.order_count) == ((), "", cart.order_fence, 2)
    place.faults.add("500", match="/orders")
    assert control.start_plan(cart).order_count is None
    assert control.start_plan(cart).refusals == ()


def test_saving_over_somebody_elses_save_is_refused_and_nothing_changes(place):
    cart = connected_cart(place)
    save(cart, notification_emails="first@example.test")
    with pytest.raises(Refused, match="Somebody saved this cart"):
        control.save_cart(cart, {"notification_emails": "second@example.test"}, {}, "staff", cart.settings_version)
    assert fresh(cart).notification_emails == "first@example.test"
