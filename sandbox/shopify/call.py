"""One request while it is answered: what its resolvers may ask, and what they leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.shop import Shop
from sandbox.shopify.access import Access
from sandbox.shopify.listing import Lists

if TYPE_CHECKING:
    from sandbox.shopify.api import Shopify


class Call:
    def __init__(self, platform: Shopify) -> None:
        self.platform = platform
        self.shop: Shop = platform.shop
        self.access: Access = platform.access
        self.lists: Lists = platform.lists
        self.listed: list[int] = []
        self.listed_kind = ""

    def record(self, kind: str, record_id: int) -> dict[str, Any] | None:
        """One record as its table rendered it; None for one that is not there, or not shown."""
        shop = self.shop
        if kind == "Order":
            order = shop.orders.rows.get(record_id)
            return _decoded(shop.orders.body(record_id)) if order and self.lists.shows_order(order) else None
        if kind == "Customer":
            return _decoded(shop.customers.body(record_id)) if record_id in shop.customers.rows else None
        product = shop.products.rows.get(record_id)
        if product is None or product.status == "trash":
            return None
        sides = _decoded(shop.products.body(record_id))
        if kind == "Product":
            return sides.get("product")
        if kind == "ProductVariant":
            return sides["variant"]
        return sides["variant"]["inventoryItem"] if kind == "InventoryItem" and sides["variant"] else None


_decoded = msgspec.json.Decoder().decode
