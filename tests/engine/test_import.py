"""From Cart: every order becomes one PENDING document with the shop's own figures, once."""

from collections import Counter
from datetime import timedelta

import pytest

from backoffice.models import JournalEntry, StockMovement
from carts.choices import Outcome, RunState
from carts.models import Run
from sandbox.demo import UNKNOWN_SKUS
from sandbox.testing import practice_shop
from tests.engine.helpers import (
    Writes,
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    documents,
    feed_of,
    fresh,
    know_the_items,
    poll,
    running_cart,
    states,
)

pytestmark = pytest.mark.django_db


def test_each_of_250_orders_becomes_one_pending_document_with_equal_figures(history):
    know_the_items(history)
    cart = running_cart(history)
    run = poll(cart)
    assert_none_lost_none_doubled(history, cart)
    for external_id, document in documents(cart).items():
        order = history.shop.orders.rows[int(external_id)]
        charged = [(part.total, part.total_tax) for part in (*order.lines, *order.shipping_lines, *order.fees)]
        assert sorted(document.lines.values_list("net", "tax")) == sorted(charged)
        assert document.placed_at == order.created
        assert document.type == "sales_order"
    assert (run.state, run.counts) == (RunState.DONE, {Outcome.NEW: 250})
    assert_runs_add_up(cart)


def test_a_pending_document_posts_nothing_and_moves_no_stock(history):
    know_the_items(history)
    poll(running_cart(history))
    assert (JournalEntry.objects.count(), StockMovement.objects.count()) == (0, 0)


def test_a_second_poll_is_one_request_and_writes_nothing_but_its_heartbeat(history):
    know_the_items(history)
    cart = running_cart(history)
    history.shop.place_order()  # within the overlap, so it is read again
    poll(cart)
    before, runs = feed_of(cart), Run.objects.count()
    history.requests.clear()
    with Writes() as writes:
        assert poll(cart) is None
    assert len(history.requests) == 1
    assert writes and all(sql.startswith('UPDATE "carts_feed"') for sql in writes)
    after = feed_of(cart)
    assert after.polled_at > before.polled_at
    assert (after.high_water, after.failures, after.error) == (before.high_water, 0, "")
    assert Run.objects.count() == runs


@pytest.mark.parametrize("in_flight", [1, 4])
def test_the_demo_shops_every_oddity_ends_with_a_state_and_a_reason(in_flight):
    with practice_shop(orders=250, customers=40, products=60) as demo:
        know_the_items(demo, but=UNKNOWN_SKUS)
        cart = running_cart(demo, requests_in_flight=in_flight)
        poll(cart)
        expected = {str(order.id): expected_state(demo, order) for order in demo.shop.orders.rows.values()}
        assert states(cart) == expected
        kinds = Counter(expected.values())
        assert min(kinds["imported"], kinds["held"], kinds["filtered"]) > 5
        for record in cart.records.filter(kind="order").exclude(state="imported"):
            assert record.reason_code and record.reason.endswith(".")
        assert_runs_add_up(cart)


def expected_state(demo, order) -> str:
    if order.status not in ("processing", "completed"):
        return "filtered"
    skus = {demo.shop.products.rows[line.variation_id or line.product_id].sku if line.product_id else ""
            for line in order.lines}  # fmt: skip
    if order.currency != "USD" or skus & {"", *UNKNOWN_SKUS}:
        return "held"
    return "imported"


def test_documents_are_of_the_type_staff_chose(place):
    know_the_items(place)
    first, second = place.shop.place_order(), place.shop.place_order()
    cash = running_cart(place, name="Cash", import_orders_as="cash_sale")
    invoices = running_cart(place, name="Invoices", import_orders_as="sales_invoice")
    poll(cash), poll(invoices)
    for cart, kind in ((cash, "cash_sale"), (invoices, "sales_invoice")):
        found = documents(cart)
        assert {ref: row.type for ref, row in found.items()} == {str(first.id): kind, str(second.id): kind}


def test_two_carts_of_one_shop_keep_their_orders_apart(place):
    know_the_items(place)
    order = place.shop.place_order()
    one, other = running_cart(place, name="One"), running_cart(place, name="Other")
    poll(one), poll(other)
    assert set(documents(one)) == set(documents(other)) == {str(order.id)}
    assert documents(one)[str(order.id)].pk != documents(other)[str(order.id)].pk


@pytest.mark.parametrize("hours", [-24, 24])
def test_the_cursor_is_the_shops_time_never_ours(cart, place, hours):
    """A shop whose clock is a day slow, or fast, loses nothing and waits for nothing."""
    place.shop.clock.advance(hours * 3600)
    first = place.shop.place_order()
    poll(cart)
    assert feed_of(cart).high_water == first.modified
    place.shop.clock.advance(5)
    place.shop.place_order()
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_an_order_committed_late_within_the_overlap_is_found(cart, place):
    place.shop.place_order()
    poll(cart)
    place.shop.commit_late(110)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_an_order_written_hours_late_is_found_by_the_next_look_back(cart, place, time_machine):
    place.shop.place_order()
    poll(cart)
    late = place.shop.commit_late(30 * 3600)
    poll(cart)
    assert str(late.id) not in states(cart)
    time_machine.move_to(feed_of(cart).looked_back_at + timedelta(hours=6, minutes=1))
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_last_order_from_follows_the_newest_imported_order(cart, place):
    now = place.shop.clock.now()
    newest = place.shop.place_order(placed=now - timedelta(minutes=5))
    place.shop.place_order(placed=now - timedelta(minutes=50))
    poll(cart)
    assert fresh(cart).last_order_from == newest.created
    place.shop.place_order(placed=now - timedelta(minutes=20), modified=now)
    poll(cart)
    assert fresh(cart).last_order_from == newest.created
