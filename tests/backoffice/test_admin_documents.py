"""Documents in the panel: read, approved, cancelled; nothing on them is edited."""

from decimal import Decimal

import pytest
from django.urls import reverse

from backoffice.admin import bulk
from backoffice.models import Document, DocumentTodo, JournalEntry, StockLevel, StockMovement
from backoffice.services import documents
from backoffice.types import Address, NewTodo
from tests.backoffice.conftest import a_document, a_line, create

LIST = "admin:backoffice_document_changelist"


@pytest.fixture
def panel(client, staff):
    client.force_login(staff)
    return client


def url(name, *args):
    return reverse(f"admin:backoffice_document_{name}", args=args)


def said(answer):
    """The messages on the page that the answer leads to."""
    return [str(message) for message in answer.client.get(answer.url).context["messages"]]


def everything():
    return (
        list(Document.objects.order_by("pk").values()),
        list(DocumentTodo.objects.order_by("pk").values()),
        JournalEntry.objects.count(),
        StockMovement.objects.count(),
        list(StockLevel.objects.order_by("pk").values()),
    )


def states():
    return list(Document.objects.order_by("pk").values_list("state", flat=True))


def test_page_shows_the_order_as_it_was_made(panel, customer_id, item):
    address = Address(first_name="First", last_name="Last", address_1="1 Example Street", city="Town")
    todo = NewTodo("refund:1", "Refund of 5.00 EUR: book it.")
    (pk,) = create(
        a_document(
            customer_id,
            a_line(item, "1234.50", "246.90", quantity=Decimal(3)),
            source="cart:1",
            source_ref="77",
            source_number="WEB-77",
            billing=address,
            todos=(todo,),
        )
    )
    page = panel.get(url("change", pk)).content.decode()
    for text in (
        "1,481.40 EUR",
        "MUG-1",
        "WEB-77",
        "1 Example Street",
        "Refund of 5.00 EUR",
        "PENDING touches nothing",
    ):
        assert text in page
    assert "Nothing was posted: a PENDING document touches nothing." in page


def test_approving_posts_and_shows_both_sides(panel, customer_id, item):
    (pk,) = create(a_document(customer_id, a_line(item, quantity=Decimal(2))))
    answer = panel.post(url("approve", pk))
    assert answer.url == url("change", pk)
    assert said(answer) == [
        "Cash Sale CS-000001 was approved: it is posted to the accounts and its items leave the stock."
    ]
    assert states() == ["approved"]
    page = panel.get(url("change", pk))
    (entry,) = page.context["entries"]
    assert entry["table"].sums == ("Sum", "12.00 EUR", "12.00 EUR")
    assert [row[2] for row in page.context["movements"].rows] == ["-2"]


def test_approving_twice_says_so_and_changes_nothing(panel, customer_id):
    (pk,) = create(a_document(customer_id))
    said(panel.post(url("approve", pk)))
    before = everything()
    (sentence,) = said(panel.post(url("approve", pk)))
    assert "is already approved by staff" in sentence
    assert everything() == before


def test_cancelling_what_is_pending_needs_no_confirmation(panel, customer_id):
    (pk,) = create(a_document(customer_id))
    assert said(panel.post(url("cancel", pk))) == ["Cash Sale CS-000001 was cancelled."]
    assert states() == ["cancelled"]


def test_cancelling_what_is_approved_asks_first(panel, customer_id, item, staff):
    (pk,) = create(a_document(customer_id, a_line(item)))
    documents.approve(pk, staff)
    before = everything()
    answer = panel.post(url("cancel", pk))
    assert answer.status_code == 200
    assert "posts the reverse of what it posted" in answer.content.decode()
    assert everything() == before
    panel.post(url("cancel", pk), {"confirmed": "yes"})
    assert states() == ["cancelled"]
    assert list(JournalEntry.objects.order_by("pk").values_list("kind", flat=True)) == ["posting", "reversal"]
    assert StockLevel.objects.get(pk=item.pk).on_hand == 0


def test_todo_is_done_once(panel, customer_id, staff):
    (pk,) = create(a_document(customer_id, todos=(NewTodo("refund:1", "Book the refund."),)))
    todo = DocumentTodo.objects.get()
    assert said(panel.post(url("todo_done", pk, todo.pk))) == ["Done: Book the refund."]
    todo.refresh_from_db()
    done_at = todo.done_at
    assert (done_at is not None, todo.done_by) == (True, staff)
    assert said(panel.post(url("todo_done", pk, todo.pk)))[0].startswith("This to-do was done already.")
    todo.refresh_from_db()
    assert todo.done_at == done_at


def test_todo_of_another_document_is_not_found(panel, customer_id):
    _, second = create(a_document(customer_id, todos=(NewTodo("a", "One"),)), a_document(customer_id))
    before = everything()
    assert panel.post(url("todo_done", second, DocumentTodo.objects.get().pk)).status_code == 404
    assert everything() == before


def test_buttons_answer_no_get(panel, customer_id):
    (pk,) = create(a_document(customer_id, todos=(NewTodo("a", "One"),)))
    before = everything()
    for address in (url("approve", pk), url("cancel", pk), url("todo_done", pk, DocumentTodo.objects.get().pk)):
        assert panel.get(address).status_code == 405
    assert everything() == before


def test_buttons_need_the_forms_own_token(client, staff, customer_id):
    client.handler.enforce_csrf_checks = True
    client.force_login(staff)
    (pk,) = create(a_document(customer_id))
    assert client.post(url("approve", pk)).status_code == 403
    assert states() == ["pending"]


def test_no_figure_is_saved_from_the_page(panel, customer_id):
    (pk,) = create(a_document(customer_id))
    before = everything()
    assert panel.post(url("change", pk), {"total": "1.00", "state": "approved"}).status_code == 405
    assert panel.get(url("add")).status_code == 403
    assert panel.post(url("delete", pk), {"post": "yes"}).status_code == 403
    assert everything() == before


# Many at once -----------------------------------------------------------------------------------------


def run(panel, action, ids, query="", **more):
    data = {"action": action, "index": 0, "_selected_action": ids, "select_across": 0, **more}
    return panel.post(reverse(LIST) + query, data)


def test_approve_selected_says_what_became_of_each(panel, customer_id, staff):
    ids = create(*(a_document(customer_id) for _ in range(12)))
    documents.approve(ids[10], staff)
    documents.cancel(ids[11], staff)
    done, refused = said(run(panel, "approve_selected", ids))
    assert done == "10 approved, 1 was APPROVED already, 1 could not be approved."
    assert refused.startswith("Cash Sale CS-000012 is cancelled by staff")
    assert states() == ["approved"] * 11 + ["cancelled"]
    assert JournalEntry.objects.count() == 11


def test_all_matching_means_the_filter_not_the_page(panel, customer_id):
    ids = create(
        *(a_document(customer_id) for _ in range(60)), *(a_document(customer_id, type="sales_order") for _ in range(2))
    )
    answer = run(panel, "approve_selected", ids[:1], "?type__exact=cash_sale", select_across=1)
    assert said(answer) == ["60 approved."]
    assert states() == ["approved"] * 60 + ["pending"] * 2


def test_a_bulk_action_is_bounded_and_says_so(panel, customer_id, monkeypatch):
    monkeypatch.setattr(bulk, "DOCUMENTS_AT_ONCE", 2)
    ids = create(*(a_document(customer_id) for _ in range(3)))
    done, rest = said(run(panel, "approve_selected", ids))
    assert done == "2 approved."
    assert rest.startswith("The newest 2 of your selection were handled")
    assert states() == ["pending", "approved", "approved"]


def test_cancel_selected_asks_then_cancels(panel, customer_id, staff):
    ids = create(*(a_document(customer_id) for _ in range(3)))
    documents.approve(ids[0], staff)
    before = everything()
    question = run(panel, "cancel_selected", ids)
    assert question.context["counts"] == {"pending": 2, "approved": 1, "cancelled": 0}
    assert everything() == before
    assert said(run(panel, "cancel_selected", ids, confirmed="yes")) == ["3 cancelled."]
    assert states() == ["cancelled"] * 3
