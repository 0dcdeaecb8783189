"""Each trap of PrestaShop's fact sheet, named after it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from carts.errors import AuthError, ConfigError, NotFound, Rejected, Stale, Unavailable
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.messages import Request, Response, html_response
from sandbox.prestashop.auth import METHODS
from sandbox.prestashop.goods import SHOWN_DATE
from sandbox.prestashop.people import touch_addresses
from sandbox.prestashop.xml import ApiError
from sandbox.testing import practice_shop
from tests.platforms.around import around, at_request
from tests.platforms.prestashop.conftest import adapter_of, rows_of, shirt

# Behind all that the practice shop begins with.
NOON = datetime(2036, 7, 1, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def item_ref(place, sku: str) -> ItemRef:
    row = place.shop.product_by_sku(sku)
    return ItemRef(f"{row.parent_id}-{row.id}", str(row.parent_id)) if row.parent_id else ItemRef(str(row.id))


def levels(place, **quantities: int) -> list[StockLevel]:
    refs = [(item_ref(place, sku.replace("_", "-")), quantity) for sku, quantity in quantities.items()]
    return [StockLevel(ref.external_id, ref.parent_id, Decimal(quantity)) for ref, quantity in refs]


# What moves no date -----------------------------------------------------------------------------------------


def test_a_credit_slip_moves_no_date_so_slips_are_looked_for_and_come_first(place, adapter):
    shop = place.shop
    old, newer = (shop.place_order(placed=NOON - HOUR * n) for n in (30, 20))
    shop.clock.set(NOON + HOUR)
    shop.refund_order(old.id, Decimal("1.00"))
    latest = shop.place_order()
    rows = rows_of(adapter.fetch(ORDER, Window(since=NOON)))
    assert [row.external_id for row in rows] == [str(old.id), str(latest.id)]
    # As old as it is: the cursor is not moved past orders that are not read yet.
    assert rows[0].modified_at == old.modified
    assert [each.amount for each in adapter.parse_order(rows[0].body).refunds] == [Decimal("1.00")]
    assert str(newer.id) not in {row.external_id for row in rows}


def test_a_slip_of_an_order_that_was_read_anyway_moves_the_cursor_no_further_than_asked(place, adapter):
    place.shop.clock.set(NOON + HOUR)
    order = place.shop.place_order()
    place.shop.refund_order(order.id, Decimal("1.00"))
    first, second = rows_of(adapter.fetch(ORDER, Window(since=NOON)))
    assert (first.modified_at, second.modified_at) == (NOON, NOON + HOUR)
    assert first.digest == second.digest


def test_an_address_moves_no_date_of_its_customer_so_addresses_are_looked_for(place, adapter):
    place.shop.clock.set(NOON)
    customer = place.shop.customers.rows[3]
    customer.billing.city = "Boston"
    touch_addresses(place.shop, customer)
    (row,) = rows_of(adapter.fetch(CUSTOMER, Window(since=NOON)))
    assert adapter.parse_customer(row.body).billing.city == "Boston"
    assert row.modified_at < NOON


def test_a_combination_moves_no_date_and_is_found_by_the_sweep(place, adapter):
    place.shop.clock.set(NOON)
    before = {row.external_id: row.digest for row in adapter.fetch_variations(str(shirt(place).id))}
    place.shop.rename_sku("SHIRT-001-M", "SHIRT-NEW")
    assert rows_of(adapter.fetch(ITEM, Window(since=NOON))) == []
    after = {row.external_id: row.digest for row in adapter.fetch_variations(str(shirt(place).id))}
    changed = [each for each in before if before[each] != after[each]]
    assert changed == [item_ref(place, "SHIRT-NEW").external_id]


def test_a_stock_write_moves_no_date(place, adapter):
    place.shop.clock.set(NOON)
    assert adapter.push_stock(levels(place, SKU_0001=5))[0].error is None
    assert rows_of(adapter.fetch(ITEM, Window(since=NOON))) == []


def test_the_cursor_of_items_does_not_trust_a_date_that_is_newer_than_the_lists(place, adapter):
    """Otherwise what is listed between the two would never be read."""
    product = place.shop.product_by_sku("SKU-0001")
    product.modified = NOON
    product.extra[SHOWN_DATE] = (NOON + 5 * HOUR).isoformat()
    place.shop.save(place.shop.products, product)
    (row,) = rows_of(adapter.fetch(ITEM, Window(since=NOON - HOUR)))
    assert row.modified_at == NOON - HOUR


def test_a_shown_date_older_than_the_bound_is_no_reason_to_leave_an_item_out(place, adapter):
    product = place.shop.product_by_sku("SKU-0001")
    product.modified = NOON
    product.extra[SHOWN_DATE] = (NOON - 50 * HOUR).isoformat()
    place.shop.save(place.shop.products, product)
    (row,) = rows_of(adapter.fetch(ITEM, Window(since=NOON - HOUR)))
    assert row.modified_at == NOON - HOUR


def test_the_cursor_of_items_moves_where_list_and_body_agree(place, adapter):
    for hours, sku in ((1, "SKU-0001"), (2, "SKU-0002")):
        place.shop.clock.set(NOON + hours * HOUR)
        place.shop.touch_product(place.shop.product_by_sku(sku))
    rows = rows_of(adapter.fetch(ITEM, Window(since=NOON)))
    assert [row.modified_at for row in rows] == [NOON + HOUR, NOON + 2 * HOUR]


def test_no_item_is_missed_while_rows_move_in_a_list_sorted_by_another_date_than_it_is_filtered_by(place, adapter):
    made = []
    for number in range(230):
        product = place.shop.add_product(f"MORE-{number:03}", "More", "1.00", stock=1, created=NOON)
        # The later it is shown, the earlier it is filtered.
        product.modified = NOON + timedelta(minutes=300 - number)
        product.extra[SHOWN_DATE] = (NOON + timedelta(minutes=number)).isoformat()
        place.shop.save(place.shop.products, product)
        made.append(str(product.id))

    def edit() -> None:
        for product_id in made[5:8]:
            place.shop.products.rows[int(product_id)].extra[SHOWN_DATE] = (NOON + 9 * HOUR).isoformat()

    with around(place, before=at_request(2, edit, match=r"/products\?.*display=full")):
        rows = rows_of(adapter.fetch(ITEM, Window(since=NOON)))
    assert {row.external_id for row in rows} == set(made)


# Lists ------------------------------------------------------------------------------------------------------


def test_an_empty_list_of_ids_is_never_asked_for(place, adapter):
    """It would mean the whole shop."""
    assert adapter.fetch_many(ORDER, []) == adapter.fetch_many(ITEM, ["nonsense"]) == []
    assert adapter.read_stock([]) == {} and adapter.push_stock([]) == []
    assert not place.requests


def test_doubled_references_are_both_found(place, adapter):
    place.shop.add_product("SKU-0001", "The same again", "1.00", stock=1)
    found = [adapter.parse_item(row.body) for row in adapter.find(ITEM, "sku-0001")]
    assert [item.sku for item in found] == ["SKU-0001", "SKU-0001"]
    assert len({item.external_id for item in found}) == 2


@pytest.mark.parametrize("sku", ["A|B", "A,B", "A[1]", "100%", "|A", "a & b <c>"])
def test_a_reference_with_signs_that_mean_something_in_a_filter_is_found(place, adapter, sku):
    place.shop.add_product("A", "Another", "1.00", stock=1)
    made = place.shop.add_product(sku, "Odd", "1.00", stock=1)
    assert [row.external_id for row in adapter.find(ITEM, sku)] == [str(made.id)]


def test_the_combination_with_a_reference_is_found_too(place, adapter):
    assert [row.external_id for row in adapter.find(ITEM, "shirt-001-m")] == [
        item_ref(place, "SHIRT-001-M").external_id
    ]


def test_guests_with_an_accounts_e_mail_are_not_taken_for_the_customer(place, adapter):
    place.shop.place_order(email="customer1@example.test")
    assert [row.external_id for row in adapter.find(CUSTOMER, "CUSTOMER1@example.test")] == ["2"]


def test_signs_that_no_xml_has_do_not_spoil_a_page(place, adapter):
    order = place.shop.place_order(note="bell\x07 and null\x00")
    assert adapter.parse_order(adapter.fetch_many(ORDER, [str(order.id)])[0].body).note == "bell and null"


def test_a_search_tries_one_field_after_the_other(place, adapter):
    order = place.shop.place_order(customer_id=3)
    for search in ("customer2@example.test", str(order.id)):
        assert [row.external_id for row in adapter.listing(ORDER, Listing(search=search)).rows] == [str(order.id)]
    assert [row.external_id for row in adapter.listing(CUSTOMER, Listing(search="Shopper2")).rows] == ["3"]


# Languages --------------------------------------------------------------------------------------------------


def test_names_are_read_and_set_in_the_shops_default_language(place, adapter):
    ref = item_ref(place, "SKU-0001")
    assert adapter.parse_item(adapter.read_records(ITEM, [ref])[ref].body).name == "Oak Bowl"
    assert adapter.push_records(ITEM, [RecordChange(ref, {"name": "Oak Dish"})])[0].error is None
    product = place.shop.product_by_sku("SKU-0001")
    assert product.extra["name_texts"] == {"1": "Oak Bowl (es)", "2": "Oak Dish"}


# Stock ------------------------------------------------------------------------------------------------------


def test_the_row_of_a_product_with_combinations_is_not_written(place, adapter):
    parent = shirt(place)
    (result,) = adapter.push_stock([StockLevel(str(parent.id), "", Decimal(3))])
    assert isinstance(result.error, Rejected) and "combinations" in result.error.sentence
    assert adapter.read_stock([ItemRef(str(parent.id))]) == {ItemRef(str(parent.id)): None}
    assert not [request for request in place.requests if request.method != "GET"]


def test_a_quantity_that_follows_warehouses_is_not_written(place, adapter):
    made = place.shop.add_product("WAREHOUSE", "From warehouses", "1.00")
    (result,) = adapter.push_stock([StockLevel(str(made.id), "", Decimal(3))])
    assert isinstance(result.error, Rejected) and "warehouses" in result.error.sentence


def test_a_row_that_is_refused_in_the_middle_is_told_from_those_before_and_behind_it(place, adapter, monkeypatch):
    """The shop stores up to it and ends there; what it shows then tells."""
    monkeypatch.setattr("sandbox.prestashop.writing_goods.MOST", 1000)
    ref = item_ref(place, "SKU-0002")
    wanted = levels(place, SKU_0001=4, SKU_0002=1001, SHIRT_001_M=6)
    was = place.shop.product_by_sku("SHIRT-001-M").stock
    results = adapter.push_stock(wanted)
    assert [type(result.error) for result in results] == [type(None), Rejected, Stale]
    assert results[1].external_id == ref.external_id
    assert place.shop.product_by_sku("SKU-0001").stock == 4
    assert place.shop.product_by_sku("SHIRT-001-M").stock == was
    methods = [request.method for request in place.requests]
    assert methods == ["GET", "PATCH", "GET"]


def test_a_quantity_beyond_what_the_shop_can_store_is_not_sent(place, adapter):
    """1.6 stores the most it can and answers with what it was sent."""
    results = adapter.push_stock(levels(place, SKU_0001=2**31, SKU_0002=2**31 - 1))
    assert [type(result.error) for result in results] == [Rejected, type(None)]
    assert place.shop.product_by_sku("SKU-0002").stock == 2**31 - 1


def test_a_row_that_is_gone_meanwhile_stops_those_behind_it_only(place, adapter):
    wanted = levels(place, SKU_0001=4, SKU_0002=5, SKU_0003=6)

    def delete(request: Request) -> None:
        if request.method == "PATCH":
            place.shop.delete_product(place.shop.product_by_sku("SKU-0002").id)

    with around(place, before=delete):
        results = adapter.push_stock(wanted)
    assert [type(result.error) for result in results] == [type(None), NotFound, Stale]


def test_stock_goes_in_small_batches_of_products_and_combinations_together(place, adapter):
    refs = [ItemRef(f"1-{number}", "1") for number in range(30)] + [ItemRef(str(number)) for number in range(60)]
    batches = adapter.stock_batches(refs)
    assert [len(batch) for batch in batches] == [40, 40, 10]
    assert [ref for batch in batches for ref in batch] == refs


def test_on_1_7_stock_is_put_whole(old_place, old_adapter):
    results = old_adapter.push_stock(levels(old_place, SKU_0001=4, SHIRT_001_M=6))
    assert [result.error for result in results] == [None, None]
    assert [old_place.shop.product_by_sku(sku).stock for sku in ("SKU-0001", "SHIRT-001-M")] == [4, 6]
    assert [request.method for request in old_place.requests] == ["GET", "PUT"]


def test_a_shop_that_does_not_say_its_version_gets_what_every_version_knows(place, adapter):
    def forget(request: Request, response: Response) -> None:
        response.headers = [each for each in response.headers if each[0] != "PSWS-Version"]

    with around(place, after=forget):
        assert adapter.push_stock(levels(place, SKU_0001=4))[0].error is None
    assert place.requests[-1].method == "PUT"


# Writes -----------------------------------------------------------------------------------------------------


def test_on_1_7_a_record_is_read_stripped_of_what_is_read_only_and_put_whole(old_place, old_adapter):
    """A partial PUT would empty reference, state and the other languages."""
    ref = item_ref(old_place, "SKU-0001")
    change = RecordChange(ref, {"name": "Oak Dish", "price": "3.5"})
    assert old_adapter.push_records(ITEM, [change])[0].error is None
    product = old_place.shop.products.rows[int(ref.external_id)]
    assert (product.sku, product.status, product.name, product.regular_price) == (
        "SKU-0001",
        "publish",
        "Oak Dish",
        "3.5",
    )
    assert product.extra["name_texts"] == {"1": "Oak Bowl (es)", "2": "Oak Dish"}
    sent = old_place.requests[-1].body.decode()
    assert old_place.requests[-1].method == "PUT"
    for name in ("quantity", "manufacturer_name", "position_in_category", "associations", "date_upd"):
        assert f"<{name}" not in sent


def test_on_1_7_customers_combinations_and_addresses_are_put_whole_too(old_place, old_adapter):
    small = item_ref(old_place, "SHIRT-001-M")
    changes = [RecordChange(small, {"price": "25"})]
    assert old_adapter.push_records(ITEM, changes)[0].error is None
    values = {"name": "Ada Byron", "phone": "77"}
    assert old_adapter.push_records(CUSTOMER, [RecordChange(ItemRef("2"), values)])[0].error is None
    customer = old_place.shop.customers.rows[2]
    assert (customer.first_name, customer.email, customer.billing.phone, customer.billing.city) == (
        "Ada", "customer1@example.test", "77", "Denver",
    )  # fmt: skip
    assert old_place.shop.product_by_sku("SHIRT-001-M").regular_price == "25.000000"


def test_a_combinations_price_is_kept_beyond_its_products(place, adapter):
    shirt(place).regular_price = "10.00"
    ref = item_ref(place, "SHIRT-001-M")
    assert adapter.push_records(ITEM, [RecordChange(ref, {"price": "12.5"})])[0].error is None
    assert b"<price>2.500000</price>" in place.requests[-1].body
    assert adapter.parse_item(adapter.read_records(ITEM, [ref])[ref].body).price == Decimal("12.5")


def spoil_posts(spoiled: Response):
    def after(request: Request, response: Response) -> None:
        if request.method == "POST":
            response.status, response.body, response.content_type = spoiled.status, spoiled.body, spoiled.content_type

    return after


@pytest.mark.parametrize(
    "spoiled",
    [ApiError(500, 3, "[PHP Warning #2]").response("9.0.0"), html_response("<strong>TCPDF ERROR</strong>", 200)],
    ids=["500", "200 with a page"],
)
def test_a_post_that_failed_may_have_succeeded_so_we_look_first(place, adapter, spoiled):
    with around(place, after=spoil_posts(spoiled)):
        item = adapter.create_record(ITEM, "NEW-1", {"name": "New", "price": "3"})
        buyer = adapter.create_record(CUSTOMER, "new@example.test", {"name": "Ada Byron"})
    assert adapter.parse_item(item.body).sku == "NEW-1"
    assert adapter.parse_customer(buyer.body).email == "new@example.test"
    assert [request.method for request in place.requests].count("POST") == 2
    assert len([row for row in place.shop.products.rows.values() if row.sku == "NEW-1"]) == 1


def test_a_post_that_failed_and_made_nothing_stays_failed(place, adapter):
    place.faults.add("500", method="POST")
    with pytest.raises(Unavailable):
        adapter.create_record(ITEM, "NEW-1", {"name": "New", "price": "3"})


def test_a_new_item_is_all_that_it_takes_to_be_sold(place, adapter):
    adapter.create_record(ITEM, "NEW-1", {"name": "Tea & Co", "price": "3.5", "is_active": "1"})
    sent = next(request.body.decode() for request in place.requests if request.method == "POST")
    for text in ("<state>1</state>", "<available_for_order>1</available_for_order>", "<id_tax_rules_group>1<",
                 "<id_category_default>2</id_category_default>", "<category><id>2</id></category>",
                 '<link_rewrite><language id="1">tea-co</language><language id="2">tea-co</language>'):  # fmt: skip
        assert text in sent


def test_a_doubled_e_mail_is_the_records_problem_although_the_shop_says_500(place, adapter):
    with pytest.raises(Rejected, match="e-mail"):
        adapter.create_record(CUSTOMER, "customer1@example.test", {"name": "Ada Byron"})
    (result,) = adapter.push_records(CUSTOMER, [RecordChange(ItemRef("3"), {"email": "customer1@example.test"})])
    assert isinstance(result.error, Rejected)


def test_one_record_that_is_refused_stops_no_other(place, adapter):
    first, second = item_ref(place, "SKU-0001"), item_ref(place, "SKU-0002")
    results = adapter.push_records(
        ITEM,
        [RecordChange(first, {"name": "a < b"}), RecordChange(ItemRef("999"), {"price": "1"}),
         RecordChange(second, {"price": "12,50"}), RecordChange(second, {"price": "12.5"})],
    )  # fmt: skip
    assert [type(result.error) for result in results] == [Rejected, NotFound, Rejected, type(None)]


def test_an_address_is_made_where_the_customer_has_none_and_changed_where_there_is_one(place, adapter):
    made = place.shop.add_customer("new@example.test", "Ada", "Byron")
    ref = ItemRef(str(made.id))
    home = '{"address_1": "1 Road", "city": "Denver", "country": "US", "last_name": "B", "state": "CO"}'
    for values in ({"billing": home}, {"company": "Engines", "phone": "5"}):
        assert adapter.push_records(CUSTOMER, [RecordChange(ref, values)])[0].error is None
    read = adapter.parse_customer(adapter.read_records(CUSTOMER, [ref])[ref].body)
    assert (read.billing.city, read.billing.state, read.company, read.phone) == ("Denver", "CO", "Engines", "5")
    assert [r.method for r in place.requests if r.path.startswith("/api/addresses") and r.method != "GET"] == [
        "POST", "PATCH",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"phone": "5"}, "no address"),
        ({"billing": '{"address_1": "1 Road", "city": "X", "country": "ZZ", "last_name": "B"}'}, "no country"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_a_sentence(place, adapter, values, says):
    made = place.shop.add_customer("new@example.test", "Ada", "Byron")
    (result,) = adapter.push_records(CUSTOMER, [RecordChange(ItemRef(str(made.id)), values)])
    assert isinstance(result.error, Rejected) and says in result.error.sentence


# Keys and rights --------------------------------------------------------------------------------------------


def test_rights_are_read_by_resource_and_method_and_named():
    rights = {name: frozenset(METHODS) for name in ("orders", "products")}
    with practice_shop(platform="prestashop", rights=rights) as place:
        with pytest.raises(AuthError) as refused:
            adapter_of(place).check()
        for name in ("order_details", "order_slip", "stock_availables", "addresses"):
            assert name in refused.value.sentence
        with pytest.raises(AuthError, match="GET on customers"):
            adapter_of(place).page_by_id(CUSTOMER, "")


def test_a_key_that_may_only_read_says_what_cannot_be_sent(place):
    place.platform.keys.add(
        "R" * 32, {name: frozenset({"GET"}) for name in place.platform.keys._keys[place.platform.key]}
    )
    adapter = adapter_of(place, key="R" * 32)
    info = adapter.check()
    assert (info.can_write, info.permissions) == (False, "Reads all; cannot send stock, items, customers")
    assert "The key may not do PATCH on stock_availables, so stock cannot be sent." in info.warnings
    with pytest.raises(AuthError, match="PATCH on stock_availables"):
        adapter.push_stock(levels(place, SKU_0001=3))


def test_the_check_tells_the_shop(place, adapter):
    info = adapter.check()
    assert (info.name, info.currency, info.timezone, info.version, info.can_write) == (
        "Practice shop", "USD", "America/New_York", "9.0.0", True,
    )  # fmt: skip
    assert not [request for request in place.requests if request.method != "GET"]


def test_on_1_7_the_right_to_put_is_what_counts(old_adapter):
    assert old_adapter.check().can_write is True


@pytest.mark.parametrize(
    ("key", "says"), [("SHORT", "refused the key"), ("A" * 32, "refused the key"), ("", "saw no key")]
)
def test_a_key_that_is_refused_or_never_arrives_is_told_apart(place, key, says):
    with pytest.raises(AuthError) as refused:
        adapter_of(place, key=key).check()
    assert says in refused.value.sentence and "A" * 32 not in f"{refused.value.detail}{refused.value.sentence}"


def test_the_webservice_switched_off_needs_a_person(place, adapter):
    place.platform.is_enabled = False
    with pytest.raises(ConfigError, match="switched off"):
        list(adapter.fetch(ORDER, Window()))


def test_an_address_without_a_webservice_is_told(place):
    with pytest.raises(ConfigError, match="no PrestaShop webservice"):
        adapter_of(place, url=f"{place.url}/elsewhere").check()


def test_the_address_of_the_webservice_itself_is_taken_too(place):
    assert adapter_of(place, url=f"{place.url}/api/").check().name == "Practice shop"


def test_links_go_to_the_admin_where_its_folder_is_known(place, adapter):
    assert adapter_of(place, admin_folder="admin9").admin_url(ORDER, "12") == (
        f"{place.url}/admin9/index.php?controller=AdminOrders&id_order=12&vieworder"
    )
    assert "id_product=12" in adapter.admin_url(ITEM, "12-45")
