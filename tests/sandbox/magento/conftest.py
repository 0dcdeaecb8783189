"""A practice Magento, asked as any client would."""

from collections.abc import Callable, Iterator

import pytest
import requests
from requests_oauthlib import OAuth1

from sandbox.testing import PracticeShop, practice_shop

Ask = Callable[..., requests.Response]


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="magento") as place:
        yield place


def ask(place: PracticeShop, path: str, method: str = "GET", scope: str = "", **content) -> requests.Response:
    """Signed by the shop's own integration; `path` is what follows V1/."""
    keys = place.credentials
    signature = OAuth1(
        keys["consumer_key"],
        keys["consumer_secret"],
        keys["access_token"],
        keys["access_token_secret"],
        signature_method="HMAC-SHA256",
    )
    address = f"{place.url}/rest/{scope}{'/' if scope else ''}V1/{path}"
    return requests.request(method, address, auth=signature, timeout=5, **content)
