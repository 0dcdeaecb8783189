"""The same tests for every platform of the registry."""

from collections.abc import Iterator

import pytest

from tests.contract.harness import HARNESSES, Ground, ground_of


@pytest.fixture(params=sorted(HARNESSES))
def platform(request: pytest.FixtureRequest) -> str:
    test = request.node.name.replace(f"[{request.param}-", "[").replace(f"[{request.param}]", "")
    for name, reason in HARNESSES[request.param].owed.items():
        if test.startswith(name):
            request.node.add_marker(pytest.mark.xfail(reason=f"{request.param}: {reason}", strict=True))
    return request.param


@pytest.fixture
def ground(platform: str) -> Iterator[Ground]:
    """Thirty things to buy (six of them variations), three customers, no orders."""
    with ground_of(platform, products=30) as ground:
        yield ground
