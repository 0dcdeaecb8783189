"""Orders: found by when they changed, whole, and to the cent."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from carts.errors import Rejected
from carts.records import CUSTOMER, ORDER, Window
from tests.contract.harness import SECOND, START, ground_of
from tests.platforms.around import around, at_request

ZERO = Decimal(0)


def delivered(rows) -> list[str]:
    return [row.external_id for row in rows]


def test_the_start_of_the_window_is_closed(ground):
    before, at, after = (ground.shop.place_order(placed=START + SECOND * step) for step in (-1, 0, 1))
    assert delivered(ground.fetched(START)) == ground.ids_of([at, after])
    assert delivered(ground.fetched(START - SECOND)) == ground.ids_of([before, at, after])
    assert delivered(ground.fetched(START + SECOND * 2)) == []


def test_all_of_one_second_come(ground):
    placed = ground.shop.place_in_same_second(260, START)
    assert Counter(delivered(ground.fetched())) == Counter(ground.ids_of(placed))


def test_oldest_first_by_when_they_were_modified(ground):
    orders = [ground.shop.place_order(placed=START + SECOND * step) for step in range(30)]
    for order in (orders[3], orders[20], orders[0]):
        ground.shop.clock.set(ground.shop.clock.now() + SECOND)
        ground.shop.edit_order(order.id, note="Please ring twice")
    rows = ground.fetched()
    times = [row.modified_at for row in rows]
    assert times == sorted(times) and None not in times
    assert delivered(rows)[-3:] == ground.ids_of([orders[3], orders[20], orders[0]])
    assert len(rows) == 30


def test_without_a_start_everything_comes(ground):
    orders = [ground.shop.place_order(placed=START - timedelta(days=days)) for days in (50, 9, 1)]
    assert delivered(ground.fetched(None)) == ground.ids_of(orders)


@pytest.mark.parametrize("in_flight", [1, 4])
def test_none_is_missed_while_rows_move(ground, in_flight):
    """Between the requests orders are edited, placed and committed late; all that were there come."""
    orders = [ground.shop.place_order(placed=START + SECOND * step) for step in range(330)]

    def life() -> None:
        for order in orders[:4]:
            ground.shop.edit_order(order.id, note="Edited meanwhile")
        ground.shop.place_order()
        ground.shop.place_order(placed=START + SECOND * 50)

    second, third = (at_request(number, life, match="") for number in (2, 3))
    with around(ground.place, before=second, after=lambda request, _: third(request)):
        rows = ground.fetched(in_flight=in_flight)
    assert set(ground.ids_of(orders)) <= set(delivered(rows))


def test_late_commits_lie_within_the_overlap(ground):
    newest = ground.shop.place_order(placed=START + timedelta(hours=2))
    ground.fetched()
    overlap = timedelta(seconds=ground.capabilities.overlap_seconds)
    late = ground.shop.place_order(placed=START + timedelta(hours=2) - overlap + SECOND)
    assert delivered(ground.fetched(START + timedelta(hours=2) - overlap)) == ground.ids_of([late, newest])


def test_closing_ends_the_reading(ground):
    for _ in range(300):
        ground.shop.place_order(placed=START)
    ground.place.requests.clear()
    pages = ground.adapter.fetch(ORDER, Window(since=START))
    first = next(pages)
    made = len(ground.place.requests)
    pages.close()
    assert 0 < len(first.rows) < 300 and not first.is_last
    # Whatever was read ahead is the end of it.
    assert len(ground.place.requests) <= made + 1


def test_before_request_is_asked_before_all_but_the_first_and_can_end_it(ground):
    for _ in range(300):
        ground.shop.place_order(placed=START)
    asked = []

    class Ended(Exception):
        pass

    def end() -> None:
        asked.append(len(ground.place.requests))
        raise Ended

    ground.place.requests.clear()
    with pytest.raises(Ended):
        list(ground.adapter.fetch(ORDER, Window(since=START, before_request=end)))
    assert asked and len(ground.place.requests) == asked[0]


# What an order says ------------------------------------------------------------------------------------


@pytest.fixture
def history(platform):
    """A hundred and twenty orders with all that shops do: coupons, fees, refunds, guests, unknown and deleted items."""
    with ground_of(platform, orders=120, customers=20, products=60) as ground:
        yield ground


def test_every_line_tax_and_total_is_the_shops_to_the_cent(history):
    parsed = {row.external_id: history.adapter.parse_order(row.body) for row in history.fetched(None)}
    theirs = {history.id_of(order): order for order in history.shop.orders.rows.values()}
    assert parsed.keys() == theirs.keys()
    charged = charged_by_line if history.harness.discounts_by_line else charged_before_discount
    for external_id, shop in theirs.items():
        order, where = parsed[external_id], f"order {external_id}"
        assert (order.total, order.tax_total, order.currency) == (shop.total, shop.total_tax, shop.currency), where
        lines, others, discount = charged(shop)
        assert Counter((line.quantity, line.net, line.tax) for line in order.lines if line.kind == "item") == lines, (
            where
        )
        told = [line for line in order.lines if line.kind != "item"]
        assert (sum((line.net for line in told), ZERO), sum((line.tax for line in told), ZERO)) == others, where
        assert order.discount_total == discount, where
        drift = order.total - sum((line.net + line.tax for line in order.lines), ZERO)
        assert abs(drift) <= order.rounding_limit, where
        assert (order.placed_at, order.modified_at) == (shop.created, shop.modified), where


def charged_by_line(order) -> tuple[Counter, tuple[Decimal, Decimal], Decimal]:
    """(lines of items as (quantity, net, tax), the sums of all other lines as (net, tax), the discount)"""
    lines = Counter((Decimal(line.quantity), line.total, line.total_tax) for line in order.lines)
    parts = [*order.shipping_lines, *order.fees]
    others = sum((part.total for part in parts), ZERO), sum((part.total_tax for part in parts), ZERO)
    return lines, others, order.discount_total


def charged_before_discount(order) -> tuple[Counter, tuple[Decimal, Decimal], Decimal]:
    """The same where a discount is a line of its own: a coupon's as well as a fee below zero."""
    lines = Counter((Decimal(line.quantity), line.subtotal, line.subtotal_tax) for line in order.lines)
    net, tax = charged_by_line(order)[1]
    net -= sum((line.subtotal - line.total for line in order.lines), ZERO)
    tax -= sum((line.subtotal_tax - line.total_tax for line in order.lines), ZERO)
    return lines, (net, tax), order.discount_total - sum((fee.total for fee in order.fees if fee.total < 0), ZERO)


def test_a_line_names_the_record_of_its_item(history):
    rows = {row.external_id: history.adapter.parse_item(row.body) for row in history.all_by_id("item")}
    named = 0
    for row in history.fetched(None):
        for line in history.adapter.parse_order(row.body).lines:
            if line.kind == "item" and line.external_item_id:
                item = rows.get(line.external_item_id)
                if item is None:
                    # Some platforms go on naming what was deleted.
                    assert line.description == "Discontinued Lamp"
                    continue
                assert (line.sku, item.has_variations) == (item.sku, False)
                named += 1
    assert named > 150


def test_guests_and_registered_buyers_are_told_apart(ground):
    customer = ground.shop.customer_by_email("customer1@example.test")
    guest = ground.shop.place_order(placed=START, email="guest@example.test")
    known = ground.shop.place_order(placed=START + SECOND, customer_id=customer.id)
    first, second = (ground.adapter.parse_order(row.body) for row in ground.fetched())
    assert (first.external_id, first.external_customer_id, first.email) == (
        ground.id_of(guest), "", "guest@example.test",
    )  # fmt: skip
    assert (second.external_id, second.external_customer_id, second.email) == (
        ground.id_of(known), ground.id_of(customer, CUSTOMER), "customer1@example.test",
    )  # fmt: skip
    assert (second.billing.name, second.billing.city, second.billing.country) == (
        customer.billing.first_name + " " + customer.billing.last_name,
        customer.billing.city,
        customer.billing.country,
    )


def test_paid_waiting_and_cancelled_orders_say_so(ground):
    waiting = ground.shop.place_order(placed=START, status="pending")
    paid = ground.shop.place_order(placed=START + SECOND, status="processing")
    cancelled = ground.shop.cancel_order(ground.shop.place_order(placed=START + SECOND * 2, status="pending").id)
    found = {row.external_id: ground.adapter.parse_order(row.body) for row in ground.fetched()}
    told = {name: (order.is_paid, order.is_cancelled) for name, order in found.items()}
    assert told == {
        ground.id_of(waiting): (False, False),
        ground.id_of(paid): (True, False),
        ground.id_of(cancelled): (False, True),
    }
    known = ground.capabilities.order_statuses
    assert {order.status for order in found.values()} <= set(known)
    assert found[ground.id_of(paid)].status in ground.capabilities.paid_statuses
    assert set(ground.capabilities.paid_statuses) <= set(known)


def test_a_refund_moves_the_order_and_tells_its_amount(ground):
    order = ground.shop.place_order("SKU-0001", quantity=3, placed=START, status="processing")
    other = ground.shop.place_order("SKU-0002", placed=START, status="processing")
    total = order.total
    refund = ground.shop.refund_order(order.id, lines={order.lines[0].id: 1}, reason="Damaged")
    (row,) = ground.fetched(START + SECOND)
    read = ground.adapter.parse_order(row.body)
    assert (row.external_id, read.total) == (ground.id_of(order), total)
    assert [each.amount for each in read.refunds] == [refund.amount] and refund.amount > 0
    (whole,) = ground.adapter.fetch_many(ORDER, [ground.id_of(other)])
    assert ground.adapter.parse_order(whole.body).refunds == ()


def test_picked_orders_come_and_unknown_ids_are_simply_not_among_them(ground):
    orders = [ground.shop.place_order(placed=START) for _ in range(3)]
    gone = ground.shop.place_order(placed=START)
    ids = ground.ids_of([orders[2], gone, orders[0]])
    ground.shop.delete_order(gone.id)
    rows = ground.adapter.fetch_many(ORDER, [*ids, "987654321", "no id", ""])
    assert sorted(delivered(rows)) == sorted(ground.ids_of([orders[0], orders[2]]))
    assert ground.adapter.fetch_many(ORDER, ["987654321"]) == []
    assert ground.adapter.fetch_many(ORDER, []) == []
    by_time = {row.external_id: row.digest for row in ground.fetched()}
    assert all(by_time[row.external_id] == row.digest for row in rows), "one record, one digest, however it is read"


def test_the_digest_stays_while_nothing_changes_and_moves_with_a_change(ground):
    orders = [ground.shop.place_order(placed=START + SECOND * step) for step in range(3)]
    before, again = ({row.external_id: row.digest for row in ground.fetched()} for _ in range(2))
    assert before == again and len(set(before.values())) == 3
    ground.shop.set_status(orders[1].id, "completed")
    after = {row.external_id: row.digest for row in ground.fetched()}
    changed = {external_id for external_id in before if before[external_id] != after[external_id]}
    assert changed == {ground.id_of(orders[1])}


def test_what_is_kept_reads_the_same_and_holds_no_secret(history):
    for kind in ("order", "item", "customer"):
        rows = history.fetched(None) if kind == ORDER else history.all_by_id(kind)
        assert rows
        for row in rows:
            kept = history.adapter.clean(row.body)
            assert history.parse(kind, kept) == history.parse(kind, row.body)
            assert not [secret for secret in history.secrets if secret in kept]
    for order in history.shop.orders.rows.values():
        (row,) = history.adapter.fetch_many(ORDER, [history.id_of(order)])
        # Whoever holds it may open the order.
        assert order.key not in history.adapter.clean(row.body)
        break


def test_no_amount_is_a_float_and_every_time_knows_its_zone(history):
    for row in history.fetched(None):
        order = history.adapter.parse_order(row.body)
        amounts = [order.total, order.tax_total, order.discount_total, order.rounding_limit]
        amounts += [value for line in order.lines for value in (line.quantity, line.net, line.tax, line.discount)]
        amounts += [refund.amount for refund in order.refunds]
        assert {type(value) for value in amounts} == {Decimal}
        assert order.placed_at.utcoffset() == order.modified_at.utcoffset() == timedelta(0)
        assert row.modified_at == order.modified_at


@pytest.mark.parametrize("body", ["", "{}", "[]", "nonsense", "<xml/>"])
def test_what_is_no_record_is_rejected_with_a_sentence(ground, body):
    for kind in ("order", "item", "customer"):
        with pytest.raises(Rejected) as raised:
            ground.parse(kind, body)
        assert raised.value.sentence.endswith(".")
