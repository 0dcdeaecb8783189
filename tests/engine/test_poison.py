"""One bad record blocks nothing: it is parked alone with its payload and reason, the page and the cursor go on."""

from decimal import Decimal

import pytest
from django.db import connection

from carts.choices import Outcome, Reason, RecordState, RunState
from carts.services import held
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    documents,
    feed_of,
    know_the_items,
    poll,
    record_of,
    running_cart,
)
from tests.platforms.around import around, rewriting

pytestmark = pytest.mark.django_db

HUGE = "99999999999999999999.99"  # more than any column for amounts takes


def page_of_orders(place, number: int = 5):
    return [place.shop.place_order() for _ in range(number)]


POISON = {
    "no amount": {"total": "oops"},
    "no lines": {"line_items": None},
    "a line that is none": {"line_items": ["text"]},
    "no time": {"date_created_gmt": None},
    "nonsense for a time": {"date_modified_gmt": "0000-00-00T00:00:00"},
    "too large an amount": {"total": HUGE, "fee_lines": [{"name": "Fee", "total": HUGE, "total_tax": "0"}],
                            "line_items": [], "shipping_lines": [], "total_tax": "0"},
    "more decimals than are kept": {"total": "1.0000000001", "line_items": [], "shipping_lines": [],
                                    "total_tax": "0", "fee_lines": [{"name": "F", "total": "1.0000000001",
                                                                     "total_tax": "0"}]},
    "no object": b'"text"',
    "no id": b'{"number": "5"}',
    "half an object": b'{"id": "seven"}',
}  # fmt: skip


@pytest.mark.parametrize("change", POISON.values(), ids=POISON.keys())
def test_a_bad_record_is_parked_alone_and_the_cursor_goes_on(cart, place, change):
    orders = page_of_orders(place)
    bad = orders[2]
    with around(place, after=rewriting({bad.id: change})):
        run = poll(cart)
    assert set(documents(cart)) == {str(order.id) for order in orders if order is not bad}
    parked = cart.records.get(kind="order", state=RecordState.FAILED)
    assert parked.reason_code in (Reason.UNREADABLE, Reason.WRITE_FAILED)
    assert parked.reason and parked.payload
    assert (run.state, run.counts[Outcome.FAILED]) == (RunState.PARTLY_FAILED, 1)
    assert feed_of(cart).high_water == max(order.modified for order in orders)
    assert (feed_of(cart).failures, feed_of(cart).needs_person) == (0, False)
    assert_runs_add_up(cart)


@pytest.mark.parametrize("change", [{"total": "oops"}, POISON["too large an amount"]])
def test_a_bad_record_is_imported_once_it_is_mended_in_the_shop(cart, place, change):
    bad = page_of_orders(place)[2]
    with around(place, after=rewriting({bad.id: change})):
        poll(cart)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_a_character_the_database_cannot_keep(cart, place):
    """PostgreSQL takes no NUL in a text; SQLite does."""
    orders = page_of_orders(place)
    with around(place, after=rewriting({orders[2].id: {"customer_note": "a\0b", "number": "7\0"}})):
        poll(cart)
    expected = {str(order.id) for order in orders}
    if connection.vendor == "postgresql":
        assert record_of(cart, orders[2]).state == RecordState.FAILED
        expected -= {str(orders[2].id)}
    assert set(documents(cart)) == expected


@pytest.fixture
def refusing_row(transactional_db):
    """A trigger in the database that refuses the document of one order."""
    created: list[str] = []

    def refuse(order) -> None:
        if connection.vendor == "postgresql":
            statements = [
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.source_ref = "
                f"'{order.id}' THEN RAISE check_violation; END IF; RETURN NEW; END $$",
                "CREATE TRIGGER refuse BEFORE INSERT ON backoffice_document FOR EACH ROW EXECUTE FUNCTION refuse()",
            ]
            created.extend(["DROP TRIGGER refuse ON backoffice_document", "DROP FUNCTION refuse()"])
        else:
            statements = [
                "CREATE TRIGGER refuse BEFORE INSERT ON backoffice_document "
                f"WHEN NEW.source_ref = '{order.id}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            ]
            created.append("DROP TRIGGER refuse")
        run_all(statements)

    def allow() -> None:
        run_all(created)
        created.clear()

    def run_all(statements: list[str]) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    refuse.allow = allow
    yield refuse
    allow()


def test_a_database_error_of_one_row_parks_that_row_and_retry_brings_it(refusing_row, place):
    know_the_items(place)
    cart = running_cart(place)
    orders = page_of_orders(place, 7)
    refusing_row(orders[3])
    poll(cart)
    assert set(documents(cart)) == {str(order.id) for order in orders if order is not orders[3]}
    assert record_of(cart, orders[3]).reason_code == Reason.WRITE_FAILED
    refusing_row.allow()
    held.retry(record_of(cart, orders[3]), "staff")
    assert_none_lost_none_doubled(place, cart)
    assert_runs_add_up(cart)


def test_an_imported_order_that_becomes_unreadable_keeps_its_document(cart, place):
    order = place.shop.place_order()
    poll(cart)
    document = documents(cart)[str(order.id)]
    place.shop.refund_order(order.id, Decimal("1.00"))
    with around(place, after=rewriting({order.id: {"total": "oops"}})):
        poll(cart)
    record = record_of(cart, order)
    assert (record.state, record.local_id) == (RecordState.FAILED, document.pk)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)
    assert [todo.key.split(":")[0] for todo in document.todos.all()] == ["refund"]


def test_a_database_that_fails_whole_fails_the_page_and_loses_nothing(place, transactional_db):
    """No record is at fault here, so none is parked."""
    know_the_items(place)
    cart = running_cart(place)
    place.shop.place_order()
    table, away = "carts_heldfor", "carts_heldfor_away"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {away}")
    try:
        run = poll(cart)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {away} RENAME TO {table}")
    assert run is None or run.state == RunState.FAILED
    feed = feed_of(cart)
    assert (feed.failures, feed.needs_person, feed.lease_token) == (1, False, "")
    poll(cart)
    assert_none_lost_none_doubled(place, cart)
