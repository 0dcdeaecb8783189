"""Which orders are imported, when, and what holds one: fence, status, grace delay, sub-orders, currency, totals."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from carts.choices import Outcome, Reason, RecordState
from carts.services import control, held
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    documents,
    elsewhere,
    feed_of,
    fresh,
    know_the_items,
    poll,
    record_of,
    running_cart,
    save,
    states,
)
from tests.platforms.around import around, rewriting

pytestmark = pytest.mark.django_db


def now_of(place) -> datetime:
    return place.shop.clock.now()


# The fence ------------------------------------------------------------------------------------------


def test_an_order_placed_before_the_fence_is_never_imported_even_when_edited_later(place):
    know_the_items(place)
    fence = now_of(place) - timedelta(hours=1)
    old = place.shop.place_order(placed=fence - timedelta(seconds=1))
    on_it = place.shop.place_order(placed=fence)
    cart = running_cart(place, fence=fence)
    poll(cart)
    assert set(documents(cart)) == {str(on_it.id)}
    place.shop.edit_order(old.id, note="Please ring twice")
    poll(cart)
    assert set(documents(cart)) == {str(on_it.id)}
    record = record_of(cart, old)
    assert (record.state, record.reason_code) == (RecordState.FILTERED, Reason.BEFORE_START)


def test_a_fence_moved_back_by_staff_brings_the_orders_behind_it(place):
    know_the_items(place)
    now = now_of(place)
    for hours in (50, 30, 1):
        place.shop.place_order(placed=now - timedelta(hours=hours))
    cart = running_cart(place, fence=now - timedelta(hours=2))
    poll(cart)
    assert len(documents(cart)) == 1
    for hours, imported in ((40, 2), (60, 3)):
        cart = save(cart, last_order_from=now - timedelta(hours=hours))
        poll(cart)
        assert len(documents(cart)) == imported
        assert_none_lost_none_doubled(place, cart)


def test_a_fence_moved_forward_by_staff_keeps_what_was_imported(cart, place):
    first = place.shop.place_order(placed=now_of(place) - timedelta(hours=5))
    poll(cart)
    save(cart, last_order_from=now_of(place))
    place.shop.edit_order(first.id, note="Edited")
    poll(cart)
    assert set(documents(cart)) == {str(first.id)}
    assert record_of(cart, first).state == RecordState.IMPORTED


def test_the_fence_stays_when_the_form_is_saved_with_the_date_it_showed(cart, place):
    """Last Order from has moved on by itself; saving another field with it must not move the fence."""
    fence = fresh(cart).order_fence
    unpaid = place.shop.place_order(status="pending", placed=now_of(place) - timedelta(hours=3))
    place.shop.place_order(placed=now_of(place) - timedelta(hours=1))
    poll(cart)
    shown = fresh(cart).last_order_from
    assert shown > fence
    save(cart, last_order_from=shown, notification_emails="staff@example.test")
    assert (fresh(cart).order_fence, fresh(cart).last_order_from) == (fence, shown)
    place.shop.set_status(unpaid.id, "processing")
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


# Status, grace delay, parts -------------------------------------------------------------------------


def test_an_order_is_imported_when_it_is_paid_later(cart, place):
    order = place.shop.place_order(status="pending", placed=now_of(place) - timedelta(days=3))
    poll(cart)
    assert record_of(cart, order).reason_code == Reason.STATUS
    assert documents(cart) == {}
    place.shop.set_status(order.id, "processing")
    run = poll(cart)
    assert run.counts[Outcome.NEW] == 1
    assert_none_lost_none_doubled(place, cart)


def test_statuses_chosen_later_bring_the_orders_that_waited_for_them(cart, place):
    place.shop.place_order(status="on-hold", placed=now_of(place) - timedelta(days=3))
    place.shop.place_order()
    poll(cart)
    assert len(documents(cart)) == 1
    save(cart, order_statuses=["processing", "completed", "on-hold"])
    poll(cart)
    assert_none_lost_none_doubled(place, cart)
    assert len(documents(cart)) == 2


def test_the_grace_delay_lets_an_order_rest_and_a_cancellation_within_it_ends_it(place, time_machine):
    know_the_items(place)
    start = now_of(place)
    time_machine.move_to(start, tick=False)
    kept, regretted = place.shop.place_order(placed=start), place.shop.place_order(placed=start)
    cart = running_cart(place, grace_minutes=30)
    poll(cart)
    assert set(states(cart).values()) == {RecordState.WAITING}
    time_machine.move_to(start + timedelta(minutes=29, seconds=59), tick=False)
    place.shop.cancel_order(regretted.id)
    poll(cart)
    assert documents(cart) == {}
    time_machine.move_to(start + timedelta(minutes=30), tick=False)
    poll(cart)
    assert set(documents(cart)) == {str(kept.id)}
    assert record_of(cart, regretted).state == RecordState.FILTERED
    assert_runs_add_up(cart)


def test_a_longer_grace_delay_counts_for_orders_that_wait_already(place, time_machine):
    know_the_items(place)
    start = now_of(place)
    time_machine.move_to(start, tick=False)
    order = place.shop.place_order(placed=start)
    cart = running_cart(place, grace_minutes=10)
    poll(cart)
    save(cart, grace_minutes=60)
    poll(cart)
    assert record_of(cart, order).due_at == start + timedelta(minutes=60)
    time_machine.move_to(start + timedelta(minutes=11), tick=False)
    poll(cart)
    assert documents(cart) == {}
    time_machine.move_to(start + timedelta(minutes=61), tick=False)
    poll(cart)
    assert set(documents(cart)) == {str(order.id)}


def test_a_part_of_another_order_is_not_imported_beside_it(cart, place):
    whole, part = place.shop.place_order(), place.shop.place_order()
    with around(place, after=rewriting({part.id: {"parent_id": whole.id}})):
        poll(cart)
    assert set(documents(cart)) == {str(whole.id)}
    assert record_of(cart, part).reason_code == Reason.SUB_ORDER


# Currency -------------------------------------------------------------------------------------------


def test_another_currency_is_held_until_staff_accept_it(cart, place):
    foreign = [place.shop.place_order(currency="EUR") for _ in range(3)]
    other = place.shop.place_order(currency="GBP")
    poll(cart)
    assert documents(cart) == {}
    assert {record_of(cart, order).reason_code for order in foreign} == {Reason.CURRENCY}
    run = held.accept_currency(fresh(cart), "EUR", "staff")
    assert held.released(run) == 3
    assert {row.currency for row in documents(cart).values()} == {"EUR"}
    assert record_of(cart, other).state == RecordState.HELD
    place.shop.place_order(currency="EUR")
    poll(cart)
    assert len(documents(cart)) == 4


def test_a_currency_accepted_in_the_middle_of_a_run_releases_what_that_run_still_held(place, transactional_db):
    know_the_items(place)
    order = place.shop.place_order(currency="EUR")
    cart = running_cart(place)
    with around(place, after=lambda *_: elsewhere(lambda: held.accept_currency(fresh(cart), "EUR", "staff"))):
        poll(cart)
    assert set(documents(cart)) == {str(order.id)}


# Amounts --------------------------------------------------------------------------------------------


def test_an_order_whose_lines_do_not_make_its_total_is_held_and_shows_both(cart, place):
    order = place.shop.place_order()
    place.shop.edit_order(order.id, total=order.total + Decimal("0.37"))
    poll(cart)
    record = record_of(cart, order)
    assert (record.state, record.reason_code) == (RecordState.HELD, Reason.TOTAL_DIFFERS)
    assert str(order.total) in record.reason and str(order.total - Decimal("0.37")) in record.reason
    assert documents(cart) == {}


def test_the_taxes_must_agree_too(cart, place):
    order = place.shop.place_order()
    place.shop.edit_order(order.id, total_tax=order.total_tax + Decimal("0.37"))
    poll(cart)
    assert record_of(cart, order).reason_code == Reason.TOTAL_DIFFERS


@pytest.mark.parametrize("drift", [Decimal("0.01"), Decimal("-0.01")])
def test_a_cent_of_the_shops_rounding_is_booked_as_a_line_of_its_own(cart, place, drift):
    order = place.shop.place_order()
    place.shop.edit_order(order.id, total=order.total + drift)
    poll(cart)
    document = documents(cart)[str(order.id)]
    assert document.total == order.total
    rounding = document.lines.get(kind="rounding")
    assert (rounding.net, rounding.tax) == (drift, Decimal(0))
    assert sum(net + tax for net, tax in document.lines.values_list("net", "tax")) == order.total


def test_an_order_mended_in_the_shop_is_imported(cart, place):
    order = place.shop.place_order()
    right = order.total
    place.shop.edit_order(order.id, total=right + 1)
    poll(cart)
    place.shop.edit_order(order.id, total=right)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


# Settings and clicks -------------------------------------------------------------------------------------------


def test_saving_while_a_poll_reads_keeps_the_new_rules(place, transactional_db):
    """The poll in flight decides by the old fence; its cursor must not hide what the new one asks for."""
    know_the_items(place)
    now = now_of(place)
    place.shop.place_order(placed=now - timedelta(hours=30))
    place.shop.place_order(placed=now - timedelta(hours=1))
    cart = running_cart(place, fence=now - timedelta(hours=2))
    with around(place, after=lambda *_: elsewhere(lambda: save(cart, last_order_from=now - timedelta(hours=40)))):
        poll(cart)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)
    assert len(documents(cart)) == 2


def test_stop_and_start_keep_fence_and_cursor(cart, place):
    place.shop.place_order()
    poll(cart)
    before = (fresh(cart).order_fence, fresh(cart).last_order_from, feed_of(cart).high_water)
    control.stop(fresh(cart), "staff")
    control.start(fresh(cart), "staff", without_rehearsal=True)
    assert (fresh(cart).order_fence, fresh(cart).last_order_from, feed_of(cart).high_water) == before
