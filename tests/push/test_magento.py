"""What the engine does with Magento alone; the promises over every platform: tests/promises."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from backoffice.models import Document, Item
from carts.choices import Kind, Outcome, RecordState
from carts.models import Cart, Outbox, Record
from carts.services import selection, ticking
from sandbox.demo import UNKNOWN_SKUS
from sandbox.magento.editing import edit_order
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import (
    assert_runs_add_up,
    documents,
    fresh,
    know_the_items,
    poll,
    running_cart,
    states,
)
from tests.push.conftest import count_in
from tests.push.test_records import turn as turn_records

BOTH = {"from_item_updates": True, "from_customer_updates": True, "to_item_updates": True, "to_customer_updates": True}


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="magento", products=20) as place:
        yield place


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, everything both ways, every item and customer of the shop linked by Import selected."""
    know_the_items(place)
    cart = running_cart(place, to_stock_updates=True, last_update_time=timezone.now() - timedelta(days=400), **BOTH)
    for kind, table in ((Kind.ITEM, place.shop.products), (Kind.CUSTOMER, place.shop.customers)):
        ids = [str(row.id) for row in table.rows.values() if getattr(row, "kind", "") != "variable"]
        ticking.work_on_run(selection.begin(cart, kind, ids, "staff").pk)
    poll(cart)
    turn(cart)
    place.requests.clear()
    return fresh(cart)


def turn(cart: Cart) -> None:
    """What the workers would do once."""
    turn_records(cart)
    Outbox.objects.update(next_drain_at=None)
    ticking.push_stock(cart.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("includes_tax", [False, True])
def test_the_demo_shops_every_oddity_ends_with_a_state_and_a_reason(includes_tax):
    with practice_shop(platform="magento", orders=150, customers=20, products=60, includes_tax=includes_tax) as demo:
        know_the_items(demo, but=UNKNOWN_SKUS)
        cart = running_cart(demo)
        poll(cart)
        kinds = Counter(states(cart).values())
        assert sum(kinds.values()) == 150 and min(kinds["imported"], kinds["held"], kinds["filtered"]) > 5
        paid = {str(each.id) for each in demo.shop.orders.rows.values() if each.status in ("processing", "completed")}
        for ref, document in documents(cart).items():
            order = demo.shop.orders.rows[int(ref)]
            assert ref in paid
            assert (document.total, document.tax_total, document.currency) == (
                order.total, order.total_tax, order.currency,
            )  # fmt: skip
            charged = [(part.total, part.total_tax) for part in (*order.lines, *order.shipping_lines, *order.fees)]
            booked = list(document.lines.values_list("net", "tax"))
            # Nothing is shipped with a virtual order, and its line of shipping costs nothing.
            assert sorted(pair for pair in booked if any(pair)) == sorted(pair for pair in charged if any(pair))
        for record in cart.records.filter(kind="order").exclude(state="imported"):
            assert record.reason_code and record.reason.endswith(".")
        assert_runs_add_up(cart)


def test_an_order_edited_in_the_shop_is_one_document_to_look_at_and_one_new(cart, place):
    order = place.shop.place_order("SKU-0001")
    poll(cart)
    successor = edit_order(place.shop, order.id)
    poll(cart)
    found = documents(cart)
    assert set(found) == {str(order.id), str(successor.id)}
    assert found[str(successor.id)].source_number == f"{order.id:09d}-1"
    assert [todo.key for todo in found[str(order.id)].todos.all()] == ["cancelled:canceled"]


def test_an_order_edited_before_it_was_seen_is_one_document(cart, place):
    order = place.shop.place_order("SKU-0001")
    successor = edit_order(place.shop, order.id)
    poll(cart)
    assert set(documents(cart)) == {str(successor.id)}
    old = Record.objects.get(cart=cart, kind=Kind.ORDER, external_id=str(order.id))
    assert old.state == RecordState.FILTERED and f"order {successor.id}" in old.reason


def test_a_refund_in_the_shop_is_told_on_the_document(cart, place):
    order = place.shop.place_order("SKU-0001")
    poll(cart)
    place.shop.refund_order(order.id, Decimal("1.00"))
    poll(cart)
    (todo,) = documents(cart)[str(order.id)].todos.all()
    assert todo.key.startswith("refund:") and "1.00" in todo.text


def test_a_change_of_stock_here_is_what_buyers_can_buy_there_whatever_is_reserved(cart, place):
    ware = Item.objects.get(sku="SKU-0001")
    place.shop.place_order("SKU-0001", quantity=2)
    count_in(ware, 30)
    poll(cart)
    turn(cart)
    # The order is imported and PENDING: its units are off our figure, and still in the source.
    assert place.shop.product_by_sku("SKU-0001").stock == 28
    row = next(row for row in place.platform.sources.rows() if row.sku == "SKU-0001")
    assert row.quantity == 30
    place.requests.clear()
    turn(cart)
    assert not [request.path for request in place.requests if request.method != "GET"]


def test_import_selected_takes_a_size_as_an_item_of_its_own(cart, place):
    record = Record.objects.get(cart=cart, kind=Kind.ITEM, label="SHIRT-001-S")
    assert (record.state, record.local_id) == (RecordState.IMPORTED, Item.objects.get(sku="SHIRT-001-S").pk)
    outcomes = {item.outcome for run in cart.runs.all() for item in run.items.all()}
    assert outcomes <= {Outcome.ALREADY, Outcome.NEW, Outcome.UPDATED, Outcome.UNCHANGED}
    assert Document.objects.count() == 0
