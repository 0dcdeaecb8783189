"""Every body recorded on a live 2.4.6 maps, to the cent."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from carts.platforms.magento import UNKEPT_FIELDS
from tests.platforms.magento.bodies import MAGENTO

ORDER_KEYS = {"grand_total", "billing_address", "items", "increment_id"}


def exact(text: str | bytes):
    return json.loads(text, parse_float=Decimal)


def rows_of(text: bytes) -> list[bytes]:
    """The records of a recorded answer, each in the shop's own text; of a single record, itself."""
    if text.lstrip()[:1] == b"[":
        return [bytes(row) for row in msgspec.json.decode(text, type=list[msgspec.Raw])]
    whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    if "total_count" in whole:
        return [bytes(row) for row in msgspec.json.decode(whole["items"], type=list[msgspec.Raw])]
    return [text]


def bodies(shared: Path, wanted: set[str]) -> list[tuple[str, bytes]]:
    """(file, body) of every recorded record that has all of these fields."""
    found = []
    for path in sorted((shared / "samples" / "magento").rglob("*.json")):
        if path.name.startswith("_") or path.name.endswith("_request.json"):
            continue
        for row in rows_of(path.read_bytes()):
            data = exact(row)
            if isinstance(data, dict) and wanted <= data.keys():
                found.append((path.name, row))
    return found


def leaves(value):
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def test_each_order_keeps_its_totals_to_the_cent_with_no_rounding_at_all(shared):
    orders = bodies(shared, ORDER_KEYS)
    assert len(orders) >= 39
    for name, body in orders:
        raw, order = exact(body), MAGENTO.parse_order(body)
        told = (order.external_id, order.number, order.status, order.currency, order.email)
        assert told == (
            str(raw["entity_id"]), raw["increment_id"], raw["state"], raw["order_currency_code"], raw["customer_email"],
        ), name  # fmt: skip
        assert order.total == raw["grand_total"] == sum(line.net + line.tax for line in order.lines), name
        assert order.tax_total == raw["tax_amount"] == sum(line.tax for line in order.lines), name
        assert order.discount_total == sum(line.discount for line in order.lines), name
        assert not [value for value in leaves(order) if isinstance(value, float)]


def test_each_order_takes_every_piece_once(shared):
    """What was ordered by the SKUs that leave the shelf: a parent's own pieces are not counted beside its parts."""
    for name, body in bodies(shared, ORDER_KEYS):
        items = exact(body)["items"]
        parents = {item["parent_item_id"] for item in items if item.get("parent_item_id")}
        expected = sorted((item["sku"], item["qty_ordered"]) for item in items if item["item_id"] not in parents)
        goods = [line for line in MAGENTO.parse_order(body).lines if line.kind == "item"]
        assert sorted((line.sku, line.quantity) for line in goods) == expected, name
        ids = {str(item["product_id"]) for item in items if item["item_id"] not in parents}
        assert {line.external_item_id for line in goods} == ids, name


def test_each_order_keeps_its_times_and_its_buyer(shared):
    for name, body in bodies(shared, ORDER_KEYS):
        raw, order = exact(body), MAGENTO.parse_order(body)
        assert order.placed_at == datetime.fromisoformat(raw["created_at"]).replace(tzinfo=UTC), name
        assert order.modified_at == datetime.fromisoformat(raw["updated_at"]).replace(tzinfo=UTC), name
        assert order.external_customer_id == str(raw.get("customer_id", "")), name
        assert order.billing.postcode == raw["billing_address"]["postcode"], name
        assert (order.shipping.country == "") == bool(raw["is_virtual"]), name
        assert order.is_paid == (raw["state"] != "canceled" and raw["total_due"] == 0), name


def test_each_credit_memo_is_a_refund_of_the_orders(shared):
    memos = bodies(shared, {"grand_total", "order_id", "adjustment", "items"})
    assert len(memos) >= 20
    orders = {exact(body)["entity_id"]: body for _, body in bodies(shared, ORDER_KEYS)}
    for name, memo in memos:
        raw = exact(memo)
        order = orders[raw["order_id"]]
        composed = order.rstrip()[:-1] + b',"creditmemos":[' + memo + b"]}"
        refund = MAGENTO.parse_order(composed).refunds[0]
        assert (refund.external_id, refund.amount) == (str(raw["entity_id"]), raw["grand_total"]), name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("eur_order_usd_base_creditmemo", {"base_currency": "USD", "base_total": "110.56"}),
        ("jpy_order_usd_base", {"base_currency": "USD", "base_total": "48.96"}),
    ],
)
def test_orders_in_another_currency_say_what_they_are_in_the_shops(shared, name, told):
    order = MAGENTO.parse_order((shared / "samples" / "magento" / "hard" / f"{name}.json").read_bytes())
    assert order.exchange.items() >= told.items()


def test_what_is_kept_is_the_shops_text_without_keys(shared):
    for name, body in bodies(shared, ORDER_KEYS):
        raw, kept = exact(body), exact(MAGENTO.clean(body))
        assert not kept.keys() & set(UNKEPT_FIELDS), name
        assert kept["items"] == raw["items"] and kept["grand_total"] == raw["grand_total"], name
        assert MAGENTO.parse_order(MAGENTO.clean(body)) == MAGENTO.parse_order(body), name


def test_each_product_keeps_its_figures(shared):
    products = bodies(shared, {"sku", "type_id", "attribute_set_id"})
    assert len(products) >= 60
    for name, body in products:
        raw, item = exact(body), MAGENTO.parse_item(body)
        assert (item.external_id, item.sku, item.name) == (str(raw["id"]), raw["sku"], raw["name"]), name
        assert (item.price, item.weight) == (raw["price"], raw.get("weight")), name
        assert item.is_active == (raw["status"] == 1), name
        stock = raw.get("extension_attributes", {}).get("stock_item")
        assert item.stock == (stock["qty"] if stock else None), name


def test_each_customer_maps(shared):
    customers = bodies(shared, {"firstname", "email", "addresses", "group_id"})
    assert len(customers) >= 3
    for name, body in customers:
        raw, customer = exact(body), MAGENTO.parse_customer(body)
        assert (customer.external_id, customer.email) == (str(raw["id"]), raw["email"]), name
        assert (customer.billing.city, customer.phone) == (
            raw["addresses"][0]["city"], raw["addresses"][0]["telephone"],
        ), name  # fmt: skip
        assert customer.shipping.state == raw["addresses"][0]["region"]["region_code"], name
