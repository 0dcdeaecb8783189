"""Saving the settings of a cart that runs: what Start asked for stays true until Stop."""

from typing import Any

import pytest

from carts import secrets
from carts.errors import Refused
from carts.models import Cart
from carts.services import control, held

pytestmark = pytest.mark.django_db


def save(cart: Cart, changes: dict[str, Any], credentials: dict[str, str] | None = None) -> Cart:
    fresh = Cart.objects.get(pk=cart.pk)
    return control.save_cart(fresh, changes, credentials or {}, "staff", fresh.settings_version)


@pytest.fixture
def running(cart: Cart) -> Cart:
    control.start(cart, "staff", without_rehearsal=True)
    return Cart.objects.get(pk=cart.pk)


@pytest.mark.parametrize(
    ("changes", "credentials", "sentence"),
    [
        ({"last_order_from": None}, {}, "Last Order from cannot be emptied while the cart is RUNNING"),
        ({"url": "https://other.example.test"}, {}, "URL and credentials cannot be changed while the cart is RUNNING"),
        ({}, {"consumer_key": "ck_other"}, "URL and credentials cannot be changed while the cart is RUNNING"),
        ({"from_item_updates": True}, {}, "Last update time is not set"),
    ],
)
def test_is_refused_and_saves_nothing(
    running: Cart, changes: dict[str, Any], credentials: dict[str, str], sentence: str
) -> None:
    before = Cart.objects.filter(pk=running.pk).values().get()
    with pytest.raises(Refused, match=sentence):
        save(running, changes, credentials)
    assert Cart.objects.filter(pk=running.pk).values().get() == before


def test_a_stopped_cart_takes_them(cart: Cart) -> None:
    saved = save(cart, {"last_order_from": None, "url": "https://other.example.test"})
    assert (saved.order_fence, saved.url) == (None, "https://other.example.test")
    assert not control.is_tested(saved)


def test_a_name_that_is_taken_is_said(cart: Cart) -> None:
    other = control.create_cart({"name": "Other", "url": cart.url}, {}, "staff")
    with pytest.raises(Refused, match=r"There is a cart named Shop already\. Choose another name; nothing was saved\."):
        save(other, {"name": "Shop"})
    assert Cart.objects.get(pk=other.pk).name == "Other"


def test_accepting_a_currency_is_a_change_of_settings(cart: Cart) -> None:
    held.accept_currency(cart, "EUR", "staff")
    saved = Cart.objects.get(pk=cart.pk)
    assert saved.accepted_currencies == {"EUR", "USD"}
    assert saved.settings_version == cart.settings_version + 1
    newest = saved.history.first()
    assert newest is not None
    assert (newest.history_change_reason, newest.currencies) == ("EUR accepted by staff", "EUR,USD")


def test_a_credential_that_may_be_missing_is_removed_and_no_other() -> None:
    keys = {"access_token": "shpat_1", "client_id": "id-1", "client_secret": "secret-1"}
    changes = {"name": "Shopify", "platform": "shopify", "url": "https://a.example.test"}
    cart = control.create_cart(changes, keys, "staff")
    cart = save(cart, {}, {"access_token": secrets.REMOVE, "client_id": ""})
    assert secrets.unseal(cart.credentials) == {"client_id": "id-1", "client_secret": "secret-1"}
