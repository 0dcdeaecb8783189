"""The platforms a practice shop can speak. A new one is a folder and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.bigcommerce.api import BigCommerce
from sandbox.magento.api import Magento
from sandbox.prestashop.api import PrestaShop
from sandbox.server import Platform
from sandbox.shop import Shop
from sandbox.shopify.api import Shopify
from sandbox.woocommerce.api import WooCommerce

# By name: what makes the platform of a shop, given its further options (see each platform's `of`).
PLATFORMS: dict[str, Callable[[Shop, Mapping[str, Any]], Platform]] = {
    "woocommerce": WooCommerce.of,
    "magento": Magento.of,
    "bigcommerce": BigCommerce.of,
    "prestashop": PrestaShop.of,
    "shopify": Shopify.of,
}
