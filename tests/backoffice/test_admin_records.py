"""Items and customers in the panel: edited with their history; stock is adjusted in its own form."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models.signals import pre_save
from django.urls import reverse

from backoffice.admin.forms import address_fields
from backoffice.models import Customer, CustomerEmail, Item, StockLevel, StockMovement
from backoffice.services import documents, items, stock
from backoffice.types import NewItem
from tests.backoffice.conftest import a_document, a_line, create


@pytest.fixture
def panel(client, staff):
    client.force_login(staff)
    return client


def url(model, name, *args):
    return reverse(f"admin:backoffice_{model}_{name}", args=args)


def item_form(**values):
    return {"name": "Mug", "price": "10.00", "tax_rate": "19", "is_active": "on", "is_stock_keeping": "on", **values}


def customer_form(*emails, existing=(), **values):
    form = {"name": "Customer Two", "emails-TOTAL_FORMS": len(emails), "emails-INITIAL_FORMS": len(existing)}
    for number, email in enumerate(emails):
        form[f"emails-{number}-email"] = email
    for number, pk in enumerate(existing):
        form[f"emails-{number}-id"] = pk
    return form | values


def test_item_is_made_and_edited_with_its_history(panel):
    assert panel.post(url("item", "add"), item_form(sku=" Cup-1 ")).status_code == 302
    item = Item.objects.get()
    assert (item.sku, item.sku_key) == ("Cup-1", "cup-1")
    panel.post(url("item", "change", item.pk), item_form(sku="Cup-1", name="Cup"))
    assert list(item.history.order_by("pk").values_list("name", "history_user__username")) == [
        ("Mug", "staff"),
        ("Cup", "staff"),
    ]
    assert panel.get(url("item", "history", item.pk)).status_code == 200


@pytest.mark.parametrize("sku", ["MUG-1", " mug-1 ", "Mug-1"])
def test_a_doubled_sku_names_the_other_item(panel, item, sku):
    answer = panel.post(url("item", "add"), item_form(sku=sku))
    assert answer.status_code == 200
    assert answer.context["errors"][0] == ["The item MUG-1 Mug has this SKU already. Choose another."]
    assert Item.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_sku_saved_meanwhile_is_named_too(panel):
    if connection.vendor == "sqlite":
        pytest.skip("On SQLite the form is checked under the write lock: nobody can save meanwhile.")

    def somebody_else(**signal):
        pre_save.disconnect(somebody_else, Item)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(save_and_leave).result()

    def save_and_leave():
        items.create_item(NewItem(sku="MUG-1", name="Theirs"))
        connection.close()

    pre_save.connect(somebody_else, Item)
    answer = panel.post(url("item", "add"), item_form(sku="mug-1"))
    assert answer.context["errors"][0] == ["The item MUG-1 Theirs has this SKU already. Choose another."]
    assert Item.objects.get().name == "Theirs"


def test_item_page_shows_its_stock(panel, item, staff, customer_id):
    stock.adjust(item, Decimal(10), by=staff, note="Counted")
    order, _ = create(
        a_document(customer_id, a_line(item, quantity=Decimal(3)), type="sales_order"),
        a_document(customer_id, a_line(item, quantity=Decimal(2))),
    )
    documents.approve(order, staff)
    shown = panel.get(url("item", "change", item.pk)).context["figures"]
    assert [(name, number) for name, number, _ in shown] == [
        ("On hand", "10"),
        ("Committed", "3"),
        ("Pending", "2"),
        ("Available", "5"),
    ]
    (row,) = panel.get(url("stocklevel", "changelist")).context["cl"].result_list
    assert (row.figures.on_hand, row.figures.committed, row.figures.pending, row.figures.available) == (
        "10",
        "3",
        "2",
        "5",
    )


def test_stock_is_adjusted_with_a_note(panel, item, staff):
    answer = panel.post(url("item", "adjust", item.pk), {"quantity": "-2.5", "note": "Broken"})
    assert answer.url == url("item", "change", item.pk)
    assert [str(message) for message in panel.get(answer.url).context["messages"]] == [
        "The stock of MUG-1 Mug was adjusted by -2.5."
    ]
    movement = StockMovement.objects.get()
    assert (movement.reason, movement.on_hand_change, movement.note, movement.by) == (
        "adjustment",
        Decimal("-2.5"),
        "Broken",
        staff,
    )
    assert StockLevel.objects.get().on_hand == Decimal("-2.5")


@pytest.mark.parametrize(
    "typed",
    [
        {"quantity": "many", "note": "A reason"},
        {"quantity": "2", "note": ""},
        {"quantity": "0", "note": "A reason"},
        {"quantity": "0.00001", "note": "A reason"},
    ],
)
def test_a_bad_adjustment_comes_back_as_typed(panel, item, typed):
    answer = panel.post(url("item", "adjust", item.pk), typed)
    assert answer.status_code == 200
    form = answer.context["adjustment"]
    assert form.errors
    assert (form["quantity"].value(), form["note"].value()) == (typed["quantity"], typed["note"])
    assert not StockMovement.objects.exists()


def test_what_keeps_no_stock_is_not_adjusted(panel, service):
    answer = panel.post(url("item", "adjust", service.pk), {"quantity": "1", "note": "A reason"})
    assert "is not stock-keeping, so nothing was changed" in str(answer.context["adjustment"].non_field_errors())
    assert not StockMovement.objects.exists()


def test_customer_is_made_with_a_code_emails_and_addresses(panel):
    values = {"billing_first_name": "First", "billing_city": "Town", "shipping_country": "DE"}
    assert panel.post(url("customer", "add"), customer_form("Two@Example.test", **values)).status_code == 302
    customer = Customer.objects.get()
    assert customer.code == "CU-000001"
    assert customer.billing["first_name"] == "First"
    assert customer.billing["city"] == "Town"
    assert customer.shipping == dict.fromkeys(customer.shipping, "") | {"country": "DE"}
    assert list(customer.emails.values_list("email", "email_key")) == [("Two@Example.test", "two@example.test")]


def test_customers_page_shows_addresses_as_fields_and_keeps_them(panel, customer_id):
    Customer.objects.filter(pk=customer_id).update(billing={"city": "Town", "phone": None})
    form = panel.get(url("customer", "change", customer_id)).context["adminform"].form
    assert form["billing_city"].value() == "Town"
    assert set(address_fields("billing")) <= set(form.fields)
    email = CustomerEmail.objects.get()
    filled = customer_form("one@example.test", existing=(email.pk,), billing_city="City")
    assert panel.post(url("customer", "change", customer_id), filled).status_code == 302
    customer = Customer.objects.get()
    assert (customer.name, customer.billing["city"]) == ("Customer Two", "City")
    assert customer.history.first().history_user.username == "staff"


def test_an_email_twice_is_refused(panel, customer_id):
    email = CustomerEmail.objects.get()
    filled = customer_form("one@example.test", "ONE@example.test", existing=(email.pk,))
    answer = panel.post(url("customer", "change", customer_id), filled)
    assert answer.status_code == 200
    assert "ONE@example.test stands here twice. Keep one of the two; nothing was saved." in answer.content.decode()
    assert Customer.objects.get().name == "Customer One"
    assert CustomerEmail.objects.count() == 1


def test_a_parent_is_found_by_sku(panel, item):
    items.create_item(NewItem(sku="OTHER", name="Other"))
    query = {"app_label": "backoffice", "model_name": "item", "field_name": "parent", "term": "mug"}
    assert [row["text"] for row in panel.get(reverse("admin:autocomplete"), query).json()["results"]] == ["MUG-1 Mug"]


def test_an_earlier_version_of_an_item_comes_back(panel, item):
    panel.post(url("item", "change", item.pk), item_form(sku="CUP-1", name="Cup"))
    first = item.history.earliest()
    page = reverse("admin:backoffice_item_simple_history", args=[item.pk, first.pk])
    form = panel.get(page).context["adminform"].form
    assert (form["sku"].value(), form["name"].value()) == ("MUG-1", "Mug")
    assert panel.post(page, item_form(sku="MUG-1")).status_code == 302
    item.refresh_from_db()
    assert (item.sku, item.sku_key, item.name, item.name_key) == ("MUG-1", "mug-1", "Mug", "mug")
    assert item.history.count() == 3


def test_an_earlier_version_of_a_customer_brings_its_address_back(panel, customer_id):
    customer = Customer.objects.get(pk=customer_id)
    customer.billing = {"city": "Town"}
    customer.save()
    customer.billing = {"city": "City"}
    customer.save()
    page = reverse("admin:backoffice_customer_simple_history", args=[customer_id, customer.history.earliest().pk])
    assert panel.get(page).context["adminform"].form["billing_city"].value() == "Town"
    assert panel.post(page, customer_form(name="Customer One", billing_city="Town")).status_code == 302
    customer.refresh_from_db()
    assert customer.billing["city"] == "Town"
