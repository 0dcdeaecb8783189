"""A practice Shopify a test, and a client for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.shopify.api import PATH, TOKEN
from sandbox.testing import PracticeShop, practice_shop
from tests.sandbox.conftest import NOON


class Client:
    """Sends queries of one shop and gives back whole answers."""

    def __init__(self, place: PracticeShop) -> None:
        self.place = place
        self.session = requests.Session()
        self.session.headers["X-Shopify-Access-Token"] = TOKEN

    def __call__(self, query: str, **variables: Any) -> requests.Response:
        body = {"query": query, "variables": variables}
        return self.session.post(f"{self.place.url}{PATH}", json=body, timeout=10)

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """What came; there may be no errors."""
        answer = self(query, **variables)
        assert answer.status_code == 200 and "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    def refusal(self, query: str, **variables: Any) -> tuple[str, str]:
        """(code, message) of what has to be refused with 200."""
        answer = self(query, **variables)
        assert answer.status_code == 200, answer.text
        error = answer.json()["errors"][0]
        return error.get("extensions", {}).get("code", ""), error["message"]


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """Ten things to buy, three customers, no orders; its clock stands at noon in New York."""
    with practice_shop(platform="shopify") as place:
        place.shop.clock.set(NOON)
        yield place


@pytest.fixture
def call(place: PracticeShop) -> Client:
    return Client(place)
