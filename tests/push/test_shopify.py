"""The engine's promises over a practice Shopify: exactly once, nothing lost, both ways, no echo, stock by comparing."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from backoffice.models import Customer, Document, Item
from backoffice.services import stock
from carts.choices import Kind, Reason, RecordState
from carts.models import Cart, Feed, Push, Record
from carts.services import control, leases, selection, ticking, updates
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import LONG_AGO, documents, fresh, know_the_items, poll

SETTINGS = {
    "from_item_updates": True,
    "from_customer_updates": True,
    "to_item_updates": True,
    "to_customer_updates": True,
    "to_stock_updates": True,
}


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="shopify", products=20) as place:
        yield place


def running(place: PracticeShop, **settings) -> Cart:
    changes = {"name": "Shop", "platform": "shopify", "url": place.address, "last_order_from": LONG_AGO, **settings}
    cart = control.create_cart(changes, place.credentials, "staff")
    result = control.test_connection(cart, "staff")
    assert result.passed, result.message
    control.start(fresh(cart), "staff", without_rehearsal=True)
    return fresh(cart)


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, everything both ways; all that the shop has is linked by Import selected."""
    know_the_items(place)
    cart = running(place, last_update_time=timezone.now() - timedelta(days=400), **SETTINGS)
    wares = [str(row.id) for row in place.shop.products.rows.values() if row.kind != "variable"]
    pick(cart, Kind.ITEM, wares)
    pick(cart, Kind.CUSTOMER, [str(row.id) for row in place.shop.customers.rows.values() if row.role == "customer"])
    poll(cart)
    turn(cart)
    place.requests.clear()
    return fresh(cart)


def pick(cart: Cart, kind: Kind, ids: list[str]) -> None:
    run = selection.begin(cart, kind, ids, "staff")
    ticking.work_on_run(run.pk)
    assert not fresh(run).is_active


def turn(cart: Cart, *, sweeps: bool = False) -> None:
    """What the workers would do once."""
    if sweeps:
        Feed.objects.filter(cart=cart).update(swept_at=None)
    for feed in Feed.objects.filter(cart=cart).exclude(kind=Kind.ORDER):
        token = leases.claim_feed(feed.pk)
        assert token
        updates.poll(feed.pk, token)
        feed.refresh_from_db()
        assert not feed.error, feed.error
    for kind in ("item", "customer"):
        ticking.push_records(cart.pk, kind)
    ticking.push_stock(cart.pk)


def writes(place: PracticeShop) -> list[str]:
    sent = [json.loads(request.body)["query"] for request in place.requests if "graphql" in request.path]
    return [query.split("(")[0].split()[1] for query in sent if query.startswith("mutation")]


def test_every_paid_order_is_one_document_with_the_shops_figures(transactional_db):
    """Rows move, some come late and many share a second while they are read; read twice, nothing is doubled."""
    with practice_shop(platform="shopify", orders=150, products=60, customers=20) as place:
        know_the_items(place)
        cart = running(place)
        place.faults.add("rows_move", count=10, body="OrderList", times=3)
        place.faults.add("same_second", count=6, body="OrderList", times=1)
        place.faults.add("late_commit", count=3, seconds=100, body="OrderList", times=1)
        poll(cart)
        poll(cart)
        shop = place.shop.currency
        paid = {str(o.id): o for o in place.shop.orders.rows.values() if o.paid and o.currency == shop}
        imported = {external_id: order for external_id, order in paid.items() if order.status != "refunded"}
        found = documents(cart)
        held = set(Record.objects.filter(cart=cart, state=RecordState.HELD).values_list("external_id", flat=True))
        assert found.keys() <= imported.keys() and imported.keys() - found.keys() <= held
        for external_id, document in found.items():
            order = imported[external_id]
            assert (document.total, document.tax_total) == (order.total, order.total_tax), external_id
        assert len(found) > 100
        known = set(Record.objects.filter(cart=cart, kind=Kind.ORDER).values_list("external_id", flat=True))
        assert known == {str(order_id) for order_id in place.shop.orders.rows}
        count = Document.objects.count()
        Feed.objects.filter(cart=cart).update(high_water=None)
        poll(cart)
        assert Document.objects.count() == count


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
    turn(cart, sweeps=True)
    assert writes(place) == []


def test_items_pass_both_ways_and_nothing_echoes(cart, place):
    row, variant = (place.shop.product_by_sku(sku) for sku in ("SKU-0001", "SHIRT-001-M"))
    row.regular_price = "77.70"
    place.shop.touch_product(row)
    turn(cart)
    assert Item.objects.get(sku=row.sku).price == Decimal("77.70")
    for sku, price in ((row.sku, "66.60"), (variant.sku, "55.50")):
        ours = Item.objects.get(sku=sku)
        ours.price = Decimal(price)
        ours.save()
    place.requests.clear()
    turn(cart)
    assert (row.regular_price, variant.regular_price) == ("66.60", "55.50")
    assert writes(place) == ["SetVariant", "SetVariant"]
    place.requests.clear()
    turn(cart, sweeps=True)
    assert writes(place) == []


def test_customers_pass_both_ways_with_their_address(cart, place):
    theirs = place.shop.customer_by_email("customer1@example.test")
    record = Record.objects.get(cart=cart, kind=Kind.CUSTOMER, external_id=str(theirs.id))
    place.shop.edit_customer(theirs.id, first_name="Adele")
    turn(cart)
    ours = Customer.objects.get(pk=record.local_id)
    assert ours.name == "Adele Shopper1"
    ours.billing = {**ours.billing, "city": "Leeds"}
    ours.save()
    place.requests.clear()
    turn(cart)
    assert theirs.billing.city == "Leeds"
    assert writes(place) == ["SetAddress"]
    place.requests.clear()
    turn(cart, sweeps=True)
    assert writes(place) == []
