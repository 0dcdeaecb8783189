"""What the engine does with PrestaShop alone; the promises over every platform: tests/promises."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from backoffice.models import Item
from carts.choices import Kind, Reason, RecordState
from carts.models import Feed, Record
from sandbox.testing import practice_shop
from tests.engine.helpers import (
    assert_runs_add_up,
    documents,
    know_the_items,
    poll,
    row_counts,
    running_cart,
    states,
)
from tests.push.conftest import writes
from tests.push.test_records import BOTH, edit_here, pick, turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place():
    with practice_shop(platform="prestashop", products=30, orders=60) as place:
        yield place


@pytest.fixture
def quiet():
    """Without orders, whose units would count."""
    with practice_shop(platform="prestashop", products=30) as place:
        yield place


def test_every_order_is_imported_once_with_the_shops_own_figures(place):
    know_the_items(place)
    cart = running_cart(place)
    poll(cart)
    paid = {str(order.id): order for order in place.shop.orders.rows.values()
            if order.status in ("processing", "completed") and order.currency == "USD"}  # fmt: skip
    found = documents(cart)
    known = states(cart)
    assert set(known) == {str(order.id) for order in place.shop.orders.rows.values()}
    held = {external_id for external_id, state in known.items() if state == RecordState.HELD}
    assert len(found) > 30 and set(found) == set(paid) - held
    assert {external_id: (row.total, row.tax_total) for external_id, row in found.items()} == {
        external_id: (paid[external_id].total, paid[external_id].total_tax) for external_id in found
    }
    before = row_counts()
    poll(cart)
    assert row_counts() == before
    assert_runs_add_up(cart)


def test_a_credit_slip_of_an_imported_order_is_seen_at_the_next_poll(place):
    know_the_items(place)
    cart = running_cart(place)
    order = place.shop.place_order("SKU-0001")
    poll(cart)
    place.shop.refund_order(order.id, Decimal("1.00"), restock=False)
    before = Record.objects.get(cart=cart, external_id=str(order.id), kind=Kind.ORDER).digest
    Feed.objects.filter(cart=cart).update(looked_back_at=timezone.now())
    poll(cart)
    assert Record.objects.get(cart=cart, external_id=str(order.id), kind=Kind.ORDER).digest != before


def test_items_go_both_ways_and_nothing_echoes(place):
    know_the_items(place)
    cart = running_cart(place, last_update_time=timezone.now() - timedelta(days=400), **BOTH)
    pick(cart, Kind.ITEM, [str(row.id) for row in place.shop.products.rows.values() if not row.parent_id])
    turn(cart)
    linked = Record.objects.filter(cart=cart, kind=Kind.ITEM, local_id__isnull=False)
    assert {external_id for external_id in linked.values_list("external_id", flat=True) if "-" in external_id}
    place.requests.clear()
    turn(cart)
    assert writes(place) == []
    # From the cart: a combination, which no date tells of, at the next comparison.
    product = place.shop.product_by_sku("SHIRT-001-M")
    product.extra["ean13"] = "4006381333931"
    place.shop.touch_stock(product)
    Feed.objects.filter(cart=cart).update(swept_at=None)
    turn(cart)
    assert Item.objects.get(sku="SHIRT-001-M").barcode == "4006381333931"
    assert writes(place) == []
    # To the cart.
    edit_here(Item.objects.get(sku="SKU-0001"), name="Oak Dish")
    turn(cart)
    assert place.shop.product_by_sku("SKU-0001").name == "Oak Dish"
    assert len(writes(place)) == 1
    turn(cart)
    assert len(writes(place)) == 1


def test_what_groups_combinations_is_no_item_and_a_line_finds_its_combination(place):
    know_the_items(place, but=["SHIRT-001"])
    cart = running_cart(place)
    pick(cart, Kind.ITEM, [str(row.id) for row in place.shop.products.rows.values() if not row.parent_id])
    group = next(row for row in place.shop.products.rows.values() if row.sku == "SHIRT-001")
    record = Record.objects.get(cart=cart, kind=Kind.ITEM, external_id=str(group.id))
    assert (record.state, record.reason_code) == (RecordState.FILTERED, Reason.GROUP)
    order = place.shop.place_order("SHIRT-001-L")
    poll(cart)
    (line,) = [line for line in documents(cart)[str(order.id)].lines.all() if line.kind == "item"]
    assert line.item.sku == "SHIRT-001-L"
