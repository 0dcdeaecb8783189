"""The since-filter, as measured on a live server."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.testing import practice_shop
from tests.sandbox.conftest import NOON, Client

SECOND = timedelta(seconds=1)


@pytest.fixture
def three(place):
    """Orders modified a second before noon, at noon and a second after (New York, 17:00 UTC)."""
    return [place.shop.place_order(placed=NOON + SECOND * step).id for step in (-1, 0, 1)]


def test_modified_after_is_strictly_later(call, three):
    assert call.ids("orders", modified_after="2026-11-23T12:00:00") == [three[2]]


def test_modified_before_is_strictly_earlier(call, three):
    assert call.ids("orders", modified_before="2026-11-23T12:00:00") == [three[0]]


def test_after_and_before_look_at_the_time_of_placing(place, call, three):
    place.shop.clock.advance(3600)
    place.shop.edit_order(three[0], note="later")
    assert call.ids("orders", after="2026-11-23T12:00:00") == [three[2]]
    assert call.ids("orders", before="2026-11-23T12:00:00") == [three[0]]
    assert call.ids("orders", modified_after="2026-11-23T12:30:00") == [three[0]]


@pytest.mark.parametrize("since", ["2026-11-23T17:00:00Z", "2026-11-23T18:00:00+01:00", "2026-11-23T17:00:00.9Z"])
def test_a_zone_alone_is_right(call, three, since):
    assert call.ids("orders", modified_after=since) == [three[2]]


def test_zoneless_utc_with_dates_are_gmt_is_right(call, three):
    assert call.ids("orders", modified_after="2026-11-23T17:00:00", dates_are_gmt="true") == [three[2]]


def test_a_zone_and_dates_are_gmt_together_shift_twice(call, three):
    found = call.ids("orders", modified_after="2026-11-23T18:00:00Z", dates_are_gmt="true", order="asc")
    assert found == three


@pytest.mark.parametrize("since", ["2026-11-23", "2026-11-23T17:00:00 00:00", "yesterday", "2026-13-01T00:00:00"])
def test_a_value_that_is_no_date_time_is_refused(call, three, since):
    answer = call("GET", "orders", modified_after=since)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "rest_invalid_param",
        "message": "Invalid parameter(s): modified_after",
        "data": {
            "status": 400,
            "params": {"modified_after": "Invalid date."},
            "details": {"modified_after": {"code": "rest_invalid_date", "message": "Invalid date.", "data": None}},
        },
    }


def test_an_offset_whose_plus_is_not_encoded_is_refused(place, call, three):
    url = f"{place.url}/wp-json/wc/v3/orders?modified_after=2026-11-23T17:00:00+00:00"
    assert call.session.get(url).status_code == 400


def test_trashed_and_deleted_orders_never_show(place, call, three):
    place.shop.trash_order(three[0])
    place.shop.delete_order(three[1])
    assert call.ids("orders", modified_after="2026-01-01T00:00:00") == [three[2]]
    assert call.ids("orders", status="trash", modified_after="2026-01-01T00:00:00") == [three[0]]


def test_customers_ignore_it(call):
    assert len(call.ids("customers", modified_after="2030-01-01T00:00:00")) == 3


def test_products_and_variations_take_the_same_filter(place, call):
    place.shop.add_product("LATE-1", "Late one", "1.00", created=NOON)
    parent = place.shop.add_product("LATE-2", "Late two", kind="variable", created=NOON + SECOND)
    variation = place.shop.add_product("LATE-2-S", "S", "1.00", parent=parent, option="S", created=NOON + SECOND)
    assert call.ids("products", modified_after="2026-11-23T12:00:00") == [parent.id]
    assert call.ids("variations", modified_after="2026-11-23T12:00:00") == [variation.id]
    assert call.ids("products", modified_after="2026-11-23T17:00:00", dates_are_gmt="1") == [parent.id]


class TestTheNightTheClocksGoBack:
    """1 November 2026, New York: 01:00 to 02:00 comes twice, from 05:00 UTC and from 06:00 UTC."""

    FIRST, AGAIN = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)

    def test_an_order_filter_takes_the_first_of_the_two(self, place, call):
        first, again = (place.shop.place_order(placed=moment).id for moment in (self.FIRST, self.AGAIN))
        assert call.ids("orders", modified_after="2026-11-01T01:29:59", order="asc") == [first, again]
        assert call.ids("orders", modified_after="2026-11-01T01:30:00") == [again]

    def test_utc_tells_the_two_apart(self, place, call):
        first, again = (place.shop.place_order(placed=moment).id for moment in (self.FIRST, self.AGAIN))
        assert call.ids("orders", modified_after="2026-11-01T06:29:59", dates_are_gmt="true") == [again]
        assert call.ids("orders", modified_after="2026-11-01T05:29:59Z", order="asc") == [first, again]

    def test_the_local_column_of_products_cannot_tell_them_apart(self, place, call):
        place.shop.add_product("ONE", "One", created=self.FIRST)
        place.shop.add_product("TWO", "Two", created=self.AGAIN)
        assert call.ids("products", modified_after="2026-11-01T06:30:00Z") == []
        assert len(call.ids("products", modified_after="2026-11-01T06:29:59Z")) == 2

    def test_both_orders_show_the_same_wall_clock(self, place, call):
        ids = [place.shop.place_order(placed=moment).id for moment in (self.FIRST, self.AGAIN)]
        rows = [call.get(f"orders/{each}") for each in ids]
        assert [row["date_created"] for row in rows] == ["2026-11-01T01:30:00"] * 2
        assert [row["date_created_gmt"] for row in rows] == ["2026-11-01T05:30:00", "2026-11-01T06:30:00"]


class TestTheNightTheClocksGoForward:
    """8 March 2026, New York: 02:00 to 03:00 never is."""

    def test_a_utc_value_inside_the_skipped_hour_moves_an_hour_on(self, place, call):
        for hour, minute in ((2, 45), (3, 15), (3, 45)):
            place.shop.place_order(placed=datetime(2026, 3, 8, hour, minute, tzinfo=UTC))
        found = call.get("orders", modified_after="2026-03-08T02:30:00", dates_are_gmt="true")
        assert [row["date_modified_gmt"] for row in found] == ["2026-03-08T03:45:00"]

    def test_with_a_zone_alone_nothing_is_missed(self, place, call):
        ids = [place.shop.place_order(placed=datetime(2026, 3, 8, 2, m, tzinfo=UTC)).id for m in (31, 45)]
        assert call.ids("orders", modified_after="2026-03-08T02:30:00Z", order="asc") == ids


def test_another_time_zone():
    with practice_shop(timezone="Asia/Kolkata") as place:
        order = place.shop.place_order(placed=NOON)
        row = Client(place).get("orders", modified_after="2026-11-23T22:29:59")[0]
        assert (row["id"], row["date_created"]) == (order.id, "2026-11-23T22:30:00")
