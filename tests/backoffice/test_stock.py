"""Every change of stock is a movement; the level is their sum; whoever must know is told in the transaction."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.errors import StockError
from backoffice.models import Item, StockLevel, StockMovement
from backoffice.services import documents, items, stock
from backoffice.signals import stock_changed
from backoffice.types import Availability, NewItem, StockChange
from tests.backoffice.conftest import a_document, a_line, create


@pytest.fixture
def heard():
    """What was announced: (item ids, whether inside a transaction), in order."""
    found = []

    def listen(item_ids, **signal):
        found.append((item_ids, connection.in_atomic_block))

    stock_changed.connect(listen)
    yield found
    stock_changed.disconnect(listen)


def several(number: int) -> list[int]:
    return [items.create_item(NewItem(sku=f"S-{at}", name=f"Item {at}")) for at in range(number)]


def test_an_adjustment_is_a_movement_with_its_reason_and_author(item, admin_user, heard):
    stock.adjust(item, Decimal("12.5"), by=admin_user, note="Counted")
    stock.adjust(item, Decimal("-0.5"), by=admin_user, note="Broken")
    rows = StockMovement.objects.order_by("pk").values_list(
        "reason", "on_hand_change", "committed_change", "note", "by"
    )
    assert list(rows) == [
        ("adjustment", Decimal("12.5"), Decimal(0), "Counted", admin_user.pk),
        ("adjustment", Decimal("-0.5"), Decimal(0), "Broken", admin_user.pk),
    ]
    assert StockLevel.objects.get(item=item).on_hand == Decimal(12)
    assert heard == [((item.pk,), True)] * 2


@pytest.mark.parametrize("quantity", ["0", "5"])
def test_an_adjustment_that_makes_no_sense_changes_nothing(item, service, heard, quantity):
    wrong = item if quantity == "0" else service
    with pytest.raises(StockError, match="nothing was changed"):
        stock.adjust(wrong, Decimal(quantity), by=None, note="")
    assert (StockMovement.objects.count(), StockLevel.objects.count(), heard) == (0, 0, [])


def test_many_items_move_in_a_few_statements(db, heard):
    ids = several(50)
    changes = [StockChange(item_id, "adjustment", on_hand=Decimal(3)) for item_id in reversed(ids)]
    with CaptureQueriesContext(connection) as statements:
        stock.move(changes)
    # A savepoint and its release, the movements, the levels.
    assert len(statements) == 4
    assert set(StockLevel.objects.values_list("on_hand", "committed")) == {(Decimal(3), Decimal(0))}
    assert heard == [(tuple(ids), True)]


def test_several_changes_of_one_item_add_up(item):
    stock.move(
        [
            StockChange(item.pk, "adjustment", on_hand=Decimal("0.1")),
            StockChange(item.pk, "adjustment", on_hand=Decimal("0.2")),
            StockChange(item.pk, "commit", committed=Decimal(1)),
            StockChange(item.pk, "commit"),
        ]
    )
    level = StockLevel.objects.get(item=item)
    assert (level.on_hand, level.committed) == (Decimal("0.3"), Decimal(1))
    assert StockMovement.objects.count() == 3


def test_a_movement_and_what_a_listener_wrote_fall_together(item):
    def mark(item_ids, **signal):
        Item.objects.filter(pk__in=item_ids).update(barcode="marked")

    stock_changed.connect(mark)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            stock.adjust(item, Decimal(1), by=None, note="")
            assert Item.objects.get().barcode == "marked"
            raise RuntimeError("the caller failed")
    finally:
        stock_changed.disconnect(mark)
    assert (Item.objects.get().barcode, StockMovement.objects.count(), StockLevel.objects.count()) == ("", 0, 0)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.decimals(min_value=-999, max_value=999, places=4),
            st.decimals(min_value=-999, max_value=999, places=4),
        ),
        max_size=12,
    )
)
def test_the_level_is_the_sum_of_the_movements(db, steps):
    ids = several(3)
    before = stock.availability(ids)
    for place, on_hand, committed in steps:
        stock.move([StockChange(ids[place], "adjustment", on_hand, committed)])
    expected: Counter = Counter()
    for place, on_hand, committed in steps:
        expected[ids[place], "on_hand"] += on_hand
        expected[ids[place], "committed"] += committed
    after = stock.availability(ids)
    for item_id in ids:
        assert after[item_id].on_hand - before[item_id].on_hand == expected[item_id, "on_hand"]
        assert after[item_id].committed - before[item_id].committed == expected[item_id, "committed"]
        moved = StockMovement.objects.filter(item=item_id).values_list("on_hand_change", flat=True)
        assert sum(moved) == after[item_id].on_hand


def test_availability_counts_pending_documents_until_they_are_decided(customer_id, item, service, heard):
    stock.adjust(item, Decimal(10), by=None, note="")
    sale, order, doomed = create(
        a_document(customer_id, a_line(item, quantity=Decimal(2)), a_line(service)),
        a_document(customer_id, a_line(item, quantity=Decimal(3)), type="sales_order"),
        a_document(customer_id, a_line(item, quantity=Decimal(4))),
    )
    assert stock.availability([item.pk])[item.pk] == Availability(Decimal(10), Decimal(0), Decimal(9))
    documents.approve(sale, None)
    assert stock.availability([item.pk])[item.pk] == Availability(Decimal(8), Decimal(0), Decimal(7))
    documents.approve(order, None)
    assert stock.availability([item.pk])[item.pk] == Availability(Decimal(8), Decimal(3), Decimal(4))
    heard.clear()
    documents.cancel(doomed, None)
    assert stock.availability([item.pk])[item.pk] == Availability(Decimal(8), Decimal(3), Decimal(0))
    # Nothing moved, yet more can be sold.
    assert heard == [((item.pk,), True)]


def test_pending_quantities_add_up_exactly(customer_id, item):
    tenths = [a_line(item, quantity=quantity) for quantity in (Decimal("0.1"), Decimal("0.2"), Decimal("-0.3"))]
    create(a_document(customer_id, *tenths))
    assert stock.availability([item.pk])[item.pk].pending == Decimal(0)


def test_availability_knows_items_that_never_moved(item, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert stock.availability([item.pk, 4711]) == {item.pk: Availability(), 4711: Availability()}
