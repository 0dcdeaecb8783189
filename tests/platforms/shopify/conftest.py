"""A practice shop that speaks Shopify, and the adapter that reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from carts.platforms.base import Allowance, Connection
from carts.platforms.shopify import Shopify
from sandbox.testing import PracticeShop, practice_shop

NOON = datetime(2026, 11, 23, 17, 0, 0, tzinfo=UTC)
TIMEOUT_SECONDS = 3.0


class Ledger:
    """A budget that waits for nothing and writes down what it is told."""

    def __init__(self) -> None:
        self.spent: list[float] = []
        self.learned: list[tuple[Allowance, float, float]] = []
        self.refusals: list[float | None] = []

    def spend(self, cost: float) -> None:
        self.spent.append(cost)

    def learn(self, allowance: Allowance, *, spent: float, cost: float) -> None:
        self.learned.append((allowance, spent, cost))

    def refused(self, wait_seconds: float | None) -> None:
        self.refusals.append(wait_seconds)


def adapter_of(
    place: PracticeShop, *, location: str = "1", budget: Ledger | None = None, **credentials: str
) -> Shopify:
    given = credentials or place.credentials
    return Shopify(
        Connection(place.address, given, location=location, budget=budget or Ledger(), timeout_seconds=TIMEOUT_SECONDS)
    )


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Ten things to buy, three customers, no orders; its clock stands at noon in New York."""
    with practice_shop(platform="shopify") as place:
        place.shop.clock.set(NOON)
        yield place


@pytest.fixture
def budget() -> Ledger:
    return Ledger()


@pytest.fixture
def adapter(place: PracticeShop, budget: Ledger) -> Iterator[Shopify]:
    adapter = adapter_of(place, budget=budget)
    yield adapter
    adapter.close()
