"""Items and customers written to Magento: nothing else of them changes, and nothing is overwritten unseen."""

import json

import pytest

from carts import fields
from carts.errors import NotFound, Rejected
from carts.records import CUSTOMER, ITEM, ItemRef, RecordChange
from sandbox.magento.writing import save_customer
from sandbox.messages import Request
from sandbox.testing import practice_shop
from tests.platforms.around import around
from tests.platforms.magento.conftest import adapter_of


def customer(place):
    return next(each for each in place.shop.customers.rows.values() if each.email == "customer1@example.test")


def shown(adapter, kind, external_id) -> dict[str, str]:
    (row,) = adapter.read_records(kind, [ItemRef(str(external_id))]).values()
    return fields.of_cart(adapter, kind, row.body)


def body(adapter, kind, external_id) -> dict:
    (row,) = adapter.read_records(kind, [ItemRef(str(external_id))]).values()
    return json.loads(row.body)


def change(adapter, kind, external_id, **values):
    (result,) = adapter.push_records(kind, [RecordChange(ItemRef(str(external_id)), values)])
    return result.error


def test_an_item_is_written_by_its_sku_at_the_scope_of_all_views():
    with practice_shop(platform="magento", views=("default", "de")) as place:
        adapter = adapter_of(place, store_code="de")
        product = place.shop.add_product("B/C 1", "Slash", "12.36", stock=1)
        assert change(adapter, ITEM, product.id, price="13.5", name="Slash & space") is None
        assert (product.regular_price, product.name) == ("13.5", "Slash & space")
        assert "views" not in product.extra
        assert place.requests[-1].path == "/rest/all/V1/products"
        adapter.close()


def test_an_item_is_sent_with_what_changed_and_nothing_else(place, adapter):
    """Categories and websites that are sent in part were lost in old versions; a price is a number."""
    product = place.shop.product_by_sku("SKU-0001")
    change(adapter, ITEM, product.id, price="13.50", sale_price="")
    assert place.requests[-1].json() == {
        "product": {
            "sku": "SKU-0001",
            "price": 13.5,
            "custom_attributes": [{"attribute_code": "special_price", "value": ""}],
        }
    }


def test_a_sku_that_is_gone_is_not_made_anew_by_the_write(place, adapter):
    product = place.shop.product_by_sku("SKU-0001")
    place.shop.delete_product(product.id)
    assert isinstance(change(adapter, ITEM, product.id, price="1"), NotFound)
    assert place.shop.product_by_sku("SKU-0001") is None


def test_a_sku_that_became_another_items_while_we_wrote_is_told(place, adapter):
    product = place.shop.product_by_sku("SKU-0001")

    def swap(request: Request) -> None:
        if request.method == "POST":
            place.shop.rename_sku("SKU-0001", "OLD-0001")
            place.shop.add_product("SKU-0001", "Another", "7", stock=1)

    with around(place, before=swap):
        error = change(adapter, ITEM, product.id, price="1")
    assert isinstance(error, Rejected) and "another item" in error.sentence


def test_a_sku_that_is_there_in_whatever_case_is_not_overwritten_by_creating_it(place, adapter):
    before = place.shop.product_by_sku("SKU-0001").name
    with pytest.raises(Rejected, match="has a product sku-0001 already"):
        adapter.create_record(ITEM, "sku-0001", {"name": "Another", "price": "1"})
    assert place.shop.product_by_sku("SKU-0001").name == before


def test_what_only_groups_others_is_not_found_and_not_overwritten_either(place, adapter):
    group = place.shop.product_by_sku("SHIRT-001")
    assert adapter.find(ITEM, "SHIRT-001") == []
    with pytest.raises(Rejected, match="only groups others"):
        adapter.create_record(ITEM, "SHIRT-001", {"name": "Another", "price": "1"})
    assert (group.kind, group.name) == ("variable", "Shirt 1")


def test_a_new_customer_belongs_to_the_website_of_the_view():
    with practice_shop(platform="magento", views=("default", "de")) as place:
        adapter = adapter_of(place, store_code="de")
        adapter.create_record(CUSTOMER, "new@example.test", {"name": "Ada Byron"})
        sent = next(request.json()["customer"] for request in place.requests if request.method == "POST")
        assert (sent["website_id"], sent["store_id"]) == (1, 2)
        adapter.close()


def test_a_name_that_makes_an_address_twice_is_the_shops_refusal(place, adapter):
    taken = place.shop.product_by_sku("SKU-0001").name
    with pytest.raises(Rejected, match="URL key"):
        adapter.create_record(ITEM, "NEW", {"name": taken, "price": "1"})
    assert place.shop.product_by_sku("NEW") is None


def test_a_price_is_not_taken_away(place, adapter):
    product = place.shop.product_by_sku("SKU-0001")
    assert isinstance(change(adapter, ITEM, product.id, price=""), Rejected)


def test_a_customer_is_sent_whole_because_what_is_not_sent_is_dropped(place, adapter):
    row = customer(place)
    extra = {"street": ["9 Lane"], "city": "Bath", "country_id": "GB", "telephone": "9", "firstname": "Old",
             "lastname": "Place", "vat_id": "GB123", "postcode": "BA1"}  # fmt: skip
    whole = body(adapter, CUSTOMER, row.id)
    given = {**whole, "taxvat": "GB999", "dob": "1980-01-01", "addresses": [*whole["addresses"], extra]}
    save_customer(place.shop, row.id, given)
    before = body(adapter, CUSTOMER, row.id)
    assert change(adapter, CUSTOMER, row.id, name="Ada Byron") is None
    after = body(adapter, CUSTOMER, row.id)
    assert (after["firstname"], after["lastname"], after["taxvat"], after["dob"]) == (
        "Ada", "Byron", "GB999", "1980-01-01",
    )  # fmt: skip
    kept = {name: value for name, value in before.items() if name not in ("firstname", "lastname", "updated_at")}
    assert {name: after[name] for name in kept} == kept
    assert after["addresses"][-1]["vat_id"] == "GB123"


def test_an_address_both_kinds_share_is_parted_and_the_other_stays(place, adapter):
    row = customer(place)
    whole = body(adapter, CUSTOMER, row.id)
    shared = {**whole["addresses"][0], "default_billing": True, "default_shipping": True}
    save_customer(place.shop, row.id, {**whole, "addresses": [shared]})
    before = shown(adapter, CUSTOMER, row.id)
    billing = {"address_1": "1 Road", "city": "London", "country": "GB", "first_name": "Ada", "last_name": "Byron",
               "postcode": "E1"}  # fmt: skip
    assert change(adapter, CUSTOMER, row.id, billing=json.dumps(billing)) is None
    after = shown(adapter, CUSTOMER, row.id)
    assert json.loads(after["billing"]) == billing
    assert after["shipping"] == before["shipping"] and after["phone"] == before["phone"]
    assert len(body(adapter, CUSTOMER, row.id)["addresses"]) == 2


def test_an_address_that_is_emptied_leaves_the_book(place, adapter):
    row = customer(place)
    assert change(adapter, CUSTOMER, row.id, shipping="") is None
    assert shown(adapter, CUSTOMER, row.id)["shipping"] == ""
    assert shown(adapter, CUSTOMER, row.id)["billing"] != ""


def test_a_region_is_sent_by_the_number_the_shop_knows_it_by(place, adapter):
    row = customer(place)
    home = {"address_1": "1 Road", "city": "Albany", "country": "US", "state": "NY", "first_name": "A",
            "last_name": "B", "postcode": "12207"}  # fmt: skip
    assert change(adapter, CUSTOMER, row.id, billing=json.dumps(home)) is None
    address = next(each for each in body(adapter, CUSTOMER, row.id)["addresses"] if each.get("default_billing"))
    assert address["region"] == {"region_code": "NY", "region": "New York", "region_id": 43}
    abroad = {**home, "country": "GB", "state": "Kent"}
    assert change(adapter, CUSTOMER, row.id, billing=json.dumps(abroad)) is None
    assert json.loads(shown(adapter, CUSTOMER, row.id)["billing"])["state"] == "Kent"


def test_one_word_is_no_name_of_a_customer_there(place, adapter):
    error = change(adapter, CUSTOMER, customer(place).id, name="Cher")
    assert isinstance(error, Rejected) and "first and a last name" in error.sentence


def test_a_customer_that_is_gone_is_told(place, adapter):
    assert isinstance(change(adapter, CUSTOMER, 999, name="Ada Byron"), NotFound)


def test_an_e_mail_that_is_another_customers_is_the_shops_refusal(place, adapter):
    error = change(adapter, CUSTOMER, customer(place).id, email="customer2@example.test")
    assert isinstance(error, Rejected) and "same email address" in error.sentence
