"""Every operation the adapter sends is one that both versions of the real schema take, and what no schema enforces is
asserted by hand. The practice shop's schema is a part of both."""

import gzip
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from carts.platforms import shopify
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.shopify import resolving
from sandbox.shopify.selling import edit_quantity
from tests.platforms.shopify.conftest import NOON

VERSIONS = ("2026-07", "2026-10")


@pytest.fixture(scope="session")
def real_schemas(shared: Path) -> dict[str, GraphQLSchema]:
    folder = shared / "contracts" / "shopify"
    return {
        version: build_schema(gzip.open(folder / f"admin_{version}.graphql.gz").read().decode(), assume_valid=True)
        for version in VERSIONS
    }


def faults_of(schema: GraphQLSchema, text: str, variables: dict | None = None) -> list[str]:
    document = parse(text)
    found = [error.message for error in validate(schema, document)]
    if variables is not None:
        (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        coerced = get_variable_values(schema, operation.variable_definitions, variables)
        found += [error.message for error in coerced] if isinstance(coerced, list) else []
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_is_valid_in_the_real_schema(real_schemas, version):
    faults = {text: faults_of(real_schemas[version], text) for text in shopify.OPERATIONS}
    assert {text: found for text, found in faults.items() if found} == {}


ITEM_VALUES = {
    "name": "Name", "price": "12.5", "sale_price": "9", "description": "A\nB", "barcode": "4006381333931",
    "weight": "1.5", "is_active": "0",
}  # fmt: skip
ADDRESS = '{"address_1": "1 Road", "city": "London", "country": "GB", "first_name": "Ada", "last_name": "Byron"}'
CUSTOMER_VALUES = {
    "name": "Ada Byron", "company": "Engines", "email": "ada@example.test", "phone": "+441", "billing": ADDRESS,
}  # fmt: skip


def use_everything(place, adapter) -> None:
    """Every way the project asks a shop for something."""
    place.shop.place_order(customer_id=2)
    order = place.shop.place_order(*["SKU-0001"] * 30)
    for line in order.lines[:6]:
        place.shop.refund_order(order.id, lines={line.id: 1})
    edit_quantity(place.shop, order.id, order.lines[-1].id, 0)
    adapter.check()
    for kind in (ORDER, ITEM, CUSTOMER):
        list(adapter.fetch(kind, Window(since=NOON - timedelta(days=1))))
        list(adapter.fetch(kind, Window()))
        adapter.fetch_many(kind, ["2", "11"])
        adapter.listing(kind, Listing(per_page=50, search="it's"))
    adapter.listing(ORDER, Listing(placed_from=NOON, placed_before=NOON, status="paid,cancelled,test"))
    adapter.page_by_id(ITEM, "")
    adapter.page_by_id(CUSTOMER, "")
    adapter.fetch_variations("11")
    made = adapter.create_record(ITEM, "NEW-1", ITEM_VALUES)
    buyer = adapter.create_record(CUSTOMER, "new@example.test", CUSTOMER_VALUES)
    adapter.find(ITEM, "NEW-1")
    adapter.find(CUSTOMER, "new@example.test")
    results = adapter.push_records(ITEM, [RecordChange(ItemRef(made.external_id), ITEM_VALUES)])
    results += adapter.push_records(CUSTOMER, [RecordChange(ItemRef(buyer.external_id), CUSTOMER_VALUES)])
    results += adapter.push_stock([StockLevel("11", "", Decimal(3))])
    assert [result.error for result in results] == [None, None, None]
    adapter.keep_webhooks("https://panel.example.test/hook")
    adapter.drop_webhooks("https://panel.example.test/hook")


def asked(place) -> list[dict]:
    return [json.loads(request.body) for request in place.requests if request.path.endswith("/graphql.json")]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_request_with_its_variables_is_valid_in_the_real_schema(real_schemas, version, place, adapter):
    use_everything(place, adapter)
    sent = asked(place)
    faults = [faults_of(real_schemas[version], each["query"], each["variables"]) for each in sent]
    assert [found for found in faults if found] == []
    # Three shipping lines and more are rarer than all that is done here.
    assert {each["query"] for each in sent} == set(shopify.OPERATIONS) - {shopify.MORE["shippingLines"]}


def test_what_replaces_whole_lists_changes_nothing_that_is_there(place, adapter):
    """productSet deletes the variants it does not name, and customerSet the addresses."""
    with_sets = [text for text in shopify.OPERATIONS if "productSet(" in text or "customerSet(" in text]
    assert with_sets == [shopify.NEW_PRODUCT]
    assert "identifier" not in shopify.NEW_PRODUCT and "customerSet" not in str(shopify.OPERATIONS)
    adapter.push_records(ITEM, [RecordChange(ItemRef("11"), ITEM_VALUES)])
    adapter.push_records(CUSTOMER, [RecordChange(ItemRef("2"), CUSTOMER_VALUES)])
    assert not [each for each in asked(place) if "Set(" in each["query"]]


def test_every_stock_write_carries_a_key_and_what_it_changes_from(place, adapter):
    """Needed at run time since 2026-04, and enforced by no schema."""
    place.shop.set_stock("SKU-0002", 1)
    adapter.push_stock([StockLevel("11", "", Decimal(3)), StockLevel("12", "", Decimal(4), Decimal(1))])
    adapter.push_stock([StockLevel("11", "", Decimal(5), Decimal(3))])
    writes = [each for each in asked(place) if "inventorySetQuantities" in each["query"]]
    assert len(writes) == 2
    assert all("inventorySetQuantities(input: $input) @idempotent(key: $key)" in each["query"] for each in writes)
    keys = [each["variables"]["key"] for each in writes]
    assert all(re.fullmatch(r"[0-9a-f-]{36}", key) for key in keys) and len(set(keys)) == 2
    rows = [row for each in writes for row in each["variables"]["input"]["quantities"]]
    assert [row["changeFromQuantity"] for row in rows] == [None, 1, 3]


# The practice shop's schema ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_the_practice_schema_is_a_true_part_of_the_real_one(real_schemas, version):
    real, ours = real_schemas[version], resolving.practice_schema()
    names = [name for name in ours.type_map if not name.startswith("__")]
    differences = [found for name in names for found in differences_of(ours.type_map[name], real.type_map.get(name))]
    assert differences == []
    assert (ours.query_type.name, ours.mutation_type.name) == (real.query_type.name, real.mutation_type.name)
    key, real_key = ours.get_directive("idempotent"), real.get_directive("idempotent")
    assert (str(key.args["key"].type), key.locations) == (str(real_key.args["key"].type), real_key.locations)


def test_what_differs_from_the_real_schema_is_found(real_schemas):
    real = real_schemas[VERSIONS[0]]
    wrong = build_schema("type Query { a: Order } type Order { id: ID name: String! colour: String refunds: [Int!]! }")
    assert sorted(differences_of(wrong.type_map["Order"], real.type_map["Order"])) == [
        "Order.colour is not there", "Order.id: ID, really ID!", "Order.refunds: [Int!]!, really [Refund!]!",
    ]  # fmt: skip


def differences_of(ours, real) -> list[str]:
    if type(ours) is not type(real):
        return [f"{ours.name} is another kind of type"]
    if isinstance(ours, GraphQLEnumType):
        return [f"{ours.name}.{value} is not there" for value in ours.values if value not in real.values]
    if isinstance(ours, GraphQLInputObjectType):
        same = [] if ours.is_one_of is real.is_one_of else [f"{ours.name} @oneOf"]
        return same + members_of(ours.name, ours.fields, real.fields, is_required_input_field)
    if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
        unknown = {each.name for each in ours.interfaces} - {each.name for each in real.interfaces}
        found = [f"{ours.name} implements {name}" for name in unknown]
        found += members_of(ours.name, ours.fields, real.fields, lambda _: False)
        for name in ours.fields.keys() & real.fields.keys():
            args, real_args = ours.fields[name].args, real.fields[name].args
            found += members_of(f"{ours.name}.{name}", args, real_args, is_required_argument)
        return found
    return []


def members_of(owner, ours, real, is_required) -> list[str]:
    """Fields, arguments or input fields: each is there with the same type and default, and none that is needed is left
    out."""
    found = [f"{owner}.{name} is needed" for name, each in real.items() if is_required(each) and name not in ours]
    for name, each in ours.items():
        if name not in real:
            found.append(f"{owner}.{name} is not there")
        elif str(each.type) != str(real[name].type):
            found.append(f"{owner}.{name}: {each.type}, really {real[name].type}")
        elif getattr(each, "default_value", None) != getattr(real[name], "default_value", None):
            found.append(f"{owner}.{name} has another default")
    return found
