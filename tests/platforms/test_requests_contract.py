"""Every request the adapter makes is one the contract knows: path, method, each parameter and its value."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from carts.platforms.woocommerce import API
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.messages import Received
from tests.platforms.around import around

# WordPress's own, beside the contract of WooCommerce: the index, and a parameter that every route takes.
BESIDE_THE_CONTRACT = ("/wp-json/", f"{API}/data/currencies/current")
GLOBAL_PARAMETERS = {"_fields": {"type": "string"}}
A_TIME = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def contract(shared) -> dict:
    with gzip.open(shared / "contracts" / "woocommerce" / "wc-v3-11.0.1.openapi.json.gz") as file:
        return json.load(file)


def operation(contract: dict, request: Received) -> dict:
    path = request.path.removeprefix(API)
    # A path without a placeholder wins over one with: /products/batch is no product's id.
    for template in sorted(contract["paths"], key=lambda each: each.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return contract["paths"][template][request.method.lower()]
    raise AssertionError(f"The contract has no path {path}.")


def value_of(text: str, schema: dict):
    """A query's text as the type its schema names."""
    if schema.get("type") == "array":
        return [value_of(part, schema["items"]) for part in text.split(",")]
    if schema.get("type") == "integer":
        return int(text)
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}[text]
    return text


def faults_of(contract: dict, request: Received) -> Iterator[str]:
    called = operation(contract, request)
    known = {each["name"]: each["schema"] for each in called.get("parameters", ()) if each["in"] == "query"}
    for name, text in request.query.items():
        schema = (known | GLOBAL_PARAMETERS).get(name)
        if schema is None:
            yield f"{request.path} does not know {name}"
            continue
        for error in Draft202012Validator(schema | {"components": contract["components"]}).iter_errors(
            value_of(text, schema)
        ):
            yield f"{request.path} {name}={text}: {error.message}"
    if request.body:
        content = called["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator(content | {"components": contract["components"]})
        yield from (f"{request.path} body: {error.message}" for error in validator.iter_errors(request.json()))


def use_everything(adapter) -> None:
    """Every way the project asks a shop for something."""
    adapter.check()
    for kind in (ORDER, ITEM, CUSTOMER):
        list(adapter.fetch(kind, Window(since=A_TIME)))
        list(adapter.fetch(kind, Window()))
        adapter.fetch_many(kind, ["1", "2"])
        adapter.listing(kind, Listing(position="2", per_page=50))
        adapter.listing(kind, Listing(placed_from=A_TIME, placed_before=A_TIME, search="guest@example.test"))
    adapter.listing(ORDER, Listing(per_page=1, placed_from=A_TIME, status="processing,completed"))
    for kind, key in ((ITEM, "SKU-0001"), (CUSTOMER, "customer2@example.test")):
        adapter.page_by_id(kind, "2")
        adapter.read_records(kind, [ItemRef("1"), ItemRef("2")])
        adapter.find(kind, key)


def test_every_request_is_within_the_contract(contract, place, adapter):
    place.shop.place_order()
    use_everything(adapter)
    shirt = place.shop.add_product("SHIRT", "Shirt", kind="variable")
    place.shop.add_product("SHIRT-S", "S", "9.00", parent=shirt, option="S")
    adapter.fetch_variations(str(shirt.id))
    small = next(row for row in place.shop.products.rows.values() if row.sku == "SHIRT-S")
    refs = [ItemRef(str(shirt.id)), ItemRef(str(small.id), str(shirt.id))]
    adapter.read_stock(refs)
    for batch in adapter.stock_batches(refs):
        adapter.push_stock([StockLevel(ref.external_id, ref.parent_id, Decimal(3)) for ref in batch])
    made = [request for request in place.requests if request.path not in BESIDE_THE_CONTRACT]
    assert [fault for request in made for fault in faults_of(contract, request)] == []
    assert {request.path.removeprefix(API).split("/")[1] for request in made} == {
        "orders", "products", "customers", "settings", "system_status",
    }  # fmt: skip


ITEM_VALUES = {
    "name": "Name", "price": "12.5", "sale_price": "9", "description": "A\nB", "barcode": "4006381333931",
    "weight": "1.5", "tax_class": "standard", "is_active": "0",
}  # fmt: skip
ADDRESS = '{"address_1": "1 Road", "city": "London", "country": "GB", "first_name": "Ada", "last_name": "Byron"}'
CUSTOMER_VALUES = {
    "name": "Ada Byron", "company": "Engines", "email": "ada@example.test", "phone": "1", "billing": ADDRESS,
    "shipping": ADDRESS,
}  # fmt: skip


def test_every_write_of_items_and_customers_is_within_the_contract(contract, place, adapter):
    """Every field that can be set, on a product, a variation and a customer; changed and created."""
    made = adapter.create_record(ITEM, "NEW-1", ITEM_VALUES)
    buyer = adapter.create_record(CUSTOMER, "new@example.test", CUSTOMER_VALUES)
    shirt = place.shop.add_product("SHIRT", "Shirt", kind="variable")
    small = place.shop.add_product("SHIRT-S", "S", "9.00", parent=shirt, option="S")
    of_variation = {name: ITEM_VALUES[name] for name in adapter.capabilities.variation_fields}
    results = [
        *adapter.push_records(ITEM, [RecordChange(ItemRef(made.external_id), ITEM_VALUES)]),
        *adapter.push_records(ITEM, [RecordChange(ItemRef(str(small.id), str(shirt.id)), of_variation)]),
        *adapter.push_records(CUSTOMER, [RecordChange(ItemRef(buyer.external_id), CUSTOMER_VALUES)]),
    ]
    assert [result.error for result in results] == [None, None, None]
    assert ITEM_VALUES.keys() == adapter.capabilities.item_fields
    assert CUSTOMER_VALUES.keys() == adapter.capabilities.customer_fields
    written = [request for request in place.requests if request.method != "GET"]
    assert len(written) == 5
    assert [fault for request in written for fault in faults_of(contract, request)] == []


def test_the_check_of_the_contract_finds_what_is_wrong(contract, place, adapter):
    adapter.fetch_many(ORDER, ["1"])
    request = place.requests[-1]
    for name, wrong in (("per_page", "101"), ("orderby", "colour"), ("modifiedafter", "2026-11-01")):
        request.query[name] = wrong
    assert len(list(faults_of(contract, request))) == 3


def test_times_are_sent_in_utc_without_a_zone_and_said_to_be_utc(place, adapter):
    """The zone together with dates_are_gmt shifts the time twice, and the filter leaves out its own second."""
    list(adapter.fetch(ORDER, Window(since=A_TIME)))
    query = place.requests[-1].query
    assert (query["modified_after"], query["dates_are_gmt"]) == ("2026-11-01T05:29:59", "true")


def test_reading_only_ever_gets(place, adapter):
    """The one POST is Test Connection's empty batch, which asks what the key may do and changes nothing."""
    use_everything(adapter)
    posts = [(r.path, r.json()) for r in place.requests if r.method != "GET"]
    assert posts == [(f"{API}/products/batch", {})]


def test_the_secret_never_travels_over_plain_http(place, adapter):
    """Requests are signed with it (OAuth 1.0a); over TLS it would go in a header, never in the address."""
    seen: list[str] = []
    with around(place, before=lambda request: seen.append(f"{request.target} {request.headers} {request.body!r}")):
        use_everything(adapter)
    assert len(seen) == len(place.requests)
    signed = [text for text in seen if not text.startswith("/wp-json/ ")]  # the index is public
    assert signed and all("oauth_signature=" in text for text in signed)
    assert not [text for text in seen if place.secret in text]
