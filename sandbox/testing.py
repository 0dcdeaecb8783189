"""A practice shop inside the test's own process, on a real socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.demo import populate
from sandbox.faults import Faults
from sandbox.messages import Received
from sandbox.platforms import PLATFORMS
from sandbox.server import PracticeServer
from sandbox.shop import Shop
from sandbox.woocommerce.api import KEY, SECRET
from sandbox.woocommerce.auth import Key


class PracticeShop:
    """What a test holds: where the shop is, its key, its state, its request log and its faults."""

    def __init__(self, server: PracticeServer, platform: Any, platform_name: str = "woocommerce") -> None:
        self.server = server
        self.platform = platform
        self.platform_name = platform_name
        self.key = KEY
        self.secret = SECRET

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def address(self) -> str:
        """What staff enter as Cart Connect URL."""
        return self.platform.address

    @property
    def credentials(self) -> dict[str, str]:
        """What staff enter as credentials."""
        return self.platform.credentials

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
        """WooCommerce: let a further key in; `scope` is read, write or read_write."""
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
    platform: str = "woocommerce",
    **options: Any,
) -> Iterator[PracticeShop]:
    """A shop that lives as long as the block. Sizes as in demo.populate; `latency` in seconds; `options` as the
    platform's `of` takes them.

    Plain HTTP takes Basic here unless `basic_over_http` is False, the real shop's behaviour.
    """
    shop = Shop(state=state, timezone=timezone, currency=currency)
    voice = PLATFORMS[platform](shop, {"basic_over_http": basic_over_http, **options})
    server = PracticeServer(shop, voice, port, latency)
    populate(shop, orders=orders, customers=customers, products=products, lines=lines, seed=seed)
    server.start()
    try:
        yield PracticeShop(server, voice, platform)
    finally:
        server.stop()
        shop.close()
