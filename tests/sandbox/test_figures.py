"""Every figure of every made-up order adds up to the cent, and the odd kinds all occur."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import pytest

from sandbox.demo import UNKNOWN_SKUS, catalogue
from sandbox.testing import practice_shop
from tests.sandbox.conftest import Client


@pytest.fixture(scope="module")
def shop():
    with practice_shop(orders=250, customers=40, products=60) as place:
        yield place


@pytest.fixture(scope="module")
def orders(shop):
    call = Client(shop)
    return [row for page in (1, 2, 3) for row in call.get("orders", per_page=100, page=page)]


def money(rows, name):
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def test_every_total_is_the_sum_of_its_parts(orders):
    assert len(orders) == 250
    for order in orders:
        lines, fees, shipping = order["line_items"], order["fee_lines"], order["shipping_lines"]
        parts = [*lines, *fees, *shipping]
        assert Decimal(order["total"]) == money(parts, "total") + money(parts, "total_tax"), order["id"]
        assert Decimal(order["total_tax"]) == money(parts, "total_tax")
        assert Decimal(order["cart_tax"]) == money([*lines, *fees], "total_tax")
        assert Decimal(order["shipping_total"]) == money(shipping, "total")
        assert Decimal(order["shipping_tax"]) == money(shipping, "total_tax")
        assert Decimal(order["discount_total"]) == money(lines, "subtotal") - money(lines, "total")


def test_every_tax_is_the_sum_of_its_shares(orders):
    for order in orders:
        shares = Counter()
        for part in [*order["line_items"], *order["fee_lines"], *order["shipping_lines"]]:
            assert Decimal(part["total_tax"]) == money(part["taxes"], "total"), order["id"]
            for share in part["taxes"]:
                shares[share["id"]] += Decimal(share["total"])
        told = {
            line["rate_id"]: money([line], "tax_total") + money([line], "shipping_tax_total")
            for line in order["tax_lines"]
        }
        assert told == dict(shares)


def test_the_discounts_tax_comes_from_unrounded_taxes(orders):
    drifted = 0
    for order in orders:
        rates = {line["rate_id"]: Decimal(str(line["rate_percent"])) for line in order["tax_lines"]}
        exact = sum(
            (Decimal(line["subtotal"]) - Decimal(line["total"])) * rates[share["id"]] / 100
            for line in order["line_items"]
            for share in line["taxes"]
        )
        assert Decimal(order["discount_tax"]) == Decimal(exact).quantize(Decimal("0.01"), ROUND_HALF_UP), order["id"]
        lines = order["line_items"]
        drifted += Decimal(order["discount_tax"]) != money(lines, "subtotal_tax") - money(lines, "total_tax")
    assert drifted > 0


def test_coupons_explain_the_discount(orders):
    discounted = [order for order in orders if order["coupon_lines"]]
    assert {order["coupon_lines"][0]["code"] for order in discounted} == {"ten", "fivefix"}
    for order in discounted:
        assert money(order["coupon_lines"], "discount") == Decimal(order["discount_total"])
        assert money(order["coupon_lines"], "discount_tax") == Decimal(order["discount_tax"])


def test_a_lines_price_is_a_number_its_totals_are_text(orders):
    lines = [line for order in orders for line in order["line_items"]]
    assert all(isinstance(line["price"], int | float) and isinstance(line["total"], str) for line in lines)
    assert all(line["price"] == float(line["total"]) / line["quantity"] for line in lines)


def test_every_odd_kind_occurs(orders):
    statuses = Counter(order["status"] for order in orders)
    assert set(statuses) == {"processing", "completed", "pending", "on-hold", "cancelled", "refunded", "failed"}
    assert statuses["processing"] + statuses["completed"] > 180
    assert {order["currency"] for order in orders} == {"USD", "EUR"}
    assert any(Decimal(order["total"]) == 0 or order["line_items"][0]["total"] == "0.00" for order in orders)
    assert any(order["customer_id"] == 0 for order in orders)
    assert any(Decimal(fee["total"]) < 0 for order in orders for fee in order["fee_lines"])
    assert any(len(order["tax_lines"]) == 2 for order in orders)
    assert any(order["refunds"] and order["status"] != "refunded" for order in orders)
    assert any(line["variation_id"] for order in orders for line in order["line_items"])
    skus = {line["sku"] for order in orders for line in order["line_items"]}
    assert None in skus
    assert skus & set(UNKNOWN_SKUS)


def test_the_catalogue_is_what_the_shop_sells(shop):
    sold = {
        (product.sku, product.regular_price, product.stock)
        for product in shop.shop.products.rows.values()
        if product.kind != "variable"
    }
    listed = catalogue(60, 1)
    assert {(each.sku, str(each.price.quantize(Decimal("0.01"))), each.stock) for each in listed} == sold
    assert len(listed) == 60
    assert [each.sku for each in listed if each.sku in UNKNOWN_SKUS] == list(UNKNOWN_SKUS)
    assert sum(not each.sku for each in listed) == 2
    assert sum(bool(each.parent_sku) for each in listed) == 12
    assert len({each.sku for each in listed}) == 59


def test_the_same_seed_tells_the_same_story(orders):
    with practice_shop(orders=250, customers=40, products=60) as place:
        again = [row for page in (1, 2, 3) for row in Client(place).get("orders", per_page=100, page=page)]
    plain = ("id", "status", "total", "customer_id", "currency")
    assert [[row[name] for name in plain] for row in again] == [[row[name] for name in plain] for row in orders]


def test_orders_for_measuring_are_plain():
    with practice_shop(orders=50, customers=5, products=100, lines=2) as place:
        rows = Client(place).get("orders", per_page=100)
    assert {(len(row["line_items"]), row["status"], row["currency"]) for row in rows} == {(2, "processing", "USD")}
    assert all(row["customer_id"] and row["date_paid"] for row in rows)
    assert not {line["sku"] for row in rows for line in row["line_items"]} & {*UNKNOWN_SKUS, "", None}
