"""Documents made set-wise: all or none, each source reference once, the shop's figures kept."""

from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.models import Document, DocumentLine, DocumentTodo, JournalEntry, StockMovement
from backoffice.services import documents
from backoffice.signals import stock_changed
from backoffice.types import Address, NewDocument, NewTodo
from tests.backoffice.conftest import PLACED_AT, a_document, a_line, create


def test_a_document_holds_what_the_shop_gave(customer_id, item):
    line = a_line(item, "19.98", "3.80", quantity=Decimal(2), unit_price=Decimal("9.99"), discount=Decimal("2.00"))
    shipping = a_line(None, "4.20", "0.80", kind="shipping", description="Parcel")
    drift = a_line(None, "0.01", "0", kind="rounding", description="Rounding")
    (made,) = create(
        a_document(
            customer_id,
            line,
            shipping,
            drift,
            type="sales_invoice",
            discount_total=Decimal("2.00"),
            source="cart:3",
            source_ref="1001",
            source_number="W-1001",
            billing=Address(first_name="A", city="Oslo"),
            payment_method="Card",
            note="Ring twice",
            exchange={"currency": "EUR", "rate": "1.0825"},
        )
    )

    document = Document.objects.get(pk=made)
    assert (document.type, document.number, document.state) == ("sales_invoice", "SI-000001", "pending")
    assert (document.total, document.net_total, document.tax_total) == (
        Decimal("28.79"),
        Decimal("24.19"),
        Decimal("4.60"),
    )
    assert (document.shipping_total, document.discount_total) == (Decimal("4.20"), Decimal("2.00"))
    assert (document.source, document.source_ref, document.source_number) == ("cart:3", "1001", "W-1001")
    assert (document.placed_at, document.payment_method, document.note) == (PLACED_AT, "Card", "Ring twice")
    assert document.exchange == {"currency": "EUR", "rate": "1.0825"}
    assert (document.billing["city"], document.shipping["city"]) == ("Oslo", "")
    rows = document.lines.order_by("position").values_list("position", "kind", "item_id", "quantity", "net", "tax")
    assert list(rows) == [
        (1, "item", item.pk, Decimal(2), Decimal("19.98"), Decimal("3.80")),
        (2, "shipping", None, Decimal(1), Decimal("4.20"), Decimal("0.80")),
        (3, "rounding", None, Decimal(1), Decimal("0.01"), Decimal("0")),
    ]


def test_every_digit_of_the_shop_is_kept(customer_id):
    (made,) = create(a_document(customer_id, a_line(None, "0.82644628", "0.17355372"), currency="KWD"))
    line = DocumentLine.objects.get(document=made)
    assert (line.net, line.tax) == (Decimal("0.82644628"), Decimal("0.17355372"))


@pytest.mark.parametrize("figures", [("0.123456789", "0"), ("10.00", "NaN")])
def test_figures_that_cannot_be_kept_are_refused(figures):
    with pytest.raises(ValueError):
        a_line(None, *figures)


def test_a_total_that_is_not_the_sum_of_its_lines_is_refused():
    with pytest.raises(ValueError, match=r"The lines add up to 12\.00 EUR, the total says 12\.01\."):
        a_document(1, a_line(None, "10.00", "2.00"), total=Decimal("12.01"))


def test_a_document_without_lines_is_refused():
    with pytest.raises(ValueError, match="at least one line"):
        NewDocument("cash_sale", 1, "EUR", Decimal(0), PLACED_AT, ())


def test_ids_come_in_the_order_given_and_each_type_has_its_own_numbers(customer_id):
    types = ["sales_order", "cash_sale", "sales_order", "sales_invoice", "cash_sale"]
    ids = create(*[a_document(customer_id, type=name, source_number=str(at)) for at, name in enumerate(types)])
    found = Document.objects.in_bulk(ids)
    assert [(found[made].number, found[made].source_number) for made in ids] == [
        ("SO-000001", "0"),
        ("CS-000001", "1"),
        ("SO-000002", "2"),
        ("SI-000001", "3"),
        ("CS-000002", "4"),
    ]


def test_pending_touches_nothing(customer_id, item):
    create(a_document(customer_id, a_line(item)), a_document(customer_id, a_line(item), type="sales_order"))
    assert (JournalEntry.objects.count(), StockMovement.objects.count()) == (0, 0)


def test_a_source_reference_is_a_document_once(customer_id):
    create(a_document(customer_id, source="cart:1", source_ref="7"))
    with pytest.raises(IntegrityError):
        create(
            a_document(customer_id, source="cart:1", source_ref="8"),
            a_document(customer_id, source="cart:1", source_ref="7"),
        )
    assert list(Document.objects.values_list("source_ref", flat=True)) == ["7"]
    assert DocumentLine.objects.count() == 1


def test_the_same_reference_of_another_source_is_another_document(customer_id):
    create(
        a_document(customer_id, source="cart:1", source_ref="7"),
        a_document(customer_id, source="cart:2", source_ref="7"),
        a_document(customer_id),
        a_document(customer_id),
    )
    assert Document.objects.count() == 4


def test_a_number_given_back_is_used_again(customer_id):
    create(a_document(customer_id))
    with pytest.raises(RuntimeError), transaction.atomic():
        documents.create_documents([a_document(customer_id)] * 3)
        raise RuntimeError("the caller changed its mind")
    create(a_document(customer_id))
    numbers = Document.objects.order_by("pk").values_list("number", flat=True)
    assert list(numbers) == ["CS-000001", "CS-000002"]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_refuses():
    with pytest.raises(AssertionError):
        documents.create_documents([a_document(1)])


def test_text_the_database_cannot_hold_is_an_error_of_the_record(customer_id):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite holds any text.")
    with pytest.raises(DataError):
        create(a_document(customer_id, note="nul \0 byte"))
    with pytest.raises(DataError):
        create(a_document(customer_id, source_number="9" * 65))
    assert Document.objects.count() == 0


def test_todos_come_with_their_document(customer_id):
    todo = NewTodo("refund:12", "The shop refunded 5.00 EUR.", {"amount": "5.00"})
    first, _ = create(a_document(customer_id, todos=(todo,)), a_document(customer_id))
    assert list(DocumentTodo.objects.values_list("document_id", "key", "text", "details")) == [
        (first, "refund:12", "The shop refunded 5.00 EUR.", {"amount": "5.00"})
    ]


@pytest.mark.parametrize("number", [1, 100])
def test_the_statements_do_not_grow_with_the_documents(customer_id, item, number):
    new = [a_document(customer_id, a_line(item), a_line(kind="shipping")) for _ in range(number)]
    with transaction.atomic(), CaptureQueriesContext(connection) as statements:
        documents.create_documents(new)
    # Numbers, documents, lines.
    assert len(statements) == 3


def test_what_is_spoken_for_is_announced_in_the_transaction(customer_id, item, service):
    heard = []

    def listen(item_ids, **signal):
        heard.append((item_ids, connection.in_atomic_block))

    stock_changed.connect(listen)
    try:
        create(a_document(customer_id, a_line(service), a_line(item), a_line(item), a_line(kind="shipping")))
    finally:
        stock_changed.disconnect(listen)
    assert heard == [((item.pk, service.pk), True)]
