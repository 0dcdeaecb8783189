"""The published contract: what a request of the adapter and an answer of the practice shop are held to."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from sandbox.messages import Received, Response

HOST = "https://api.bigcommerce.com"
FILES = {
    "v2/orders": "orders.v2.oas2.yml",
    "v2/store": "store_information.v2.yml",
    "v2/time": "store_information.v2.yml",
    "v3/orders": "orders.v3.yml",
    "v3/catalog/products": "products_catalog.v3.yml",
    "v3/catalog/variants": "product-variants_catalog.v3.yml",
    "v3/customers": "customers.v3.yml",
    "v3/inventory/locations": "locations.v3.yml",
    "v3/inventory": "inventory.v3.yml",
    "v3/hooks": "webhooks.v3.yml",
}
CONFIG = Config(
    spec_validator_cls=None, extra_media_type_deserializers={"application/problem+json": msgspec.json.decode}
)
CONNECTOR_PATH = re.compile(r"/inventory/locations/\d+/items")


class Asked:
    """A logged request as openapi-core wants it."""

    def __init__(self, request: Received) -> None:
        self.host_url = HOST
        self.path = request.path
        self.method = request.method.lower()
        self.body = request.body or None
        self.content_type = "application/json"
        # The log keeps no credentials; that the token travels is a test of its own.
        header = Headers({**request.headers, "X-Auth-Token": "left out"})
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.query), header=header, cookie=ImmutableMultiDict()
        )


class Answered:
    """An answer of the practice shop as openapi-core wants it."""

    def __init__(self, answer: Response) -> None:
        self.status_code = answer.status
        self.data = answer.body
        self.content_type = answer.content_type
        self.headers = Headers(answer.headers)


def mended(node: Any) -> Any:
    """Without the files' known defects: `x-nullable` or words alone for nullable, `:in` filters of one number, sorts
    without their suffix, ids that a batch needs but may not name, one of two where both hold."""
    if isinstance(node, list):
        return [mended(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {name: mended(value) for name, value in node.items()}
    if node.get("x-nullable") or ("type" in node and "null" in str(node.get("description", "")).lower()):
        node["nullable"] = True
    if "orderConsignments_Resource" in str(node.get("oneOf")):
        node["anyOf"] = node.pop("oneOf")
    if node.get("type") == "integer":
        node.pop("readOnly", None)
    if node.get("in") == "query" and str(node.get("name", "")).endswith(":in") and node["schema"]["type"] != "array":
        node |= {"schema": {"type": "array", "items": node["schema"]}, "style": "form", "explode": False}
    if node.get("in") == "query" and node.get("name") == "sort" and "date_created" in node["schema"].get("enum", ()):
        node["schema"]["enum"] = [f"{name}:{way}" for name in node["schema"]["enum"] for way in ("asc", "desc")]
    return node


class Contract:
    """The files, each read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[dict, OpenAPI]] = {}

    def of(self, path: str) -> tuple[dict, OpenAPI]:
        name = next(name for start, name in FILES.items() if path.startswith(start))
        if CONNECTOR_PATH.search(path):
            name = "inventory.v3.yml"
        if name not in self._known:
            spec = mended(yaml.load((self._folder / name).read_text(), yaml.CSafeLoader))
            self._known[name] = spec, OpenAPI.from_dict(spec, config=CONFIG)
        return self._known[name]

    def answer_faults_of(self, request: Received, answer: Response) -> Iterator[str]:
        """Of the practice shop's answer to a request."""
        path = request.path.removeprefix("/stores/practice/")
        try:
            self.of(path)[1].validate_response(Asked(request), Answered(answer))
        except OpenAPIError as error:
            why = getattr(error.__cause__, "schema_errors", None) or error.__cause__ or error
            yield f"{request.method} {path} {answer.status}: {error} {why}"

    def faults_of(self, request: Received) -> Iterator[str]:
        path = request.path.removeprefix("/stores/practice/")
        spec, openapi = self.of(path)
        known = query_names(spec, path.partition("/")[2], request.method.lower())
        yield from (f"{path} does not know {name}" for name in request.query if name not in known)
        try:
            openapi.validate_request(Asked(request))
        except OpenAPIError as error:
            why = getattr(error.__cause__, "schema_errors", None) or error.__cause__ or error
            yield f"{request.method} {path} {request.query}: {error} {why}"


def query_names(spec: Mapping[str, Any], path: str, method: str) -> set[str]:
    # A path without a placeholder wins over one with: /orders/count is no order's id.
    for template in sorted(spec["paths"], key=lambda each: each.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), f"/{path}"):
            item = spec["paths"][template]
            parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
            return {found["name"] for each in parameters if (found := _found(spec, each))["in"] == "query"}
    raise AssertionError(f"The contract has no path /{path}.")


def _found(spec: Any, node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        found = spec
        for part in node["$ref"][2:].split("/"):
            found = found[part.replace("~1", "/")]
        node = found
    return node
