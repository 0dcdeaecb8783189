"""Whose order it is: by link, then by e-mail if exactly one has it, else a new customer; two candidates hold it."""

import pytest

from backoffice.models import Customer
from backoffice.services import customers
from backoffice.types import NewCustomer
from carts.choices import Reason
from carts.models import HeldFor
from carts.services import held
from tests.engine.helpers import documents, know_the_items, poll, record_of, running_cart, save

pytestmark = pytest.mark.django_db


def two_with(email: str) -> list[int]:
    return [customers.create_customers([NewCustomer(name=name, emails=(email,))])[0] for name in ("One", "Two")]


def test_two_customers_with_one_email_hold_the_order_and_the_answer_is_remembered(cart, place):
    _, two = two_with("Guest@Example.test")
    sku = place.shop.any_sku()
    order = place.shop.place_order(sku, email="guest@example.test")
    poll(cart)
    assert record_of(cart, order).reason_code == Reason.AMBIGUOUS_CUSTOMER
    held.answer(cart, Reason.AMBIGUOUS_CUSTOMER, "guest@example.test", two, "staff")
    later = place.shop.place_order(sku, email=" GUEST@example.test")
    poll(cart)
    found = documents(cart)
    assert {found[str(order.id)].customer_id, found[str(later.id)].customer_id} == {two}
    assert Customer.objects.count() == 2


def test_one_customer_with_the_email_is_taken_whatever_its_case(cart, place):
    [mine] = customers.create_customers([NewCustomer(name="Mine", emails=("Buyer@Example.test",))])
    place.shop.place_order(place.shop.any_sku(), email="buyer@example.TEST")
    poll(cart)
    assert [row.customer_id for row in documents(cart).values()] == [mine]


def test_each_guest_email_becomes_one_customer(cart, place):
    sku = place.shop.any_sku()
    for email in ("a@example.test", "A@example.test ", "b@example.test"):
        place.shop.place_order(sku, email=email)
    poll(cart)
    assert (Customer.objects.count(), len(documents(cart))) == (2, 3)


def test_all_guests_share_one_customer_where_staff_want_it_so(place):
    know_the_items(place)
    cart = running_cart(place, guest_rule="shared")
    for email in ("a@example.test", "", "b@example.test"):
        place.shop.place_order(email=email)
    registered = place.shop.place_order(customer_id=next(
        c.id for c in place.shop.customers.rows.values() if c.role == "customer"
    ))  # fmt: skip
    poll(cart)
    found = documents(cart)
    guests = {row.customer_id for ref, row in found.items() if ref != str(registered.id)}
    assert (len(found), len(guests), Customer.objects.count()) == (4, 1, 2)
    [chosen] = customers.create_customers([NewCustomer(name="Web guests")])
    save(cart, guest_customer_id=chosen)
    later = place.shop.place_order(email="c@example.test")
    poll(cart)
    assert documents(cart)[str(later.id)].customer_id == chosen


def test_a_guest_without_an_email_is_held_and_staff_say_who_it_is(cart, place):
    order = place.shop.place_order(place.shop.any_sku(), email="")
    poll(cart)
    need = HeldFor.objects.get()
    assert record_of(cart, order).reason_code == Reason.NO_EMAIL
    [buyer] = customers.create_customers([NewCustomer(name="At the counter")])
    held.answer(cart, Reason.NO_EMAIL, need.key, buyer, "staff")
    assert documents(cart)[str(order.id)].customer_id == buyer


def test_a_registered_customer_keeps_their_link_when_their_email_changes(cart, place):
    buyer = next(c for c in place.shop.customers.rows.values() if c.role == "customer")
    sku = place.shop.any_sku()
    place.shop.place_order(sku, customer_id=buyer.id)
    poll(cart)
    buyer.billing.email = "moved@example.test"
    place.shop.place_order(sku, customer_id=buyer.id)
    poll(cart)
    assert (Customer.objects.count(), len(documents(cart))) == (1, 2)
