"""The platforms a practice shop can speak. A new one is a folder and a line here."""

from __future__ import annotations

from sandbox.woocommerce.api import WooCommerce

PLATFORMS = {"woocommerce": WooCommerce}
