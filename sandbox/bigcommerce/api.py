"""BigCommerce: which route answers, what the token may do, and the frame around every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from sandbox.bigcommerce import hooks, inventory, reading, writing
from sandbox.bigcommerce.errors import ApiError, invalid, not_found
from sandbox.bigcommerce.order_body import order_body
from sandbox.bigcommerce.quota import Quota
from sandbox.messages import Request, Response, html_response
from sandbox.records import Customer, Product
from sandbox.shop import Shop

STORE_HASH, TOKEN, CLIENT_SECRET = "practice", "practice-token", "practice-client-secret"
SCOPES = ("orders", "transactions", "products", "customers", "inventory", "locations", "information", "default")
WINDOW_SECONDS = 30.0
# As a store of the largest plan; the smaller ones have 150 and 450.
REQUESTS_A_WINDOW = 100_000
_LISTS_REMEMBERED = 16


class BigCommerce:
    """The platform. `scopes` are by name "modify" or "read_only"; what is not in there the token may not do."""

    def __init__(
        self,
        shop: Shop,
        *,
        token: str = TOKEN,
        client_secret: str = CLIENT_SECRET,
        scopes: Mapping[str, str] | None = None,
        quota: Quota | None = None,
        settle_seconds: float = 1.0,
        locations: tuple[str, ...] = ("Default location",),
    ) -> None:
        self.shop = shop
        self.store_hash = STORE_HASH
        self.token = token
        self.client_secret = client_secret
        self.scopes = dict.fromkeys(SCOPES, "modify") if scopes is None else dict(scopes)
        self.quota = quota or Quota(shop.clock, REQUESTS_A_WINDOW, WINDOW_SECONDS)
        self.adjustments = inventory.Adjustments(shop, settle_seconds)
        self.locations = locations
        self._lists: dict[Any, list[int]] = {}
        encoder = msgspec.json.Encoder()
        shop.orders.render = lambda order: encoder.encode(order_body(shop, order, reading.USUAL))

    @classmethod
    def of(cls, shop: Shop, options: Mapping[str, Any]) -> BigCommerce:
        """`key`: the token; `secret`: the client secret; `scope`: "read" for a token that only reads, or `scopes` by
        name; `quota` requests a `window_seconds`; `settle_seconds` until an adjustment of stock is done; `locations`:
        names of the places of stock."""
        scopes = options.get("scopes")
        if scopes is None and options.get("scope") == "read":
            scopes = dict.fromkeys(SCOPES, "read_only")
        requests, window = options.get("quota", REQUESTS_A_WINDOW), options.get("window_seconds", WINDOW_SECONDS)
        return cls(
            shop,
            token=options.get("key") or TOKEN,
            client_secret=options.get("secret") or CLIENT_SECRET,
            scopes=scopes,
            quota=Quota(shop.clock, requests, window),
            settle_seconds=options.get("settle_seconds", 1.0),
            locations=tuple(options.get("locations", ("Default location",))),
        )

    @property
    def address(self) -> str:
        return f"{self.shop.url}/stores/{self.store_hash}"

    @property
    def credentials(self) -> dict[str, str]:
        return {"access_token": self.token, "client_secret": self.client_secret}

    @property
    def location_ids(self) -> range:
        return range(1, len(self.locations) + 1)

    def deliver(self, scope: str, record_id: int) -> list[int]:
        """Send a webhook to all who are subscribed to it; the status each answered with."""
        return hooks.deliver(self, scope, record_id)

    def handle(self, request: Request) -> Response:
        """Answer a request, refusals included."""
        found = re.fullmatch(r"/stores/(\w+)/(v2|v3)(/.*)", unquote(request.path))
        if found is None:
            return html_response("<!DOCTYPE html><title>Practice shop</title>", 404 if request.path != "/" else 200)
        store, version, route = found.groups()
        is_allowed, headers = self.quota.spend()
        try:
            if not is_allowed:
                raise ApiError(429, "Too many requests")
            if store != self.store_hash:
                raise not_found()
            if request.headers.get("X-Auth-Token", "") != self.token:
                raise unauthorized()
            with self.shop.lock:
                self.adjustments.settle()
                response = self._answer(request, version + route.rstrip("/"))
        except ApiError as refusal:
            response = refusal.response(version)
        except msgspec.DecodeError as broken:
            response = invalid({"body": str(broken)}).response(version)
        response.headers += headers
        is_problem = response.status >= 400 and route.startswith("/inventory")
        response.content_type = "application/problem+json" if is_problem else "application/json"
        return response

    def refusal(self, status: int) -> Response:
        """How this platform says 401, 429 and 500."""
        if status == 401:
            return unauthorized().response()
        return ApiError(status, "An unexpected error has occurred.").response()

    def _answer(self, request: Request, route: str) -> Response:
        for methods, pattern, scope, action in ROUTES:
            found = re.fullmatch(pattern, route)
            if found and request.method in methods:
                self._check_scope(scope, request.method)
                return action(self, request, *(int(each) if each.isdigit() else each for each in found.groups()))
        raise not_found()

    def _check_scope(self, scope: str, method: str) -> None:
        """Any of several scopes will do for reading what both cover."""
        allowed = [self.scopes[each] for each in scope.split() if each in self.scopes]
        if not allowed or (method != "GET" and "modify" not in allowed):
            raise ApiError(403, "You don't have a required scope to access the endpoint")

    def remembered(self, request: Request, find: Callable[[], list[int]]) -> list[int]:
        """A filtered list of orders, found once as long as none changes: the next page of it is a slice."""
        asked = [item for item in sorted(request.args.items()) if item[0] not in ("page", "limit", "include")]
        key = (self.shop.orders.version, str(asked))
        if key not in self._lists:
            while len(self._lists) >= _LISTS_REMEMBERED:
                del self._lists[next(iter(self._lists))]
            self._lists[key] = find()
        return self._lists[key]

    def product(self, product_id: int) -> Product:
        product = self.shop.products.rows.get(product_id)
        if product is None or product.parent_id or product.status == "trash":
            raise not_found()
        return product

    def customer(self, customer_id: int) -> Customer:
        customer = self.shop.customers.rows.get(customer_id)
        if customer is None:
            raise not_found()
        return customer


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized")


_ID = r"/(\d+)"
_CATALOG = "v3/catalog"
Route = tuple[str, str, str, Callable[..., Response]]
ROUTES: list[Route] = [
    ("GET", "v2/store", "information", reading.store),
    ("GET", "v2/time", "default information orders products customers", reading.time_now),
    ("GET", "v2/orders", "orders", reading.orders),
    ("GET", "v2/orders/count", "orders", reading.count_orders),
    ("GET", f"v2/orders{_ID}", "orders", reading.order),
    (
        "GET",
        rf"v2/orders{_ID}/(products|shipping_addresses|shippingaddresses|coupons|taxes|fees)",
        "orders",
        reading.order_parts,
    ),
    ("GET", "v3/orders/payment_actions/refunds", "orders transactions", reading.refunds),
    ("GET", rf"v3/orders{_ID}/payment_actions/refunds", "orders transactions", reading.refunds),
    ("GET", f"{_CATALOG}/products", "products", reading.products),
    ("GET", f"{_CATALOG}/products{_ID}", "products", reading.product),
    ("GET", rf"{_CATALOG}/products{_ID}/variants", "products", reading.variants),
    ("GET", f"{_CATALOG}/variants", "products", reading.variants),
    ("POST", f"{_CATALOG}/products", "products", writing.create_product),
    ("PUT", f"{_CATALOG}/products", "products", writing.update_products),
    ("DELETE", f"{_CATALOG}/products{_ID}", "products", writing.delete_product),
    ("PUT", f"{_CATALOG}/variants", "products", writing.update_variants),
    ("GET", "v3/customers", "customers", reading.customers),
    ("POST", "v3/customers", "customers", writing.create_customers),
    ("PUT", "v3/customers", "customers", writing.update_customers),
    ("GET", "v3/customers/addresses", "customers", reading.addresses),
    ("POST", "v3/customers/addresses", "customers", writing.create_addresses),
    ("PUT", "v3/customers/addresses", "customers", writing.update_addresses),
    ("DELETE", "v3/customers/addresses", "customers", writing.delete_addresses),
    ("GET", "v3/inventory/locations", "locations", inventory.locations),
    ("GET", rf"v3/inventory/locations{_ID}/items", "inventory", inventory.items_at),
    ("GET", "v3/inventory/items", "inventory", inventory.items),
    ("PUT", "v3/inventory/adjustments/absolute", "inventory", inventory.set_absolute),
    ("GET", "v3/hooks", "default", hooks.hooks),
    ("POST", "v3/hooks", "default", hooks.create_hook),
    ("PUT", f"v3/hooks{_ID}", "default", hooks.update_hook),
    ("DELETE", f"v3/hooks{_ID}", "default", hooks.delete_hook),
]
