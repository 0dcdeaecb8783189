"""What the shop does to an order after its import becomes a to-do of its document and changes nothing else."""

from decimal import Decimal

import pytest

from backoffice.models import Document, DocumentLine, DocumentTodo
from tests.engine.helpers import assert_none_lost_none_doubled, documents, poll, record_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(cart, place):
    """Imported already, two of a thing; its document is as it was at import time."""
    order = place.shop.place_order(quantity=2)
    poll(cart)
    return order


def picture() -> list:
    """Everything of all documents but their to-dos."""
    return [*Document.objects.order_by("pk").values(), *DocumentLine.objects.order_by("pk").values()]


def todos() -> list[tuple[str, str]]:
    return list(DocumentTodo.objects.order_by("pk").values_list("key", "text"))


def test_a_partial_refund_is_a_todo_and_nothing_else(cart, place, order):
    before = picture()
    refund = place.shop.refund_order(order.id, Decimal("1.50"), "Scratched")
    poll(cart)
    expected = "The shop refunded 1.50 USD (Scratched). Decide what to book for it."
    assert todos() == [(f"refund:{refund.id}", expected)]
    assert picture() == before
    assert DocumentTodo.objects.get().document_id == documents(cart)[str(order.id)].pk


def test_each_refund_is_one_todo_however_often_it_is_read(cart, place, order):
    for amount in ("1.00", "2.00"):
        place.shop.refund_order(order.id, Decimal(amount))
        poll(cart)
        place.shop.edit_order(order.id, note=f"after {amount}")
        poll(cart), poll(cart)
    assert [text.split()[3] for key, text in todos() if key.startswith("refund")] == ["1.00", "2.00"]


def test_a_whole_refund_and_a_cancellation_ask_whether_to_cancel(cart, place, order):
    before = picture()
    other = place.shop.place_order()
    poll(cart)
    place.shop.cancel_order(order.id)
    place.shop.refund_order(other.id)
    poll(cart)
    keys = {key.split(":")[0] + ":" + key.split(":")[1] for key, _ in todos() if key.startswith("cancelled")}
    assert keys == {"cancelled:cancelled", "cancelled:refunded"}
    assert picture()[: len(before)][0] == before[0]
    assert {row.state for row in documents(cart).values()} == {"pending"}
    assert record_of(cart, order).shop_status == "cancelled"


def test_an_edited_order_says_what_was_and_what_is(cart, place, order):
    before, was = picture(), order.total
    place.shop.set_quantity(order.id, order.lines[0].id, 5)
    poll(cart)
    [(key, text)] = todos()
    assert key.startswith("edited:")
    assert f"Its total was {was} and is {order.total} USD now." in text
    assert picture() == before


def test_a_note_or_a_next_status_is_no_todo(cart, place, order):
    place.shop.edit_order(order.id, note="Leave it at the door")
    place.shop.set_status(order.id, "completed")
    poll(cart)
    assert todos() == []
    assert_none_lost_none_doubled(place, cart)


def test_a_renamed_or_deleted_product_is_no_edit_of_old_orders(cart, place, order):
    sku = place.shop.products.rows[order.lines[0].product_id].sku
    place.shop.rename_sku(sku, "RENAMED")
    place.shop.edit_order(order.id, note="touched")
    poll(cart)
    place.shop.delete_product(order.lines[0].product_id)
    place.shop.edit_order(order.id, note="touched again")
    poll(cart)
    assert todos() == []


def test_an_order_refunded_before_its_import_brings_its_refund_along(cart, place):
    order = place.shop.place_order()
    place.shop.refund_order(order.id, Decimal("1.00"))
    poll(cart)
    document = documents(cart)[str(order.id)]
    assert (document.total, [todo.key.split(":")[0] for todo in document.todos.all()]) == (order.total, ["refund"])


def test_an_order_in_the_trash_or_gone_keeps_its_document(cart, place, order):
    before = picture()
    place.shop.trash_order(order.id)
    poll(cart)
    place.shop.delete_order(order.id)
    poll(cart)
    assert picture() == before
