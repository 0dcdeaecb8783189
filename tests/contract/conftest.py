"""The same tests for every platform of the registry, and for a sixth that is registered here alone."""

from collections.abc import Iterator

import pytest

from tests.contract import sixth
from tests.contract.harness import HARNESSES, Ground, ground_of


@pytest.fixture(params=[*HARNESSES, sixth.NAME])
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == sixth.NAME:
        sixth.register(monkeypatch)
    return request.param


@pytest.fixture
def ground(platform: str) -> Iterator[Ground]:
    """Thirty things to buy (six of them variations), three customers, no orders."""
    with ground_of(platform, products=30) as ground:
        yield ground
