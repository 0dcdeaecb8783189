"""Every request the adapter makes is one the published contract knows: path, method, each parameter, each body."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.messages import Received
from tests.platforms.bigcommerce.conftest import NOON, adapter_of

HOST = "https://api.bigcommerce.com"
FILES = {
    "v2/orders": "orders.v2.oas2.yml",
    "v2/store": "store_information.v2.yml",
    "v3/orders": "orders.v3.yml",
    "v3/catalog/products": "products_catalog.v3.yml",
    "v3/catalog/variants": "product-variants_catalog.v3.yml",
    "v3/customers": "customers.v3.yml",
    "v3/inventory/locations": "locations.v3.yml",
    "v3/inventory": "inventory.v3.yml",
    "v3/hooks": "webhooks.v3.yml",
}
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


def mended(node: Any) -> Any:
    """The files' known defects: `x-nullable` for nullable, `:in` filters of one number, sorts without their suffix, and
    ids that a batch needs but may not name."""
    if isinstance(node, list):
        return [mended(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {name: mended(value) for name, value in node.items()}
    if node.get("x-nullable"):
        node["nullable"] = True
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
            self._known[name] = spec, OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))
        return self._known[name]

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


@pytest.fixture(scope="session")
def contract(shared) -> Contract:
    return Contract(shared / "contracts" / "bigcommerce")


def faults(contract: Contract, place) -> list[str]:
    return [fault for request in place.requests for fault in contract.faults_of(request)]


def test_every_reading_request_is_within_the_contract(contract, place, adapter):
    order = place.shop.place_order()
    group = next(str(each.id) for each in place.shop.products.rows.values() if each.kind == "variable")
    adapter.check()
    for kind in (ORDER, ITEM, CUSTOMER):
        list(adapter.fetch(kind, Window(since=NOON)))
        list(adapter.fetch(kind, Window()))
        adapter.fetch_many(kind, [str(order.id), "11-16", "2"])
        adapter.listing(kind, Listing(position="2", per_page=50))
        adapter.listing(kind, Listing(placed_from=NOON, placed_before=NOON, search="guest@example.test"))
        adapter.listing(kind, Listing(search="17"))
    adapter.listing(ORDER, Listing(per_page=1, placed_from=NOON, status="shipped,completed"))
    adapter.listing(ORDER, Listing(status="completed"))
    for kind, key in ((ITEM, "SKU-0001"), (ITEM, "SHIRT-001-S"), (CUSTOMER, "customer2@example.test")):
        adapter.page_by_id(kind, "2")
        adapter.find(kind, key)
    variant = adapter.fetch_variations(group)[0].external_id
    adapter.read_records(ITEM, [ItemRef("11-16"), ItemRef(variant, group)])
    adapter.read_stock([ItemRef("11-16"), ItemRef(variant, group)])
    assert faults(contract, place) == []
    parts = {"/".join(request.path.split("/")[3:6]) for request in place.requests}
    assert len(parts) == 10


ITEM_VALUES = {
    "name": "Name", "price": "12.5", "sale_price": "9", "description": "A\nB", "barcode": "4006381333931",
    "weight": "1.5", "is_active": "0",
}  # fmt: skip
ADDRESS = json.dumps(
    {"address_1": "1 Road", "city": "London", "country": "GB", "first_name": "Ada", "last_name": "Byron"}
)
CUSTOMER_VALUES = {
    "name": "Ada Byron", "company": "Engines", "email": "ada@example.test", "phone": "1", "billing": ADDRESS,
    "shipping": ADDRESS,
}  # fmt: skip


def test_every_write_is_within_the_contract(contract, place, adapter):
    """Every field that can be set, on a product, a variant and a customer; changed and created; stock; webhooks."""
    made = adapter.create_record(ITEM, "NEW-1", ITEM_VALUES)
    buyer = adapter.create_record(CUSTOMER, "new@example.test", CUSTOMER_VALUES)
    plain = place.shop.add_customer("plain@example.test", "Plain", "Buyer")
    group = next(str(each.id) for each in place.shop.products.rows.values() if each.kind == "variable")
    variant = ItemRef(adapter.fetch_variations(group)[0].external_id, group)
    of_variant = {name: ITEM_VALUES[name] for name in adapter.capabilities.variation_fields}
    results = [
        *adapter.push_records(ITEM, [RecordChange(ItemRef(made.external_id), ITEM_VALUES | {"name": "Other"})]),
        *adapter.push_records(ITEM, [RecordChange(variant, of_variant)]),
        *adapter.push_records(ITEM, [RecordChange(variant, {"price": "", "sale_price": "", "weight": ""})]),
        *adapter.push_records(CUSTOMER, [RecordChange(ItemRef(buyer.external_id), CUSTOMER_VALUES)]),
        *adapter.push_records(
            CUSTOMER, [RecordChange(ItemRef(str(plain.id)), CUSTOMER_VALUES | {"email": "p@example.test"})]
        ),
        *adapter.push_records(CUSTOMER, [RecordChange(ItemRef(str(plain.id)), {"shipping": ""})]),
        *adapter.push_stock([StockLevel("11-16", "", Decimal(3)), StockLevel(*_pair(variant), Decimal(4))]),
    ]
    adapter.keep_webhooks("https://example.test/hooks")
    adapter.drop_webhooks("https://example.test/hooks")
    assert [result.error for result in results] == [None] * 8
    assert ITEM_VALUES.keys() == adapter.capabilities.item_fields
    assert CUSTOMER_VALUES.keys() == adapter.capabilities.customer_fields
    assert {request.method for request in place.requests} == {"GET", "POST", "PUT", "DELETE"}
    assert faults(contract, place) == []


def _pair(ref: ItemRef) -> tuple[str, str]:
    return ref.external_id, ref.parent_id


def test_the_check_of_the_contract_finds_what_is_wrong(contract, place, adapter):
    adapter.listing(ITEM, Listing())
    wrong = place.requests[-1]
    for name, value in (("limit", "251"), ("sort", "colour"), ("date_modified_min", "2026-11-01")):
        query = dict(wrong.query)
        wrong.query[name] = value
        assert len(list(contract.faults_of(wrong))) == 1, name
        wrong.query = query
    adapter.push_stock([StockLevel("11-16", "", Decimal(3))])
    wrong = place.requests[-1]
    wrong.body = wrong.body.replace(b"quantity", b"quantities")
    assert len(list(contract.faults_of(wrong))) == 1


def test_reading_only_ever_gets(place, adapter):
    """What is put is Test Connection's batches of nothing, which ask what the token may do and change nothing."""
    place.shop.place_order()
    adapter.check()
    list(adapter.fetch(ORDER, Window()))
    puts = [(r.path.removeprefix("/stores/practice/v3/"), r.json()) for r in place.requests if r.method != "GET"]
    assert puts == [("catalog/products", []), ("customers", []), ("inventory/adjustments/absolute", {"items": []})]


def test_times_are_sent_whole_and_with_a_zone(place, adapter):
    for kind, name in ((ORDER, "min_date_modified"), (ITEM, "date_modified:min"), (CUSTOMER, "date_modified:min")):
        list(adapter.fetch(kind, Window(since=NOON)))
        sent = [request.query[name] for request in place.requests if name in request.query][-1]
        assert sent == "2026-11-23T11:59:59+00:00"


def test_a_store_is_named_by_path_hash_or_control_panel(place):
    for url in (place.address, f"{place.address}/", f"{place.address}/v3/", f"{place.address}/v2"):
        assert adapter_of(place, url=url).check().name == "Practice shop"
    for url in ("abc123", "https://api.bigcommerce.com/stores/abc123/v3", "https://store-abc123.mybigcommerce.com/"):
        adapter = adapter_of(place, url=url)
        assert adapter.admin_url(ORDER, "7") == "https://store-abc123.mybigcommerce.com/manage/orders/7"
