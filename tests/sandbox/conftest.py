"""A practice shop a test, and a client for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.testing import PracticeShop, practice_shop

NOON = datetime(2026, 11, 23, 17, 0, 0, tzinfo=UTC)


class Client:
    """Calls wc/v3 of one shop with Basic and gives back whole responses."""

    def __init__(self, place: PracticeShop) -> None:
        self.place = place
        self.session = requests.Session()
        self.session.auth = (place.key, place.secret)

    def __call__(self, method: str, path: str, json: Any = None, **query: Any) -> requests.Response:
        url = f"{self.place.url}/wp-json/wc/v3/{path}"
        return self.session.request(method, url, params=query, json=json, timeout=10, allow_redirects=False)

    def get(self, path: str, **query: Any) -> Any:
        """The decoded body of an answer that must be 200."""
        answer = self("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, path: str, **query: Any) -> list[int]:
        return [row["id"] for row in self.get(path, **query)]


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """An empty-handed shop: ten things to buy, three customers, no orders; its clock stands at noon in New York."""
    with practice_shop() as place:
        place.shop.clock.set(NOON)
        yield place


@pytest.fixture
def call(place: PracticeShop) -> Client:
    return Client(place)
