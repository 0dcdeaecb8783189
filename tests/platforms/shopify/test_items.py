"""Items and customers: what is found, what is written, and what a 200 does not mean."""

import json
from datetime import timedelta
from decimal import Decimal

from carts.errors import NotFound, Rejected
from carts.records import CUSTOMER, ITEM, ItemRef, Listing, RecordChange, Window
from tests.platforms.around import around
from tests.platforms.shopify.conftest import NOON
from tests.platforms.shopify.test_orders import asked

YESTERDAY = NOON - timedelta(days=1)


def found(adapter, kind=ITEM, since=YESTERDAY) -> list[str]:
    return [row.external_id for page in adapter.fetch(kind, Window(since=since)) for row in page.rows]


def quieten(place) -> None:
    """Nothing has changed for long."""
    for table in (place.shop.products, place.shop.customers):
        for row in table.rows.values():
            row.created = row.modified = NOON - timedelta(days=30)
            table.put(row)


def shirt(place, sizes=("S", "M")):
    product = place.shop.add_product("", "Shirt", kind="variable")
    made = [place.shop.add_product(f"SHIRT-{x}", x, "9.00", parent=product, option=x, stock=3) for x in sizes]
    return product, made


# Items ------------------------------------------------------------------------------------------------


def test_variants_cannot_be_sorted_by_time_so_they_are_read_by_id_to_the_end(place, adapter):
    quieten(place)
    _, sizes = shirt(place, [f"Size {number:03d}" for number in range(230)])
    pages = list(adapter.fetch(ITEM, Window(since=YESTERDAY)))
    assert [row.external_id for page in pages for row in page.rows] == [str(each.id) for each in sizes]
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [each["first"] for each in asked(place, "ProductVariantById")][:3] == [100] * 3


def test_a_product_that_was_renamed_is_found_through_its_product(place, adapter):
    product, sizes = shirt(place)
    quieten(place)
    product.name, product.modified = "Blouse", NOON
    place.shop.save(place.shop.products, product)
    rows = [row for page in adapter.fetch(ITEM, Window(since=YESTERDAY)) for row in page.rows]
    assert [adapter.parse_item(row.body).name for row in rows] == ["Blouse - S", "Blouse - M"]
    assert [row.modified_at for row in rows] == [NOON, NOON]
    assert [row.external_id for row in rows] == [str(each.id) for each in sizes]


def test_a_renamed_product_of_more_variants_than_its_list_shows_is_read_to_the_end(place, adapter):
    product, sizes = shirt(place, [f"Size {number:03d}" for number in range(130)])
    quieten(place)
    product.modified = NOON
    place.shop.save(place.shop.products, product)
    ids = found(adapter)
    assert sorted(ids) == sorted(str(each.id) for each in sizes)


def test_a_stock_item_that_changed_leads_to_its_variant(place, adapter):
    """SKU and tracking are of the stock item, and nothing says that its variant's time moves with it."""
    quieten(place)

    def only_the_stock_item(request, response):
        asked = json.loads(request.body)["query"]
        if "ChangedInventoryItems" in asked:
            data = json.loads(response.body)
            variants = {"nodes": [{"id": "gid://shopify/ProductVariant/13"}]}
            data["data"]["inventoryItems"]["nodes"] = [{"id": "gid://shopify/InventoryItem/13", "variants": variants}]
            response.body = json.dumps(data).encode()

    adapter.check()
    with around(place, after=only_the_stock_item):
        assert found(adapter) == ["13"]


def test_each_variant_is_a_row_that_names_its_product(place, adapter):
    product, (small, _) = shirt(place)
    (row,) = adapter.fetch_many(ITEM, [str(small.id)])
    item = adapter.parse_item(row.body)
    assert (item.external_id, item.parent_id, item.sku) == (str(small.id), str(product.id), "SHIRT-S")
    assert (item.name, item.price, item.stock, item.has_variations) == ("Shirt - S", Decimal("9.00"), 3, False)
    single = adapter.parse_item(adapter.fetch_many(ITEM, ["11"])[0].body)
    assert (single.parent_id, single.name) == ("", "Oak Bowl")
    assert [row.external_id for row in adapter.fetch_variations(str(product.id))] == [
        str(each) for each in product.children
    ]


def test_drafts_and_archived_products_are_there_though_a_list_shows_what_is_active(place, adapter):
    quieten(place)
    for sku, status in (("SKU-0001", "draft"), ("SKU-0002", "archived")):
        product = place.shop.product_by_sku(sku)
        product.status = status
        place.shop.touch_product(product)
    assert found(adapter) == ["11", "12"]
    assert {"11", "12"} <= set(found(adapter, since=None))
    assert {"11", "12"} <= {row.external_id for row in adapter.page_by_id(ITEM, "").rows}
    assert [row.external_id for row in adapter.find(ITEM, "SKU-0001")] == ["11"]
    assert {"11", "12"} <= {row.external_id for row in adapter.listing(ITEM, Listing()).rows}
    assert [adapter.parse_item(row.body).is_active for row in adapter.fetch_many(ITEM, ["11", "13"])] == [False, True]


def test_skus_are_neither_unique_nor_needed(place, adapter):
    twin = place.shop.add_product("SKU-0001", "Another bowl", "3.00")
    unnamed = place.shop.add_product("", "Without a SKU", "3.00")
    other_case = place.shop.add_product("sku-0001", "A third", "3.00")
    assert [row.external_id for row in adapter.find(ITEM, "SKU-0001")] == ["11", str(twin.id), str(other_case.id)]
    assert adapter.parse_item(adapter.fetch_many(ITEM, [str(unnamed.id)])[0].body).sku == ""


def test_a_sku_with_signs_of_the_search_is_found_exactly(place, adapter):
    odd = place.shop.add_product("A'B (C) OR D:1\\2", "Odd", "3.00")
    assert [row.external_id for row in adapter.find(ITEM, "A'B (C) OR D:1\\2")] == [str(odd.id)]
    assert adapter.find(ITEM, "A") == []


def test_compare_at_price_is_the_regular_one_while_it_is_above_the_price(place, adapter):
    ref = ItemRef("11")

    def prices():
        item = adapter.parse_item(adapter.read_records(ITEM, [ref])[ref].body)
        return item.price, item.sale_price

    for values, shown in (
        ({"price": "20", "sale_price": "15.5"}, (Decimal(20), Decimal("15.5"))),
        ({"price": "22"}, (Decimal(22), Decimal("15.5"))),
        ({"sale_price": ""}, (Decimal(22), None)),
        ({"price": "19.99"}, (Decimal("19.99"), None)),
    ):
        assert [row.error for row in adapter.push_records(ITEM, [RecordChange(ref, values)])] == [None]
        assert prices() == shown


def test_a_weight_keeps_its_unit_and_a_price_that_is_none_is_not_sent(place, adapter):
    product = place.shop.product_by_sku("SKU-0001")
    product.extra = {"weight": {"value": 250.0, "unit": "GRAMS"}}
    place.shop.touch_product(product)
    assert adapter.parse_item(adapter.fetch_many(ITEM, ["11"])[0].body).weight == Decimal(250)
    done, refused = adapter.push_records(
        ITEM, [RecordChange(ItemRef("11"), {"weight": "300.5"}), RecordChange(ItemRef("12"), {"price": "12,50"})]
    )
    assert done.error is None and isinstance(refused.error, Rejected)
    assert place.shop.product_by_sku("SKU-0001").extra["weight"] == {"value": 300.5, "unit": "GRAMS"}


def test_what_is_the_products_is_not_set_through_one_of_its_variants(place, adapter):
    product, (small, _) = shirt(place)
    ref = ItemRef(str(small.id), str(product.id))
    (result,) = adapter.push_records(ITEM, [RecordChange(ref, {"name": "New name", "price": "5"})])
    assert isinstance(result.error, Rejected) and "belong to the variant's product" in result.error.sentence
    assert (product.name, small.regular_price) == ("Shirt", "9.00")
    assert not adapter.capabilities.variation_fields & {"name", "description", "is_active"}


def test_an_answer_with_200_is_no_success(place, adapter):
    """Only its userErrors tell."""
    place.shop.delete_product(12)
    bad, gone, good = adapter.push_records(
        ITEM,
        [
            RecordChange(ItemRef("11"), {"name": " "}),
            RecordChange(ItemRef("12"), {"price": "1"}),
            RecordChange(ItemRef("13"), {"price": "1"}),
        ],
    )
    assert isinstance(bad.error, Rejected) and "Title can't be blank" in bad.error.sentence
    assert isinstance(gone.error, NotFound) and good.error is None
    assert {request.status for request in place.requests} == {200}


def test_a_new_item_is_tracked_and_has_its_sku(place, adapter):
    row = adapter.create_record(ITEM, "NEW-1", {"name": "Lamp", "price": "12.5", "barcode": "4006381333931"})
    item = adapter.parse_item(row.body)
    assert (item.sku, item.name, item.price, item.barcode) == ("NEW-1", "Lamp", Decimal("12.50"), "4006381333931")
    assert item.is_stock_managed and item.is_active and item.parent_id == ""
    (again,) = adapter.find(ITEM, "NEW-1")
    assert again.digest == row.digest


def test_a_cursor_that_has_grown_stale_leads_to_the_beginning(place, adapter):
    first = adapter.page_by_id(ITEM, "")
    assert [row.external_id for row in adapter.page_by_id(ITEM, "bm8gY3Vyc29y").rows] == [
        row.external_id for row in first.rows
    ]


# Customers --------------------------------------------------------------------------------------------


def test_the_time_of_customers_matches_whole_days_so_they_are_filtered_again(place, adapter):
    early, late, before = (place.shop.customer_by_email(f"customer{number}@example.test") for number in (1, 2, 3))
    for customer, moment in ((early, -3), (late, 0), (before, -26)):
        customer.modified = NOON + timedelta(hours=moment)
        place.shop.save(place.shop.customers, customer)
    assert found(adapter, CUSTOMER, NOON) == [str(late.id)]
    assert found(adapter, CUSTOMER, NOON - timedelta(hours=3)) == [str(early.id), str(late.id)]
    # In the small hours of UTC it is the day before in New York.
    late.modified = NOON.replace(hour=3)
    place.shop.save(place.shop.customers, late)
    assert str(late.id) in found(adapter, CUSTOMER, NOON.replace(hour=2))


def test_a_customers_other_addresses_and_what_is_not_named_stay(place, adapter):
    customer = place.shop.customer_by_email("customer1@example.test")
    ref, city = ItemRef(str(customer.id)), customer.billing.city
    address = '{"address_1": "1 Road", "city": "London", "country": "GB"}'
    changes = [
        RecordChange(ref, {"company": "Engines"}),
        RecordChange(ref, {"name": "Ada Byron", "phone": "+44 1"}),
    ]
    assert [row.error for change in changes for row in adapter.push_records(CUSTOMER, [change])] == [None, None]
    read = adapter.parse_customer(adapter.read_records(CUSTOMER, [ref])[ref].body)
    assert (read.company, read.first_name, read.last_name, read.phone) == ("Engines", "Ada", "Byron", "+44 1")
    assert (read.email, read.billing.city) == ("customer1@example.test", city)
    adapter.push_records(CUSTOMER, [RecordChange(ref, {"billing": address})])
    read = adapter.parse_customer(adapter.read_records(CUSTOMER, [ref])[ref].body)
    assert (read.billing.city, read.billing.country, read.company) == ("London", "GB", "Engines")


def test_an_email_that_another_customer_has_is_refused_for_that_one_only(place, adapter):
    one, two = (place.shop.customer_by_email(f"customer{number}@example.test") for number in (1, 2))
    refused, done = adapter.push_records(
        CUSTOMER,
        [
            RecordChange(ItemRef(str(one.id)), {"email": "customer2@example.test"}),
            RecordChange(ItemRef(str(two.id)), {"name": "Ada"}),
        ],
    )
    assert isinstance(refused.error, Rejected) and "already been taken" in refused.error.sentence
    assert done.error is None
