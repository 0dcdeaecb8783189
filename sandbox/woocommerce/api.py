"""WooCommerce REST v3: which route answers, and the frame around every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from sandbox.messages import Request, Response, json_response
from sandbox.shop import Shop
from sandbox.woocommerce import about, pages, reading, writing
from sandbox.woocommerce.auth import Authentication, Key
from sandbox.woocommerce.catalogue_body import customer_body, product_body
from sandbox.woocommerce.errors import ApiError, no_route
from sandbox.woocommerce.listing import Memo, only_fields
from sandbox.woocommerce.order_body import order_body
from sandbox.woocommerce.writing_catalogue import Products, Variations
from sandbox.woocommerce.writing_customers import Customers
from sandbox.woocommerce.writing_orders import Orders, create_refund

PREFIX = "/wp-json"
KEY, SECRET = "ck_practice", "cs_practice"


class WooCommerce:
    """The platform: give it a shop and its key, hand it requests."""

    def __init__(self, shop: Shop, key: Key, basic_over_http: bool = False) -> None:
        self.shop = shop
        self.memo = Memo()
        self.keys = Authentication(basic_over_http)
        self.keys.add(key)
        self.key = key
        encoder = msgspec.json.Encoder()
        for table, body in (
            (shop.orders, order_body),
            (shop.products, product_body),
            (shop.customers, customer_body),
        ):
            table.render = lambda record, body=body: encoder.encode(body(shop, record))

    @classmethod
    def of(cls, shop: Shop, options: Mapping[str, Any]) -> WooCommerce:
        """`key`, `secret`, `scope`: read, write or read_write; `basic_over_http`: take Basic without TLS."""
        key = Key(options.get("key", KEY), options.get("secret", SECRET), options.get("scope", "read_write"))
        return cls(shop, key, options.get("basic_over_http", False))

    @property
    def address(self) -> str:
        return self.shop.url

    @property
    def credentials(self) -> dict[str, str]:
        return {"consumer_key": self.key.key, "consumer_secret": self.key.secret}

    def handle(self, request: Request) -> Response:
        """Answer a request, refusals included."""
        route = self._route_of(request)
        if route is None:
            return pages.handle(self.shop, request)
        try:
            response = self._answer(request, route)
            if "_fields" in request.args:
                only_fields(response, request.args["_fields"])
        except ApiError as refusal:
            response = refusal.response()
        if not any(name == "Link" for name, _ in response.headers):
            response.headers.append(("Link", f'<{self.shop.url}{PREFIX}/>; rel="https://api.w.org/"'))
        response.headers += [
            ("X-Robots-Tag", "noindex"),
            ("X-Content-Type-Options", "nosniff"),
            ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
            ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private"),
        ]
        return response

    def refusal(self, status: int) -> Response:
        """How this platform says 401 and 500."""
        if status == 401:
            return ApiError(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.").response()
        message = "<p>There has been a critical error on this website.</p>"
        return ApiError(status, "internal_server_error", message).response()

    @staticmethod
    def _route_of(request: Request) -> str | None:
        """The path below the REST root, with pretty permalinks or without; None for a page."""
        if "rest_route" in request.args:
            return "/" + request.args["rest_route"].strip("/")
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return "/" + unquote(request.path[len(PREFIX) :]).strip("/")
        return None

    def _answer(self, request: Request, route: str) -> Response:
        if route == "/":
            return json_response(about.index(self.shop))
        self.keys.check(request)
        for method, pattern, action in ROUTES:
            found = re.fullmatch(pattern, route)
            if found and request.method in method.split():
                with self.shop.lock:
                    return action(self, request, *(_argument(each) for each in found.groups()))
        raise no_route()


def _argument(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _about(answer: Callable[..., Any]) -> Callable[..., Response]:
    return lambda api, request, *names: json_response(answer(api.shop, *names))


_ID = r"/(\d+)"
_V3 = "/wc/v3"
Route = tuple[str, str, Callable[..., Response]]


def _writing(collection: str, make: writing.Maker) -> list[Route]:
    path = f"{_V3}/{collection}"
    return [
        ("POST", path, writing.create(make)),
        ("POST PUT PATCH", f"{path}/batch", writing.batch(make)),
        ("POST PUT PATCH", f"{path}{_ID}", writing.update(make)),
        ("DELETE", f"{path}{_ID}", writing.delete(make)),
    ]


ROUTES: list[Route] = [
    ("GET", f"{_V3}/system_status", _about(about.system_status)),
    ("GET", rf"{_V3}/settings/([\w-]+)", _about(about.setting_group)),
    ("GET", rf"{_V3}/settings/([\w-]+)/([\w-]+)", _about(about.setting)),
    ("GET", f"{_V3}/data/currencies/current", _about(about.currency)),
    ("GET", f"{_V3}/orders", reading.orders),
    ("GET", f"{_V3}/orders{_ID}", reading.order),
    ("GET", f"{_V3}/orders{_ID}/refunds", reading.refunds_of),
    ("GET", f"{_V3}/orders{_ID}/refunds{_ID}", reading.refund),
    ("GET", f"{_V3}/refunds", reading.refunds),
    ("GET", f"{_V3}/products", reading.products),
    ("GET", f"{_V3}/products{_ID}", reading.product),
    ("GET", f"{_V3}/products{_ID}/variations", reading.variations_of),
    ("GET", f"{_V3}/products{_ID}/variations{_ID}", reading.variation),
    ("GET", f"{_V3}/variations", reading.variations),
    ("GET", f"{_V3}/customers", reading.customers),
    ("GET", f"{_V3}/customers{_ID}", reading.customer),
    ("POST", f"{_V3}/orders{_ID}/refunds", create_refund),
    *_writing("orders", Orders),
    *_writing("products", Products),
    *_writing(rf"products{_ID}/variations", Variations),
    *_writing("customers", Customers),
]
