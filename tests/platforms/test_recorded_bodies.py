"""Every recorded body maps, to the cent, and nothing of it passes through a float."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carts.errors import Rejected
from carts.platforms import connect
from carts.platforms.base import Connection
from carts.platforms.woocommerce import UNKEPT_FIELDS
from carts.records import CartOrder
from carts.services.judging import lines_with_rounding

ORDER_FILES = (
    "order_created.json",
    "orders_page1.json",
    "hard/order_coupon_fixed_guest_variation.json",
    "hard/order_coupon_percent_fees_refund_lines.json",
    "hard/order_free_order.json",
    "hard/order_line_of_deleted_product.json",
    "hard/order_other_currency_eur.json",
    "hard/order_price_third_split.json",
    "hard/order_tax_ny_multi_line_partial_refund.json",
    "hard/order_unpaid_cancelled.json",
)
ITEM_FILES = ("products_page1.json", "product_variable_by_sku.json", "variations.json")


WOO = connect("woocommerce", Connection("https://shop.example.test", {}))


def exact(text: str | bytes):
    """JSON read by the standard library, every number that has a fraction as Decimal."""
    return json.loads(text, parse_float=Decimal)


def bodies(shared: Path, name: str) -> list[bytes]:
    """The records of a file, each in the shop's own text."""
    text = (shared / "samples" / "woocommerce" / name).read_bytes()
    records = msgspec.json.decode(text, type=list[msgspec.Raw]) if text.lstrip()[:1] == b"[" else [text]
    return [bytes(record) for record in records]


def leaves(value):
    """Every plain value inside a dataclass."""
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, dict):
        yield from leaves(list(value.values()))
    else:
        yield value


@pytest.mark.parametrize("name", ORDER_FILES)
def test_each_order_keeps_its_totals_and_every_line_to_the_cent(shared, name):
    for body in bodies(shared, name):
        raw, order = exact(body), WOO.parse_order(body)
        told = (order.external_id, order.number, order.status, order.currency, order.email)
        assert told == (
            str(raw["id"]), raw["number"], raw["status"], raw["currency"], raw["billing"]["email"],
        )  # fmt: skip
        assert order.total == Decimal(raw["total"])
        assert order.tax_total == Decimal(raw["total_tax"])
        assert order.discount_total == Decimal(raw["discount_total"])
        sources = [*raw["line_items"], *raw["shipping_lines"], *raw["fee_lines"]]
        assert [(line.net, line.tax) for line in order.lines] == [
            (Decimal(source["total"]), Decimal(source["total_tax"])) for source in sources
        ]
        goods = [line for line in order.lines if line.kind == "item"]
        assert [(line.sku, line.quantity, line.discount) for line in goods] == [
            (line["sku"] or "", Decimal(line["quantity"]), Decimal(line["subtotal"]) - Decimal(line["total"]))
            for line in raw["line_items"]
        ]
        assert [line.external_item_id for line in goods] == [
            str(line["variation_id"] or line["product_id"] or "") for line in raw["line_items"]
        ]
        assert sum(line.net + line.tax for line in lines_with_rounding(order)) == Decimal(raw["total"])
        assert abs(sum(line.net + line.tax for line in order.lines) - order.total) <= order.rounding_limit


@pytest.mark.parametrize("name", ORDER_FILES)
def test_each_order_keeps_its_times_refunds_and_buyer(shared, name):
    for body in bodies(shared, name):
        raw, order = exact(body), WOO.parse_order(body)
        assert order.placed_at == datetime.fromisoformat(raw["date_created_gmt"]).replace(tzinfo=UTC)
        assert order.modified_at == datetime.fromisoformat(raw["date_modified_gmt"]).replace(tzinfo=UTC)
        assert [(refund.external_id, refund.amount) for refund in order.refunds] == [
            (str(refund["id"]), -Decimal(refund["total"])) for refund in raw["refunds"]
        ]
        assert order.external_customer_id == (str(raw["customer_id"]) if raw["customer_id"] else "")
        assert order.billing.postcode == raw["billing"]["postcode"]
        assert order.is_cancelled == (raw["status"] in ("cancelled", "refunded", "failed"))


def test_the_hard_orders_say_what_makes_them_hard(shared):
    def one(name: str) -> CartOrder:
        return WOO.parse_order(bodies(shared, f"hard/order_{name}.json")[0])

    assert one("other_currency_eur").currency == "EUR"
    assert one("free_order").total == 0
    assert one("unpaid_cancelled").is_cancelled and not one("unpaid_cancelled").is_paid
    gone = one("line_of_deleted_product").lines[0]
    assert (gone.external_item_id, gone.sku) == ("", "") and gone.description
    assert one("price_third_split").lines[0].net == Decimal("10.00")
    fees = [line.net for line in one("coupon_percent_fees_refund_lines").lines if line.kind == "fee"]
    assert min(fees) == Decimal("-2.00")
    assert one("coupon_fixed_guest_variation").external_customer_id == ""
    assert len(one("tax_ny_multi_line_partial_refund").refunds) == 1


@pytest.mark.parametrize("name", ITEM_FILES)
def test_each_product_and_variation_keeps_its_figures(shared, name):
    for body in bodies(shared, name):
        raw, item = exact(body), WOO.parse_item(body)
        assert (item.external_id, item.sku) == (str(raw["id"]), raw["sku"])
        shown = raw["regular_price"] or raw["price"]
        assert item.price == (Decimal(shown) if shown else None)
        stock = raw["stock_quantity"]
        assert item.stock == (None if stock is None else Decimal(stock))
        assert item.has_variations == (raw["type"] == "variable")
        assert item.parent_id == (str(raw["parent_id"]) if raw["parent_id"] else "")


def test_each_customer_maps(shared):
    for body in bodies(shared, "customers_page1.json"):
        raw, customer = exact(body), WOO.parse_customer(body)
        assert (customer.external_id, customer.email) == (str(raw["id"]), raw["email"])
        assert customer.first_name == (raw["first_name"] or raw["billing"]["first_name"])
        assert customer.billing.city == raw["billing"]["city"]


@pytest.mark.parametrize("name", [*ORDER_FILES, *ITEM_FILES, "customers_page1.json"])
def test_no_float_anywhere(shared, name):
    parse = WOO.parse_order if name in ORDER_FILES else WOO.parse_item
    if name.startswith("customers"):
        parse = WOO.parse_customer
    for body in bodies(shared, name):
        assert not [value for value in leaves(parse(body)) if isinstance(value, float)]


@pytest.mark.parametrize("name", ORDER_FILES)
def test_what_is_kept_is_the_shops_text_without_keys(shared, name):
    for body in bodies(shared, name):
        kept = exact(WOO.clean(body))
        assert kept == {key: value for key, value in exact(body).items() if key not in UNKEPT_FIELDS}
        for secret in (exact(body)["order_key"], "pay_for_order"):
            assert secret not in WOO.clean(body)


amounts = st.decimals(min_value=0, allow_nan=False, allow_infinity=False, places=8, max_value=10**12 - 1)


def order_body(**changes) -> str:
    """A whole order; Decimal values are written as JSON numbers, digit by digit."""
    line = {"id": 1, "name": "Mug", "product_id": 5, "variation_id": 0, "sku": "MUG", "quantity": 1,
            "subtotal": "1.00", "total": "1.00", "total_tax": "0.00"}  # fmt: skip
    order = {"id": 7, "number": "7", "parent_id": 0, "status": "processing", "currency": "USD", "customer_id": 0,
             "date_created_gmt": "2026-11-23T05:00:00", "date_modified_gmt": "2026-11-23T05:00:00",
             "total": "1.00", "total_tax": "0.00", "discount_total": "0.00", "billing": {}, "shipping": {},
             "line_items": [line], "shipping_lines": [], "fee_lines": [], "refunds": []}  # fmt: skip
    order.update({name: value for name, value in changes.items() if name in order})
    line.update({name: value for name, value in changes.items() if name in ("quantity", "subtotal", "line_total")})
    if "line_total" in line:
        line["total"] = line.pop("line_total")
    marked = json.dumps(order, default=lambda number: f"<<{number:f}>>")
    return marked.replace('"<<', "").replace('>>"', "")


@given(total=amounts, net=amounts, quantity=amounts)
def test_amounts_keep_every_digit_whether_sent_as_text_or_as_number(total, net, quantity):
    parse = WOO.parse_order
    sent_as_numbers = order_body(total=total, line_total=net, subtotal=net, quantity=quantity)
    sent_as_text = order_body(total=f"{total:f}", line_total=f"{net:f}", subtotal=f"{net:f}", quantity=f"{quantity:f}")
    for body in (sent_as_numbers, sent_as_text):
        order = parse(body)
        line = order.lines[0]
        assert (str(order.total + 0), line.net, line.quantity) == (str(total + 0), net, quantity)


@given(price=amounts)
def test_numbers_kept_in_the_payload_keep_every_digit(price):
    body = order_body(quantity=price).encode()
    assert exact(WOO.clean(body))["line_items"][0]["quantity"] == price


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        "nonsense",
        order_body(total="abc"),
        order_body(total="NaN"),
        order_body(total="Infinity"),
        order_body(total="1000000000000.00"),
        order_body(total="1e400"),
        order_body(total=None),
        order_body(date_created_gmt="yesterday"),
        order_body(date_created_gmt=None),
        order_body(line_items=None),
        order_body(line_items=[None]),
        order_body(billing="text"),
        order_body(refunds=[{}]),
        order_body(quantity="many"),
    ],
)
def test_a_body_that_is_no_order_is_rejected_with_a_sentence(body):
    with pytest.raises(Rejected, match="was not read"):
        WOO.parse_order(body)
