"""A BigCommerce practice shop on a socket and the adapter that reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from carts.platforms import connect
from carts.platforms.base import CartAdapter, Connection
from sandbox.testing import PracticeShop, practice_shop

TIMEOUT_SECONDS = 3.0
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def adapter_of(place: PracticeShop, **changes: Any) -> CartAdapter:
    """The adapter for a practice shop; `changes` replace fields of its connection."""
    given = {"url": place.address, "credentials": place.credentials, "location": "1", **changes}
    return connect("bigcommerce", Connection(timeout_seconds=TIMEOUT_SECONDS, **given))


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Twenty things to buy, three customers, no orders; the clock stands, adjustments are done at the next request."""
    with practice_shop(platform="bigcommerce", products=20, settle_seconds=0) as place:
        place.shop.clock.set(NOON)
        yield place


@pytest.fixture
def adapter(place: PracticeShop) -> Iterator[CartAdapter]:
    adapter = adapter_of(place)
    yield adapter
    adapter.close()
