"""Every request the adapter makes is one Magento's own Swagger knows: path, method, parameters and body."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from jsonschema import Draft4Validator

from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.messages import Request
from sandbox.testing import practice_shop
from tests.platforms.around import around
from tests.platforms.magento.conftest import adapter_of

A_TIME = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
VERSIONS = ("admin-2.4.8", "admin-2.4.9")
# Taken by every route, beside the contract.
GLOBAL_PARAMETERS = {"fields"}
# The contract marks all fields of a stock item as required; the live server took the two that are sent.
STOCK_ITEM = "catalog-inventory-data-stock-item-interface"
ADDRESS = {"address_1": "1 Road", "city": "Albany", "country": "US", "state": "NY", "first_name": "Ada",
           "last_name": "Byron", "postcode": "12207"}  # fmt: skip
ITEM_VALUES = {"name": "Name", "price": "12.5", "sale_price": "9", "description": "A\nB", "weight": "1.5",
               "is_active": "0"}  # fmt: skip
CUSTOMER_VALUES = {"name": "Ada Byron", "company": "Engines", "email": "ada@example.test", "phone": "1",
                   "billing": json.dumps(ADDRESS), "shipping": json.dumps(ADDRESS)}  # fmt: skip


@pytest.fixture(scope="session", params=VERSIONS)
def contract(shared, request) -> dict:
    with gzip.open(shared / "contracts" / "magento" / f"{request.param}.subset.swagger.json.gz") as file:
        contract = json.load(file)
    contract["definitions"][STOCK_ITEM].pop("required")
    return contract


def operation(contract: dict, method: str, path: str) -> dict | None:
    # A path without a placeholder wins over one with: /customers/search is no customer's id.
    for template in sorted(contract["paths"], key=lambda each: each.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template.rstrip("/")), path):
            return contract["paths"][template].get(method.lower())
    return None


def faults_of(contract: dict, request: Request) -> Iterator[str]:
    path = "/V1/" + request.path.partition("/V1/")[2]
    called = operation(contract, request.method, path)
    if called is None:
        yield f"the contract has no {request.method} {path}"
        return
    known = {each["name"] for each in called.get("parameters", ()) if each["in"] == "query"} | GLOBAL_PARAMETERS
    for name, _ in request.pairs:
        if re.sub(r"\[\d+\]", "[0]", name) not in known:
            yield f"{path} does not know {name}"
    if request.body:
        schema = next(each["schema"] for each in called["parameters"] if each["in"] == "body")
        errors = Draft4Validator(schema | {"definitions": contract["definitions"]}).iter_errors(request.json())
        yield from (f"{path} body: {'/'.join(map(str, error.path))}: {error.message}" for error in errors)


def use_everything(place, adapter) -> None:
    """Every way the project asks a shop for something, and every field that can be set."""
    order = place.shop.place_order("SKU-0001")
    place.shop.refund_order(order.id, Decimal(1))
    adapter.check()
    for kind in (ORDER, ITEM, CUSTOMER):
        list(adapter.fetch(kind, Window(A_TIME)))
        list(adapter.fetch(kind, Window()))
        adapter.fetch_many(kind, ["11", "2"])
        adapter.listing(kind, Listing(position="2"))
        adapter.listing(kind, Listing(placed_from=A_TIME, placed_before=A_TIME, search="guest", status="new,complete"))
    made = adapter.create_record(ITEM, "NEW/1 2", ITEM_VALUES)
    buyer = adapter.create_record(CUSTOMER, "new@example.test", CUSTOMER_VALUES)
    for kind, row, values in ((ITEM, made, ITEM_VALUES), (CUSTOMER, buyer, CUSTOMER_VALUES)):
        (result,) = adapter.push_records(kind, [RecordChange(ItemRef(row.external_id), values)])
        assert result.error is None, result.error
        adapter.page_by_id(kind, "5")
    refs = [ItemRef(row.external_id) for row in adapter.page_by_id(ITEM, "").rows]
    adapter.read_stock(refs)
    results = adapter.push_stock([StockLevel(ref.external_id, "", Decimal(3)) for ref in refs])
    assert not [result.error for result in results if result.error]


@pytest.mark.parametrize("legacy_stock", [False, True])
def test_every_request_is_within_the_contract(contract, legacy_stock):
    seen: list[Request] = []
    with practice_shop(platform="magento", legacy_stock=legacy_stock) as place:
        adapter = adapter_of(place)
        with around(place, before=seen.append):
            use_everything(place, adapter)
        adapter.close()
    # The routes that answer before anything is done, and do nothing where no queue runs.
    assert not [request.path for request in seen if "/async/" in request.path]
    assert {request.method for request in seen} == {"GET", "POST", "PUT"}
    assert [fault for request in seen for fault in faults_of(contract, request)] == []
    assert ITEM_VALUES.keys() == adapter.capabilities.item_fields
    assert CUSTOMER_VALUES.keys() == adapter.capabilities.customer_fields


def test_the_check_of_the_contract_finds_what_is_wrong(contract, place, adapter):
    seen: list[Request] = []
    with around(place, before=seen.append):
        adapter.listing(ORDER, Listing())
        adapter.create_record(ITEM, "NEW", {"name": "N", "price": "1"})
    listed, written = seen[0], next(request for request in seen if request.method == "POST")
    listed.pairs.append(("searchCriteria[colour]", "red"))
    written.body = b'{"product":{"name":1}}'
    assert list(faults_of(contract, listed)) == ["/V1/orders does not know searchCriteria[colour]"]
    assert len(list(faults_of(contract, written))) == 2


def test_spaces_and_signs_travel_encoded(place, adapter):
    seen: list[str] = []
    with around(place, before=lambda request: seen.append(request.target)):
        list(adapter.fetch(ORDER, Window(A_TIME)))
        adapter.find(ITEM, "A+B%2 /")
    assert "2026-11-01%2005%3A30%3A00" in seen[0] and "+" not in seen[0]
    assert "A%2BB%252%20%2F" in seen[1]
