"""The engine's promises over a practice BigCommerce: exactly once, both ways, and no echo."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.utils import timezone

from backoffice.models import Customer, Document, Item
from backoffice.services import items, stock
from backoffice.types import NewItem
from carts.choices import Kind, RecordState
from carts.models import Cart, Feed, Push, Record
from carts.services import control, exporting, leases, selection, ticking, updates
from sandbox.bigcommerce.looks import variant_id
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import LONG_AGO, documents, fresh, know_the_items, poll
from tests.platforms.around import around

SETTINGS = {
    "from_item_updates": True,
    "from_customer_updates": True,
    "to_item_updates": True,
    "to_customer_updates": True,
    "to_stock_updates": True,
}
PAID = ("processing", "completed")


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="bigcommerce", products=20, settle_seconds=0) as place:
        yield place


def running(place: PracticeShop, **settings) -> Cart:
    changes = {"name": "Shop", "platform": "bigcommerce", "url": place.address, "last_order_from": LONG_AGO, **settings}
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
    rows = place.shop.products.rows.values()
    pick(cart, Kind.ITEM, [item_id(row) for row in rows if not row.parent_id])
    pick(cart, Kind.CUSTOMER, [str(row) for row in place.shop.customers.rows])
    poll(cart)
    turn(cart)
    place.requests.clear()
    return fresh(cart)


def item_id(row) -> str:
    return str(row.id) if row.kind == "variable" else f"{row.parent_id or row.id}-{variant_id(row)}"


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


def settle(cart: Cart) -> None:
    """The time an adjustment takes is over: what was sent is read."""
    Push.objects.update(due_at=timezone.now())
    ticking.push_stock(cart.pk)
    assert not Push.objects.exists()


def writes(place: PracticeShop) -> list[str]:
    cut = len("/stores/practice/")
    return [f"{request.method} {request.path[cut:]}" for request in place.requests if request.method != "GET"]


def test_every_paid_order_is_one_document_with_the_shops_figures(transactional_db):
    """Rows move and orders share a second while they are read; read twice, nothing is doubled."""
    with practice_shop(platform="bigcommerce", orders=250, products=60, customers=20) as place:
        know_the_items(place)
        cart = running(place)
        place.faults.add("rows_move", count=40, match=r"/orders\?", times=2)
        place.faults.add("same_second", count=4, match=r"/orders\?", times=1)
        poll(cart)
        poll(cart)
        paid = {
            str(order.id): order
            for order in place.shop.orders.rows.values()
            if order.status in PAID and order.currency == place.shop.currency
        }
        found = documents(cart)
        held = set(Record.objects.filter(cart=cart, state=RecordState.HELD).values_list("external_id", flat=True))
        assert set(found) | held == set(paid) | held
        for external_id, document in found.items():
            order = paid[external_id]
            assert (document.total, document.tax_total) == (order.total, order.total_tax), external_id
        assert len(found) > 150
        count = Document.objects.count()
        Feed.objects.filter(cart=cart).update(high_water=None)
        poll(cart)
        assert Document.objects.count() == count


def test_stock_goes_to_the_shop_by_one_write_and_counts_when_it_is_read(cart, place):
    simple = place.shop.product_by_sku("SKU-0001")
    variant = place.shop.product_by_sku("SHIRT-001-S")
    settle(cart)
    place.requests.clear()
    for row, quantity in ((simple, 8), (variant, 4)):
        stock.adjust(Item.objects.get(sku=row.sku), Decimal(quantity), by=None, note="count")
    ticking.push_stock(cart.pk)
    assert (simple.stock, variant.stock) == (8, 4)
    assert writes(place) == ["PUT v3/inventory/adjustments/absolute"]
    assert Push.objects.filter(due_at__gt=timezone.now()).count() == 2  # answered, which is not done
    place.requests.clear()
    ticking.push_stock(cart.pk)
    assert not place.requests
    settle(cart)
    turn(cart, sweeps=True)
    assert writes(place) == []


def test_items_pass_both_ways_and_nothing_echoes(cart, place):
    row = place.shop.product_by_sku("SKU-0001")
    variant = place.shop.product_by_sku("SHIRT-001-M")
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
    assert sorted(writes(place)) == ["PUT v3/catalog/products", "PUT v3/catalog/variants"]
    place.requests.clear()
    turn(cart, sweeps=True)
    assert writes(place) == []


def test_customers_pass_both_ways_with_their_addresses(cart, place):
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
    assert writes(place) == ["PUT v3/customers/addresses"]
    place.requests.clear()
    turn(cart, sweeps=True)
    assert writes(place) == []
    assert json.dumps(ours.billing)


def test_an_export_creates_what_is_missing_once(cart, place):
    item = items.create_item(NewItem(sku="OURS-1", name="Made here", price=Decimal("4.20")))
    for outcome in ("created", "unchanged"):
        run = exporting.begin(cart, Kind.ITEM, [item], "staff")
        ticking.work_on_run(run.pk)
        assert list(run.items.values_list("outcome", flat=True)) == [outcome]
    made = [row for row in place.shop.products.rows.values() if row.sku == "OURS-1"]
    assert [(row.name, row.regular_price) for row in made] == [("Made here", "4.20")]
    record = Record.objects.get(cart=cart, local_id=item)
    assert record.external_id == item_id(made[0])
    place.requests.clear()
    turn(cart, sweeps=True)
    assert [write for write in writes(place) if "catalog" in write] == []


def test_what_is_left_out_or_held_says_why(transactional_db, place):
    know_the_items(place)
    cart = running(place)
    incomplete = place.shop.place_order("SKU-0001", status="incomplete")
    archived = place.shop.place_order("SKU-0001")
    place.shop.trash_order(archived.id)
    credit = place.shop.place_order("SKU-0001", meta=[{"key": "bigcommerce", "value": {"store_credit_amount": "1.00"}}])
    odd = place.shop.place_order("SKU-0001")

    def change_total(request, response) -> None:
        if request.path.endswith("/orders"):
            rows = msgspec.json.decode(response.body)
            for row in rows:
                row |= {"total_inc_tax": "0.5000"} if row["id"] == odd.id else {}
            response.body = msgspec.json.encode(rows)

    with around(place, after=change_total):
        poll(cart)
    told = {
        row.external_id: (row.state, row.reason)
        for row in Record.objects.filter(cart=cart, kind=Kind.ORDER).defer("payload")
    }
    assert told[str(incomplete.id)] == ("filtered", "Its status is incomplete; it is imported when that changes.")
    assert told[str(archived.id)] == ("filtered", "Its status is archived; it is imported when that changes.")
    assert told[str(odd.id)][0] == "held" and "the order says 0.5000" in told[str(odd.id)][1]
    (document,) = documents(cart).values()
    assert (document.source_ref, document.total) == (str(credit.id), credit.total - 1)
    assert [line.description for line in document.lines.all()][-1] == "Store credit"
