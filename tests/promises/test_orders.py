"""Promises 1 and 2: exactly once, and nothing vanishes."""

import pytest

from backoffice.models import Document
from carts.choices import RecordState
from carts.models import Feed, Record
from carts.services import control
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    external_id,
    feed_of,
    fresh,
    know_the_items,
    poll,
    running_cart,
    try_poll,
)
from tests.platforms.around import around, at_request
from tests.promises.conftest import opened

# Budgets are written by the readers' own threads, which a test inside one transaction would lock out.
pytestmark = pytest.mark.django_db(transaction=True)
FAULTS = {
    "401": {},
    "429": {},
    "500": {},
    "timeout": {"seconds": 0.2, "processed": True},
    "reset": {},
    "truncated": {},
    "html200": {},
    "redirect": {},
}


def recover(cart) -> None:
    """What time and staff do: ticks go on, and somebody clicks Test Connection where a person is needed."""
    for _ in range(12):
        Feed.objects.update(next_poll_at=None)
        if feed_of(cart).needs_person:
            control.test_connection(fresh(cart), "staff")
        try_poll(cart)
        if not feed_of(cart).error:
            return
    raise AssertionError(f"it did not recover: {feed_of(cart).error}")


def test_every_order_is_imported_exactly_once_whatever_fails_on_the_way(platform):
    """Each fault strikes another request of the first reading; then all of it is read once more."""
    with opened(platform, orders=130, customers=10, products=30, lines=2) as place:
        know_the_items(place)
        cart = running_cart(place)
        for number, (name, options) in enumerate(FAULTS.items()):
            place.faults.add(name, after=number % 3, **options)
            place.shop.place_order()
            recover(cart)
        place.faults.clear()
        poll(cart)
        assert_none_lost_none_doubled(place, cart)
        assert_runs_add_up(cart)
        # A worker was killed before it could move the cursor: the same pages again.
        Feed.objects.update(high_water=None)
        poll(cart)
        assert_none_lost_none_doubled(place, cart)


def test_nothing_vanishes_while_the_shop_lives_on(platform):
    """Orders placed in one second, committed late and edited while pages are read: each has a row after the next."""
    with opened(platform, orders=130, customers=10, products=30, lines=2) as place:
        know_the_items(place)
        cart = running_cart(place)
        shop = place.shop

        def life() -> None:
            shop.place_in_same_second(4)
            shop.commit_late(60)
            for order_id in list(shop.orders.rows)[:5]:
                shop.edit_order(order_id, note="Edited meanwhile")

        first, second = at_request(1, life, match=""), at_request(3, life, match="")
        with around(place, before=first, after=lambda request, _: second(request)):
            poll(cart)
        poll(cart)
        assert_none_lost_none_doubled(place, cart)


def test_every_order_has_a_state_and_whatever_is_not_imported_a_reason(history):
    know_the_items(history)
    cart = running_cart(history)
    poll(cart)
    rows = {row.external_id: row for row in Record.objects.filter(cart=cart, kind="order")}
    assert {external_id(history, order) for order in history.shop.orders.rows.values()} <= set(rows)
    left = [row for row in rows.values() if row.state != RecordState.IMPORTED]
    assert left and all(row.reason for row in left)
    assert {row.state for row in left} <= {RecordState.HELD, RecordState.FILTERED}
    imported = [row for row in rows.values() if row.state == RecordState.IMPORTED]
    assert Document.objects.count() == len(imported) > 50
    totals = dict(Document.objects.values_list("source_ref", "total"))
    for order in history.shop.orders.rows.values():
        if (ref := external_id(history, order)) in totals:
            assert totals[ref] == order.total


def test_an_idle_poll_writes_nothing_here_or_there(history):
    from tests.engine.helpers import Writes
    from tests.push.conftest import writes

    know_the_items(history)
    cart = running_cart(history)
    poll(cart)
    before = list(Document.objects.values_list()), list(Record.objects.values_list())
    history.requests.clear()
    for _ in range(3):
        with Writes() as seen:
            poll(cart)
        tables = [statement for statement in seen if "backoffice_" in statement or "carts_record" in statement]
        assert tables == []
    assert writes(history) == [] and history.requests
    assert before == (list(Document.objects.values_list()), list(Record.objects.values_list()))
