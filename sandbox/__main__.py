"""Run a practice shop: python -m sandbox --platform woocommerce --port 8765 --state var/practice-shop.sqlite3"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from threading import Thread

from sandbox.demo import populate
from sandbox.platforms import PLATFORMS
from sandbox.server import PracticeServer
from sandbox.shop import Shop
from sandbox.shopper import Buying


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A practice shop on 127.0.0.1.")
    parser.add_argument("--platform", choices=PLATFORMS, default="woocommerce")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--state", default=":memory:", help="SQLite file; a restart goes on from it")
    parser.add_argument("--orders", type=int, default=250)
    parser.add_argument("--customers", type=int, default=40)
    parser.add_argument("--products", type=int, default=60)
    parser.add_argument("--lines", type=int, help="plain orders, for measuring: this many lines each")
    parser.add_argument("--new-order-every", type=float, default=20, metavar="SECONDS", help="0: never")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timezone", default="America/New_York")
    parser.add_argument("--currency", default="USD")
    parser.add_argument("--key", help="the consumer key or token")
    parser.add_argument("--secret", help="the consumer secret or client secret")
    parser.add_argument("--scope", choices=("read", "write", "read_write"), default="read_write")
    parser.add_argument("--basic-over-http", action="store_true", help="take Basic without TLS")
    parser.add_argument("--quota", type=int, default=150, help="BigCommerce: requests a window of 30 seconds")
    parser.add_argument("--legacy-stock", action="store_true", help="Magento: without multi-source inventory")
    parser.add_argument("--takes-bearer", action="store_true", help="Magento: take the access token alone")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait before every answer")
    return parser.parse_args(given)


def main(given: list[str]) -> None:
    """Serve until SIGINT or SIGTERM."""
    options = arguments(given)
    # What is loaded stays; scanning it again and again would slow the start and pause a measurement.
    gc.disable()
    shop = Shop(state=options.state, timezone=options.timezone, currency=options.currency)
    platform = PLATFORMS[options.platform](shop, {name: value for name, value in vars(options).items() if value})
    server = PracticeServer(shop, platform, options.port, options.latency_ms / 1000)
    shopper = populate(
        shop,
        orders=options.orders,
        customers=options.customers,
        products=options.products,
        seed=options.seed,
        lines=options.lines,
    )
    for table in shop.tables:
        table.render_all()
    gc.freeze()
    gc.enable()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: Thread(target=server.stop).start())
    buying = Buying(shopper, options.new_order_every) if options.new_order_every else None
    if buying:
        buying.start()
    print(f"practice shop ready at {server.url}", flush=True)
    server.serve()
    if buying:
        buying.stop()
    shop.close()


if __name__ == "__main__":
    main(sys.argv[1:])
