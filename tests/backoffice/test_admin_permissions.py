"""Who may do what: every address of the back office, for everybody who may or may not open it."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from backoffice.models import (
    Account,
    Customer,
    Document,
    DocumentTodo,
    Item,
    JournalEntry,
    StockLevel,
    StockMovement,
)
from backoffice.services import documents, stock
from backoffice.types import NewTodo
from tests.backoffice.conftest import a_document, a_line, create

EDITED = (Item, Customer)
READ = (StockLevel, StockMovement, Account, JournalEntry)
SIGN_IN, FORBIDDEN, SHOWN, POST_ONLY = 302, 403, 200, 405


@pytest.fixture
def records(customer_id, item):
    """One of each that is listed; the document left to act on is PENDING, with an open to-do."""
    stock.adjust(item, 5, by=None, note="Counted")
    posted, pending = create(
        a_document(customer_id, a_line(item)), a_document(customer_id, todos=(NewTodo("a", "Look at it."),))
    )
    documents.approve(posted, None)
    # An import writes no history; a person's edit does.
    Customer.objects.get().save()
    return {Document: Document.objects.get(pk=pending)}


def addresses(records):
    """(name, model, address, what a GET answers to: nothing, view, change)"""
    for model in (*EDITED, Document, *READ):
        record = records.get(model) or model.objects.first()
        name = f"admin:backoffice_{model._meta.model_name}"
        change = SHOWN if model in EDITED else FORBIDDEN
        yield f"{name}_changelist", model, [], (FORBIDDEN, SHOWN, SHOWN)
        yield f"{name}_change", model, [record.pk], (FORBIDDEN, SHOWN, SHOWN)
        yield f"{name}_history", model, [record.pk], (FORBIDDEN, SHOWN, SHOWN)
        # Adding and deleting are permissions of their own, which none of the three has.
        yield f"{name}_add", model, [], (FORBIDDEN, FORBIDDEN, FORBIDDEN)
        yield f"{name}_delete", model, [record.pk], (FORBIDDEN, FORBIDDEN, FORBIDDEN)
        if model in EDITED:
            past = record.history.first().pk
            yield f"{name}_simple_history", model, [record.pk, past], (FORBIDDEN, change, change)
    pending = records[Document]
    todo = DocumentTodo.objects.get()
    yield "admin:backoffice_item_adjust", Item, [Item.objects.get().pk], (FORBIDDEN, FORBIDDEN, SHOWN)
    for name, args in (("approve", [pending.pk]), ("cancel", [pending.pk]), ("todo_done", [pending.pk, todo.pk])):
        yield f"admin:backoffice_document_{name}", Document, args, (POST_ONLY, POST_ONLY, POST_ONLY)


def sign_in(client, name, *permissions):
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def test_matrix_leaves_no_address_out(records):
    covered = {name for name, *_ in addresses(records)}
    models = (*EDITED, Document, *READ)
    named = {f"admin:{pattern.name}" for model in models for pattern in admin.site.get_model_admin(model).get_urls()}
    assert named - covered - {"admin:None"} == set()


def test_nobody_sees_anything_without_signing_in(client, records):
    for name, _, args, _ in addresses(records):
        answer = client.get(reverse(name, args=args))
        assert (name, answer.status_code) == (name, SIGN_IN)
        assert answer.url.startswith("/login/")


def test_a_user_who_is_no_staff_is_sent_away(client, records):
    client.force_login(User.objects.create_user("buyer"))
    for name, _, args, _ in addresses(records):
        assert (name, client.get(reverse(name, args=args)).status_code) == (name, SIGN_IN)


@pytest.mark.parametrize(("column", "verbs"), [(0, ()), (1, ("view",)), (2, ("view", "change"))])
def test_staff_see_what_they_may(client, records, column, verbs):
    rows = list(addresses(records))
    names = {f"{verb}_{model._meta.model_name}" for _, model, _, _ in rows for verb in verbs}
    sign_in(client, "clerk", *names)
    for name, _, args, expected in rows:
        assert (name, client.get(reverse(name, args=args)).status_code) == (name, expected[column])


@pytest.mark.parametrize(
    ("permissions", "status"), [((), FORBIDDEN), (("view_document", "view_item"), FORBIDDEN)], ids=["none", "view"]
)
def test_acting_needs_the_change_permission(client, records, permissions, status):
    sign_in(client, "clerk", *permissions)
    pending, todo, item = records[Document], DocumentTodo.objects.get(), Item.objects.get()
    before = (StockMovement.objects.count(), JournalEntry.objects.count())
    for name, args, data in (
        ("document_approve", [pending.pk], {}),
        ("document_cancel", [pending.pk], {"confirmed": "yes"}),
        ("document_todo_done", [pending.pk, todo.pk], {}),
        ("item_adjust", [item.pk], {"quantity": "1", "note": "A reason"}),
        ("item_change", [item.pk], {"sku": "NEW"}),
    ):
        answer = client.post(reverse(f"admin:backoffice_{name}", args=args), data)
        assert (name, answer.status_code) == (name, status)
    for action in ("approve_selected", "cancel_selected"):
        data = {"action": action, "index": 0, "_selected_action": [pending.pk], "confirmed": "yes"}
        client.post(reverse("admin:backoffice_document_changelist"), data)
    pending.refresh_from_db()
    todo.refresh_from_db()
    item.refresh_from_db()
    assert (pending.state, todo.done_at, item.sku) == ("pending", None, "MUG-1")
    assert (StockMovement.objects.count(), JournalEntry.objects.count()) == before


def test_change_permission_is_enough_to_act(client, records):
    sign_in(client, "clerk", "change_document", "change_item")
    pending, item = records[Document], Item.objects.get()
    client.post(reverse("admin:backoffice_document_approve", args=[pending.pk]))
    client.post(reverse("admin:backoffice_item_adjust", args=[item.pk]), {"quantity": "1", "note": "Found"})
    pending.refresh_from_db()
    assert pending.state == "approved"
    assert StockLevel.objects.get().on_hand == 5


def test_page_offers_no_button_to_who_may_only_look(client, records):
    sign_in(client, "clerk", "view_document", "view_item")
    page = client.get(reverse("admin:backoffice_document_change", args=[records[Document].pk])).content.decode()
    assert "/approve/" not in page
    assert "/cancel/" not in page
    assert "/done/" not in page
    assert (
        "/adjust/"
        not in client.get(reverse("admin:backoffice_item_change", args=[Item.objects.get().pk])).content.decode()
    )
