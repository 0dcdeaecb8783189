"""Practice shops on a socket and carts that are connected to them."""

from collections.abc import Iterator

import pytest

from carts.models import Cart
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import know_the_items, running_cart


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Ten things to buy, three customers, no orders yet."""
    with practice_shop() as place:
        yield place


@pytest.fixture
def history() -> Iterator[PracticeShop]:
    """250 paid orders of two lines over the last 60 days: three pages, everything importable."""
    with practice_shop(orders=250, customers=20, products=30, lines=2) as place:
        yield place


@pytest.fixture
def cart(db: None, place: PracticeShop) -> Cart:
    """RUNNING, connected to `place`, whose items are all known."""
    know_the_items(place)
    return running_cart(place)
