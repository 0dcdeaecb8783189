"""What the engine does with Shopify alone; the promises over every platform: tests/promises."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from backoffice.models import Item
from backoffice.services import stock
from carts.choices import Kind, Reason, RecordState
from carts.models import Cart, Push, Record
from carts.services import ticking
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import documents, fresh, know_the_items, poll, running_cart
from tests.push.test_records import BOTH, pick, sweep_anew, turn

SETTINGS = {**BOTH, "to_stock_updates": True}


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="shopify", products=20) as place:
        yield place


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, everything both ways; all that the shop has is linked by Import selected."""
    know_the_items(place)
    cart = running_cart(place, last_update_time=timezone.now() - timedelta(days=400), **SETTINGS)
    wares = [str(row.id) for row in place.shop.products.rows.values() if row.kind != "variable"]
    pick(cart, Kind.ITEM, wares)
    pick(cart, Kind.CUSTOMER, [str(row.id) for row in place.shop.customers.rows.values() if row.role == "customer"])
    poll(cart)
    turn(cart)
    ticking.push_stock(cart.pk)
    place.requests.clear()
    return fresh(cart)


def writes(place: PracticeShop) -> list[str]:
    sent = [json.loads(request.body)["query"] for request in place.requests if "graphql" in request.path]
    return [query.split("(")[0].split()[1] for query in sent if query.startswith("mutation")]


def test_a_test_order_has_a_record_that_says_why_it_is_not_imported(cart, place):
    order = place.shop.place_order("SKU-0001")
    place.shop.edit_order(order.id, extra={"test": True})
    poll(cart)
    record = Record.objects.get(cart=cart, kind=Kind.ORDER, external_id=str(order.id))
    assert (record.state, record.reason_code) == (RecordState.FILTERED, Reason.STATUS)
    assert record.reason == "Its status is test; it is imported when that changes."
    assert str(order.id) not in documents(cart)


def test_a_variant_knows_its_product_and_offers_only_what_is_its_own(cart, place):
    small = place.shop.product_by_sku("SHIRT-001-S")
    record = Record.objects.get(cart=cart, kind=Kind.ITEM, external_id=str(small.id))
    assert record.parent_id == str(small.parent_id)
    simple = place.shop.product_by_sku("SKU-0001")
    assert Record.objects.get(cart=cart, kind=Kind.ITEM, external_id=str(simple.id)).parent_id == ""


def test_stock_goes_by_one_write_and_is_compared_with_what_we_know(cart, place):
    simple, variant = (place.shop.product_by_sku(sku) for sku in ("SKU-0001", "SHIRT-001-S"))
    for row, quantity in ((simple, 8), (variant, 4)):
        stock.adjust(Item.objects.get(sku=row.sku), Decimal(quantity), by=None, note="count")
    ticking.push_stock(cart.pk)
    assert (simple.stock, variant.stock) == (8, 4)
    assert writes(place) == ["SetStock"]
    place.shop.set_stock("SKU-0001", 50)  # behind our back
    stock.adjust(Item.objects.get(sku="SKU-0001"), Decimal(1), by=None, note="one more")
    for _ in range(3):
        Push.objects.update(due_at=None)
        ticking.push_stock(cart.pk)
    assert simple.stock == 9 and not Push.objects.exists()
    place.requests.clear()
    sweep_anew(cart)
    ticking.push_stock(cart.pk)
    assert writes(place) == []
