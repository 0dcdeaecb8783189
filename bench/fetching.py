"""The ideal at 200 ms: the same pages fetched by the engine's own adapter, and nothing done with them."""

from datetime import datetime

from bench.shop import CREDENTIALS


def fetch_only(url: str, since: datetime, in_flight: int) -> None:
    from carts.choices import Kind
    from carts.platforms import Connection, connect
    from carts.records import Window

    adapter = connect("woocommerce", Connection(url=url, credentials=CREDENTIALS))
    for _ in adapter.fetch(Kind.ORDER, Window(since, in_flight)):
        pass
    adapter.close()
