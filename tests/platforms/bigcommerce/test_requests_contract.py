"""Every request the adapter makes is one the published contract knows: path, method, each parameter, each body."""

import json
from decimal import Decimal

import pytest

from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from tests.platforms.bigcommerce.conftest import NOON, adapter_of
from tests.platforms.bigcommerce.contract import Contract


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
