"""What the shop shows has the shape of the recorded bodies and of the contract, field for field."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox.testing import practice_shop
from tests.sandbox.conftest import Client

# Lists of one kind whose rows are compared with each other's rows, whatever their number.
ROW_LISTS = ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines", "refunds", "taxes")
# Written only by a real installation: its tables, its plugins, its pages.
OPEN_SETS = ("database_tables", "active_plugins", "pages", "mu_plugins", "enabled_features", "post_type_counts")
# A batch row and a row that a GET shows differ by these in WordPress itself.
EDIT_CONTEXT = {"permalink_template", "generated_slug"}


@pytest.fixture(scope="module")
def full():
    with practice_shop(orders=250, customers=40, products=60) as place:
        yield place


@pytest.fixture(scope="module")
def orders(full):
    call = Client(full)
    return [row for page in (1, 2, 3) for row in call.get("orders", per_page=100, page=page)]


def recorded(shared: Path, name: str) -> Any:
    return json.loads((shared / "samples" / "woocommerce" / name).read_text())


def shape(value: Any, name: str = "") -> Any:
    """The members a body has, deep down; rows of a list are one shape together."""
    if isinstance(value, dict):
        return {key: shape(inner, key) for key, inner in value.items() if key not in OPEN_SETS}
    if isinstance(value, list) and name in ROW_LISTS:
        return merged([shape(row) for row in value])
    return None


def merged(shapes: list[Any]) -> Any:
    """One shape that has every member any of them has."""
    whole: dict[str, Any] = {}
    for each in shapes:
        for key, inner in (each or {}).items():
            whole[key] = merged([whole.get(key), inner]) if isinstance(inner, dict) else inner
    return whole


def test_orders(shared, orders):
    names = [
        path.relative_to(shared / "samples" / "woocommerce") for path in shared.glob("samples/woocommerce/hard/order_*")
    ]
    theirs = [recorded(shared, str(name)) for name in names] + recorded(shared, "orders_page1.json")
    theirs.append(recorded(shared, "order_created.json"))
    assert merged([shape(order) for order in orders]) == merged([shape(order) for order in theirs])
    assert {tuple(order) for order in theirs} == {tuple(order) for order in orders}


@pytest.mark.parametrize(
    ("sample", "path"),
    [
        ("products_page1.json", "products"),
        ("product_variable_by_sku.json", "products"),
        ("variations.json", "variations"),
        ("customers_page1.json", "customers"),
    ],
)
def test_rows_of_lists(shared, full, sample, path):
    theirs = recorded(shared, sample)
    ours = Client(full).get(path, per_page=100)
    assert merged([shape(row) for row in ours]) == merged([shape(row) for row in theirs])


@pytest.mark.parametrize("sample", ["hard/refunds_of_305.json", "hard/refunds_of_304.json", "refund.json"])
def test_refunds(shared, full, orders, sample):
    theirs = recorded(shared, sample)
    theirs = theirs if isinstance(theirs, list) else [theirs]
    with_lines = any(row["line_items"] for row in theirs)
    refunds = [r for o in orders if o["refunds"] for r in Client(full).get(f"orders/{o['id']}/refunds")]
    ours = [row for row in refunds if bool(row["line_items"]) == with_lines]
    assert merged([shape(row) for row in ours]) == merged([shape(row) for row in theirs])


def test_system_status(shared, full):
    ours, theirs = Client(full).get("system_status"), recorded(shared, "system_status.json")
    assert shape(ours) == shape(theirs)


def test_a_batch_row_is_the_record_itself(shared, full):
    text = (shared / "samples/woocommerce/batch_mixed.txt").read_text()
    theirs = json.loads(text.partition("\n\n")[2])["update"][1]
    item = full.shop.product_by_sku("SKU-0001")
    ours = Client(full)("POST", "products/batch", json={"update": [{"id": item.id}]}).json()["update"][0]
    assert set(theirs) - set(ours) == EDIT_CONTEXT
    assert set(ours) <= set(theirs)


@pytest.mark.parametrize("name", ["error_400_orderby", "error_400_per_page", "error_404_product", "error_401_none"])
def test_errors_word_for_word(shared, full, name):
    call = Client(full)
    ask = {
        "error_400_orderby": lambda: call("GET", "orders", orderby="nothing"),
        "error_400_per_page": lambda: call("GET", "orders", per_page=101),
        "error_404_product": lambda: call("GET", "products/999999"),
        "error_401_none": lambda: call.session.get(f"{full.url}/wp-json/wc/v3/orders", auth=("", "")),
    }[name]
    assert ask().json() == recorded(shared, f"{name}.json")


@pytest.fixture(scope="module")
def contract(shared) -> dict[str, Any]:
    path = shared / "contracts/woocommerce/wc-v3-11.0.1.openapi.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))


def breaches(contract: dict[str, Any], schema: str, rows: list[Any]) -> set[tuple[str, str]]:
    """Where rows break the published schema, as (place, message); places in lists count as one."""
    rules = {"$ref": f"#/components/schemas/{schema}", "components": contract["components"]}
    check = jsonschema.Draft202012Validator(rules)
    found = [error for row in rows for error in check.iter_errors(row)]
    return {("/".join(p for p in error.path if isinstance(p, str)), error.message) for error in found}


@pytest.mark.parametrize(
    ("path", "schema", "samples"),
    [
        ("orders", "Orders", ["orders_page1.json", "order_created.json", "hard/order_line_of_deleted_product.json"]),
        ("products", "Products", ["products_page1.json"]),
        ("variations", "Variations", ["variations.json"]),
        ("customers", "Customers", ["customers_page1.json"]),
        ("refunds", "Refunds", ["hard/refunds_of_305.json"]),
    ],
)
def test_answers_break_the_contract_only_where_the_real_ones_do(shared, contract, full, path, schema, samples):
    assert schema in contract["components"]["schemas"]
    rows = Client(full).get(path, per_page=100)
    assert rows
    bodies = [recorded(shared, name) for name in samples]
    theirs = [row for body in bodies for row in (body if isinstance(body, list) else [body])]
    assert breaches(contract, schema, rows) <= breaches(contract, schema, theirs)


HARD = (
    *("coupon_fixed_guest_variation", "coupon_percent_fees_refund_lines", "free_order", "line_of_deleted_product"),
    *("other_currency_eur", "price_third_split", "tax_ny_multi_line_partial_refund", "unpaid_cancelled"),
)
FIGURES = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total_tax", "total")


@pytest.mark.parametrize("name", HARD)
def test_the_hard_orders_cost_the_same_here(shared, full, name):
    """Ordered anew with the same lines, each recorded order comes to the recorded figures, tax by tax."""
    theirs = recorded(shared, f"hard/order_{name}.json")
    plain = ("name", "quantity", "subtotal", "total", "tax_status", "method_id", "method_title")
    again = {
        kind: [{key: row[key] for key in plain if key in row} for row in theirs[kind]]
        for kind in ("line_items", "shipping_lines", "fee_lines")
    }
    where = {part: theirs[part] for part in ("billing", "shipping", "currency")}
    ours = Client(full)("POST", "orders", json={**where, **again}).json()
    assert {each: ours[each] for each in FIGURES} == {each: theirs[each] for each in FIGURES}
    for kind in again:
        pairs = zip(ours[kind], theirs[kind], strict=True)
        assert [(a["total_tax"], a["taxes"]) for a, _ in pairs] == [(b["total_tax"], b["taxes"]) for b in theirs[kind]]
    assert [row["price"] for row in ours["line_items"]] == [row["price"] for row in theirs["line_items"]]
