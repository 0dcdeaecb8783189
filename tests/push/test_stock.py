"""Stock of ours in the shop: at once, once, never blindly, and never more than there is."""

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from backoffice.choices import MovementReason
from backoffice.models import Document
from backoffice.services import stock
from backoffice.types import StockChange
from carts.choices import Kind, PushState, RecordState
from carts.models import Cart, Feed, OpenUnits, Outbox, Push, Record
from carts.services import control, held, leases, marks, pushing, quantities, stock_rows, ticking
from carts.services.quantities import shown
from sandbox.testing import practice_shop
from tests.engine.helpers import fresh, poll, running_cart, save, wait_until
from tests.push.conftest import count_in, kept, link_all, shows, writes


def test_a_change_is_in_the_shop_after_one_write_and_then_nothing_waits(cart, place):
    product_id, item = kept(place)
    count_in(item, 7)
    assert Push.objects.count() == 1
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7
    assert writes(place) == ["POST /wp-json/wc/v3/products/batch"]
    assert not Push.objects.exists()
    # Nothing more to say, however often it is asked.
    place.requests.clear()
    ticking.push_stock(cart.pk)
    marks.mark_stock([item.pk])
    ticking.push_stock(cart.pk)
    assert not place.requests


def test_a_variation_goes_by_its_product(cart, place):
    product_id, item = kept(place, variation=True)
    count_in(item, 4)
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 4
    parent = place.shop.products.rows[product_id].parent_id
    assert writes(place) == [f"POST /wp-json/wc/v3/products/{parent}/variations/batch"]


def test_ten_changes_are_one_mark_and_one_write_of_the_last_value(cart, place):
    product_id, item = kept(place)
    for _ in range(10):
        count_in(item, 1)
    assert Push.objects.get().generation == 10
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 10 and len(writes(place)) == 1


def test_a_mark_is_taken_back_with_its_change(cart, place):
    _, item = kept(place)
    with pytest.raises(RuntimeError), transaction.atomic():
        count_in(item, 7)
        raise RuntimeError
    assert not Push.objects.exists()


def test_many_simple_items_go_in_one_request(cart, place):
    ids = dict(kept(place, number) for number in range(3))
    stock.move([StockChange(item.pk, MovementReason.ADJUSTMENT, on_hand=Decimal(5)) for item in ids.values()])
    ticking.push_stock(cart.pk)
    assert [shows(place, product_id) for product_id in ids] == [5, 5, 5]
    assert len(writes(place)) == 1


def test_a_change_while_a_request_is_under_way_is_sent_after_it(cart, place):
    """The mark that was read is older than the one that is there: it stays, and the later value wins."""
    product_id, item = kept(place)
    count_in(item, 7)
    outbox = Outbox.objects.get()
    token = leases.claim_outbox(outbox.pk)
    drain = pushing.Drain(stock_rows.StockLease(token, Outbox.objects.select_related("cart").get()))
    stale = stock_rows.waiting(cart.pk, 500)
    count_in(item, 2)
    drain._send(pushing.adapter_for(cart), stale)
    assert Push.objects.get().generation == 2
    leases.release_outbox(outbox.pk, token)
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 9 and not Push.objects.exists()


def test_who_sells_in_the_shop_is_counted_before_stock_is_set(cart, place):
    product_id, item = kept(place)
    count_in(item, 10)
    ticking.push_stock(cart.pk)
    place.shop.place_order(item.sku, quantity=3)
    assert shows(place, product_id) == 7
    # The last poll is long ago: the order is read first, so that its three are not offered again.
    Feed.objects.update(polled_at=timezone.now() - timedelta(hours=1))
    count_in(item, 1)
    ticking.push_stock(cart.pk)
    assert Document.objects.count() == 1
    assert shows(place, product_id) == 8


def test_stock_waits_while_the_orders_cannot_be_read(cart, place):
    product_id, item = kept(place)
    before = shows(place, product_id)
    Feed.objects.update(polled_at=timezone.now() - timedelta(hours=1))
    place.faults.add("500", match="/orders", times=0)
    count_in(item, 3)
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == before and writes(place) == []
    outbox = Outbox.objects.get()
    assert "Stock waits until the cart's orders could be read" in outbox.error and not outbox.needs_person
    assert Push.objects.get().state == PushState.WAITING


def test_an_order_of_the_shop_alone_causes_no_write(cart, place):
    """The shop took the units off itself; ours falls by the same, which is found by reading."""
    product_id, item = kept(place)
    count_in(item, 10)
    ticking.push_stock(cart.pk)
    place.shop.place_order(item.sku, quantity=3)
    poll(cart)
    place.requests.clear()
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7 and writes(place) == [] and not Push.objects.exists()


def test_units_of_a_held_order_are_not_offered_until_it_is_ignored(cart, place):
    product_id, item = kept(place)
    count_in(item, 10)
    save(cart, order_statuses=["completed"])
    place.shop.place_order(item.sku, quantity=4, status="processing")
    poll(cart)
    record = Record.objects.get(cart=cart, kind=Kind.ORDER)
    assert record.state == RecordState.FILTERED and OpenUnits.objects.get().quantity == 4
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 6
    held.ignore(record, "staff")
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 10


def test_units_are_counted_once_when_the_order_is_imported(cart, place):
    _, item = kept(place)
    count_in(item, 10)
    save(cart, order_statuses=["completed"])
    order = place.shop.place_order(item.sku, quantity=4, status="processing")
    poll(cart)
    place.shop.set_status(order.id, "completed")
    poll(cart)
    assert not OpenUnits.objects.exists()
    ticking.push_stock(cart.pk)
    assert shows(place, kept(place)[0]) == 6


def test_two_carts_share_one_stock(cart, place):
    with practice_shop(products=20) as other:
        second = running_cart(other, name="Second", to_stock_updates=True)
        link_all(second, other)
        poll(second)
        product_id, item = kept(place)
        count_in(item, 10)
        place.shop.place_order(item.sku, quantity=4)
        poll(cart)
        ticking.push_stock(cart.pk)
        ticking.push_stock(second.pk)
        assert shows(place, product_id) == 6 == shows(other, product_id)


@pytest.mark.parametrize(
    ("settings_of_cart", "available", "expected"),
    [
        ({}, "10", "10"),
        ({"safety_buffer": 3}, "10", "7"),
        ({"safety_buffer": 30}, "10", "0"),
        ({"stock_percent": 33}, "10", "3"),
        ({"stock_maximum": 5}, "10", "5"),
        ({"safety_buffer": 1, "stock_percent": 50, "stock_maximum": 4}, "10", "4"),
        ({}, "2.9", "2"),
        ({}, "-4", "0"),
        ({"stock_maximum": 0}, "10", "0"),
    ],
)
def test_the_figure_shown(settings_of_cart, available, expected):
    assert shown(Cart(**settings_of_cart), Decimal(available)) == Decimal(expected)


# Faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processed", [True, False])
@pytest.mark.parametrize("kind", ["timeout", "reset", "truncated", "500", "html200"])
def test_a_write_whose_answer_was_lost_is_read_before_it_is_written_again(cart, place, kind, processed):
    product_id, item = kept(place)
    count_in(item, 7)
    place.faults.add(kind, match="/batch", processed=processed)
    ticking.push_stock(cart.pk)
    assert Push.objects.get().state == PushState.WAITING
    assert Record.objects.get(external_id=str(product_id)).cart_stock is None
    assert Outbox.objects.get().next_drain_at > timezone.now()
    arrived = shows(place, product_id) == 7
    place.requests.clear()
    Outbox.objects.update(next_drain_at=None)
    ticking.push_stock(cart.pk)
    assert place.requests[0].method == "GET"
    assert len(writes(place)) == (0 if arrived else 1)
    assert shows(place, product_id) == 7 and not Push.objects.exists()
    assert Outbox.objects.get().error == ""


def test_a_limit_is_obeyed_and_no_failure(cart, place):
    _, item = kept(place)
    count_in(item, 7)
    place.faults.add("429", match="/products", retry_after=40)
    ticking.push_stock(cart.pk)
    outbox = Outbox.objects.get()
    assert 35 < (outbox.next_drain_at - timezone.now()).total_seconds() <= 40
    assert outbox.failures == 0 and not outbox.needs_person


def test_a_refused_key_needs_a_person_until_the_connection_is_tested(cart, place):
    _, item = kept(place)
    count_in(item, 7)
    place.faults.add("401", match="/products", times=0)
    ticking.push_stock(cart.pk)
    assert Outbox.objects.get().needs_person
    place.faults.clear()
    control.test_connection(fresh(cart), "staff")
    ticking.push_stock(cart.pk)
    assert not Push.objects.exists()


def test_one_item_the_shop_keeps_no_stock_of_blocks_nothing(cart, place):
    product_id, item = kept(place)
    unkept_id, unkept = kept(place, 1)
    place.shop.products.rows[unkept_id].manages_stock = False
    count_in(item, 7)
    count_in(unkept, 7)
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7
    failed = Push.objects.get()
    assert failed.state == PushState.FAILED and "Tick Manage stock" in failed.reason
    assert place.shop.products.rows[unkept_id].manages_stock is False


def test_an_item_deleted_in_the_shop_is_marked_missing(cart, place):
    product_id, item = kept(place)
    count_in(item, 7)
    place.shop.erase(place.shop.products, product_id)
    ticking.push_stock(cart.pk)
    record = Record.objects.get(external_id=str(product_id))
    assert record.state == RecordState.MISSING and not Push.objects.exists()
    count_in(item, 1)
    assert not Push.objects.exists()


# Stop, leases, sweep ----------------------------------------------------------------------------------


def test_nothing_is_marked_or_sent_while_the_cart_is_stopped_and_start_compares_all(cart, place):
    product_id, item = kept(place)
    control.stop(fresh(cart), "staff")
    count_in(item, 7)
    ticking.push_stock(cart.pk)
    assert writes(place) == []
    control.start(fresh(cart), "staff", without_rehearsal=True)
    later = timezone.now() - timedelta(minutes=1)
    Cart.objects.update(started_at=later)
    Feed.objects.update(polled_at=timezone.now())
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7
    # And what nothing is known of here is nothing to sell there.
    other_id, _ = kept(place, 1)
    assert shows(place, other_id) == 0


def test_stock_waits_for_a_poll_that_is_under_way_and_then_goes(cart, place):
    """Put off, it would meet the next poll: one tick starts both."""
    product_id, item = kept(place)
    count_in(item, 7)
    Feed.objects.update(polled_at=timezone.now() - timedelta(days=1))
    feed = Feed.objects.get(kind=Kind.ORDER)
    token = leases.claim_feed(feed.pk)

    def end_the_poll() -> None:
        try:
            wait_until(lambda: Outbox.objects.exclude(lease_token="").exists())
            time.sleep(0.2)
            leases.release_feed(feed.pk, token, polled_at=timezone.now())
        finally:
            connection.close()

    other = threading.Thread(target=end_the_poll)
    other.start()
    ticking.push_stock(cart.pk)
    other.join()
    assert shows(place, product_id) == 7


def test_stop_while_stock_is_sent_ends_it_before_the_next_request(cart, place):
    _, item = kept(place)
    count_in(item, 7)
    lease = leases.claim_stock(cart.pk)
    control.stop(fresh(cart), "staff")
    pushing.drain(lease)
    assert not place.requests


def test_two_workers_send_once(cart, place):
    _, item = kept(place)
    count_in(item, 7)
    lease = leases.claim_stock(cart.pk)
    ticking.push_stock(cart.pk)
    assert writes(place) == []
    pushing.drain(lease)
    assert len(writes(place)) == 1


def test_a_lost_lease_is_taken_over_when_it_expires(cart, place):
    product_id, item = kept(place)
    count_in(item, 7)
    outbox = Outbox.objects.get()
    leases.claim_outbox(outbox.pk)  # by a worker that was killed
    Outbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert ticking.stock_due(timezone.now()) == [cart.pk]
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7


def test_the_sweep_finds_what_was_edited_in_the_shop_and_then_writes_nothing(cart, place):
    product_id, item = kept(place)
    count_in(item, 7)
    ticking.push_stock(cart.pk)
    Cart.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    ticking.push_stock(cart.pk)
    with place.shop.changing():
        row = place.shop.products.rows[product_id]
        row.stock = 99
        place.shop.save(place.shop.products, row)
    Outbox.objects.update(swept_at=timezone.now() - timedelta(hours=7))
    Cart.objects.update(started_at=timezone.now() - timedelta(days=1))
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7
    place.requests.clear()
    Outbox.objects.update(swept_at=timezone.now() - timedelta(hours=7))
    ticking.push_stock(cart.pk)
    assert writes(place) == []


def test_another_share_of_the_stock_is_shown_soon(cart, place):
    product_id, item = kept(place)
    count_in(item, 10)
    ticking.push_stock(cart.pk)
    Cart.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    save(cart, stock_percent=50)
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 5


def test_a_share_saved_while_all_is_compared_is_not_lost(cart, place, monkeypatch):
    """The comparison would end with "done" and the old quantities, and the next one is hours away."""
    product_id, item = kept(place)
    count_in(item, 10)
    ticking.push_stock(cart.pk)
    reckon, saved = quantities.targets, []

    def save_meanwhile(*given):
        reckoned = reckon(*given)
        if not saved:
            saved.append(save(cart, stock_percent=50))
        return reckoned

    monkeypatch.setattr(quantities, "targets", save_meanwhile)
    Outbox.objects.update(swept_at=timezone.now() - timedelta(hours=7))
    Cart.objects.update(started_at=timezone.now() - timedelta(days=1))
    ticking.push_stock(cart.pk)
    assert saved
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 5


def test_stock_is_not_switched_on_while_running(cart, place):
    save(cart, to_stock_updates=False)
    with pytest.raises(control.Refused, match="Click Stop"):
        save(cart, to_stock_updates=True)


def test_no_cart_takes_stock_and_a_change_costs_one_question(cart, place, django_assert_num_queries):
    save(cart, to_stock_updates=False)
    _, item = kept(place)
    with django_assert_num_queries(1):
        marks.on_stock_changed([item.pk])
    assert not Push.objects.exists()


def test_an_item_linked_twice_is_sent_to_neither(cart, place):
    _, item = kept(place)
    other_id, _ = kept(place, 1)
    Record.objects.filter(external_id=str(other_id)).update(local_id=item.pk)
    count_in(item, 5)
    ticking.push_stock(cart.pk)
    assert "linked to this one" in Push.objects.get().reason and writes(place) == []
