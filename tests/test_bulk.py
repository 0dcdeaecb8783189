"""cartsync.bulk: the one statement that writes a page of rows."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from carts.choices import Kind
from carts.models import Cart, Record
from cartsync.bulk import count, insert

NAMES = (
    "cart", "kind", "external_id", "parent_id", "label", "name", "state", "reason_code", "reason", "digest", "payload",
    "local_id", "picked_by_hand", "placed_at", "shop_status", "total", "currency", "seen_at", "changed_at",
)  # fmt: skip
KEY = ("cart", "kind", "external_id")
PLACED = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
AWKWARD = '\'quotes\' "double" \\ back %s %% {"a": null} Ünïcode 漢字 \t\n'

pytestmark = pytest.mark.django_db


@pytest.fixture
def cart() -> Cart:
    return Cart.objects.create(name="Bulk", url="https://shop.example.test")


def row(cart: Cart, external_id: str, **values: object) -> tuple:
    now = timezone.now()
    base = {
        "cart": cart.pk, "kind": Kind.ORDER, "external_id": external_id, "parent_id": "", "label": "", "name": "",
        "state": "imported", "reason_code": "", "reason": "", "digest": b"", "payload": "", "local_id": None,
        "picked_by_hand": False, "placed_at": None, "shop_status": "", "total": None, "currency": "", "seen_at": now,
        "changed_at": now,
    }  # fmt: skip
    return tuple((base | values)[name] for name in NAMES)


def test_every_kind_of_value_comes_back_as_it_was_given(cart):
    values = {
        "payload": AWKWARD,
        "digest": bytes(range(16)),
        "local_id": 2**40,
        "picked_by_hand": True,
        "placed_at": PLACED,
        "total": Decimal("1234567890.0125"),
    }
    insert(Record, NAMES, [row(cart, "1", **values)], unique=KEY, update=("label",))
    record = Record.objects.get()
    assert {name: getattr(record, name) for name in values} == values
    assert record.modified_at is None


def test_a_row_that_is_there_gets_only_what_is_to_be_updated(cart):
    insert(Record, NAMES, [row(cart, "1", label="old", name="kept")], unique=KEY, update=("label",))
    before = Record.objects.get()
    rows = [row(cart, "1", label="new", name="lost"), row(cart, "2", label="second")]
    insert(Record, NAMES, rows, unique=KEY, update=("label",))
    found = Record.objects.order_by("external_id").values_list("external_id", "label", "name")
    assert list(found) == [("1", "new", "kept"), ("2", "second", "")]
    assert Record.objects.get(external_id="1").pk == before.pk


def test_what_is_asked_for_comes_back_for_rows_made_and_rows_met(cart):
    insert(Record, NAMES, [row(cart, "1")], unique=KEY, update=("label",))
    rows = [row(cart, "2"), row(cart, "1")]
    found = insert(Record, NAMES, rows, unique=KEY, update=("label",), returning=("external_id", "id"))
    assert sorted(found) == sorted(Record.objects.values_list("external_id", "id"))


def test_an_error_is_one_of_djangos_and_nothing_is_written(cart):
    rows = [row(cart, "1"), row(cart, "2", payload=None)]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Record, NAMES, rows, unique=KEY, update=("label",))
    assert not Record.objects.exists()


def test_a_page_is_one_statement_and_no_rows_are_none(cart, django_assert_num_queries):
    with django_assert_num_queries(1):
        insert(Record, NAMES, [row(cart, str(number)) for number in range(100)], unique=KEY, update=("label",))
    with django_assert_num_queries(0):
        insert(Record, NAMES, [], unique=KEY, update=("label",))
    assert Record.objects.count() == 100


def test_count_finds_the_rows_with_these_values_and_no_others(cart):
    rows = [row(cart, str(number), digest=bytes([number]) * 16, label=AWKWARD) for number in range(5)]
    insert(Record, NAMES, rows)
    of_cart = {"cart": cart.pk, "label": AWKWARD}
    assert count(Record, of_cart, {}) == 5
    assert count(Record, of_cart, {"external_id": ["1", "2", "9"], "digest": [bytes([2]) * 16, bytes([3]) * 16]}) == 1
    assert count(Record, {"cart": cart.pk + 1}, {"external_id": ["1"]}) == 0
