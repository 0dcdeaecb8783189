"""The statements by hand before a request: they read what the ORM would, and stay right while things change."""

from decimal import Decimal

import pytest
from django.db import connection
from django.forms import model_to_dict
from django.utils import timezone

from backoffice.models import Item
from backoffice.services import stock
from carts.choices import Kind, RecordState
from carts.models import Cart, Feed, OpenUnits, Outbox, Record
from carts.services import leases, stock_rows, ticking
from tests.engine.helpers import fresh, save
from tests.push.conftest import kept, shows

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 3_000
needs_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite prepares nothing")


def count_in(item: Item, quantity: int) -> None:
    stock.adjust(fresh(item), Decimal(quantity), by=None, note="count")


def taken(cart: Cart, item: Item) -> stock_rows.StockLease:
    """The lease that a change makes worth taking, given back at once."""
    count_in(item, 1)
    lease = leases.claim_stock(cart.pk)
    assert lease
    leases.release_outbox(lease.outbox.pk, lease.token)
    return lease


def kept_of(outbox: Outbox) -> dict:
    """All but the lease, which is over."""
    return {name: value for name, value in model_to_dict(outbox).items() if not name.startswith("lease")}


def test_the_lease_comes_with_what_the_database_has(cart, place):
    """Twice, since the cart is kept from the first time."""
    _, item = kept(place)
    Cart.objects.update(
        shop_locations=[["7", "Ünder the 'bridge' | \"x\""]], shop_timezone="Europe/Berlin", stock_maximum=None
    )
    Outbox.objects.update(failures=3, swept_at=timezone.now(), sweep_position="12")
    for maximum in (None, 4, 4, None):
        Cart.objects.update(stock_maximum=maximum)
        lease = taken(cart, item)
        assert model_to_dict(lease.outbox.cart) == model_to_dict(fresh(cart))
        assert kept_of(lease.outbox) == kept_of(Outbox.objects.get())
        assert lease.orders_read_at == Feed.objects.get(kind="order").polled_at


def test_settings_that_were_saved_hold_for_the_next_change(cart, place):
    shop_id, item = kept(place)
    count_in(item, 10)
    ticking.push_stock(cart.pk)
    assert shows(place, shop_id) == 10
    save(cart, stock_maximum=4)
    count_in(item, 1)
    ticking.push_stock(cart.pk)
    assert shows(place, shop_id) == 4


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL plans by how much there is")
def test_what_was_sold_of_an_item_is_found_without_reading_every_open_order(cart, place):
    now = timezone.now()
    orders = Record.objects.bulk_create(
        Record(
            cart=cart, kind=Kind.ORDER, external_id=f"old-{number}", state=RecordState.FILTERED, digest=b"", payload="",
            seen_at=now, changed_at=now,
        )
        for number in range(MANY)
    )  # fmt: skip
    OpenUnits.objects.bulk_create(
        OpenUnits(record=order, cart=cart, external_item_id=order.external_id, sku_key=order.external_id, quantity=1)
        for order in orders
    )
    _, item = kept(place)
    asked: list[tuple] = []
    with connection.execute_wrapper(
        lambda run, sql, given, *rest: (asked.append((sql, given)), run(sql, given, *rest))[1]
    ):
        stock_rows.open_units({item.pk: "old-7"})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        for sql, given in asked:
            cursor.execute(f"EXPLAIN {sql}", given)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan on carts_openunits" not in plan, plan
    assert len(asked) == 1


@needs_postgresql
def test_a_column_that_is_added_meanwhile_breaks_no_statement(cart, place):
    """As an upgrade does while workers are still at work."""
    shop_id, item = kept(place)
    tables = [
        model._meta.db_table for model in (Cart, Outbox, stock_rows.Push, stock_rows.Record, stock_rows.OpenUnits)
    ]
    count_in(item, 7)
    ticking.push_stock(cart.pk)
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN of_the_next_version integer")
    try:
        count_in(item, 2)
        ticking.push_stock(cart.pk)
        assert shows(place, shop_id) == 9
    finally:
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DROP COLUMN of_the_next_version")


@needs_postgresql
@pytest.mark.parametrize("prepares", [True, False])
def test_statements_are_prepared_unless_a_pooler_forbids_it(cart, place, monkeypatch, prepares):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", 0 if prepares else None)
    connection.close()
    shop_id, item = kept(place)
    count_in(item, 7)
    ticking.push_stock(cart.pk)
    assert shows(place, shop_id) == 7
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert bool(cursor.fetchone()[0]) is prepares
    connection.close()
