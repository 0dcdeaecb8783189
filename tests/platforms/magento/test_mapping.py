"""What an order, an item and a customer of Magento are to us: each trap of its figures by name."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from carts.errors import Rejected
from carts.records import CartOrder
from carts.services.judging import Rules, judge
from tests.platforms.magento.bodies import MAGENTO, item_body, order_body, written

ONE = Decimal(1)


def parsed(*items, **fields) -> CartOrder:
    return MAGENTO.parse_order(written(order_body(*items, **fields)))


def lines_of(order: CartOrder) -> list[tuple]:
    return [(line.external_item_id, line.sku, line.quantity, line.net, line.tax) for line in order.lines]


def adds_up(order: CartOrder) -> bool:
    return sum(line.net + line.tax for line in order.lines) == order.total


def test_a_configurable_sale_is_one_line_of_the_size_with_the_parents_amounts():
    parent = item_body(1, "TS-M", "21.66", product_type="configurable", name="Shirt", tax_amount=Decimal("1.76"))
    size = item_body(2, "TS-M", "0", parent_item_id=1, name="Shirt M", price=0)
    order = parsed(parent, size)
    assert lines_of(order) == [("20", "TS-M", ONE, Decimal("19.90"), Decimal("1.76"))]
    assert order.lines[0].description == "Shirt M" and adds_up(order)


def test_a_bundle_whose_price_is_its_parts_is_its_parts_with_their_discounts():
    parent = item_body(1, "KIT-A-B", "33.60", product_type="bundle", tax_amount=Decimal("2.48"))
    first = item_body(
        2, "A", "19.62", parent_item_id=1, tax_amount=Decimal("1.60"), discount_amount=Decimal("2.00")
    )  # fmt: skip
    second = item_body(3, "B", "11.98", parent_item_id=1, qty_ordered=4, tax_amount=Decimal("0.88"))
    order = parsed(parent, first, second)
    assert lines_of(order) == [
        ("20", "A", ONE, Decimal("18.02"), Decimal("1.60")),
        ("30", "B", Decimal(4), Decimal("11.10"), Decimal("0.88")),
    ]
    assert order.lines[0].discount == 2 and adds_up(order)


def test_a_bundle_with_a_price_of_its_own_carries_it_and_its_parts_leave_the_shelf_for_nothing():
    parent = item_body(1, "KIT", "40.00", product_type="bundle", discount_amount=Decimal(10), row_total=Decimal(30))
    parent["row_total_incl_tax"] = Decimal(30)
    order = parsed(parent, item_body(2, "A", "0", parent_item_id=1, qty_ordered=2), grand_total=Decimal(30))
    assert lines_of(order) == [("10", "KIT", ONE, Decimal(30), Decimal(0)), ("20", "A", Decimal(2), 0, 0)]
    assert order.lines[0].discount == 10 and adds_up(order)


def test_a_part_without_its_parent_holds_the_whole_order():
    with pytest.raises(Rejected, match="was not read"):
        parsed(item_body(1, "A", "5"), item_body(2, "B", "5", parent_item_id=99))


def test_the_row_is_net_of_the_discount_and_clamped_so_the_gross_comes_from_the_rest():
    """All of a discount of 119 with tax, on a price of 100 without: the row says 0, the compensation is 19."""
    free = item_body(
        1, "A", "0", discount_amount=Decimal(119), discount_tax_compensation_amount=Decimal(19), row_total=Decimal(0)
    )  # fmt: skip
    order = parsed(free, discount_amount=Decimal(-119), discount_tax_compensation_amount=Decimal(19))
    assert (order.lines[0].net, order.lines[0].discount, order.discount_total) == (0, 100, 100)
    assert adds_up(order)


def test_a_discount_on_shipping_and_what_it_took_of_the_tax():
    order = parsed(
        item_body(1, "A", "100"),
        is_virtual=0,
        shipping_amount=Decimal("46.22"),
        shipping_tax_amount=Decimal("8.04"),
        shipping_discount_amount=Decimal("4.62"),
        shipping_discount_tax_compensation_amount=Decimal("0.74"),
        discount_amount=Decimal("-4.62"),
        grand_total=Decimal("150.38"),
        tax_amount=Decimal("8.04"),
    )
    shipping = order.lines[-1]
    assert (shipping.kind, shipping.net, shipping.tax) == ("shipping", Decimal("42.34"), Decimal("8.04"))
    assert order.discount_total == Decimal("3.88") and adds_up(order)


def test_fixed_product_taxes_are_lines_beside_the_row():
    applied = '[{"title": "Battery", "row_amount": 1.25, "row_amount_incl_tax": 1.49}]'
    order = parsed(
        item_body(1, "A", "10", weee_tax_applied=applied), grand_total=Decimal("11.49"), tax_amount=Decimal("0.24")
    )
    fee = order.lines[-1]
    assert (fee.kind, fee.description, fee.net, fee.tax) == ("fee", "Battery", Decimal("1.25"), Decimal("0.24"))
    assert adds_up(order)


def test_an_order_in_another_currency_keeps_the_base_figures_beside_its_own():
    order = parsed(
        item_body(1, "A", "91.36"),
        order_currency_code="EUR",
        base_grand_total=Decimal("100.00"),
        base_tax_amount=Decimal(0),
        base_to_order_rate=Decimal("0.9136"),
    )
    assert (order.currency, order.total) == ("EUR", Decimal("91.36"))
    assert order.exchange == {
        "base_currency": "USD", "base_total": "100.00", "base_tax": "0", "rate": "0.9136",
    }  # fmt: skip
    assert parsed(item_body(1, "A", "1")).exchange == {}


def test_the_state_counts_and_not_the_shops_own_label():
    assert parsed(item_body(1, "A", "1")).status == "processing"


def test_a_cancelled_order_keeps_what_was_due_and_is_not_paid():
    order = parsed(item_body(1, "A", "1"), state="canceled", total_due=Decimal(1))
    assert (order.is_cancelled, order.is_paid) == (True, False)
    free = parsed(item_body(1, "A", "0"), state="canceled", total_due=0)
    assert (free.is_cancelled, free.is_paid) == (True, False)


def test_a_refund_may_have_more_than_two_decimals_and_leave_the_order_complete():
    memos = [
        {"entity_id": 3, "order_id": 7, "state": 2, "grand_total": Decimal("14.345"), "customer_note": "Broken"},
        {"entity_id": 4, "order_id": 7, "state": 3, "grand_total": Decimal(1)},
    ]
    order = parsed(item_body(1, "A", "20"), state="complete", creditmemos=memos)
    assert [(refund.external_id, refund.amount, refund.reason) for refund in order.refunds] == [
        ("3", Decimal("14.345"), "Broken")
    ]
    assert not order.is_cancelled


def test_an_edited_order_gives_way_to_the_one_that_replaces_it():
    """The old one is a part of the new one and is never imported beside it, whatever states a cart takes."""
    old = parsed(item_body(1, "A", "1"), state="canceled", relation_child_id="9", relation_child_real_id="000000007-1")
    new = parsed(item_body(1, "A", "1"), entity_id=9, relation_parent_id="7", relation_parent_real_id="000000007")
    rules = Rules(None, frozenset({"canceled", "processing"}), datetime.resolution * 0, frozenset({"USD"}))
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert (old.parent_id, judge(old, rules, now).outcome) == ("9", "filtered")
    assert judge(old, rules, now, picked_by_hand=True).outcome == "filtered"
    assert (new.parent_id, judge(new, rules, now).outcome) == ("", "new")
    assert "000000007-1" in old.note and "000000007" in new.note


def test_the_shipping_address_comes_from_the_assignments_and_a_virtual_order_has_none():
    address = {"firstname": "Ada", "lastname": "Byron", "street": ["1 Road", "Flat 2", "Ring twice"], "city": "London",
               "country_id": "GB", "region": "Kent", "postcode": "E1", "telephone": "7"}  # fmt: skip
    shipped = parsed(
        item_body(1, "A", "1"), extension_attributes={"shipping_assignments": [{"shipping": {"address": address}}]}
    )
    assert shipped.shipping.address_1 == "1 Road" and shipped.shipping.address_2 == "Flat 2, Ring twice"
    assert (shipped.shipping.state, shipped.shipping.name) == ("Kent", "Ada Byron")
    assert parsed(item_body(1, "A", "1")).shipping.country == ""


def test_a_line_of_a_deleted_product_keeps_its_id_and_sku():
    assert lines_of(parsed(item_body(5, "GONE", "3"))) == [("50", "GONE", ONE, Decimal(3), Decimal(0))]


def test_what_is_kept_of_an_order_holds_no_key_no_address_of_the_network_and_no_token():
    body = order_body(
        item_body(1, "A", "1"),
        protect_code="f00dfeed", remote_ip="203.0.113.7", x_forwarded_for="203.0.113.8",
        payment={"method": "card", "cc_last4": "4242", "additional_information": ["tok_secret"]},
        extension_attributes={"payment_additional_info": [{"key": "method_title", "value": "Card"},
                                                          {"key": "token", "value": "tok_secret"}]},
    )  # fmt: skip
    kept = MAGENTO.clean(written(body))
    for hidden in ("f00dfeed", "203.0.113", "4242", "tok_secret"):
        assert hidden not in kept
    assert MAGENTO.parse_order(kept).payment_method == "Card"


def test_money_of_an_item_is_decimal_and_a_list_that_shows_no_stock_is_taken_to_keep_it():
    body = {"id": 4, "sku": "A/B", "name": "N", "price": Decimal("6.37"), "status": 1, "type_id": "simple",
            "weight": Decimal("0.1"), "updated_at": "2026-11-23 05:00:00",
            "custom_attributes": [{"attribute_code": "special_price", "value": "5.990000"},
                                  {"attribute_code": "description", "value": "<p>x</p>"},
                                  {"attribute_code": "category_ids", "value": []}]}  # fmt: skip
    item = MAGENTO.parse_item(written(body))
    assert (item.price, item.sale_price, item.weight) == (Decimal("6.37"), Decimal("5.99"), Decimal("0.1"))
    assert (item.is_stock_managed, item.stock, item.is_active, item.has_variations) == (True, None, True, False)
    assert not MAGENTO.parse_item(written(body | {"type_id": "bundle"})).is_stock_managed
    not_managed = {"stock_item": {"manage_stock": False, "qty": 0}}
    assert not MAGENTO.parse_item(written(body | {"extension_attributes": not_managed})).is_stock_managed


def test_a_customers_addresses_are_the_default_ones():
    place = {"street": ["1 Road"], "city": "Denver", "country_id": "US", "telephone": "7", "company": "Engines"}
    region = {"region_code": "CO", "region": "Colorado", "region_id": 13}
    book = [
        {**place, "city": "Old"},
        {**place, "region": region, "default_billing": True},
        {**place, "city": "Boulder", "region": {"region_code": "", "region": "Kent"}, "default_shipping": True},
    ]
    body = {"id": 1, "email": "a@example.test", "firstname": "A", "lastname": "B", "addresses": book}
    customer = MAGENTO.parse_customer(written(body))
    assert (customer.billing.city, customer.billing.state, customer.company, customer.phone) == (
        "Denver", "CO", "Engines", "7",
    )  # fmt: skip
    assert (customer.shipping.city, customer.shipping.state) == ("Boulder", "Kent")
    assert MAGENTO.parse_customer(written(body | {"addresses": []})).billing.city == ""


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b"[]", b"nonsense",
        written(order_body(item_body(1, "A", "1"), grand_total=None)),
        written(order_body(item_body(1, "A", "1"), grand_total="NaN")),
        written(order_body(item_body(1, "A", "1"), grand_total=Decimal(10) ** 12)),
        written(order_body(item_body(1, "A", "1"), created_at="yesterday")),
        written(order_body(item_body(1, "A", "1"), items=None)),
        written(order_body(item_body(1, "A", "1"), items=[None])),
        written(order_body(item_body(1, "A", "1", qty_ordered="many"))),
        written(order_body(item_body(1, "A", "1", weee_tax_applied="{"))),
    ],
)  # fmt: skip
def test_a_body_that_is_no_order_is_rejected_with_a_sentence(body):
    with pytest.raises(Rejected, match="was not read"):
        MAGENTO.parse_order(body)
