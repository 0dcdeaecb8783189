"""The two nights on which the shop's clock is set: nothing is missed, nothing counts as newer than it is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from carts.platforms.prestashop import local_start, moment
from carts.records import ORDER, Window
from tests.platforms.prestashop.conftest import rows_of

MINUTE = timedelta(minutes=1)
# New York: back at 06:00 UTC, 02:00 becomes 01:00; on at 07:00 UTC, 02:00 becomes 03:00.
AUTUMN, SPRING = datetime(2026, 11, 1, 6, 0, tzinfo=UTC), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
ZONES = ("America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


def reading(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def changes_of(zone: ZoneInfo) -> list[datetime]:
    """The hours of 2026 in which the zone's clock is set."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24)]
    return [
        at for at in hours if at.astimezone(zone).utcoffset() != (at + timedelta(hours=1)).astimezone(zone).utcoffset()
    ]


@pytest.mark.parametrize("name", ZONES)
def test_whatever_is_saved_after_a_start_is_within_it(name):
    zone = ZoneInfo(name)
    for change in [*changes_of(zone), AUTUMN]:
        for start in (change + n * 7 * MINUTE for n in range(-30, 30)):
            earliest = local_start(start, zone)
            later = [start + n * 5 * MINUTE for n in range(60)]
            assert not [at for at in later if reading(at, zone) < earliest], (name, start)
            # And no more than the clock is set by is read twice.
            assert start - moment(earliest, zone) <= timedelta(hours=2)


@pytest.mark.parametrize("name", ZONES)
def test_a_reading_counts_as_its_time_or_as_the_first_of_two_never_as_later(name):
    zone = ZoneInfo(name)
    for change in [*changes_of(zone), AUTUMN]:
        for at in (change + n * 7 * MINUTE for n in range(-40, 40)):
            read = moment(reading(at, zone), zone)
            assert at - read in (timedelta(0), timedelta(hours=1), timedelta(minutes=30)), (name, at)


def test_both_passes_of_the_hour_that_comes_twice_are_read(place, adapter):
    before = [place.shop.place_order(placed=AUTUMN + n * 10 * MINUTE) for n in (-5, -1)]
    cursor = rows_of(adapter.fetch(ORDER, Window(since=AUTUMN - timedelta(hours=2))))[-1].modified_at
    assert cursor == before[-1].modified == AUTUMN - 10 * MINUTE
    # Its clock reads 01:10 now; the cursor's read 01:50.
    second = place.shop.place_order(placed=AUTUMN + 10 * MINUTE)
    found = {row.external_id for row in rows_of(adapter.fetch(ORDER, Window(since=cursor)))}
    assert {str(before[-1].id), str(second.id)} <= found


def test_the_cursor_goes_through_the_night_and_meets_every_order_once_or_more(place, adapter):
    orders = [place.shop.place_order(placed=AUTUMN + n * 10 * MINUTE) for n in range(-12, 13)]
    since, met = AUTUMN - timedelta(hours=3), set()
    for order in orders:
        # The shop as it was when this order was the newest.
        rows = rows_of(adapter.fetch(ORDER, Window(since=since)))
        met |= {row.external_id for row in rows}
        since = max([since, *(row.modified_at for row in rows if row.modified_at <= order.modified)])
    assert met == {str(order.id) for order in orders}


def test_the_hour_that_is_skipped_in_spring_hides_nothing(place, adapter):
    orders = [place.shop.place_order(placed=SPRING + n * 10 * MINUTE) for n in range(-3, 4)]
    for position, order in enumerate(orders):
        rows = rows_of(adapter.fetch(ORDER, Window(since=order.modified)))
        assert [row.external_id for row in rows] == [str(each.id) for each in orders[position:]]
    read = [adapter.parse_order(row.body) for row in rows_of(adapter.fetch(ORDER, Window()))]
    assert [order.placed_at for order in read] == [order.created for order in orders]


def test_the_zone_is_the_shops_own_wherever_it_is_read(place, adapter):
    """Kept text names the zone it was written in: a shop that moves changes no time of the past."""
    order = place.shop.place_order(placed=AUTUMN + timedelta(days=30))
    (row,) = adapter.fetch_many(ORDER, [str(order.id)])
    assert b'timezone="America/New_York"' in row.body
    assert adapter.parse_order(row.body).placed_at == order.created


def test_a_date_that_is_none_is_none():
    assert moment("0000-00-00 00:00:00", ZoneInfo("UTC")) is None
