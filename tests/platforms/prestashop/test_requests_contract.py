"""Every request keeps the webservice's rules, and every body sent passes the field tables."""

import importlib.util
import json
from collections.abc import Iterator

import pytest

from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, Window
from sandbox.messages import Request
from tests.platforms.around import around
from tests.platforms.prestashop.conftest import adapter_of
from tests.platforms.prestashop.test_traps import NOON, item_ref, levels
from tests.platforms.test_requests_contract import CUSTOMER_VALUES, ITEM_VALUES

LIST_PARAMETERS = {"display", "date", "sort", "limit"}
# Every resource has it, the tables name it nowhere.
ID = "id"


@pytest.fixture(scope="session")
def tables(shared) -> dict:
    """Fields by resource."""
    raw = json.loads((shared / "contracts" / "prestashop" / "resources-8.x.json").read_text())
    return {name: next(value for key, value in each.items() if key != "blank") for name, each in raw.items()}


@pytest.fixture(scope="session")
def check_body(shared):
    path = shared / "contracts" / "prestashop" / "check_body.py"
    spec = importlib.util.spec_from_file_location("check_body", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check


def faults_of(tables: dict, request: Request) -> Iterator[str]:
    """Of a list request: what the webservice would refuse, and what would leave the answer to chance."""
    resource = request.path.removeprefix("/api/").partition("/")[0]
    fields = tables[resource]
    given = dict(request.pairs)
    missing = LIST_PARAMETERS - given.keys()
    if missing:
        yield f"{request.target} lacks {missing}"
    named = [name[7:-1] for name in given if name.startswith("filter[")]
    sorts = [part.rpartition("_")[0] for part in given.get("sort", "").strip("[]").split(",")]
    shown = [] if given.get("display") == "full" else given.get("display", "").strip("[]").split(",")
    for name in (*named, *sorts, *shown):
        if name != ID and (name not in fields or fields[name].get("not_filterable")):
            yield f"{resource} has no {name} to ask by"
    for name in given.keys() - LIST_PARAMETERS:
        if not name.startswith("filter["):
            yield f"{request.target} says {name}"


def use_everything(adapter, place) -> None:
    """Every way the project asks a shop for something, and tells it."""
    adapter.check()
    for kind in (ORDER, ITEM, CUSTOMER):
        list(adapter.fetch(kind, Window(since=NOON)))
        list(adapter.fetch(kind, Window()))
        adapter.fetch_many(kind, ["1", "2"])
        adapter.page_by_id(kind, "2")
        adapter.read_records(kind, [ItemRef("1"), ItemRef("2")])
        adapter.listing(kind, Listing(position="2", per_page=5))
        for search in ("guest@example.test", "12", "Name"):
            adapter.listing(kind, Listing(placed_from=NOON, placed_before=NOON, search=search))
    adapter.listing(ORDER, Listing(status="paid,shipped"))
    adapter.find(ITEM, "SKU-0001")
    adapter.find(CUSTOMER, "customer2@example.test")
    small = item_ref(place, "SHIRT-001-M")
    adapter.fetch_variations(small.parent_id)
    adapter.read_stock([small])
    adapter.push_stock(levels(place, SKU_0001=3, SHIRT_001_M=4))
    item = adapter.create_record(ITEM, "NEW-1", able(ITEM_VALUES, adapter.capabilities.item_fields))
    buyer = adapter.create_record(
        CUSTOMER, "new@example.test", able(CUSTOMER_VALUES, adapter.capabilities.customer_fields)
    )
    changes = [
        (ITEM, ItemRef(item.external_id), able(ITEM_VALUES, adapter.capabilities.item_fields)),
        (ITEM, small, able(ITEM_VALUES, adapter.capabilities.variation_fields)),
        (CUSTOMER, ItemRef(buyer.external_id), able(CUSTOMER_VALUES, adapter.capabilities.customer_fields)),
    ]
    for kind, ref, values in changes:
        (result,) = adapter.push_records(kind, [RecordChange(ref, values)])
        assert result.error is None, (kind, result.error.sentence)


def able(values: dict[str, str], names: frozenset[str]) -> dict[str, str]:
    kept = {name: text for name, text in values.items() if name in names}
    assert kept.keys() == names
    return kept


def seen_requests(place, adapter) -> list[Request]:
    place.shop.refund_order(place.shop.place_order("SKU-0001", "SHIRT-001-M", customer_id=2).id)
    seen: list[Request] = []
    with around(place, before=seen.append):
        use_everything(adapter, place)
    return seen


def test_every_list_is_asked_for_by_the_rules(tables, place, adapter):
    lists = [each for each in seen_requests(place, adapter) if each.method == "GET" and each.path != "/api/"]
    assert [fault for request in lists for fault in faults_of(tables, request)] == []
    assert {each.path.removeprefix("/api/") for each in lists} >= {
        "orders", "order_details", "order_cart_rules", "order_slip", "order_states", "customers", "addresses",
        "products", "combinations", "product_option_values", "stock_availables", "configurations", "languages",
    }  # fmt: skip


@pytest.mark.parametrize("version", ["9.0.0", "1.7.8.11"])
def test_every_body_that_is_sent_passes_the_field_tables(check_body, place, old_place, version):
    shop = place if version == "9.0.0" else old_place
    adapter = adapter_of(shop)
    sent = [each for each in seen_requests(shop, adapter) if each.method != "GET"]
    found = [
        (each.method, each.path, check_body(each.path.split("/")[2], each.body.decode(), each.method)) for each in sent
    ]
    assert [each for each in found if each[2]] == []
    change = "PATCH" if version == "9.0.0" else "PUT"
    assert {(each.method, each.path.split("/")[2]) for each in sent} == {
        (change, "stock_availables"), (change, "products"), (change, "combinations"), (change, "customers"),
        (change, "addresses"), ("POST", "products"), ("POST", "customers"), ("POST", "addresses"),
    }  # fmt: skip


def test_the_check_of_the_contract_finds_what_is_wrong(tables, check_body, place, adapter):
    seen: list[Request] = []
    with around(place, before=seen.append):
        adapter.page_by_id(ORDER, "")
    (request,) = [each for each in seen if each.path == "/api/orders"]
    request.pairs = [
        ("display", "full"),
        ("filter[colour]", "[1]"),
        ("sort", "[shipping_number_ASC]"),
        ("output_format", "JSON"),
    ]
    assert len(list(faults_of(tables, request))) == 4
    assert check_body(
        "products", "<prestashop><product><id>1</id><quantity>3</quantity></product></prestashop>", "PATCH"
    )


def test_xml_is_all_that_is_asked_for_and_sent(place, adapter):
    for request in seen_requests(place, adapter):
        assert request.headers["Accept"] == "text/xml"
        assert "json" not in f"{request.target} {request.headers}".lower()
        assert not request.body or request.body.startswith(b"<?xml")


def test_reading_only_ever_gets(place, adapter):
    adapter.check()
    for kind in (ORDER, ITEM, CUSTOMER):
        list(adapter.fetch(kind, Window(since=NOON)))
        adapter.page_by_id(kind, "")
    assert {request.method for request in place.requests} == {"GET"}


def test_every_list_goes_through_the_right_zone_when_the_connection_names_it(place):
    """Test Connection read it; it is not asked for again."""
    adapter = adapter_of(place, timezone="America/New_York")
    list(adapter.fetch(ORDER, Window(since=NOON)))
    assert [request.path for request in place.requests] == ["/api/order_slip", "/api/orders"]
