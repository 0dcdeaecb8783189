"""What is read of a PrestaShop shop: orders, items and customers, whole and to the cent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from carts.errors import NotFound, Rejected
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, Window
from sandbox.prestashop.trade import REFERENCE, keep
from sandbox.records import Address
from tests.platforms.prestashop.conftest import rows_of, shirt

NOON = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)


def read_order(adapter, order):
    (row,) = adapter.fetch_many(ORDER, [str(order.id)])
    return adapter.parse_order(row.body)


def test_an_order_is_read_with_lines_shipping_wrapping_and_discounts(place, adapter):
    order = place.shop.place_order(
        "SKU-0001", "SHIRT-001-M", quantity=2, customer_id=2,
        shipping_lines=[("Flat rate", "flat_rate", Decimal("5.00"))],
        coupons=[("TEN", "percent", Decimal(10))], fees=[("Gift wrap", Decimal("3.33"), True)],
    )  # fmt: skip
    read = read_order(adapter, order)
    small = place.shop.product_by_sku("SHIRT-001-M")
    assert [(line.kind, line.sku, line.external_item_id, line.quantity) for line in read.lines] == [
        ("item", "SKU-0001", str(place.shop.product_by_sku("SKU-0001").id), 2),
        ("item", "SHIRT-001-M", f"{small.parent_id}-{small.id}", 2),
        ("shipping", "", "", 1),
        ("fee", "", "", 1),
        ("fee", "", "", 1),
    ]
    assert [line.description for line in read.lines[2:]] == ["Flat rate", "Gift wrapping", "TEN"]
    assert [line.net for line in read.lines[2:4]] == [Decimal("5.00"), Decimal("3.33")]
    assert read.lines[4].net == -order.discount_total
    assert read.total == order.total == sum(line.net + line.tax for line in read.lines)
    assert read.tax_total == order.total_tax == sum(line.tax for line in read.lines)
    assert (read.currency, read.status, read.is_paid, read.external_customer_id) == ("USD", "paid", True, "2")


def test_times_are_the_shops_and_come_out_in_utc(place, adapter):
    order = place.shop.place_order(placed=NOON, modified=NOON + timedelta(hours=1))
    read = read_order(adapter, order)
    assert (read.placed_at, read.modified_at) == (NOON, NOON + timedelta(hours=1))


def test_a_guest_is_no_customer_but_has_a_name_and_an_address(place, adapter):
    who = Address("Gus", "Guest", "", "1 Road", "", "Denver", "CO", "80202", "US", "gus@example.test", "1")
    read = read_order(adapter, place.shop.place_order(billing=who))
    assert (read.external_customer_id, read.email) == ("", "gus@example.test")
    assert (read.billing.name, read.billing.state, read.billing.country) == ("Gus Guest", "CO", "US")
    assert read.shipping == read.billing
    assert [adapter.parse_customer(row.body).external_id for row in rows_of(adapter.fetch(CUSTOMER, Window()))] == [
        "2", "3", "4",
    ]  # fmt: skip


def test_several_orders_of_one_checkout_stay_several(place, adapter):
    orders = [place.shop.place_order() for _ in range(2)]
    for order in orders:
        keep(order, REFERENCE, "ABCDEFGHI")
        place.shop.touch_order(order)
    read = [read_order(adapter, order) for order in orders]
    assert [order.external_id for order in read] == [str(order.id) for order in orders]
    assert [order.number for order in read] == [f"ABCDEFGHI #{order.id}" for order in orders]


@pytest.mark.parametrize(
    ("status", "told", "is_paid", "is_cancelled"),
    [
        ("pending", "unpaid", False, False),
        ("processing", "paid", True, False),
        ("completed", "shipped", True, False),
        ("cancelled", "cancelled", False, True),
        ("refunded", "refunded", False, True),
        ("failed", "error", False, True),
    ],
)
def test_a_state_is_told_by_its_flags_and_the_shops_settings(place, adapter, status, told, is_paid, is_cancelled):
    read = read_order(adapter, place.shop.place_order(status=status))
    assert (read.status, read.is_paid, read.is_cancelled) == (told, is_paid, is_cancelled)
    assert told in adapter.capabilities.order_statuses


def test_products_and_combinations_have_ids_that_cannot_collide(place, adapter):
    parent = shirt(place)
    product = adapter.parse_item(adapter.fetch_many(ITEM, [str(parent.id)])[0].body)
    sizes = [adapter.parse_item(row.body) for row in adapter.fetch_variations(str(parent.id))]
    assert (product.external_id, product.has_variations) == (str(parent.id), True)
    assert [size.external_id for size in sizes] == [f"{parent.id}-{child}" for child in parent.children]
    assert [(size.name, size.sku, size.price) for size in sizes] == [
        (f"Shirt 1 - {letter}", f"SHIRT-001-{letter}", Decimal("19.90")) for letter in "SML"
    ]
    refs = [ItemRef(size.external_id, str(parent.id)) for size in sizes] + [ItemRef(str(parent.id))]
    assert list(adapter.read_records(ITEM, refs)) == refs
    assert [row.external_id for row in adapter.fetch_many(ITEM, [refs[0].external_id])] == [refs[0].external_id]


def test_what_is_gone_is_left_out_and_a_product_that_is_gone_has_no_combinations(place, adapter):
    assert adapter.fetch_many(ORDER, ["999"]) == []
    assert adapter.fetch_many(ITEM, []) == []
    assert adapter.read_records(ITEM, [ItemRef("999"), ItemRef("999-1000", "999")]) == {}
    with pytest.raises(NotFound):
        adapter.fetch_variations("999")


def test_everything_is_met_page_by_page(place, adapter):
    for number in range(120):
        place.shop.add_product(f"MORE-{number}", f"More {number}", "1.00", stock=1)
    met, position = [], ""
    while True:
        page = adapter.page_by_id(ITEM, position)
        met += [row.external_id for row in page.rows]
        if page.is_last:
            break
        position = page.next_position
    assert met == [str(row.id) for row in place.shop.products.rows.values() if not row.parent_id]
    assert page.next_position == ""


def test_a_backlog_is_read_over_several_pages_oldest_first(place, adapter):
    orders = [place.shop.place_order(placed=NOON + timedelta(minutes=n)) for n in range(105)]
    rows = rows_of(adapter.fetch(ORDER, Window(since=NOON)))
    assert [row.external_id for row in rows] == [str(order.id) for order in orders]
    assert [row.modified_at for row in rows] == sorted(row.modified_at for row in rows)
    assert rows_of(adapter.fetch(ORDER, Window(since=NOON + timedelta(minutes=104))))[0].external_id == str(
        orders[-1].id
    )


def test_the_list_tab_shows_the_newest_first_and_filters(place, adapter):
    orders = [place.shop.place_order(placed=NOON + timedelta(days=n), status=s)
              for n, s in enumerate(("processing", "cancelled", "processing"))]  # fmt: skip
    ids = [str(order.id) for order in orders]

    def shown(**asked) -> list[str]:
        return [row.external_id for row in adapter.listing(ORDER, Listing(**asked)).rows]

    assert shown() == ids[::-1]
    assert shown(status="paid,shipped") == [ids[2], ids[0]]
    assert shown(placed_from=NOON + timedelta(days=1), placed_before=NOON + timedelta(days=2)) == [ids[1]]
    first = adapter.listing(ORDER, Listing(per_page=2))
    assert (first.is_last, first.next_position) == (False, "2")
    second = adapter.listing(ORDER, Listing(per_page=2, position="2"))
    assert ([row.external_id for row in second.rows], second.is_last, second.next_position) == ([ids[0]], True, "")


def test_a_record_nobody_can_read_blocks_no_other(place, adapter):
    """Reading keeps it, mapping refuses it, with a sentence."""
    for body in (
        b"<record/>",
        b"no xml",
        b'<record timezone="UTC"><order><id>1</id></order></record>',
        b"<!DOCTYPE a>",
    ):
        for parse in (adapter.parse_order, adapter.parse_item, adapter.parse_customer):
            with pytest.raises(Rejected):
                parse(body)
