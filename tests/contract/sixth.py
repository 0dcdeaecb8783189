"""The sixth platform, registered while a test asks for it: one line in each of the three registers, nothing else."""

import pytest

from carts.platforms import REGISTRY
from sandbox.platforms import PLATFORMS
from tests.contract.csv_server import CsvVoice
from tests.contract.csv_shop import NAME, CsvShop
from tests.contract.harness import HARNESSES, Harness


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY, NAME, CsvShop)
    monkeypatch.setitem(PLATFORMS, NAME, CsvVoice)
    monkeypatch.setitem(HARNESSES, NAME, Harness(write_fault={"method": "PUT"}, record_fault={"method": "PUT"}))
