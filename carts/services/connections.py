"""From a cart to its adapter: one session a cart, priority and process, made anew when its address or key changes."""

import hashlib
import json
import threading
from functools import lru_cache

from django.conf import settings

from carts import secrets
from carts.models import Cart
from carts.platforms import Connection, adapter_class, connect
from carts.platforms.base import Capabilities, CartAdapter
from carts.services.budgets import Priority, SharedBudget

_lock = threading.Lock()
_adapters: dict[tuple[int, Priority], tuple[str, CartAdapter]] = {}


def capabilities(cart: Cart) -> Capabilities:
    return adapter_class(cart.platform).capabilities


def connection_digest(cart: Cart) -> str:
    """Identifies URL and credentials without telling them; a test or rehearsal counts for one digest only."""
    return _digest(cart.platform, cart.url, cart.ca_bundle, cart.credentials)


@lru_cache(maxsize=256)
def _digest(platform: str, url: str, ca_bundle: str, sealed: str) -> str:
    """Kept by the sealed text: it is asked for before every request."""
    text = json.dumps([platform, url, ca_bundle, secrets.unseal(sealed)], sort_keys=True)
    return hashlib.blake2b(text.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=32).hexdigest()


def location_of(cart: Cart) -> str:
    """The location whose stock is ours: the one staff chose, or the only one there is."""
    known = [external_id for external_id, _ in cart.shop_locations]
    return cart.stock_location or (known[0] if len(known) == 1 else "")


def adapter_for(cart: Cart, priority: Priority = Priority.STAFF) -> CartAdapter:
    """`priority`: what its requests are for, where the cart allows only so many. Raises ConfigError when the saved
    credentials cannot be read."""
    location = location_of(cart)
    digest = f"{connection_digest(cart)}{cart.shop_timezone} {location}"
    with _lock:
        known = _adapters.get((cart.pk, priority))
        if known and known[0] == digest:
            return known[1]
        connection = Connection(
            url=cart.url,
            credentials=secrets.unseal(cart.credentials),
            ca_bundle=cart.ca_bundle,
            timezone=cart.shop_timezone,
            location=location,
            budget=SharedBudget(cart.pk, priority),
        )
        adapter = connect(cart.platform, connection)
        _adapters[cart.pk, priority] = (digest, adapter)
    # The old session is left to the garbage collector: another thread may be in the middle of a request with it.
    return adapter
