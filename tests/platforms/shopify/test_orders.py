"""What an order says: to the cent, and as it was sold. Each trap of the fact sheet is a test."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from carts.errors import Rejected
from carts.records import ORDER, OrderLine, Window
from sandbox.shopify.selling import edit_quantity
from sandbox.testing import practice_shop
from tests.platforms.shopify.conftest import NOON, adapter_of

CENTS = Decimal("0.01")


def read(adapter, order):
    (row,) = adapter.fetch_many(ORDER, [str(order.id)])
    return adapter.parse_order(row.body)


def fetched(adapter, since=NOON - timedelta(days=1)):
    return [row for page in adapter.fetch(ORDER, Window(since=since)) for row in page.rows]


def adds_up(order) -> bool:
    return (
        sum((line.net + line.tax for line in order.lines), Decimal(0)) == order.total
        and sum((line.tax for line in order.lines), Decimal(0)) == order.tax_total
    )


def line_of(order, kind: str) -> OrderLine:
    (line,) = (line for line in order.lines if line.kind == kind)
    return line


def asked(place, name: str) -> list[dict]:
    sent = [json.loads(each.body) for each in place.requests if each.path.endswith("/graphql.json")]
    return [each["variables"] for each in sent if each["query"].startswith(f"query {name}")]


def test_the_whole_of_a_history_adds_up_to_the_cent(place):
    for taxes_included in (False, True):
        with practice_shop(platform="shopify", orders=80, products=60, taxes_included=taxes_included) as history:
            adapter = adapter_of(history)
            read = [adapter.parse_order(row.body) for row in fetched(adapter, None)]
            assert len(read) == 80
            off = [abs(order.total - sum(line.net + line.tax for line in order.lines)) for order in read]
            assert max(off) == 0
            theirs = {str(order.id): order for order in history.shop.orders.rows.values()}
            for order in read:
                shop = theirs[order.external_id]
                assert (order.total, order.tax_total) == (shop.total, shop.total_tax)
                nets = [line.net for line in order.lines if line.kind == "item"]
                assert nets == [line.total for line in shop.lines]
            adapter.close()


def test_prices_that_include_the_tax_are_taken_apart(place):
    with practice_shop(platform="shopify", taxes_included=True) as place:
        adapter = adapter_of(place)
        order = place.shop.place_order("SKU-0001", quantity=2, coupons=[("ten", "percent", Decimal(10))])
        order_read = read(adapter, order)
        (line,) = (line for line in order_read.lines if line.kind == "item")
        assert (line.net, line.tax) == (order.lines[0].total, order.lines[0].total_tax)
        # Half a cent of each unit's price with tax, and of the tax.
        assert abs(line.discount - order.discount_total) <= Decimal("0.02")
        assert adds_up(order_read)
        adapter.close()


def test_discounts_of_the_order_and_of_codes_are_in_the_allocations_only(place, adapter):
    order = place.shop.place_order("SKU-0001", "SKU-0002", quantity=2, coupons=[("five", "fixed", Decimal(5))])
    order_read = read(adapter, order)
    assert sum(line.discount for line in order_read.lines) == Decimal(5) == order_read.discount_total
    assert [line.net for line in order_read.lines if line.kind == "item"] == [line.total for line in order.lines]


def test_quantity_still_counts_the_units_that_were_edited_away(place, adapter):
    order = place.shop.place_order("SKU-0001", "SKU-0002", quantity=5)
    edit_quantity(place.shop, order.id, order.lines[0].id, 2)
    edit_quantity(place.shop, order.id, order.lines[1].id, 0)
    order_read = read(adapter, order)
    assert [(line.sku, line.quantity, line.net) for line in order_read.lines if line.kind == "item"] == [
        ("SKU-0001", Decimal(2), order.lines[0].total)
    ]
    assert order_read.total == order.total
    assert abs(order_read.total - sum(line.net + line.tax for line in order_read.lines)) <= order_read.rounding_limit


def test_units_that_came_back_stay_on_the_order_and_are_a_refund(place, adapter):
    order = place.shop.place_order("SKU-0001", quantity=5)
    before = read(adapter, order)
    refund = place.shop.refund_order(order.id, lines={order.lines[0].id: 2}, reason="Damaged")
    after = read(adapter, order)
    assert (after.total, after.lines) == (before.total, before.lines)
    assert [(each.amount, each.reason) for each in after.refunds] == [(refund.amount, "Damaged")]
    assert (before.status, after.status) == ("paid", "partially_refunded")


def test_an_order_both_edited_and_returned_tells_the_two_apart(place, adapter):
    order = place.shop.place_order("SKU-0001", quantity=5)
    line_id = order.lines[0].id
    edit_quantity(place.shop, order.id, line_id, 4)
    total = order.total
    refund = place.shop.refund_order(order.id, lines={line_id: 1})
    order_read = read(adapter, order)
    assert line_of(order_read, "item").quantity == 4
    assert order_read.total == total
    assert [each.amount for each in order_read.refunds] == [refund.amount]


def test_a_refund_that_moved_no_money_stands_for_an_edit(place, adapter):
    order = place.shop.place_order("SKU-0001", quantity=5)
    edit_quantity(place.shop, order.id, order.lines[0].id, 4)
    (row,) = adapter.fetch_many(ORDER, [str(order.id)])
    body = json.loads(row.body)
    nothing = {"shopMoney": {"amount": "0.0"}}
    body["refunds"] = [{"id": "gid://shopify/Refund/9", "note": None, "totalRefundedSet": nothing}]
    order_read = adapter.parse_order(json.dumps(body))
    assert (order_read.refunds, line_of(order_read, "item").quantity, order_read.total) == ((), 4, order.total)


def test_the_shops_money_counts_and_the_buyers_is_kept(place, adapter):
    order = place.shop.place_order("SKU-0001")
    place.shop.edit_order(order.id, extra={"presentment": {"currency": "EUR", "rate": "0.9"}})
    order_read = read(adapter, order)
    assert (order_read.currency, order_read.total) == ("USD", order.total)
    assert order_read.exchange == {
        "presentment_currency": "EUR",
        "presentment_total": str((order.total * Decimal("0.9")).quantize(CENTS)),
        "shop_currency": "USD",
        "shop_total": str(order.total),
    }
    assert read(adapter, place.shop.place_order("SKU-0001")).exchange == {}


def test_tips_duties_and_cash_rounding_are_lines_of_their_own(place, adapter):
    order = place.shop.place_order("SKU-0001")
    place.shop.edit_order(order.id, extra={"tip": "2.00", "duties": "3.50", "cash_rounding": "-0.02"})
    order_read = read(adapter, order)
    assert [(line.kind, line.description, line.net, line.tax) for line in order_read.lines[1:]] == [
        ("fee", "Duties", Decimal("3.50"), Decimal(0)),
        ("fee", "Tip", Decimal("2.00"), Decimal(0)),
        ("rounding", "Cash rounding", Decimal("-0.02"), Decimal(0)),
    ]
    # What was received is what the buyer owed, in coins.
    assert order_read.total == order.total + Decimal("5.48") and adds_up(order_read)


def test_duties_that_were_given_back_stay_with_what_was_sold(place, adapter):
    order = place.shop.place_order("SKU-0001")
    place.shop.edit_order(order.id, extra={"duties": "3.50"})
    body = json.loads(adapter.fetch_many(ORDER, [str(order.id)])[0].body)
    body["currentTotalDutiesSet"] = body["currentTotalPriceSet"] = {"shopMoney": {"amount": "0.0"}}
    order_read = adapter.parse_order(json.dumps(body))
    assert line_of(order_read, "fee").net == Decimal("3.50") and adds_up(order_read)


def test_a_tip_that_is_a_line_already_is_not_counted_twice(place, adapter):
    order = place.shop.place_order("SKU-0001")
    (row,) = adapter.fetch_many(ORDER, [str(order.id)])
    body = json.loads(row.body)
    tip = {**body["lineItems"][0], "name": "Tip", "sku": None, "variant": None, "taxLines": [], "duties": []}
    tip |= {"quantity": 1, "currentQuantity": 1, "originalUnitPriceSet": {"shopMoney": {"amount": "2.0"}}}
    body["lineItems"].append(tip)
    body["totalTipReceivedSet"] = {"shopMoney": {"amount": "2.0"}}
    tips = [line for line in adapter.parse_order(json.dumps(body)).lines if line.description == "Tip"]
    assert [(line.kind, line.net, line.external_item_id) for line in tips] == [("fee", Decimal("2.00"), "")]


def test_a_gift_card_sold_is_a_line_of_its_own_and_one_that_paid_is_a_payment(place, adapter):
    order = place.shop.place_order("SKU-0001", "SKU-0002")
    place.shop.edit_order(order.id, extra={"gift_cards": [order.lines[1].id], "gift_card_paid": "10.00"})
    order_read = read(adapter, order)
    assert [(line.kind, line.sku) for line in order_read.lines] == [("item", "SKU-0001"), ("other", "")]
    assert (order_read.total, order_read.exchange) == (order.total, {"paid_by_gift_card": "10.00"})
    assert order_read.payment_method.startswith("gift_card, ")


def test_a_test_order_says_so_by_its_status_which_nobody_imports_by_default(place, adapter):
    order = place.shop.edit_order(place.shop.place_order().id, extra={"test": True})
    order_read = read(adapter, order)
    assert order_read.status == "test" and "test" not in adapter.capabilities.paid_statuses
    assert adapter.capabilities.order_statuses["test"] == "Test order"


def test_a_guest_has_no_customer_and_perhaps_no_address(place, adapter):
    guest = read(adapter, place.shop.place_order(email="guest@example.test"))
    assert (guest.external_customer_id, guest.email) == ("", "guest@example.test")
    nobody = place.shop.place_order("SKU-0001")
    (row,) = adapter.fetch_many(ORDER, [str(nobody.id)])
    body = {**json.loads(row.body), "email": None, "customer": None, "billingAddress": None, "shippingAddress": None}
    assert adapter.parse_order(json.dumps(body)).email == ""


def test_a_deleted_variant_leaves_the_line_its_sku(place, adapter):
    order = place.shop.place_order("SKU-0001")
    place.shop.delete_product(place.shop.product_by_sku("SKU-0001").id)
    line = line_of(read(adapter, order), "item")
    assert (line.external_item_id, line.sku, line.description) == ("", "SKU-0001", "Oak Bowl")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("processing", ("paid", True, False)),
        ("pending", ("pending", False, False)),
        ("cancelled", ("cancelled", False, True)),
    ],
)
def test_only_what_was_once_paid_is_paid(place, adapter, status, told):
    order = read(adapter, place.shop.place_order(status=status))
    assert (order.status, order.is_paid, order.is_cancelled) == told


@pytest.mark.parametrize("status", ["AUTHORIZED", "PARTIALLY_PAID", "EXPIRED", "VOIDED"])
def test_money_that_is_only_promised_is_not_paid(place, adapter, status):
    (row,) = adapter.fetch_many(ORDER, [str(place.shop.place_order(status="pending").id)])
    body = {**json.loads(row.body), "displayFinancialStatus": status}
    assert adapter.parse_order(json.dumps(body)).is_paid is False


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"id": 1}', "{"])
def test_what_is_no_order_is_rejected_with_a_sentence(adapter, body):
    with pytest.raises(Rejected) as raised:
        adapter.parse_order(body)
    assert raised.value.sentence.startswith("This order is not written the way Shopify writes it")


def test_an_amount_is_never_a_float(place, adapter):
    order = place.shop.place_order("SKU-0001", quantity=3)
    body = json.loads(adapter.fetch_many(ORDER, [str(order.id)])[0].body)
    body["totalPriceSet"]["shopMoney"]["amount"] = "NaN"
    with pytest.raises(Rejected):
        adapter.parse_order(json.dumps(body))
