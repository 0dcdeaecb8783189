"""A practice Magento on a socket and the adapter that reads it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from carts.platforms import connect
from carts.platforms.base import CartAdapter, Connection
from sandbox.testing import PracticeShop, practice_shop

# Short, so that a shop that never answers costs a test little; long enough for a busy machine.
TIMEOUT_SECONDS = 3.0


def adapter_of(place: PracticeShop, *, location: str = "", **credentials: str) -> CartAdapter:
    """The adapter for a practice shop; `credentials` replace the shop's own."""
    connection = Connection(place.address, place.credentials | credentials, timeout_seconds=TIMEOUT_SECONDS)
    return connect("magento", replace(connection, location=location))


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Twenty things to buy, three of them sizes of one, three customers, no orders."""
    with practice_shop(platform="magento", products=20) as place:
        yield place


@pytest.fixture
def adapter(place: PracticeShop) -> Iterator[CartAdapter]:
    adapter = adapter_of(place)
    yield adapter
    adapter.close()
