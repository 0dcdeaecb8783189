"""The webservice under /api/: which resource answers, and what the key may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.messages import Request, Response, html_response
from sandbox.prestashop import about, goods, people, trade
from sandbox.prestashop.auth import METHODS, Keys, Rights, check
from sandbox.prestashop.query import Resource, found, shown_fields
from sandbox.prestashop.writing import write
from sandbox.prestashop.xml import ApiError, Row, node, response
from sandbox.shop import Shop

KEY = "PRACTICEPRACTICEPRACTICEPRACTICE"
VERSION = "9.0.0"
# What came with 8.
NEWER_FIELDS = ("product_type",)
RESOURCES: dict[str, Resource] = {**about.RESOURCES, **people.RESOURCES, **goods.RESOURCES, **trade.RESOURCES}


class PrestaShop:
    """The platform: give it a shop, its key with the rights, and the version it says it is."""

    def __init__(self, shop: Shop, key: str, rights: Rights, version: str) -> None:
        self.shop = shop
        self.key = key
        self.version = version
        self.is_enabled = True
        self.keys = Keys()
        self.keys.add(key, rights)
        # As measured: a sale, a stock write and a combination leave the product's time alone, a slip the order's.
        shop.sales_touch_products = False
        shop.refunds_touch_orders = False

    @classmethod
    def of(cls, shop: Shop, options: Mapping[str, Any]) -> PrestaShop:
        """`key` of 32 characters; `rights`: methods by resource, all of them unless given; `version`: below 8 the
        webservice knows no PATCH."""
        rights = options.get("rights") or {name: frozenset(METHODS) for name in RESOURCES}
        return cls(shop, options.get("key", KEY), rights, options.get("version", VERSION))

    @property
    def address(self) -> str:
        return self.shop.url

    @property
    def credentials(self) -> dict[str, str]:
        return {"key": self.key}

    @property
    def patches(self) -> bool:
        return int(self.version.split(".")[0]) >= 8

    def handle(self, request: Request) -> Response:
        """Answer a request, refusals included."""
        if request.path != "/api" and not request.path.startswith("/api/"):
            return html_response("<!doctype html><html><head><title>Practice shop</title></head></html>", 404)
        try:
            with self.shop.lock:
                return self._answer(request)
        except ApiError as refusal:
            return refusal.response(self.version)

    def refusal(self, status: int) -> Response:
        """How this platform says 401 and 500."""
        if status == 401:
            return ApiError(401, 20, "Authentication key is not active").response("0")
        return ApiError(status, 3, "[PHP Warning #2] Undefined array key (module.php, line 1)").response(self.version)

    def _answer(self, request: Request) -> Response:
        rights = self.keys.rights(request)
        if isinstance(rights, Response):
            return rights
        if not self.is_enabled:
            text = "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office"
            raise ApiError(503, 22, text)
        if request.method == "PATCH" and not self.patches:
            raise ApiError(405, 23, "Method PATCH is not valid")
        name, _, tail = request.path.removeprefix("/api").strip("/").partition("/")
        if not name:
            return response(self._index(rights), self.version)
        if name not in RESOURCES:
            raise ApiError(400, 27, f'Resource of type "{name}" does not exists')
        resource = RESOURCES[name]
        if request.method not in resource.methods | {"HEAD"}:
            raise ApiError(405, 101, f"Method {request.method} is not allowed for the resource {name}")
        check(rights, name, request.method)
        if request.method in ("GET", "HEAD"):
            return self._one(request, resource, tail) if tail else self._list(request, name, resource)
        return write(self.shop, name, resource, request, tail, self.version)

    def _index(self, rights: Rights) -> str:
        """The resources this key may use, with its methods."""
        rows = []
        for name, methods in sorted(rights.items()):
            known = [each for each in METHODS if each != "PATCH" or self.patches]
            flags = " ".join(f'{each.lower()}="{str(each in methods).lower()}"' for each in known)
            rows.append(f'<{name} xlink:href="{self.shop.url}/api/{name}" {flags}>\n</{name}>')
        inside = "\n".join(rows)
        return f'<api shopName="{self.shop.name}">\n{inside}\n</api>'

    def _list(self, request: Request, name: str, resource: Resource) -> Response:
        keys = found(self.shop, resource, request)
        shown = shown_fields(request, ["id"])
        tag = resource.list_name or name
        rows = "\n".join(node(resource.node, self._row(resource, key), shown) for key in keys)
        answer = response(f"<{tag}>\n{rows}\n</{tag}>", self.version)
        if resource.moves:
            answer.listed, answer.listed_kind = list(keys), resource.moves
        return answer

    def _one(self, request: Request, resource: Resource, tail: str) -> Response:
        """A record by its id; one that is missing is 404 with no body at all."""
        keys = [
            key for key in resource.keys(self.shop, {"id": f"[{tail}]"}) if resource.value(self.shop, key, "id") == tail
        ]
        if not keys:
            return Response(404, b"", [("PSWS-Version", self.version)])
        return response(node(resource.node, self._row(resource, keys[0]), shown_fields(request, None)), self.version)

    def _row(self, resource: Resource, key: Any) -> Row:
        row = resource.row(self.shop, key)
        return row if self.patches else {name: text for name, text in row.items() if name not in NEWER_FIELDS}
