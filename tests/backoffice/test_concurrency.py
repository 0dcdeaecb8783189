"""Two people, or two workers, at the same moment: threads with a connection each, on a database that commits."""

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from backoffice.choices import Series
from backoffice.errors import AlreadyDone, DocumentError
from backoffice.models import Customer, CustomerEmail, Document, Item, JournalEntry, StockMovement
from backoffice.services import customers, documents, items, stock, todos
from backoffice.services.numbers import reserve
from backoffice.types import Availability, NewCustomer, NewItem, NewTodo, StockChange
from tests.backoffice.conftest import a_document, a_line, create

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What each returned or raised, in the order given; all set off at once."""
    results: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return results


def kinds(results: list[Any]) -> Counter:
    return Counter(type(result).__name__ for result in results)


def test_two_people_approving_at_once_approve_once(customer_id, item):
    for _ in range(ROUNDS):
        (made,) = create(a_document(customer_id, a_line(item)))
        results = together(*[lambda made=made: documents.approve(made, None)] * 4)
        assert kinds(results) == {"Document": 1, "AlreadyDone": 3}
        assert JournalEntry.objects.filter(document=made).count() == 1
        assert StockMovement.objects.filter(document=made).count() == 1
    assert stock.availability([item.pk])[item.pk].on_hand == Decimal(-ROUNDS)


def test_two_people_cancelling_at_once_reverse_once(customer_id, item):
    for _ in range(ROUNDS):
        (made,) = create(a_document(customer_id, a_line(item)))
        documents.approve(made, None)
        results = together(*[lambda made=made: documents.cancel(made, None)] * 3)
        assert sum(isinstance(result, Document) for result in results) == 1
        assert sum(isinstance(result, DocumentError) for result in results) == 2
        assert JournalEntry.objects.filter(document=made, kind="reversal").count() == 1
    assert stock.availability([item.pk])[item.pk] == Availability()


def test_approving_while_another_cancels_ends_in_one_of_the_two_orders(customer_id, item):
    for _ in range(ROUNDS):
        (made,) = create(a_document(customer_id, a_line(item)))
        approved, cancelled = together(
            lambda made=made: documents.approve(made, None), lambda made=made: documents.cancel(made, None)
        )
        state = Document.objects.get(pk=made).state
        entries = sorted(JournalEntry.objects.filter(document=made).values_list("kind", flat=True))
        if isinstance(cancelled, Document):
            assert state == "cancelled"
            assert entries == (["posting", "reversal"] if isinstance(approved, Document) else [])
        else:
            # It was approved between Cancel's look and its claim: refused, with nothing changed.
            assert (type(cancelled), state, entries) == (DocumentError, "approved", ["posting"])
            documents.cancel(made, None)
    assert stock.availability([item.pk])[item.pk] == Availability()


def test_two_people_approving_the_same_list_approve_each_once(customer_id, item):
    ids = create(*[a_document(customer_id, a_line(item)) for _ in range(30)])
    results = together(
        lambda: documents.approve_many(ids, None), lambda: documents.approve_many(list(reversed(ids)), None)
    )
    done = Counter(outcome.document_id for outcomes in results for outcome in outcomes if outcome.is_done)
    assert done == dict.fromkeys(ids, 1)
    assert JournalEntry.objects.count() == 30
    assert stock.availability([item.pk])[item.pk].on_hand == Decimal(-30)


def test_numbers_have_no_gaps_and_no_doubles():
    def some(fail: bool) -> list[str]:
        taken = []
        for count in (1, 3, 2, 4):
            with transaction.atomic():
                numbers = reserve(Series.CASH_SALE, count)
                if not (fail and count == 3):
                    taken += numbers
                    continue
                transaction.set_rollback(True)
        return taken

    results = together(*[lambda: some(False)] * 3, lambda: some(True))
    numbers = sorted(number for taken in results for number in taken)
    assert numbers == [f"CS-{number:06}" for number in range(1, 38)]


def test_one_source_reference_is_one_document(customer_id):
    def import_it() -> list[int]:
        return create(a_document(customer_id, source="cart:1", source_ref="7"))

    results = together(*[import_it] * 4)
    assert sum(isinstance(result, IntegrityError) for result in results) == 3
    assert Document.objects.count() == 1
    assert create(a_document(customer_id)) and Document.objects.filter(number="CS-000002").exists()


def test_one_import_key_is_one_customer():
    new = NewCustomer(name="Buyer", emails=("buyer@example.test",), import_key="buyer@example.test")
    results = together(*[lambda: customers.create_customers([new])] * 4)
    (made,) = Customer.objects.values_list("pk", flat=True)
    assert results == [[made]] * 4
    assert CustomerEmail.objects.count() == 1


def test_one_sku_is_one_item():
    results = together(
        *[lambda sku=sku: items.create_item(NewItem(sku=sku, name="Mug")) for sku in ("MUG", "mug", " Mug ", "mUG")]
    )
    (made,) = Item.objects.values_list("pk", flat=True)
    assert results == [made] * 4


def test_moves_in_opposite_order_do_not_wait_for_each_other():
    ids = [items.create_item(NewItem(sku=f"S-{at}", name="Thing")) for at in range(20)]

    def move(order: list[int]) -> None:
        for _ in range(10):
            stock.move([StockChange(item_id, "adjustment", on_hand=Decimal(1)) for item_id in order])

    results = together(lambda: move(ids), lambda: move(ids[::-1]), lambda: move(ids[10:] + ids[:10]))
    assert results == [None] * 3
    assert {found.on_hand for found in stock.availability(ids).values()} == {Decimal(30)}


def test_a_todo_is_done_by_one(customer_id):
    (made,) = create(a_document(customer_id, todos=(NewTodo("refund:1", "Refunded."),)))
    todo_id = Document.objects.get(pk=made).todos.get().pk
    assert sorted(together(*[lambda: todos.finish(todo_id, None)] * 3)) == [False, False, True]


def test_who_comes_second_is_told_so(customer_id, item):
    (made,) = create(a_document(customer_id, a_line(item)))
    results = together(*[lambda: documents.approve(made, None)] * 2)
    (refused,) = [result for result in results if isinstance(result, AlreadyDone)]
    assert "Cash Sale CS-000001 is already approved" in refused.sentence
    assert "Nothing was changed; there is nothing to do." in refused.sentence
