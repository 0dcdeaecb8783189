"""Orders are read whole, and none is missed. Each trap of the fact sheet is a test."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from carts.platforms.shopify import NESTED_SIZE, TooDear
from carts.records import ORDER, Listing
from sandbox.shopify.selling import edit_quantity
from sandbox.trading import LineDraft, OrderDraft
from tests.platforms.around import around
from tests.platforms.shopify.conftest import NOON
from tests.platforms.shopify.test_orders import adds_up, asked, fetched

# Complete ---------------------------------------------------------------------------------------------


def test_an_order_of_300_lines_is_complete(place, adapter):
    order = place.shop.place_order(*["SKU-0001"] * 300)
    (row,) = fetched(adapter)
    whole = adapter.parse_order(row.body)
    assert len(whole.lines) == 300 and adds_up(whole)
    assert (whole.total, whole.tax_total) == (order.total, order.total_tax)
    assert [each["first"] for each in asked(place, "More_lineItems")] == [NESTED_SIZE, NESTED_SIZE]
    assert len({line["id"] for line in json.loads(row.body)["lineItems"]}) == 300


def test_refunds_and_transactions_are_plain_lists_cut_off_by_first(place, adapter):
    order = place.shop.place_order("SKU-0001", quantity=9)
    for _ in range(8):
        place.shop.refund_order(order.id, Decimal("0.50"))
    (row,) = fetched(adapter)
    assert [refund.amount for refund in adapter.parse_order(row.body).refunds] == [Decimal("0.50")] * 8
    assert len(json.loads(row.body)["transactions"]) == 9


def test_shipping_lines_page_like_the_others(place, adapter):
    shipping = [(f"Parcel {number}", "flat_rate", Decimal("1.10")) for number in range(7)]
    order = place.shop.take_order(OrderDraft([LineDraft("SKU-0001")], shipping_lines=shipping))
    whole = adapter.parse_order(fetched(adapter)[0].body)
    assert sum(line.kind == "shipping" for line in whole.lines) == 7
    assert whole.total == order.total and adds_up(whole)


def test_a_row_is_the_same_by_list_and_by_id(place, adapter):
    """Or each poll would take it for changed."""
    long = place.shop.place_order(*["SKU-0001"] * 30)
    edited = place.shop.place_order("SKU-0001", quantity=4)
    edit_quantity(place.shop, edited.id, edited.lines[0].id, 3)
    place.shop.refund_order(edited.id, lines={edited.lines[0].id: 1})
    by_list = {row.external_id: row.digest for row in fetched(adapter)}
    by_id = adapter.fetch_many(ORDER, [str(long.id), str(edited.id)])
    newest = adapter.listing(ORDER, Listing()).rows
    assert {row.external_id: row.digest for row in by_id} == by_list
    assert {row.external_id: row.digest for row in newest} == by_list


def test_a_page_that_is_too_dear_is_asked_for_in_smaller_parts(place, adapter):
    """How a connection is sized is not published: the shop's refusal counts, not our reckoning."""
    orders = [place.shop.place_order() for _ in range(20)]

    def dearer(request, response):
        if json.loads(request.body)["variables"].get("first", 0) > 6:
            error = {"message": "Query cost is 1078", "extensions": {"code": "MAX_COST_EXCEEDED"}}
            response.body = json.dumps({"errors": [error]}).encode()

    adapter.check()
    with around(place, after=dearer):
        rows = fetched(adapter)
    assert {row.external_id for row in rows} == {str(order.id) for order in orders}
    assert [each["first"] for each in asked(place, "OrderList")][:3] == [50, 25, 12]
    assert {each["first"] for each in asked(place, "OrderList")[3:]} == {6}


def test_a_question_that_is_too_dear_even_for_one_row_ends(place, adapter):
    def dearer(request, response):
        response.body = b'{"errors": [{"message": "x", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}'

    place.shop.place_order()
    adapter.check()
    with around(place, after=dearer), pytest.raises(TooDear):
        fetched(adapter)


# Found ------------------------------------------------------------------------------------------------


def test_orders_are_sorted_by_update_because_the_usual_key_is_the_processing(place, adapter):
    first = place.shop.place_order(placed=NOON - timedelta(hours=3))
    second = place.shop.place_order(placed=NOON - timedelta(hours=2))
    place.shop.edit_order(first.id, note="Edited")
    assert [row.external_id for row in fetched(adapter)] == [str(second.id), str(first.id)]


def test_the_start_of_a_window_is_closed_quoted_and_in_utc(place, adapter):
    order = place.shop.place_order()
    place.shop.place_order(placed=NOON - timedelta(seconds=1))
    assert [row.external_id for row in fetched(adapter, NOON)] == [str(order.id)]
    assert asked(place, "OrderList")[0]["q"] == "updated_at:>='2026-11-23T17:00:00Z'"


def test_a_row_edited_while_pages_are_read_is_read_again_and_none_is_missed(place, adapter):
    orders = [place.shop.place_order(placed=NOON - timedelta(minutes=200 - number)) for number in range(120)]
    place.faults.add("rows_move", body="OrderList", count=5, times=2)
    ids = [row.external_id for row in fetched(adapter)]
    assert set(ids) == {str(order.id) for order in orders}
    assert len(ids) == 130


def test_orders_of_one_second_over_several_pages_are_all_read(place, adapter):
    orders = place.shop.place_in_same_second(120)
    assert sorted(row.external_id for row in fetched(adapter)) == sorted(str(order.id) for order in orders)


def test_orders_older_than_60_days_need_a_scope_of_their_own(place, adapter):
    old = place.shop.place_order(placed=NOON - timedelta(days=61))
    place.platform.access.scopes.remove("read_all_orders")
    assert fetched(adapter, None) == [] and adapter.fetch_many(ORDER, [str(old.id)]) == []
    warning = "The scope read_all_orders is missing: orders older than 60 days are not shown by the shop"
    assert [text[: len(warning)] for text in adapter.check().warnings] == [warning]
    place.platform.access.scopes.append("read_all_orders")
    assert [row.external_id for row in fetched(adapter, None)] == [str(old.id)]


def test_a_list_is_counted_and_filtered_by_our_own_statuses(place, adapter):
    paid = place.shop.place_order()
    waiting = place.shop.place_order(status="pending")
    cancelled = place.shop.cancel_order(place.shop.place_order(status="pending").id)
    test = place.shop.edit_order(place.shop.place_order().id, extra={"test": True})
    ids = {"paid": paid.id, "pending": waiting.id, "cancelled": cancelled.id, "test": test.id}
    found = {name: adapter.listing(ORDER, Listing(status=name)) for name in ids}
    assert {name: str(ids[name]) in [row.external_id for row in page.rows] for name, page in found.items()} == (
        dict.fromkeys(ids, True)
    )
    both = adapter.listing(ORDER, Listing(status="pending,cancelled", per_page=1, placed_from=NOON))
    assert (both.total, len(both.rows), both.is_last) == (2, 1, False)
    rest = adapter.listing(ORDER, Listing(status="pending,cancelled", per_page=1, position=both.next_position))
    assert {both.rows[0].external_id, rest.rows[0].external_id} == {str(waiting.id), str(cancelled.id)}
