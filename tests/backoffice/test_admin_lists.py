"""Lists: found by prefix, filtered in the URL, counted to a bound, as many queries for many rows as for few."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice import paging
from backoffice.admin import search
from backoffice.models import Customer, Document, Item, JournalEntry, StockLevel, StockMovement
from backoffice.paging import BoundedPaginator
from backoffice.services import customers, documents, items, stock
from backoffice.types import NewCustomer, NewItem, NewTodo
from tests.backoffice.conftest import PLACED_AT, a_document, a_line, create

MODELS = ("item", "customer", "document", "stocklevel", "stockmovement", "account", "journalentry")


@pytest.fixture
def panel(client, staff):
    client.force_login(staff)
    return client


def listed(panel, model, **query):
    answer = panel.get(reverse(f"admin:backoffice_{model}_changelist"), query)
    assert answer.status_code == 200
    return answer.context["cl"]


def numbers(panel, **query):
    return [document.number for document in listed(panel, "document", **query).result_list]


@pytest.fixture
def three(customer_id):
    (other,) = customers.create_customers([NewCustomer(name="Änne Beispiel", emails=("Anne@Example.test",))])
    create(
        a_document(customer_id, source="cart:1", source_ref="1", source_number="1001"),
        a_document(customer_id, type="sales_order", placed_at=PLACED_AT + timedelta(days=1)),
        a_document(
            other, placed_at=PLACED_AT + timedelta(days=2), source="cart:1", source_ref="2", source_number="web-2"
        ),
    )


def test_newest_first(panel, three):
    assert numbers(panel) == ["CS-000002", "SO-000001", "CS-000001"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cs-", ["CS-000002", "CS-000001"]),
        ("SO-000001", ["SO-000001"]),
        ("1001", ["CS-000001"]),
        ("web-2", ["CS-000002"]),
        ("änne", ["CS-000002"]),
        ("ÄNNE B", ["CS-000002"]),
        ("anne@example", ["CS-000002"]),
        ("one@", ["SO-000001", "CS-000001"]),
        ("000001", []),
        ("%", []),
    ],
)
def test_search_by_prefix(panel, three, text, found):
    assert numbers(panel, q=text) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"type__exact": "sales_order"}, ["SO-000001"]),
        ({"state__exact": "approved"}, []),
        ({"placed_at_from": "2026-03-02"}, ["CS-000002", "SO-000001"]),
        ({"placed_at_to": "2026-03-02"}, ["SO-000001", "CS-000001"]),
        ({"placed_at_from": "2026-03-02", "placed_at_to": "2026-03-02"}, ["SO-000001"]),
        ({"placed_at_from": "no day"}, ["CS-000002", "SO-000001", "CS-000001"]),
        ({"type__exact": "cash_sale", "q": "1001"}, ["CS-000001"]),
    ],
)
def test_filters_stand_in_the_url(panel, three, query, found):
    assert numbers(panel, **query) == found


def test_paginator_counts_to_its_bound(db, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED_ROWS", 3)
    User.objects.bulk_create(User(username=f"user-{number}") for number in range(3))
    exact = BoundedPaginator(User.objects.order_by("pk"), 2)
    assert (exact.count, exact.has_more, exact.count_text, exact.num_pages) == (3, False, "3", 2)
    User.objects.create(username="one more")
    more = BoundedPaginator(User.objects.order_by("pk"), 2)
    assert (more.count, more.has_more, more.count_text, more.num_pages) == (3, True, "3+", 2)
    with CaptureQueriesContext(connection) as queries:
        assert BoundedPaginator(User.objects.order_by("pk"), 2).has_more
    assert "LIMIT 4" in queries[0]["sql"]


def test_a_long_list_says_that_there_are_more(panel, customer_id, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED_ROWS", 60)
    create(*(a_document(customer_id) for _ in range(70)))
    page = panel.get(reverse("admin:backoffice_document_changelist")).content.decode()
    assert "60+" in page
    assert "Select all 60+ matching" in page


def make(count, customer_id, staff):
    """`count` more of everything that is listed, each with what its row looks up."""
    made = [items.create_item(NewItem(sku=f"SKU-{Item.objects.count()}-{n}", name=f"Item {n}")) for n in range(count)]
    for pk in made:
        stock.adjust(Item.objects.get(pk=pk), 5, by=staff, note="Counted")
    new = [NewCustomer(name=f"Customer {n}", emails=(f"c{n}@example.test",)) for n in range(count)]
    owners = customers.create_customers(new)
    ids = create(
        *(
            a_document(owner, a_line(Item.objects.get(pk=pk)), todos=(NewTodo("a", "Look at it."),))
            for owner, pk in zip(owners, made, strict=True)
        )
    )
    documents.approve_many(ids, staff)


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_as_many_queries_for_many_rows(panel, customer_id, staff, model):
    def count():
        with CaptureQueriesContext(connection) as queries:
            listed(panel, model)
        return len(queries)

    make(2, customer_id, staff)
    few = count()
    make(20, customer_id, staff)
    assert count() == few


def test_documents_page_takes_as_many_queries_for_many_lines(panel, customer_id, staff, item):
    def count(pk):
        with CaptureQueriesContext(connection) as queries:
            assert panel.get(reverse("admin:backoffice_document_change", args=[pk])).status_code == 200
        return len(queries)

    def approved(size):
        todos = tuple(NewTodo(f"key:{n}", "Look at it.") for n in range(size))
        (pk,) = create(a_document(customer_id, *(a_line(item) for _ in range(size)), todos=todos))
        documents.approve(pk, staff)
        return pk

    assert count(approved(20)) == count(approved(2))


def test_looking_changes_nothing(panel, customer_id, staff):
    make(2, customer_id, staff)
    records = (Item, Customer, Document, StockLevel, StockMovement, JournalEntry)
    before = [list(model.objects.order_by("pk").values()) for model in records]
    with CaptureQueriesContext(connection) as queries:
        for model in records:
            name = f"admin:backoffice_{model._meta.model_name}"
            assert panel.get(reverse(f"{name}_changelist")).status_code == 200
            assert panel.get(reverse(f"{name}_change", args=[model.objects.first().pk])).status_code == 200
        assert panel.get(reverse("admin:backoffice_item_adjust", args=[Item.objects.first().pk])).status_code == 200
    written = [query["sql"] for query in queries if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert written == []
    assert [list(model.objects.order_by("pk").values()) for model in records] == before


def test_a_search_that_finds_too_much_says_so(panel, customer_id, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED_ROWS", 3)
    monkeypatch.setattr(search, "SEARCHED_ROWS", 4)
    create(*(a_document(customer_id) for _ in range(6)))
    assert listed(panel, "document", q="CS-").paginator.count_text == "3+"
    assert listed(panel, "document", q="one@").paginator.count_text == "3+"
    assert listed(panel, "document", q="CS-000004").paginator.count_text == "1"
