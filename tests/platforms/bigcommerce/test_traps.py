"""Each trap of BigCommerce as a test named after it (docs/platforms/bigcommerce.md)."""

import contextlib
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
import yaml

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected
from carts.platforms.base import Allowance
from carts.platforms.bigcommerce import PER_PAGE
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.bigcommerce.hooks import signed as sign
from sandbox.bigcommerce.hooks import told
from sandbox.testing import practice_shop
from sandbox.trading import LineDraft, OrderDraft
from tests.platforms.around import around
from tests.platforms.bigcommerce.conftest import NOON, adapter_of


def orders_of(adapter, since=None):
    return [adapter.parse_order(row.body) for page in adapter.fetch(ORDER, Window(since)) for row in page.rows]


def ids_of(adapter, kind, since=None):
    return [row.external_id for page in adapter.fetch(kind, Window(since)) for row in page.rows]


def sums(order):
    return sum((line.net + line.tax for line in order.lines), Decimal(0)), sum(line.tax for line in order.lines)


def peculiar(**values):
    return [{"key": "bigcommerce", "value": values}]


# Lists -------------------------------------------------------------------------------------------


def test_an_empty_list_of_v2_is_204_without_a_body(place, adapter):
    assert orders_of(adapter) == []
    assert place.requests[-1].status == 204
    assert adapter.listing(ORDER, Listing()).rows == ()


def test_an_order_of_51_lines_is_complete(place, adapter):
    """Lines come fifty at a time, alone and within the order, and nothing says that there are more."""
    draft = OrderDraft([LineDraft(sku="SKU-0001") for _ in range(51)])
    place.shop.take_order(draft)
    place.shop.place_order()
    found = orders_of(adapter)
    assert [len(order.lines) for order in found] == [51, 1]
    asked = [request.query for request in place.requests if request.path.endswith("/products")]
    assert [query["page"] for query in asked] == ["1", "2"]
    assert sums(found[0])[0] == found[0].total


def test_lines_that_came_with_their_order_are_not_asked_for_again(place, adapter):
    for _ in range(30):
        place.shop.place_order()
    assert len(orders_of(adapter)) == 30
    assert [request.path.rpartition("/")[2] for request in place.requests] == ["orders", "refunds"]


@pytest.mark.parametrize("kind", [ORDER, ITEM, CUSTOMER])
def test_rows_that_move_between_two_pages_are_not_lost(kind, monkeypatch):
    """Pages by number would skip what stands behind an edited row; each page is asked for by time instead."""
    with practice_shop(platform="bigcommerce", products=3, customers=0) as place:
        place.shop.clock.set(NOON)
        make = {
            ORDER: lambda _: place.shop.place_order(),
            ITEM: lambda n: place.shop.add_product(f"P-{n}", f"Thing {n}", "5.00"),
            CUSTOMER: lambda n: place.shop.add_customer(f"c{n}@example.test", "C", str(n)),
        }[kind]
        monkeypatch.setitem(PER_PAGE, kind, 20)
        for number in range(90):
            place.shop.clock.advance(1)
            make(number)
        place.shop.clock.advance(60)
        place.faults.add("rows_move", times=3, count=7, match="modified" if kind != ORDER else r"/orders\?")
        adapter = adapter_of(place)
        table = {ORDER: place.shop.orders, ITEM: place.shop.products, CUSTOMER: place.shop.customers}[kind]
        wanted = set(table.rows)
        assert {int(each.partition("-")[0]) for each in ids_of(adapter, kind)} == wanted


@pytest.mark.parametrize("kind", [ORDER, ITEM])
def test_more_rows_of_one_second_than_a_page_holds_are_read_by_id(kind, monkeypatch):
    with practice_shop(platform="bigcommerce", products=3, customers=0) as place:
        place.shop.clock.set(NOON)
        monkeypatch.setitem(PER_PAGE, kind, 20)
        before = place.shop.place_order() if kind == ORDER else place.shop.add_product("P", "Before", "1.00")
        place.shop.clock.advance(1)
        if kind == ORDER:
            many = place.shop.place_in_same_second(70)
        else:
            many = [place.shop.add_product(f"P-{n}", f"Thing {n}", "5.00") for n in range(70)]
        place.shop.clock.advance(1)
        after = place.shop.place_order() if kind == ORDER else place.shop.add_product("PA", "After", "1.00")
        found = [int(each.partition("-")[0]) for each in ids_of(adapter_of(place), kind, NOON)]
        assert set(found) == {before.id, after.id, *(each.id for each in many)}
        assert len(place.requests) < 20


def test_customers_of_one_second_are_read_page_by_page(monkeypatch):
    with practice_shop(platform="bigcommerce", products=1, customers=0) as place:
        place.shop.clock.set(NOON)
        monkeypatch.setitem(PER_PAGE, CUSTOMER, 20)
        many = {str(place.shop.add_customer(f"c{n}@example.test", "C", str(n)).id) for n in range(50)}
        assert set(ids_of(adapter_of(place), CUSTOMER, NOON)) == many


def test_a_start_holds_its_own_second_whatever_the_filter_does(place, adapter):
    order = place.shop.place_order()
    assert ids_of(adapter, ORDER, NOON) == [str(order.id)]
    assert ids_of(adapter, ORDER, NOON + timedelta(seconds=2)) == []


def test_a_date_alone_would_lose_a_part_of_the_day(place, adapter):
    """Of a date without a time products make that day at the hour of the request."""
    place.shop.clock.set(NOON - timedelta(hours=3))
    product = place.shop.add_product("EARLY", "Early bird", "1.00")
    place.shop.clock.set(NOON)
    by_date = {"date_modified:min": "2026-11-23", "limit": 250}
    listed = adapter._rows("v3/catalog/products", by_date)
    assert product.id not in [row["id"] for row in listed]
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    assert f"{product.id}-{product.id + 5}" in ids_of(adapter, ITEM, midnight)


def test_a_limit_too_large_is_413(place, adapter):
    with pytest.raises(Rejected):
        adapter._rows("v3/catalog/products", {"limit": 251})


# Orders ------------------------------------------------------------------------------------------


def test_refunds_are_told_by_v3_only(place, adapter):
    order = place.shop.place_order()
    place.shop.refund_order(order.id, Decimal("1.50"), "Late")
    (found,) = orders_of(adapter)
    assert [(refund.amount, refund.reason) for refund in found.refunds] == [(Decimal("1.5"), "Late")]
    assert (found.status, found.is_paid, found.is_cancelled) == ("partially-refunded", True, False)
    whole = place.shop.place_order()
    place.shop.refund_order(whole.id)
    assert [(order.status, order.is_cancelled) for order in orders_of(adapter)][-1] == ("refunded", True)


def test_a_refund_changes_the_orders_text(place, adapter):
    order = place.shop.place_order()
    before = adapter.fetch_many(ORDER, [str(order.id)])[0].digest
    place.shop.refund_order(order.id, Decimal("1.00"))
    assert adapter.fetch_many(ORDER, [str(order.id)])[0].digest != before


def test_an_incomplete_order_is_no_order_yet(place, adapter):
    """Somebody went as far as the payment page. It is in the lists, under a status nobody can choose."""
    place.shop.place_order(status="incomplete")
    (order,) = orders_of(adapter)
    assert (order.status, order.is_paid) == ("incomplete", False)
    assert "incomplete" not in adapter.capabilities.order_statuses


def test_an_archived_order_is_left_out_by_its_status(place, adapter):
    order = place.shop.place_order()
    place.shop.trash_order(order.id)
    (found,) = orders_of(adapter)
    assert (found.status, found.is_paid, found.is_cancelled) == ("archived", False, False)
    assert "archived" not in adapter.capabilities.order_statuses


def test_default_currency_code_is_what_the_buyer_pays_in(place, adapter):
    place.shop.place_order(currency="EUR", meta=peculiar(exchange_rate="0.9000000000", display_currency="GBP"))
    (order,) = orders_of(adapter)
    assert order.currency == "EUR"
    assert order.exchange == {
        "store_currency": "USD",
        "store_to_transactional_rate": "0.9000000000",
        "display_currency": "GBP",
        "display_rate": "1.0000000000",
    }


def test_prices_that_hold_the_tax_are_exact_with_it(place, adapter):
    """The other side is an estimate: here it is off by 0.0033."""
    place.shop.place_order("SKU-0001", quantity=3, meta=peculiar(is_tax_inclusive=True))
    place.shop.place_order("SKU-0001", quantity=3)
    inclusive, exclusive = orders_of(adapter)
    assert sums(inclusive) == (inclusive.total, inclusive.tax_total)
    assert [line.net for line in inclusive.lines] == [line.net for line in exclusive.lines]


@pytest.mark.parametrize("in_total", [False, True])
def test_store_credit_and_gift_certificates_are_lines(place, adapter, in_total):
    """Whether they are off the total already is not documented: what adds up tells."""
    extra = peculiar(store_credit_amount="2.00", gift_certificate_amount="3.00", credit_in_total=in_total)
    order = place.shop.place_order("SKU-0001", meta=extra)
    (found,) = orders_of(adapter)
    assert found.total == order.total - 5
    assert sums(found)[0] == found.total
    assert [(line.description, line.net) for line in found.lines[-2:]] == [
        ("Store credit", Decimal("-2")),
        ("Gift certificate", Decimal("-3")),
    ]


def test_handling_wrapping_shipping_and_fees_are_lines_of_their_own(place, adapter):
    place.shop.place_order(
        "SKU-0001",
        shipping_lines=[("Courier", "flat_rate", Decimal("5.00"))],
        fees=[("Package protection", Decimal("3.33"), True)],
        meta=peculiar(handling="1.50", wrapping="0.75"),
    )
    (order,) = orders_of(adapter)
    assert [(line.kind, line.description, line.net) for line in order.lines[1:]] == [
        ("shipping", "Courier", Decimal("5")),
        ("fee", "Handling", Decimal("1.5")),
        ("fee", "Gift wrapping", Decimal("0.75")),
        ("fee", "Package protection", Decimal("3.33")),
    ]
    assert sums(order) == (order.total, order.tax_total)


def test_coupons_and_manual_discounts_come_off_their_lines(place, adapter):
    place.shop.place_order("SKU-0001", "SKU-0002", coupons=[("ten", "percent", Decimal(10))])
    place.shop.place_order("SKU-0001", meta=peculiar(manual_discount="1.00"))
    coupon, manual = orders_of(adapter)
    assert sums(coupon) == (coupon.total, coupon.tax_total)
    assert sum(line.discount for line in coupon.lines) == coupon.discount_total > 0
    assert sums(manual) == (manual.total, manual.tax_total)
    assert [line.discount for line in manual.lines] == [Decimal("1")]


def test_a_discount_that_no_line_holds_is_a_line(place, adapter):
    place.shop.place_order("SKU-0001", meta=peculiar(discount="2.00"))
    (order,) = orders_of(adapter)
    assert [(line.description, line.net) for line in order.lines[1:]] == [("Discount", Decimal("-2"))]
    assert sums(order)[0] == order.total


def test_a_guest_is_no_customer(place, adapter):
    place.shop.place_order(email="guest@example.test")
    (order,) = orders_of(adapter)
    assert (order.external_customer_id, order.email) == ("", "guest@example.test")


def test_a_line_names_the_items_record_though_ids_meet(place, adapter):
    """Variant ids run beside product ids; a line names both, and so does a record."""
    shirt = place.shop.product_by_sku("SHIRT-001-S")
    place.shop.place_order("SKU-0001", "SHIRT-001-S")
    (order,) = orders_of(adapter)
    group = str(shirt.parent_id)
    items = {
        adapter.parse_item(row.body).sku: row.external_id for page in adapter.fetch(ITEM, Window()) for row in page.rows
    }
    items |= {adapter.parse_item(row.body).sku: row.external_id for row in adapter.fetch_variations(group)}
    assert {line.sku: line.external_item_id for line in order.lines} == {
        sku: items[sku] for sku in ("SKU-0001", "SHIRT-001-S")
    }
    assert len(set(items.values())) == len(items)


def test_what_opens_baskets_or_tells_of_buyers_is_not_kept(place, adapter):
    order = place.shop.place_order()
    text = adapter.clean(adapter.fetch_many(ORDER, [str(order.id)])[0].body)
    customer = adapter.clean(adapter.fetch_many(CUSTOMER, ["2"])[0].body)
    for word in ("203.0.113.9", f"cart-{order.id}", "ip_address", "geoip"):
        assert word not in text + customer
    assert adapter.parse_order(text).number == str(order.id)


# Items and customers -------------------------------------------------------------------------------


def test_a_variant_says_only_what_differs_from_its_product(place, adapter):
    product = place.shop.add_product("CAP", "Cap", "9.00", kind="variable")
    product.extra["weight"] = 0.25
    place.shop.add_product("CAP-S", "S", "", parent=product, option="S", stock=4)
    (row,) = adapter.fetch_variations(str(product.id))
    item = adapter.parse_item(row.body)
    assert (item.name, item.price, item.weight, item.parent_id) == (
        "Cap - S", Decimal(9), Decimal("0.25"), str(product.id),
    )  # fmt: skip


def test_a_change_of_a_variant_is_found_when_all_are_read(place, adapter):
    """Variants have no filter by time, and here do not move their product's."""
    shirt = place.shop.product_by_sku("SHIRT-001-S")
    ref = ItemRef(f"{shirt.parent_id}-{shirt.id + 5}", str(shirt.parent_id))
    place.shop.clock.advance(600)
    adapter.push_records(ITEM, [RecordChange(ref, {"price": "7.77"})])
    assert ids_of(adapter, ITEM, NOON + timedelta(seconds=300)) == []
    page = adapter.page_by_id(ITEM, "")
    groups = [row.external_id for row in page.rows if adapter.parse_item(row.body).has_variations]
    prices = [adapter.parse_item(row.body).price for each in groups for row in adapter.fetch_variations(each)]
    assert Decimal("7.77") in prices


def test_all_items_are_read_by_id_and_go_on_behind_the_last(place, adapter, monkeypatch):
    monkeypatch.setitem(PER_PAGE, ITEM, 7)
    found, position = [], ""
    while True:
        page = adapter.page_by_id(ITEM, position)
        found += [row.external_id for row in page.rows]
        position = page.next_position
        if page.is_last:
            break
    assert len(found) == len(set(found)) == 18  # 17 simple products and one of three sizes


def test_207_is_read_row_by_row(place, adapter):
    refs = [ItemRef("11-16"), ItemRef("12-17")]
    good, bad = adapter.push_records(
        ITEM, [RecordChange(refs[0], {"barcode": "4006381333931"}), RecordChange(refs[1], {"barcode": "no barcode"})]
    )
    assert place.requests[-1].status == 207
    assert good.error is None and isinstance(bad.error, Rejected)
    assert "upc" in bad.error.sentence
    assert place.shop.products.rows[11].extra["upc"] == "4006381333931"


def test_409_refuses_the_batch_and_is_explained_for_its_row(place, adapter):
    name = place.shop.products.rows[13].name
    changes = [RecordChange(ItemRef(f"{n}-{n + 5}"), {"name": f"Other {n}"}) for n in range(14, 19)]
    changes[2] = RecordChange(changes[2].ref, {"name": name.upper()})
    results = adapter.push_records(ITEM, changes)
    assert [result.error is None for result in results] == [True, True, False, True, True]
    assert "another record with this name, SKU or e-mail" in results[2].error.sentence


def test_a_sku_is_taken_upper_and_lower_case_alike(place, adapter):
    with pytest.raises(Rejected, match="name, SKU"):
        adapter.create_record(ITEM, "shirt-001-s", {"name": "Another", "price": "1"})
    assert [row.external_id for row in adapter.find(ITEM, "sku-0001")] == ["11-16"]


def test_batches_are_of_ten_fifty_and_ten(place, adapter):
    products = [RecordChange(ItemRef(f"{n}-{n + 5}"), {"weight": "2"}) for n in range(11, 23)]
    adapter.push_records(ITEM, products)
    for number in range(12):
        place.shop.add_customer(f"c{number}@example.test", "C", "D")
    ids = [row.id for row in place.shop.customers.rows.values() if row.role == "customer"][-12:]
    adapter.push_records(CUSTOMER, [RecordChange(ItemRef(str(each)), {"phone": "5"}) for each in ids])
    sent = [(r.path.rpartition("/")[2], len(r.json())) for r in place.requests if r.method == "PUT"]
    assert sent == [("products", 10), ("products", 2), ("customers", 10), ("customers", 2)]


def test_addresses_are_records_of_their_own_and_move_no_customers_time(place, adapter):
    ref = ItemRef("2")
    address = '{"address_1": "9 New Road", "city": "Leeds", "country": "GB", "first_name": "A", "last_name": "B"}'
    (result,) = adapter.push_records(CUSTOMER, [RecordChange(ref, {"billing": address})])
    assert result.error is None
    assert ids_of(adapter, CUSTOMER, NOON - timedelta(days=1)) == []
    customer = adapter.parse_customer(adapter.read_records(CUSTOMER, [ref])[ref].body)
    assert (customer.billing.address_1, customer.shipping.address_1) == ("9 New Road", "1 Example St")
    assert [row.external_id for row in adapter.page_by_id(CUSTOMER, "").rows] == ["1", "2", "3", "4"]


def test_a_customer_needs_a_first_and_a_last_name(place, adapter):
    with pytest.raises(Rejected, match="first and a last name"):
        adapter.create_record(CUSTOMER, "one@example.test", {"name": "Engines"})
    assert [request for request in place.requests if request.method == "POST"] == []


def test_a_new_address_without_a_name_goes_by_the_customers_and_one_without_a_street_is_refused(place, adapter):
    nameless = '{"address_1": "9 New Road", "city": "Leeds", "country": "GB"}'
    made = adapter.create_record(CUSTOMER, "n@example.test", {"name": "Ada Byron", "billing": nameless})
    assert adapter.parse_customer(made.body).billing.name == "Ada Byron"
    with pytest.raises(Rejected, match="no address without street, city"):
        adapter.create_record(CUSTOMER, "m@example.test", {"name": "Ada Byron", "billing": '{"country": "GB"}'})
    assert place.shop.customer_by_email("m@example.test") is None


# Stock -------------------------------------------------------------------------------------------


def test_an_adjustment_is_done_a_moment_after_it_is_answered():
    with practice_shop(platform="bigcommerce", settle_seconds=3) as place:
        place.shop.clock.set(NOON)
        adapter = adapter_of(place)
        ref = ItemRef("11-16")
        before = adapter.read_stock([ref])[ref]
        (result,) = adapter.push_stock([StockLevel("11-16", "", before + 7)])
        assert result.error is None
        assert adapter.read_stock([ref]) == {ref: before}
        place.shop.clock.advance(3)
        assert adapter.read_stock([ref]) == {ref: before + 7}
        assert adapter.capabilities.stock_settles_seconds > 0


def test_stock_goes_to_our_location_only():
    with practice_shop(platform="bigcommerce", settle_seconds=0, locations=("Shop", "Warehouse")) as place:
        shop, warehouse = adapter_of(place), adapter_of(place, location="2")
        ref = ItemRef("11-16")
        before = shop.read_stock([ref])[ref]
        warehouse.push_stock([StockLevel("11-16", "", Decimal(9))])
        assert (shop.read_stock([ref])[ref], warehouse.read_stock([ref])[ref]) == (before, 9)
        assert [(each.external_id, each.name) for each in shop.check().locations] == [("1", "Shop"), ("2", "Warehouse")]
        with pytest.raises(ConfigError, match="Stock location"):
            adapter_of(place, location="").push_stock([StockLevel("11-16", "", Decimal(9))])


def test_one_row_that_is_refused_refuses_no_other(place, adapter):
    """The shop refuses all rows of an adjustment for one that is wrong."""
    refs = [ItemRef(f"{n}-{n + 5}") for n in range(11, 18)]
    place.shop.products.rows[13].manages_stock = False
    results = adapter.push_stock([StockLevel(ref.external_id, "", Decimal(5)) for ref in refs])
    assert [result.error is None for result in results] == [True, True, False, True, True, True, True]
    assert set(adapter.read_stock(refs).values()) == {Decimal(5), None}


def test_an_untracked_product_shows_no_stock(place, adapter):
    place.shop.products.rows[11].manages_stock = False
    assert adapter.read_stock([ItemRef("11-16"), ItemRef("9999-1")]) == {ItemRef("11-16"): None}
    assert adapter.parse_item(adapter.fetch_many(ITEM, ["11-16"])[0].body).stock is None


def test_stock_kept_for_the_whole_product_is_no_variants(place, adapter):
    product = place.shop.add_product("CAP", "Cap", "9.00", kind="variable", stock=5)
    small = place.shop.add_product("CAP-S", "S", "", parent=product, option="S")
    ref = ItemRef(f"{product.id}-{small.id + 5}", str(product.id))
    assert adapter.read_stock([ref]) == {ref: None}
    (result,) = adapter.push_stock([StockLevel(ref.external_id, ref.parent_id, Decimal(5))])
    assert "keeps it for the whole product" in result.error.sentence


def test_the_safety_stock_is_a_part_of_what_was_set(place, adapter):
    place.shop.products.rows[11].extra["safety_stock"] = 2
    ref = ItemRef("11-16")
    adapter.push_stock([StockLevel("11-16", "", Decimal(12))])
    assert adapter.read_stock([ref]) == {ref: Decimal(12)}


def test_a_batch_of_stock_holds_two_thousand_rows(adapter):
    refs = [ItemRef(f"{n}-{n}") for n in range(4500)]
    assert [len(batch) for batch in adapter.stock_batches(refs)] == [2000, 2000, 500]


# Limits and keys -----------------------------------------------------------------------------------


class Ledger:
    """A budget that writes down what it is told."""

    def __init__(self):
        self.spent, self.learned, self.refusals = 0, [], []

    def spend(self, cost):
        self.spent += cost

    def learn(self, allowance, *, spent, cost):
        self.learned.append(allowance)

    def refused(self, wait_seconds):
        self.refusals.append(wait_seconds)


def test_the_windows_headers_are_learned_and_its_end_is_waited_for():
    with practice_shop(platform="bigcommerce", quota=2, window_seconds=30) as place:
        place.shop.clock.set(NOON)
        budget = Ledger()
        adapter = adapter_of(place, budget=budget)
        adapter.fetch_many(CUSTOMER, ["2"])
        place.shop.clock.advance(10)
        adapter.fetch_many(CUSTOMER, ["2"])
        with pytest.raises(RateLimited) as caught:
            adapter.fetch_many(CUSTOMER, ["2"])
        assert budget.learned == [
            Allowance(limit=2, left=1, reset_seconds=30),
            Allowance(limit=2, left=0, reset_seconds=20),
        ]
        assert (caught.value.wait_seconds, budget.refusals, budget.spent) == (20, [20], 3)
        place.shop.clock.advance(20)
        assert len(adapter.fetch_many(CUSTOMER, ["2"])) == 1


def test_a_429_without_headers_means_a_loaded_platform(place):
    budget = Ledger()
    place.faults.add("429")
    adapter = adapter_of(place, budget=budget)
    with pytest.raises(RateLimited) as caught:
        adapter.fetch_many(CUSTOMER, ["2"])
    assert (caught.value.wait_seconds, budget.refusals, budget.learned) == (None, [None], [])
    assert len(adapter.fetch_many(CUSTOMER, ["2"])) == 1


def test_a_missing_scope_is_named_with_what_stops_working():
    scopes = {"orders": "modify", "products": "read_only", "information": "read_only", "locations": "modify"}
    with practice_shop(platform="bigcommerce", scopes=scopes) as place:
        adapter = adapter_of(place)
        info = adapter.check()
        assert info.can_write is False
        assert info.permissions == (
            "Nothing can be sent without the scope Products and Customers and Store inventory (modify)"
        )
        assert info.warnings[:2] == (
            "The token lacks the scope Customers: customers cannot be read or written.",
            "The token lacks the scope Store inventory: stock cannot be read or sent.",
        )
        with pytest.raises(AuthError, match="lacks the scope Customers"):
            adapter.fetch_many(CUSTOMER, ["2"])


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_however_the_shop_takes_a_batch_of_nothing_its_token_may_write(place, adapter, status):
    def answer(request, response):
        if request.method == "PUT":
            response.status = status

    with around(place, after=answer):
        assert adapter.check().can_write is True


def test_a_token_the_shop_does_not_know_is_refused(place):
    adapter = adapter_of(place, credentials={"access_token": "wrong-token-1"})
    for act in (adapter.check, lambda: adapter.fetch_many(ORDER, ["1"])):
        with pytest.raises(AuthError) as caught:
            act()
        assert "wrong-token-1" not in caught.value.sentence + caught.value.detail


def test_a_store_hash_the_platform_does_not_know_is_told(place):
    with pytest.raises(ConfigError, match="store hash"):
        adapter_of(place, url=place.address.replace("practice", "nobody")).check()
    with pytest.raises(ConfigError, match="not the API path"):
        adapter_of(place, url="https://shop.example.test").check()


def test_the_token_travels_in_its_header_and_nowhere_else(place, adapter):
    seen = []
    with around(place, before=lambda request: seen.append(request)):
        adapter.check()
        list(adapter.fetch(ORDER, Window()))
    assert {request.headers["X-Auth-Token"] for request in seen} == {place.platform.token}
    assert [request for request in seen if place.platform.token in request.target + request.body.decode()] == []


def test_one_unreadable_row_blocks_no_other(place, adapter):
    good = place.shop.place_order()
    bad = place.shop.place_order()

    def spoil(request, response):
        if request.path.endswith("/orders"):
            rows = msgspec.json.decode(response.body)
            response.body = msgspec.json.encode([{"total": 1} if row["id"] == bad.id else row for row in rows])

    with around(place, after=spoil):
        found = ids_of(adapter, ORDER)
    assert found[0] == str(good.id) and found[1].startswith("unreadable-")


BODIES = [
    b"{}", b"[]", b"[1]", b"[null]", b'{"data": null}', b'{"data": [1]}', b'{"data": [{}]}', b'{"data": {"id": "x"}}',
    b'{"data": [{"id": 11, "product_id": 99, "identity": 5, "available_to_sell": "x"}], "meta": {"pagination": 5}}',
    b'[{"id": 7, "consignments": {"shipping": [5], "email": 6}, "items_total": "x"}]',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_what_bigcommerce_never_sends_ends_in_a_cart_error(place, adapter, body):
    """Whatever is asked for; what can be read of it may be taken."""
    ref = ItemRef("11-16")
    asked = [
        adapter.check,
        lambda: adapter.fetch_many(ORDER, ["7"]),
        lambda: adapter.fetch_many(ITEM, ["11-16"]),
        lambda: adapter.fetch_many(CUSTOMER, ["2"]),
        lambda: adapter.fetch_variations("11"),
        lambda: adapter.read_stock([ref]),
        lambda: adapter.push_stock([StockLevel("11-16", "", Decimal(1))]),
        lambda: adapter.push_records(ITEM, [RecordChange(ref, {"name": "X"})]),
        lambda: adapter.push_records(CUSTOMER, [RecordChange(ItemRef("2"), {"billing": "", "phone": "5"})]),
        lambda: adapter.create_record(ITEM, "N", {"name": "X"}),
        lambda: adapter.keep_webhooks("https://example.test/x"),
        *[lambda kind=kind: list(adapter.fetch(kind, Window())) for kind in (ORDER, ITEM, CUSTOMER)],
        *[lambda kind=kind: adapter.listing(kind, Listing()) for kind in (ORDER, ITEM, CUSTOMER)],
        *[lambda kind=kind: adapter.find(kind, "SKU-0001") for kind in (ITEM, CUSTOMER)],
        *[lambda kind=kind: adapter.page_by_id(kind, "") for kind in (ITEM, CUSTOMER)],
    ]

    def swap(request, response):
        response.body, response.status = body, 200

    with around(place, after=swap):
        for ask in asked:
            with contextlib.suppress(CartError):
                ask()


def test_a_product_that_went_meanwhile_is_not_found(place, adapter):
    with pytest.raises(NotFound):
        adapter.fetch_variations("9999")
    assert adapter.fetch_many(ITEM, ["9999-1", "nonsense"]) == []


# Webhooks ----------------------------------------------------------------------------------------


def signed(place, scope, record_id, *, secret=None):
    body = told(place.platform, scope, record_id)
    return sign(secret or place.platform.client_secret, "msg_1", "1795000000", body), body


def test_a_webhook_is_believed_by_its_signature_alone(place, adapter):
    headers, body = signed(place, "store/order/updated", 17)
    (hint,) = adapter.read_webhook(headers, body)
    assert (hint.kind, hint.external_id) == (ORDER, "17")
    assert len(hint.delivery_id) == 40
    for spoilt in (
        ({**headers, "webhook-signature": "v1,AAAA"}, body),
        ({**headers, "webhook-timestamp": "1795000001"}, body),
        (headers, body + b" "),
        ({}, body),
    ):
        with pytest.raises(Rejected):
            adapter.read_webhook(*spoilt)


def test_a_webhook_of_a_variant_names_its_product(place, adapter):
    shirt = place.shop.product_by_sku("SHIRT-001-S")
    headers, body = signed(place, "store/sku/updated", shirt.id)
    (hint,) = adapter.read_webhook(headers, body)
    assert (hint.kind, hint.external_id) == (ITEM, str(shirt.parent_id))
    assert [row.external_id for row in adapter.fetch_many(ITEM, [hint.external_id])] == [hint.external_id]


def test_a_webhook_of_an_address_names_its_customer(place, adapter):
    headers, body = signed(place, "store/customer/address/updated", 3)
    assert b'"id":31' in body
    assert [(hint.kind, hint.external_id) for hint in adapter.read_webhook(headers, body)] == [(CUSTOMER, "3")]


def test_every_message_of_the_documentation_is_read(shared, place, adapter):
    """Its examples stand in the texts of the events, one for each topic but those that share one."""
    contract = shared / "contracts" / "bigcommerce" / "webhooks.v3.yml"
    events = yaml.load(contract.read_text(), yaml.CSafeLoader)["components"]["schemas"].values()
    texts = [
        match[1]
        for event in events
        if (match := re.search(r"```json[^\n]*\n(.*?)```", str(event.get("description")), re.S))
    ]
    found = {}
    for text in texts:
        body = text.encode()
        scope = json.loads(text)["scope"]
        headers = sign(place.platform.client_secret, "msg_1", "1795000000", body)
        found |= {scope: [(hint.kind, hint.external_id) for hint in adapter.read_webhook(headers, body)]}
    topics = set(adapter.capabilities.webhook_topics)
    assert {scope for scope, hints in found.items() if hints} >= topics - {"store/sku/created"}
    assert found["store/cart/created"] == []
    assert found["store/sku/updated"] == [(ITEM, "206")]
    assert found["store/order/refund/created"] == [(ORDER, "250")]
    assert found["store/customer/address/updated"] == [(CUSTOMER, "32")]


def test_a_webhook_of_a_simple_product_leads_to_its_record(place, adapter):
    assert [row.external_id for row in adapter.fetch_many(ITEM, ["11"])] == ["11-16"]


def test_webhooks_are_subscribed_once_and_mended(place, adapter):
    address = "https://example.test/hooks/1"
    topics = adapter.capabilities.webhook_topics
    assert adapter.keep_webhooks(address) == topics
    assert adapter.keep_webhooks(address) == ()
    hooks = place.shop.fact("hooks")
    hooks[3]["is_active"] = False
    place.shop.set_fact("hooks", hooks)
    assert adapter.keep_webhooks(address) == (topics[3],)
    assert adapter.keep_webhooks("https://example.test/hooks/2") == topics
    assert {hook["destination"] for hook in place.shop.fact("hooks")} == {"https://example.test/hooks/2"}
    adapter.drop_webhooks("https://example.test/hooks/2")
    assert place.shop.fact("hooks") == []


def test_without_a_client_secret_our_own_header_is_what_counts(place):
    adapter = adapter_of(place, credentials={"access_token": place.platform.token})
    adapter.keep_webhooks("https://example.test/hooks")
    sent = {name.lower(): text for name, text in place.shop.fact("hooks")[0]["headers"].items()}
    _, body = signed(place, "store/customer/updated", 2)
    assert [hint.kind for hint in adapter.read_webhook(sent, body)] == [CUSTOMER]
    assert place.platform.token not in str(sent)
    for headers in ({}, {"x-cartsync-key": "wrong"}):
        with pytest.raises(Rejected):
            adapter.read_webhook(headers, body)
