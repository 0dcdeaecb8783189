"""Magento's REST V1: which route answers, and for which scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from sandbox.magento import about, reading, stock
from sandbox.magento.auth import ALL, Authentication, Integration
from sandbox.magento.catalogue_body import customer_body, product_body
from sandbox.magento.errors import ApiError, broken, no_route, unauthorized
from sandbox.magento.order_body import order_body
from sandbox.messages import Request, Response, html_response
from sandbox.shop import Shop

_PATH = re.compile(r"/rest(?:/([\w-]+))?/V1/(.*)")
_NOT_FOUND = "<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>"


class Magento:
    """The platform: give it a shop, hand it requests."""

    def __init__(
        self,
        shop: Shop,
        integration: Integration,
        *,
        takes_bearer: bool = False,
        legacy_stock: bool = False,
        source_codes: tuple[str, ...] = (stock.DEFAULT,),
        includes_tax: bool = False,
        repeats_last_page: bool = False,
        views: tuple[str, ...] = ("default",),
    ) -> None:
        self.shop = shop
        self.keys = Authentication(integration, takes_bearer)
        self.has_sources = not legacy_stock
        self.sources = stock.Sources(shop, source_codes)
        self.repeats_last_page = repeats_last_page
        self.views = views
        # A sale, and the saving of a size, leave the time of the product alone here.
        shop.sales_touch_products = False
        shop.skus_are_required = True
        encode = msgspec.json.encode
        shop.orders.render = lambda order: encode(order_body(shop, order, includes_tax=includes_tax))
        shop.products.render = lambda product: encode(product_body(shop, product))
        shop.customers.render = lambda customer: encode(customer_body(customer))

    @classmethod
    def of(cls, shop: Shop, options: Mapping[str, Any]) -> Magento:
        """`takes_bearer`; `legacy_stock`: the modules of multi-source inventory are removed; `source_codes`,
        `includes_tax`, `repeats_last_page`, `views` (codes of store views), `resources` the integration may use."""
        names = ("takes_bearer", "legacy_stock", "source_codes", "includes_tax", "repeats_last_page", "views")
        integration = Integration(resources=tuple(options.get("resources", (ALL,))))
        return cls(shop, integration, **{name: options[name] for name in names if name in options})

    @property
    def address(self) -> str:
        return self.shop.url

    @property
    def credentials(self) -> dict[str, str]:
        mine = self.keys.integration
        return {
            "consumer_key": mine.consumer_key,
            "consumer_secret": mine.consumer_secret,
            "access_token": mine.access_token,
            "access_token_secret": mine.access_token_secret,
        }

    def handle(self, request: Request) -> Response:
        """Answer a request, refusals included."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            return html_response(_NOT_FOUND, 404)
        try:
            response = self._answer(request, match[1] or "default", match[2])
        except ApiError as refusal:
            response = refusal.response()
        response.headers += [("Pragma", "no-cache"), ("Cache-Control", "no-store"), ("X-Frame-Options", "SAMEORIGIN")]
        return response

    def refusal(self, status: int) -> Response:
        """How this platform says 401 and 500."""
        refusal = unauthorized("Magento_Sales::actions_view") if status == 401 else broken()
        return refusal.response()

    def _answer(self, request: Request, scope: str, path: str) -> Response:
        if scope != "all" and scope not in self.views:
            raise no_route()
        # Each segment is decoded once, and a plus is a space: a SKU's own slash does not part the path.
        parts = path.rstrip("/").split("/")
        for method, pattern, resource, action in ROUTES:
            names = _named(pattern.split("/"), parts)
            if names is None or method != request.method or (pattern.startswith("inventory") and not self.has_sources):
                continue
            self.keys.check(request, resource)
            with self.shop.lock:
                if action in SCOPED:
                    return action(self, request, scope, *names)
                return action(self, request, *names)
        raise no_route()


def _named(pattern: list[str], parts: list[str]) -> list[str] | None:
    if len(pattern) != len(parts):
        return None
    pairs = list(zip(pattern, parts, strict=True))
    if any(wanted != "*" and wanted != part for wanted, part in pairs):
        return None
    return [unquote_plus(part) for wanted, part in pairs if wanted == "*"]


SCOPED = (reading.products, reading.product, reading.upsert, reading.update, reading.children)
_STORE, _SALES, _MEMOS = "Magento_Backend::store", "Magento_Sales::actions_view", "Magento_Sales::sales_creditmemo"
_PRODUCTS, _CUSTOMERS, _MANAGE = "Magento_Catalog::products", "Magento_Customer::customer", "Magento_Customer::manage"
_SOURCE, _STOCK, _LEGACY = (
    "Magento_InventoryApi::source",
    "Magento_InventoryApi::stock",
    "Magento_CatalogInventory::cataloginventory",
)
ROUTES: list[tuple[str, str, str, Callable[..., Response]]] = [
    ("GET", "store/storeConfigs", _STORE, about.store_configs),
    ("GET", "store/storeViews", _STORE, about.store_views),
    ("GET", "store/websites", _STORE, about.websites),
    ("GET", "modules", _STORE, about.modules),
    ("GET", "directory/countries/*", _STORE, about.country),
    ("GET", "orders", _SALES, reading.orders),
    ("GET", "orders/*", _SALES, reading.order),
    ("GET", "creditmemos", _MEMOS, reading.creditmemos),
    ("GET", "products", _PRODUCTS, reading.products),
    ("POST", "products", _PRODUCTS, reading.upsert),
    ("GET", "products/*", _PRODUCTS, reading.product),
    ("PUT", "products/*", _PRODUCTS, reading.update),
    ("GET", "configurable-products/*/children", _PRODUCTS, reading.children),
    ("GET", "customers/search", _CUSTOMERS, reading.customers),
    ("POST", "customers", _MANAGE, reading.create_customer),
    ("GET", "customers/*", _CUSTOMERS, reading.customer),
    ("PUT", "customers/*", _MANAGE, reading.update_customer),
    ("GET", "stockItems/*", _LEGACY, stock.legacy_item),
    ("PUT", "products/*/stockItems/*", _LEGACY, stock.write_legacy_item),
    ("GET", "inventory/sources", _SOURCE, stock.sources),
    ("GET", "inventory/source-items", _SOURCE, stock.source_items),
    ("POST", "inventory/source-items", _SOURCE, stock.write_source_items),
    ("GET", "inventory/stock-source-links", _STOCK, stock.source_links),
    ("GET", "inventory/stock-resolver/website/*", _STOCK, stock.stock_of_website),
    ("GET", "inventory/get-product-salable-quantity/*/*", _STOCK, stock.salable_quantity),
    ("GET", "inventory/export-stock-salable-qty/website/*", _STOCK, stock.salable_quantities),
]
