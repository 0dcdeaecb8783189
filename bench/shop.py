"""The practice shop as a process of its own, so that it shares no interpreter with what is measured."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.testing import KEY, SECRET
from tools import testservers

CREDENTIALS = {"consumer_key": KEY, "consumer_secret": SECRET}
LINES = 2  # item lines an order


@contextmanager
def shop(*, orders: int, customers: int, items: int, latency_ms: int = 0) -> Iterator[str]:
    """A shop whose orders lie still, every page rendered beforehand; yields its URL."""
    port = testservers.free_port()
    options = {
        "platform": "woocommerce",
        "port": port,
        "orders": orders,
        "customers": customers,
        "products": items,
        "lines": LINES,
        "new-order-every": 0,
        "latency-ms": latency_ms,
    }
    command = [sys.executable, "-m", "sandbox", *(f"--{name}={value}" for name, value in options.items())]
    command.append("--basic-over-http")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if "ready" not in process.stdout.readline():
            raise RuntimeError("The practice shop did not start; its message stands above.")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def products_for(simple: int) -> int:
    """How many products a shop needs to have more than this many simple ones with a SKU: every fifth is a size."""
    return simple * 5 // 4 + 60
