"""Every body recorded on a live server maps, to the cent."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse

from carts.platforms.prestashop import UNKEPT_FIELDS
from carts.records import CUSTOMER, ITEM, ORDER, CartOrder
from carts.services.judging import lines_with_rounding
from tests.platforms.prestashop.recorded import replay

HARD = (
    "address_deleted_after", "address_edited_after", "amount_mismatch_payment_error", "cancelled", "combination_line",
    "currency_without_decimals_clp", "date_upd_probe", "fixed_discount_indivisible",
    "fixed_discount_larger_than_products", "fixed_discount_mixed_tax", "fixed_discount_net", "free_shipping_rule",
    "gift_product_rule", "gift_wrapping", "guest_same_email", "lines_taxes_shipping", "percent_discount",
    "product_deleted_after", "refund_partial_api", "round_mode_half_even", "round_type_item", "round_type_item_plain",
    "round_type_total_plain", "rounding_drift_item", "rounding_drift_line", "rounding_drift_taxed_item",
    "rounding_drift_taxed_total", "rounding_drift_total", "second_currency_usd_plain", "specific_price_minus20",
    "state_refunded", "two_orders_same_reference",
)  # fmt: skip
PARTS = ("order_details", "order_cart_rules", "order_slip")


@pytest.fixture(scope="session")
def samples(shared) -> Path:
    return shared / "samples" / "prestashop"


def files_of(samples: Path, name: str) -> list[tuple[str, Path]]:
    folder = samples / "hard" / name
    files = [("orders", path) for path in sorted(folder.glob("order.xml")) + sorted(folder.glob("order_[12].xml"))]
    files += [(part, path) for part in PARTS for path in sorted(folder.glob(f"{part}*.xml"))]
    files += [("addresses", path) for path in sorted(folder.glob("address_*.xml")) if path.stem[8:].isdigit()]
    return [*files, ("customers", folder / "customer.xml"), ("order_states", samples / "order_states.xml")]


def orders_of(samples: Path, name: str) -> list[tuple[CartOrder, dict[str, str]]]:
    """Each order as mapped, with the shop's own fields beside it."""
    files = files_of(samples, name)
    raw = [parse(path).getroot()[0] for resource, path in files if resource == "orders"]
    with replay(files) as adapter:
        rows = {row.external_id: row for row in adapter.fetch_many(ORDER, [each.findtext("id") for each in raw])}
        return [
            (adapter.parse_order(rows[each.findtext("id")].body), {field.tag: field.text or "" for field in each})
            for each in raw
        ]


def one(samples: Path, name: str) -> CartOrder:
    ((order, _),) = orders_of(samples, name)
    return order


def test_none_of_the_recorded_orders_is_left_out(samples):
    assert {path.name for path in (samples / "hard").iterdir() if path.is_dir()} == set(HARD)


@pytest.mark.parametrize("name", HARD)
def test_each_order_keeps_its_totals_and_adds_up(samples, name):
    for order, raw in orders_of(samples, name):
        assert order.total == Decimal(raw["total_paid"])
        assert order.tax_total == Decimal(raw["total_paid_tax_incl"]) - Decimal(raw["total_paid_tax_excl"])
        assert order.discount_total == Decimal(raw["total_discounts_tax_excl"])
        gross = {kind: sum((line.net + line.tax for line in order.lines if line.kind == kind), Decimal(0))
                 for kind in ("item", "shipping", "fee")}  # fmt: skip
        # Lines of an order that is rounded as a whole keep decimals that no line of ours has.
        drift = Decimal(0) if raw["round_type"] != "3" else Decimal("0.03")
        assert abs(gross["item"] - Decimal(raw["total_products_wt"])) <= drift
        assert gross["shipping"] == Decimal(raw["total_shipping_tax_incl"])
        assert gross["fee"] == Decimal(raw["total_wrapping_tax_incl"]) - Decimal(raw["total_discounts_tax_incl"])
        difference = order.total - sum(gross.values())
        assert abs(difference) <= order.rounding_limit
        assert abs(order.tax_total - sum((line.tax for line in order.lines), Decimal(0))) <= order.rounding_limit
        assert sum((line.net + line.tax for line in lines_with_rounding(order)), Decimal(0)) == order.total
        assert (order.external_id, order.number) == (raw["id"], f"{raw['reference']} #{raw['id']}")
        assert order.billing.city and order.email


def test_the_drift_of_a_line_rounded_shop_is_two_cents_and_within_the_limit(samples):
    order = one(samples, "rounding_drift_line")
    assert order.total - sum((line.net + line.tax for line in order.lines), Decimal(0)) == Decimal("0.02")
    assert lines_with_rounding(order)[-1].net == Decimal("0.02")


def test_a_currency_without_decimals_has_lines_without(samples):
    order = one(samples, "currency_without_decimals_clp")
    assert (order.currency, order.total) == ("CLP", Decimal(61273))
    assert all(amount == amount.to_integral_value() for line in order.lines for amount in (line.net, line.tax))


def test_a_combination_is_named_by_both_ids(samples):
    assert [
        (line.external_item_id, line.sku, line.quantity) for line in one(samples, "combination_line").lines[:2]
    ] == [
        ("80-40", "HARD-VAR-S", 1),
        ("80-41", "HARD-VAR-M", 2),
    ]


def test_free_shipping_is_a_discount_and_a_gift_a_line_and_a_discount(samples):
    free = one(samples, "free_shipping_rule")
    assert [line.net + line.tax for line in free.lines if line.kind != "item"] == [Decimal("4.99"), Decimal("-4.99")]
    gift = one(samples, "gift_product_rule")
    assert [line.net + line.tax for line in gift.lines if line.kind == "fee"] == [Decimal("-0.99")]
    assert len([line for line in gift.lines if line.kind == "item"]) > 1


def test_two_orders_of_one_reference_stay_two_with_a_rule_on_each(samples):
    (first, _), (second, _) = orders_of(samples, "two_orders_same_reference")
    assert first.number.split()[0] == second.number.split()[0] and first.external_id != second.external_id
    assert (first.total, second.total) == (Decimal("240.97"), Decimal("14.99"))
    for order in (first, second):
        assert [line.net + line.tax for line in order.lines if line.kind == "fee"] == [Decimal(-10)]


def test_a_guest_with_an_accounts_e_mail_is_a_guest(samples):
    order = one(samples, "guest_same_email")
    assert (order.external_customer_id, bool(order.email)) == ("", True)


def test_a_refund_is_its_slip_with_shipping(samples):
    order = one(samples, "refund_partial_api")
    assert [(each.external_id, each.amount) for each in order.refunds] == [("2", Decimal("14.98"))]
    assert (order.status, order.is_cancelled) == ("paid", False)


def test_states_are_told_by_flags_and_by_the_shops_settings(samples):
    wanted = {
        "cancelled": "cancelled",
        "state_refunded": "refunded",
        "amount_mismatch_payment_error": "error",
        "free_shipping_rule": "shipped",
        "percent_discount": "paid",
    }
    assert {name: one(samples, name).status for name in wanted} == wanted


def test_a_deleted_address_still_stands_on_its_order(samples):
    assert one(samples, "address_deleted_after").billing.city


def test_an_order_of_the_list_maps_from_its_rows_alone(samples):
    """Without details the rows' unit prices serve."""
    files = [("orders", "order_300.xml"), ("orders", "orders_full.xml"), ("addresses", "addresses_full.xml")]
    with replay((resource, samples / name) for resource, name in files) as adapter:
        rows = adapter.fetch_many(ORDER, ["300"])
        order = adapter.parse_order(rows[0].body)
        listed = [adapter.parse_order(row.body) for row in adapter.page_by_id(ORDER, "").rows]
    assert (order.total, order.currency, order.status) == (Decimal("223.25"), "USD", "unpaid")
    assert [line.net for line in order.lines] == [
        Decimal("35.55"),
        Decimal("34.66"),
        Decimal("146.04"),
        Decimal("7.00"),
    ]
    assert (order.placed_at, order.modified_at) == (
        datetime(2026, 11, 23, 4, 25, 43, tzinfo=UTC),
        datetime(2026, 11, 23, 4, 27, 21, tzinfo=UTC),
    )
    assert len(listed) > 1 and all(order.total > 0 for order in listed)


def test_products_and_combinations_map_in_the_default_language(samples):
    files = [("products", samples / "product_1_with_combinations.xml"), ("products", samples / "product_20.xml"),
             ("combinations", samples / "combinations_full.xml"),
             ("stock_availables", samples / "stock_of_product1.xml"),
             ("stock_availables", samples / "stock_availables_full.xml")]  # fmt: skip
    with replay(files) as adapter:
        shirt, plain = (adapter.parse_item(row.body) for row in adapter.fetch_many(ITEM, ["1", "20"]))
        sizes = [adapter.parse_item(row.body) for row in adapter.fetch_variations("1")]
    assert (shirt.has_variations, shirt.name, shirt.price) == (True, "Hummingbird printed t-shirt", Decimal("23.9"))
    assert (plain.has_variations, plain.external_id, plain.weight) == (False, "20", plain.weight)
    assert sizes and {size.parent_id for size in sizes} == {"1"}
    assert [size.external_id for size in sizes[:2]] == ["1-1", "1-2"]
    # All of them have the same reference: SKUs are not unique here.
    assert {size.sku for size in sizes} == {"demo_1"} and {size.price for size in sizes} == {Decimal("23.9")}


def test_customers_map_and_nothing_secret_is_kept(samples):
    with replay(
        [("customers", samples / "customers_full.xml"), ("addresses", samples / "addresses_full.xml")]
    ) as adapter:
        rows = adapter.page_by_id(CUSTOMER, "").rows
        people = [adapter.parse_customer(row.body) for row in rows]
    assert people and all(person.email and person.last_name for person in people)
    for row in rows:
        assert not [name for name in UNKEPT_FIELDS if re.search(f"<{name}[ >/]".encode(), row.body)]
        assert b"scrubbed" not in row.body
