"""Items and customers: found whatever the case, made once, searched by how they begin; to-dos."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from backoffice.models import Customer, CustomerEmail, DocumentTodo, Item
from backoffice.services import customers, items, todos
from backoffice.types import Address, ItemLite, NewCustomer, NewItem, NewTodo
from tests.backoffice.conftest import a_document, create

# Items ----------------------------------------------------------------------------------------------


def test_a_sku_is_the_same_without_regard_to_case_and_outer_spaces(item):
    assert items.find_by_skus([" mug-1 ", "Mug-1", "MUG 1"]) == {"mug-1": ItemLite(item.pk, True, True)}
    assert items.create_item(NewItem(sku="  mUg-1", name="Another mug")) == item.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.create(sku="mug-1 ", name="Twin")
    assert list(Item.objects.values_list("sku", "name")) == [("MUG-1", "Mug")]


def test_case_is_folded_in_every_language(db):
    made = items.create_item(NewItem(sku="STRASSE-Ä", name="Sign"))
    assert items.find_by_skus(["straße-ä"]) == {"strasse-ä": ItemLite(made, True, True)}


def test_a_sku_follows_when_it_is_edited(item):
    item.sku = "CUP-1"
    item.save(update_fields=["sku"])
    assert list(items.find_by_skus(["mug-1", "cup-1"])) == ["cup-1"]


@pytest.mark.parametrize("sku", ["", "   "])
def test_an_item_without_a_sku_is_refused(db, sku):
    with pytest.raises(ValueError, match="needs a SKU"):
        items.create_item(NewItem(sku=sku, name="Nameless"))
    assert Item.objects.count() == 0


def test_the_form_says_which_item_has_the_sku(item):
    with pytest.raises(ValidationError, match="The item MUG-1 Mug has this SKU already"):
        Item(sku=" mug-1", name="Twin").full_clean()


def test_edits_of_an_item_are_remembered(item):
    item.price = 12
    item.save()
    assert [(row.history_type, row.price) for row in item.history.order_by("history_id")] == [("+", 10), ("~", 12)]


@pytest.mark.parametrize(
    ("text", "found"), [("mug", True), ("MUG-", True), ("4006", True), ("ug", False), (" ", False)]
)
def test_items_are_searched_by_how_they_begin(item, text, found):
    Item.objects.filter(pk=item.pk).update(barcode="4006381")
    assert items.search(text, 20) == ([item.pk] if found else [])


def test_pages_are_newest_first_and_tell_of_a_next_one(db):
    ids = [items.create_item(NewItem(sku=f"P-{at}", name=f"Poster {at}")) for at in range(5)][::-1]
    assert (items.page("", 1, 2), items.page("", 2, 2), items.page("", 3, 2)) == (ids[:3], ids[2:5], ids[4:])
    assert (items.page("p-3", 1, 2), items.page("nothing", 1, 2)) == ([ids[1]], [])


# Customers ------------------------------------------------------------------------------------------


def test_customers_are_found_by_e_mail_whatever_its_case(db):
    first, second = customers.create_customers(
        [
            NewCustomer(name="Customer A", emails=("Shared@Example.test", "a@example.test")),
            NewCustomer(name="Customer B", emails=(" shared@example.test ",)),
        ]
    )
    found = customers.find_by_emails(["SHARED@example.test", "a@example.test", "nobody@example.test"])
    assert found == {"shared@example.test": [first, second], "a@example.test": [first]}


def test_a_customer_is_made_with_a_code_and_addresses(db):
    new = NewCustomer(
        name="Customer A",
        company="A Ltd",
        phone="+47 1",
        emails=("a@example.test", "A@example.test"),
        billing=Address(first_name="A", city="Oslo", country="NO"),
    )
    (made,) = customers.create_customers([new])
    row = Customer.objects.get(pk=made)
    assert (row.code, row.name, row.company, row.phone) == ("CU-000001", "Customer A", "A Ltd", "+47 1")
    assert (row.billing["city"], row.billing["country"], row.shipping["city"]) == ("Oslo", "NO", "")
    assert list(CustomerEmail.objects.values_list("email", flat=True)) == ["a@example.test"]


def test_an_import_key_is_one_customer(db):
    one, two, again = customers.create_customers(
        [
            NewCustomer(name="Buyer", emails=("buyer@example.test",), import_key="buyer@example.test"),
            NewCustomer(name="No key"),
            NewCustomer(name="Buyer twice", emails=("buyer@example.test",), import_key="buyer@example.test"),
        ]
    )
    later, new = customers.create_customers(
        [
            NewCustomer(name="Changed", emails=("second@example.test",), import_key="buyer@example.test"),
            NewCustomer(name="Other", import_key="other@example.test"),
        ]
    )
    assert one == again == later
    assert len({one, two, new}) == 3 == Customer.objects.count()
    assert Customer.objects.get(pk=one).name == "Buyer"
    assert len(customers.find_by_emails(["buyer@example.test"])["buyer@example.test"]) == 1


@pytest.mark.parametrize(("text", "found"), [("customer o", True), ("cu-0", True), ("ONE@", True), ("ne", False)])
def test_customers_are_searched_by_how_they_begin(customer_id, text, found):
    assert customers.search(text, 20) == ([customer_id] if found else [])
    assert customers.page(text, 1, 50) == ([customer_id] if found else [])


# To-dos ---------------------------------------------------------------------------------------------


def test_a_todo_is_added_once_and_stays_done(customer_id, admin_user):
    (made,) = create(a_document(customer_id))
    refund, cancelled = NewTodo("refund:1", "Refunded 5.00 EUR."), NewTodo("cancelled", "Cancelled in the shop.")
    todos.add_todos({made: [refund]})
    todo = DocumentTodo.objects.get()
    assert todos.finish(todo.pk, admin_user) is True
    todos.add_todos({made: [refund, cancelled]})
    assert list(DocumentTodo.objects.order_by("pk").values_list("key", "done_by")) == [
        ("refund:1", admin_user.pk),
        ("cancelled", None),
    ]
    assert todos.count_open([made, 4711]) == {made: 1}


def test_a_todo_done_by_one_is_not_done_again_by_another(customer_id, admin_user):
    (made,) = create(a_document(customer_id, todos=(NewTodo("refund:1", "Refunded."),)))
    todo = DocumentTodo.objects.get(document=made)
    todos.finish(todo.pk, admin_user)
    before = DocumentTodo.objects.values().get()
    assert todos.finish(todo.pk, None) is False
    assert DocumentTodo.objects.values().get() == before
