"""A practice shop inside the test's own process, on a real socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.demo import populate
from sandbox.faults import Faults
from sandbox.messages import Received
from sandbox.server import PracticeServer
from sandbox.shop import Shop
from sandbox.woocommerce.api import WooCommerce
from sandbox.woocommerce.auth import Key

KEY = "ck_practice"
SECRET = "cs_practice"


class PracticeShop:
    """What a test holds: where the shop is, its key, its state, its request log and its faults."""

    def __init__(self, server: PracticeServer, platform: WooCommerce) -> None:
        self.server = server
        self.platform = platform
        self.key = KEY
        self.secret = SECRET

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def shop(self) -> Shop:
        """The shop's state and everything that can happen in it."""
        return self.server.shop

    @property
    def requests(self) -> deque[Received]:
        """Every request answered or dropped so far, oldest first, without credentials."""
        return self.server.requests

    @property
    def faults(self) -> Faults:
        return self.server.faults

    def add_key(self, key: str, secret: str, scope: str) -> None:
        """Let a further key in; `scope` is read, write or read_write."""
        self.platform.keys.add(Key(key, secret, scope))


@contextmanager
def practice_shop(
    *,
    orders: int = 0,
    customers: int = 3,
    products: int = 10,
    lines: int | None = None,
    seed: int = 1,
    timezone: str = "America/New_York",
    currency: str = "USD",
    state: str = ":memory:",
    basic_over_http: bool = True,
    latency: float = 0.0,
    port: int = 0,
) -> Iterator[PracticeShop]:
    """A shop that lives as long as the block. Sizes as in demo.populate; `latency` in seconds.

    Plain HTTP takes Basic here unless `basic_over_http` is False, the real shop's behaviour.
    """
    shop = Shop(state=state, timezone=timezone, currency=currency)
    platform = WooCommerce(shop, Key(KEY, SECRET), basic_over_http)
    server = PracticeServer(shop, platform, port, latency)
    populate(shop, orders=orders, customers=customers, products=products, lines=lines, seed=seed)
    server.start()
    try:
        yield PracticeShop(server, platform)
    finally:
        server.stop()
        shop.close()
