"""`make run` before it starts anything: which ports are in use, and what it tells of the shops."""

import socket

from carts.platforms import REGISTRY
from tools import run


def test_every_port_that_is_in_use_is_told_with_what_it_is_for():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert run.taken(1, {"woocommerce": 2, "shopify": 3}) == []
        told = run.taken(port, {"woocommerce": port, "shopify": port})
    assert [sentence.split(", is in use")[0] for sentence in told] == [
        f"Port {port}, for CartSync",
        f"Port {port}, for the practice WooCommerce",
        f"Port {port}, for the practice Shopify",
    ]
    assert told[0].endswith(f"make run PORT={port + 100}") and told[1].endswith(f"make run SHOP_PORT={port + 100}")


def test_the_welcome_names_the_shop_of_every_platform():
    text = run.welcome(8000, {name: 8001 + number for number, name in enumerate(run.LABELS)})
    assert run.LABELS.keys() == REGISTRY.keys()
    for number, label in enumerate(run.LABELS.values()):
        line = next(line for line in text.splitlines() if label in line and "http" in line)
        assert line.endswith(f"http://127.0.0.1:{8001 + number}/")
