"""From BigCommerce's texts to ours: pure, exact, and whole or refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import yaml

from carts.errors import Rejected
from carts.platforms.base import Connection
from carts.platforms.bigcommerce import BigCommerce
from carts.records import ITEM, ItemRef, RecordChange

# Made for a store that nobody asks: what is tested here sends nothing.
ADAPTER = BigCommerce(Connection("https://api.bigcommerce.com/stores/abc123", {"access_token": "t"}))


def line(**changes):
    return {
        "id": 1, "product_id": 20, "variant_id": 77, "name": "Journal", "sku": "J-1", "type": "physical", "quantity": 2,
        "total_ex_tax": "10.0000", "total_inc_tax": "11.0000", "total_tax": "1.0000", "applied_discounts": [],
        "discounted_total_inc_tax": "11.0000", **changes,
    }  # fmt: skip


def order(lines=None, **changes):
    body = {
        "id": 100, "customer_id": 20, "date_created": "Wed, 10 Jan 2018 21:05:30 +0000", "status_id": 11,
        "date_modified": "Wed, 05 Dec 2018 20:16:55 +0000", "total_inc_tax": "11.0000", "total_tax": "1.0000",
        "is_tax_inclusive_pricing": False, "default_currency_code": "USD", "currency_code": "USD",
        "billing_address": {"first_name": "Jane", "last_name": "Doe", "street_1": "455 Main Street", "zip": "78751",
                            "country_iso2": "US", "email": "jane@example.test"},
        "lines": [line()] if lines is None else lines, "refunds": [], "shipping": [], **changes,
    }  # fmt: skip
    return ADAPTER.parse_order(json.dumps(body))


def total_of(parsed):
    return sum((each.net + each.tax for each in parsed.lines), Decimal(0))


def test_an_order_says_who_when_and_what():
    found = order()
    assert (found.placed_at, found.modified_at) == (
        datetime(2018, 1, 10, 21, 5, 30, tzinfo=UTC),
        datetime(2018, 12, 5, 20, 16, 55, tzinfo=UTC),
    )
    assert (found.number, found.external_customer_id, found.email) == ("100", "20", "jane@example.test")
    assert (found.billing.name, found.billing.postcode, found.billing.country) == ("Jane Doe", "78751", "US")
    (item,) = found.lines
    assert (item.external_item_id, item.sku, item.quantity) == ("20-77", "J-1", 2)
    assert (item.net, item.tax, found.total) == (Decimal(10), Decimal(1), Decimal(11))


@pytest.mark.parametrize(
    ("status_id", "status", "is_paid", "is_cancelled"),
    [
        (0, "incomplete", False, False),
        (1, "pending", False, False),
        (2, "shipped", True, False),
        (3, "partially-shipped", True, False),
        (4, "refunded", False, True),
        (5, "cancelled", False, True),
        (6, "declined", False, True),
        (7, "awaiting-payment", False, False),
        (8, "awaiting-pickup", True, False),
        (9, "awaiting-shipment", True, False),
        (10, "completed", True, False),
        (11, "awaiting-fulfillment", True, False),
        (12, "manual-verification-required", False, False),
        (13, "disputed", False, False),
        (14, "partially-refunded", True, False),
        (99, "status-99", False, False),
    ],
)
def test_statuses_go_by_their_number_since_labels_can_be_renamed(status_id, status, is_paid, is_cancelled):
    found = order(status_id=status_id, status="Ours", custom_status="Ours")
    assert (found.status, found.is_paid, found.is_cancelled) == (status, is_paid, is_cancelled)


def test_a_captured_payment_counts_where_the_gateway_tells():
    assert order(status_id=12, payment_status="captured").is_paid
    assert not order(status_id=12, payment_status="").is_paid


def test_an_old_order_without_what_remains_of_a_line_takes_its_discounts_off():
    old = line(applied_discounts=[{"amount": "2.0000"}], total_tax="0.8000", discounted_total_inc_tax=None)
    found = order([old], total_inc_tax="8.8000", total_tax="0.8000", coupon_discount="2.0000")
    assert (found.lines[0].net, found.lines[0].discount) == (Decimal(8), Decimal(2))
    assert total_of(found) == found.total and len(found.lines) == 1


def test_what_does_not_add_up_is_given_as_it_is_and_left_to_be_held():
    found = order(total_inc_tax="9.5000", coupon_discount="1.0000", store_credit_amount="3.0000")
    assert total_of(found) != found.total
    assert abs(total_of(found) - found.total) > found.rounding_limit


def test_a_gift_certificate_sold_is_no_item():
    found = order([line(type="giftcertificate", product_id=0, variant_id=0, sku="")])
    assert [(each.kind, each.external_item_id) for each in found.lines] == [("other", "")]


def test_a_line_made_by_hand_names_no_record():
    found = order([line(product_id=0, variant_id=0)])
    assert (found.lines[0].kind, found.lines[0].external_item_id, found.lines[0].sku) == ("item", "", "J-1")


def test_a_fee_is_read_under_either_spelling_of_its_price():
    """Both stand in the documentation's own examples."""
    fee = {"display_name_customer": "A Fee", "cost_inc_tax": "12.3000", "cost_tax": "0.0000"}
    for name in ("cost_ex_tax", "cost_exc_tax"):
        found = order(fees=[{**fee, name: "12.3000"}], total_inc_tax="23.3000")
        assert (found.lines[1].description, found.lines[1].net) == ("A Fee", Decimal("12.3"))
        assert total_of(found) == found.total


def test_every_order_of_the_documentation_is_read(shared):
    """Its examples have no lines; all else of them is."""
    contract = shared / "contracts" / "bigcommerce" / "orders.v2.oas2.yml"
    responses = yaml.load(contract.read_text(), yaml.CSafeLoader)["components"]["responses"]
    read = 0
    for name in ("order_Resp", "orderCollection_Resp"):
        examples = responses[name]["content"]["application/json"]["examples"].values()
        for example in examples:
            rows = example["value"] if isinstance(example["value"], list) else [example["value"]]
            for row in rows:
                found = ADAPTER.parse_order(json.dumps({**row, "lines": [], "refunds": [], "shipping": []}))
                assert (found.external_id, found.currency) == (str(row["id"]), "USD")
                assert total_of(found) < found.total
                read += 1
    assert read >= 3


def test_every_line_of_the_documentation_is_read(shared):
    contract = shared / "contracts" / "bigcommerce" / "orders.v2.oas2.yml"
    responses = yaml.load(contract.read_text(), yaml.CSafeLoader)["components"]["responses"]
    examples = responses["orderProductLineItem_Resp"]["content"]["application/json"]["examples"]
    rows = [example["value"] for example in examples.values()]
    for row in rows:
        (item,) = order([row], total_inc_tax=row["total_inc_tax"], total_tax=row["total_tax"]).lines
        assert item.net + item.tax == Decimal(row["total_inc_tax"]), row["name"]
    assert len(rows) >= 4


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e30", "twelve"])
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(Rejected, match="Open it in the shop"):
        order(total_inc_tax=amount)


def test_a_price_of_nothing_beside_the_price_is_no_sale():
    product = {
        "id": 5, "name": "Cup", "sku": "C", "price": 9.99, "sale_price": 0, "weight": 0, "base_variant_id": 6,
        "inventory_tracking": "none", "inventory_level": 3, "is_visible": True, "upc": None,
        "date_modified": "2026-11-23T12:00:00+00:00",
    }  # fmt: skip
    item = ADAPTER.parse_item(json.dumps(product))
    assert (item.price, item.sale_price, item.weight, item.stock) == (Decimal("9.99"), None, None, None)
    assert type(item.price) is Decimal and not item.is_stock_managed
    assert ADAPTER.parse_item(json.dumps({**product, "sale_price": 8.5})).sale_price == Decimal("8.5")


def test_the_first_two_addresses_are_billing_and_shipping():
    where = {"first_name": "A", "last_name": "B", "address1": "1 Road", "city": "Leeds", "country_code": "GB"}
    customer = {
        "id": 7, "email": "a@example.test", "first_name": "A", "last_name": "B", "company": "Co", "phone": "5",
        "date_modified": "2026-11-23T12:00:00Z",
    }  # fmt: skip
    addresses = [{"id": 9, **where, "address1": "Third"}, {"id": 3, **where}, {"id": 4, **where, "address1": "Second"}]
    found = ADAPTER.parse_customer(json.dumps({**customer, "addresses": addresses}))
    assert (found.billing.address_1, found.shipping.address_1, found.company) == ("1 Road", "Second", "Co")
    found = ADAPTER.parse_customer(json.dumps(customer))
    assert (found.billing.address_1, found.shipping.address_1) == ("", "")


def test_a_number_the_shop_would_misread_is_not_sent():
    (result,) = ADAPTER.push_records(ITEM, [RecordChange(ItemRef("1-2"), {"price": "12,50"})])
    assert "no number" in result.error.sentence
