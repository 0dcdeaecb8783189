"""A practice shop that speaks PrestaShop, and the adapter that reads it."""

from collections.abc import Iterator

import pytest

from carts.platforms import connect
from carts.platforms.base import CartAdapter, Connection
from sandbox.testing import PracticeShop, practice_shop

TIMEOUT_SECONDS = 3.0


def adapter_of(place: PracticeShop, **changes: str) -> CartAdapter:
    """The adapter for a practice shop; `changes` replace its url, key or time zone."""
    credentials = {"key": changes.get("key", place.platform.key), "admin_folder": changes.get("admin_folder", "")}
    return connect(
        "prestashop",
        Connection(
            changes.get("url", place.address),
            credentials,
            timezone=changes.get("timezone", ""),
            timeout_seconds=TIMEOUT_SECONDS,
        ),
    )


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Twelve simple things and a shirt in three sizes, three customers, no orders."""
    with practice_shop(platform="prestashop", products=15) as place:
        yield place


@pytest.fixture
def old_place() -> Iterator[PracticeShop]:
    """The same in version 1.7, whose webservice knows no PATCH."""
    with practice_shop(platform="prestashop", products=15, version="1.7.8.11") as place:
        yield place


@pytest.fixture
def adapter(place: PracticeShop) -> Iterator[CartAdapter]:
    adapter = adapter_of(place)
    yield adapter
    adapter.close()


@pytest.fixture
def old_adapter(old_place: PracticeShop) -> Iterator[CartAdapter]:
    adapter = adapter_of(old_place)
    yield adapter
    adapter.close()


def rows_of(pages) -> list:
    return [row for page in pages for row in page.rows]


def shirt(place: PracticeShop):
    """The product with combinations."""
    return next(row for row in place.shop.products.rows.values() if row.kind == "variable")
