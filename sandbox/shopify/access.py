"""Who may ask: the app's tokens, and the scopes the shop granted to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.shopify.errors import denied

TOKEN_SECONDS = 24 * 60 * 60 - 1
READING = ("read_orders", "read_all_orders", "read_products", "read_inventory", "read_locations", "read_customers")
WRITING = ("write_products", "write_inventory", "write_customers")
# Any of these lets one read a field of the root.
SCOPES = {
    "orders": ("read_orders",),
    "order": ("read_orders",),
    "ordersCount": ("read_orders",),
    "products": ("read_products",),
    "product": ("read_products",),
    "productVariants": ("read_products",),
    "productVariantsCount": ("read_products",),
    "inventoryItems": ("read_inventory", "read_products"),
    "locations": ("read_locations", "read_inventory"),
    "customers": ("read_customers",),
    "customer": ("read_customers",),
    "customersCount": ("read_customers",),
    "inventorySetQuantities": ("write_inventory",),
    "productVariantsBulkUpdate": ("write_products",),
    "productUpdate": ("write_products",),
    "productSet": ("write_products",),
    "customerUpdate": ("write_customers",),
    "customerCreate": ("write_customers",),
    "customerAddressUpdate": ("write_customers",),
    "customerAddressCreate": ("write_customers",),
}
KIND_SCOPES = {"Order": "orders", "Product": "products", "ProductVariant": "products", "Customer": "customers"}


class Access:
    def __init__(self, clock: Clock, token: str, client_id: str, client_secret: str, scopes: Iterable[str]) -> None:
        self._clock = clock
        self.token, self.client_id, self.client_secret = token, client_id, client_secret
        self.scopes = list(scopes)
        self.token_seconds = TOKEN_SECONDS
        self.granted: dict[str, datetime] = {}

    def grant(self, given: dict[str, str]) -> str | None:
        """A new token for the right client id and secret; None for others."""
        asked = (given.get("grant_type"), given.get("client_id"), given.get("client_secret"))
        if asked != ("client_credentials", self.client_id, self.client_secret):
            return None
        token = f"shpat_practice_{len(self.granted) + 1:04d}"
        self.granted[token] = self._clock.now() + timedelta(seconds=self.token_seconds)
        return token

    def lets_in(self, token: str) -> bool:
        if token == self.token:
            return True
        ends = self.granted.get(token)
        return ends is not None and self._clock.now() < ends

    def may(self, scope: str) -> bool:
        """Writing takes reading in."""
        return scope in self.scopes or scope.replace("read_", "write_") in self.scopes

    def check(self, field: str) -> None:
        needed = SCOPES.get(field, ())
        if needed and not any(map(self.may, needed)):
            raise denied(field, needed[0])
