"""What the engine does with BigCommerce alone; the promises over every platform: tests/promises."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.utils import timezone

from backoffice.models import Item
from backoffice.services import stock
from carts.choices import Kind
from carts.models import Cart, Push, Record
from carts.services import ticking
from sandbox.bigcommerce.looks import variant_id
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import documents, fresh, know_the_items, poll, running_cart
from tests.platforms.around import around
from tests.push.test_records import BOTH, pick, sweep_anew, turn

SETTINGS = {**BOTH, "to_stock_updates": True}
PAID = ("processing", "completed")


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="bigcommerce", products=20, settle_seconds=0) as place:
        yield place


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, everything both ways; all that the shop has is linked by Import selected."""
    know_the_items(place)
    cart = running_cart(place, last_update_time=timezone.now() - timedelta(days=400), **SETTINGS)
    rows = place.shop.products.rows.values()
    pick(cart, Kind.ITEM, [item_id(row) for row in rows if not row.parent_id])
    pick(cart, Kind.CUSTOMER, [str(row) for row in place.shop.customers.rows])
    poll(cart)
    turn(cart)
    ticking.push_stock(cart.pk)
    place.requests.clear()
    return fresh(cart)


def item_id(row) -> str:
    return str(row.id) if row.kind == "variable" else f"{row.parent_id or row.id}-{variant_id(row)}"


def settle(cart: Cart) -> None:
    """The time an adjustment takes is over: what was sent is read."""
    Push.objects.update(due_at=timezone.now())
    ticking.push_stock(cart.pk)
    assert not Push.objects.exists()


def writes(place: PracticeShop) -> list[str]:
    cut = len("/stores/practice/")
    return [f"{request.method} {request.path[cut:]}" for request in place.requests if request.method != "GET"]


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
    sweep_anew(cart)
    ticking.push_stock(cart.pk)
    assert writes(place) == []


def test_what_is_left_out_or_held_says_why(transactional_db, place):
    know_the_items(place)
    cart = running_cart(place)
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
