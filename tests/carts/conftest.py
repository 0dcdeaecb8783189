"""A practice shop on a socket, a cart that is connected to it, and the shop's items in the system."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from backoffice.services import items
from backoffice.types import NewItem
from carts.models import Cart
from carts.services import control
from sandbox import demo
from sandbox.testing import PracticeShop, practice_shop


@pytest.fixture
def shop() -> Iterator[PracticeShop]:
    with practice_shop(orders=30, customers=8, products=20) as running:
        yield running


@pytest.fixture
def cart(db: None, shop: PracticeShop) -> Cart:
    """Tested and ready to start, Last Order from 90 days ago."""
    made = control.create_cart(
        {
            "name": "Shop",
            "url": shop.url,
            "last_order_from": datetime.now(UTC) - timedelta(days=90),
            "notification_emails": "staff@example.test",
        },
        {"consumer_key": shop.key, "consumer_secret": shop.secret},
        "staff",
    )
    assert control.test_connection(made, "staff").passed
    return Cart.objects.get(pk=made.pk)


@pytest.fixture
def known_items(db: None) -> None:
    """The shop's catalogue in the system, without the SKUs it is not to know."""
    for sellable in demo.catalogue(products=20):
        if sellable.sku and sellable.sku not in demo.UNKNOWN_SKUS:
            items.create_item(NewItem(sku=sellable.sku, name=sellable.name, price=sellable.price))
