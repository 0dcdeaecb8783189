"""Carts on a practice shop's socket, members of staff with and without permissions, and the form as it was shown."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from carts.forms import CartForm
from carts.models import Cart
from carts.services import control
from sandbox.testing import PracticeShop, practice_shop

KEY, SECRET = "ck_0123456789abcdef0123456789abcdef0123a1b2", "cs_fedcba9876543210fedcba9876543210fedcc3d4"


@pytest.fixture
def shop() -> Iterator[PracticeShop]:
    with practice_shop(orders=60, customers=8, products=20, lines=1) as running:
        running.add_key(KEY, SECRET, "read_write")
        yield running


@pytest.fixture
def new_cart(db: None) -> Callable[..., Cart]:
    """A cart of any name at any address, not tested."""

    def make(name: str = "Shop", url: str = "https://shop.example.test", **changes: Any) -> Cart:
        return control.create_cart(
            {"name": name, "url": url, **changes}, {"consumer_key": KEY, "consumer_secret": SECRET}, "staff"
        )

    return make


@pytest.fixture
def cart(new_cart: Callable[..., Cart], shop: PracticeShop) -> Cart:
    """Tested, Last Order from set, STOPPED."""
    made = new_cart(url=shop.url, last_order_from=datetime.now(UTC) - timedelta(days=90))
    assert control.test_connection(made, "staff").passed
    made.refresh_from_db()
    return made


def person(name: str, *codenames: str) -> User:
    made = User.objects.create_user(name, is_staff=True)
    made.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="carts"))
    return made


@pytest.fixture
def signed_in(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def as_shown(cart: Cart, **typed: Any) -> dict[str, Any]:
    """What the browser sends of the form in Edit mode: everything it was shown, but for what was typed."""
    data = {}
    for field in CartForm(instance=Cart.objects.get(pk=cart.pk)):
        data[field.html_name] = field.value()
        if field.field.show_hidden_initial:
            data[field.html_initial_name] = field.value()
    data = {name: value for name, value in data.items() if value is not None and value is not False}
    return {**data, **typed}


def sentences(response: Any) -> list[str]:
    """The messages a person reads on the page they end up on."""
    return [str(message) for message in response.context["messages"]]
