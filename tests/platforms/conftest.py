"""A practice shop on a socket and the adapter that reads it."""

from collections.abc import Iterator

import pytest

from carts.platforms import connect
from carts.platforms.base import CartAdapter, Connection
from sandbox.testing import PracticeShop, practice_shop

# Short, so that a shop that never answers costs a test little; long enough for a busy machine.
TIMEOUT_SECONDS = 3.0


def adapter_of(place: PracticeShop, **changes: str) -> CartAdapter:
    """The adapter for a practice shop; `changes` replace its url, key or secret."""
    credentials = {
        "consumer_key": changes.get("key", place.key),
        "consumer_secret": changes.get("secret", place.secret),
    }
    connection = Connection(changes.get("url", place.url), credentials, timeout_seconds=TIMEOUT_SECONDS)
    return connect("woocommerce", connection)


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Ten things to buy, three customers, no orders; as strict about plain HTTP as the real shop."""
    with practice_shop(basic_over_http=False) as place:
        yield place


@pytest.fixture
def adapter(place: PracticeShop) -> Iterator[CartAdapter]:
    adapter = adapter_of(place)
    yield adapter
    adapter.close()
