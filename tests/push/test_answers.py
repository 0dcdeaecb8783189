"""What a cart may answer to a quantity, and what the engine may not do while it waits for the answer."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest
from django.db import connection, connections
from django.utils import timezone

from backoffice.models import Item
from carts.choices import Kind, PushState
from carts.models import Cart, Push, Record
from carts.services import pushing, ticking
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import fresh, know_the_items, poll, running_cart
from tests.platforms.around import around
from tests.push.conftest import count_in, kept
from tests.push.test_records import pick


def open_transactions() -> int:
    """How many sessions of this database sit in a transaction; asked over a connection of its own."""
    with closing(connection.copy()) as other, other.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
            )
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except Exception:  # locked: somebody is in one
            return 1
        return 0


def test_no_transaction_is_open_while_a_request_is_under_way(cart, place):
    _, item = kept(place)
    count_in(item, 7)
    Record.objects.update(cart_stock=None)  # so that it is read before it is written
    seen: list[tuple[str, int]] = []
    with around(place, before=lambda request: seen.append((request.method, open_transactions()))):
        ticking.push_stock(cart.pk)
    connections.close_all()
    assert seen == [("GET", 0), ("POST", 0)]


@pytest.fixture
def compared() -> Iterator[PracticeShop]:
    """A shop that compares before it sets."""
    with practice_shop(platform="shopify", products=20) as place:
        yield place


@pytest.fixture
def shopify(transactional_db: None, compared: PracticeShop) -> Cart:
    """RUNNING, its items linked, their quantities ours and known."""
    know_the_items(compared)
    cart = running_cart(compared, to_stock_updates=True)
    pick(
        cart, Kind.ITEM, [str(row.id) for row in compared.shop.products.rows.values() if row.sku and not row.parent_id]
    )
    poll(cart)
    ticking.push_stock(cart.pk)
    assert not Push.objects.exists()
    compared.requests.clear()
    return fresh(cart)


def quantities_sent(place: PracticeShop) -> int:
    return sum(b"inventorySetQuantities" in each.body for each in place.requests)


def test_a_quantity_the_cart_refuses_as_stale_is_read_and_reckoned_anew(shopify, compared):
    sku = compared.shop.any_sku()
    compared.shop.set_stock(sku, 1)  # somebody edits it there, and we do not know
    count_in(Item.objects.get(sku=sku), 6)
    ticking.push_stock(shopify.pk)
    ours = Item.objects.get(sku=sku)
    assert compared.shop.product_by_sku(sku).stock == 6
    assert quantities_sent(compared) == 2
    assert not Push.objects.exists()
    assert Record.objects.get(cart=shopify, kind=Kind.ITEM, local_id=ours.pk).cart_stock == Decimal(6)


def test_one_that_changes_at_every_look_ends_as_a_problem(shopify, compared):
    sku = compared.shop.any_sku()
    count_in(Item.objects.get(sku=sku), 6)
    edits = iter(range(100, 200))

    def somebody_edits(request) -> None:
        if b"inventorySetQuantities" in request.body:
            compared.shop.set_stock(sku, next(edits))

    with around(compared, before=somebody_edits):
        for _ in range(pushing.MOST_TRIES + 1):
            Push.objects.update(due_at=timezone.now())
            ticking.push_stock(shopify.pk)
    push = Push.objects.get()
    assert (push.state, push.reason) == (PushState.FAILED, pushing.NEVER_SETTLES)
    assert quantities_sent(compared) == pushing.MOST_TRIES
