"""The promises of the design, over the practice shop of each platform and the real engine and database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from carts.choices import Kind
from carts.models import Cart
from carts.services.connections import adapter_for
from sandbox.testing import PracticeShop, practice_shop
from tests.contract.harness import HARNESSES
from tests.engine.helpers import fresh, know_the_items, poll, running_cart
from tests.push.conftest import no_waiting  # noqa: F401
from tests.push.test_records import BOTH, pick, turn


@pytest.fixture(params=HARNESSES)
def platform(request: pytest.FixtureRequest) -> str:
    return request.param


def opened(platform: str, **sizes):
    options = {**HARNESSES[platform].options, "basic_over_http": True}
    return practice_shop(platform=platform, **{**options, **sizes})


@pytest.fixture
def place(platform: str) -> Iterator[PracticeShop]:
    """Twenty things to buy, three customers, no orders."""
    with opened(platform, products=20) as place:
        yield place


@pytest.fixture
def history(platform: str) -> Iterator[PracticeShop]:
    """130 orders over the last 60 days, with all that shops do; more than a page of them on most platforms."""
    with opened(platform, orders=130, customers=10, products=30) as place:
        yield place


@pytest.fixture
def stocked(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, its orders just polled, every item linked by Import selected, takes stock."""
    know_the_items(place)
    cart = running_cart(place, to_stock_updates=True)
    link(cart, Kind.ITEM)
    poll(cart)
    place.requests.clear()
    return fresh(cart)


@pytest.fixture
def paired(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, items and customers both ways, all of them linked by Import selected."""
    know_the_items(place)
    cart = running_cart(place, last_update_time=timezone.now() - timedelta(days=400), **BOTH)
    link(cart, Kind.ITEM)
    link(cart, Kind.CUSTOMER)
    turn(cart)
    place.requests.clear()
    return fresh(cart)


def link(cart: Cart, kind: Kind) -> None:
    """As staff do it under Items (Cart): select all that match, Import selected."""
    adapter, position, ids = adapter_for(cart), "", []
    while True:
        page = adapter.page_by_id(kind, position)
        ids += [row.external_id for row in page.rows]
        if page.is_last:
            break
        position = page.next_position
    pick(cart, kind, ids)
