"""The same tests for every platform of the registry."""

from collections.abc import Iterator

import pytest

from tests.contract.harness import HARNESSES, Ground, ground_of


@pytest.fixture(params=sorted(HARNESSES))
def platform(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def ground(platform: str) -> Iterator[Ground]:
    """Thirty things to buy (six of them variations), three customers, no orders."""
    with ground_of(platform, products=30) as ground:
        yield ground
