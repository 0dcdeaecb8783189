"""The practice shop asked over its socket, as any client would."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
import requests
from defusedxml.ElementTree import fromstring

from sandbox.testing import PracticeShop, practice_shop


class Client:
    """Requests with a key as the user name; answers as (status, root or None)."""

    def __init__(self, place: PracticeShop) -> None:
        self.place = place

    def ask(self, method: str, path: str, body: str = "", *, key: str | None = None, **query: str):
        user = self.place.platform.key if key is None else key
        return requests.request(
            method,
            f"{self.place.url}/api/{path}",
            params=query,
            data=body.encode(),
            auth=(user, "") if user else None,
            timeout=5,
        )

    def get(self, path: str, **query: str) -> tuple[int, Element]:
        answer = self.ask("GET", path, **query)
        return answer.status_code, fromstring(answer.content)

    def ids(self, path: str, **query: str) -> list[str]:
        status, root = self.get(path, **query)
        assert status == 200
        return [row.findtext("id") for row in root[0]]

    def write(self, method: str, path: str, inner: str) -> tuple[int, Element]:
        answer = self.ask(method, path, f"<prestashop>{inner}</prestashop>")
        return answer.status_code, fromstring(answer.content)


def code(root: Element) -> str:
    return root.findtext("errors/error/code") or ""


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="prestashop", products=15) as place:
        yield place


@pytest.fixture
def client(place: PracticeShop) -> Client:
    return Client(place)
