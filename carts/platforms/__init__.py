"""The registry: a new platform is one file and one line here."""

from carts.errors import ConfigError
from carts.platforms.base import CartAdapter, Connection
from carts.platforms.bigcommerce import BigCommerce
from carts.platforms.magento import Magento
from carts.platforms.prestashop import PrestaShop
from carts.platforms.shopify import Shopify
from carts.platforms.woocommerce import WooCommerce

REGISTRY: dict[str, type[CartAdapter]] = {
    "woocommerce": WooCommerce,
    "magento": Magento,
    "bigcommerce": BigCommerce,
    "prestashop": PrestaShop,
    "shopify": Shopify,
}


DEFAULT = "woocommerce"


def platforms() -> list[tuple[str, str]]:
    """(name, label) of every platform, for choosing one."""
    return [(name, adapter.label) for name, adapter in REGISTRY.items()]


def adapter_class(platform: str) -> type[CartAdapter]:
    try:
        return REGISTRY[platform]
    except KeyError:
        raise ConfigError(f"There is no platform named {platform}.") from None


def connect(platform: str, connection: Connection) -> CartAdapter:
    return adapter_class(platform)(connection)
