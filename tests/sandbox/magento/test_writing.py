"""What the practice shop makes of a write is what the recorded server made of it."""

from datetime import UTC, datetime

import pytest
import requests

from sandbox.testing import practice_shop
from tests.sandbox.magento.conftest import ask


def set_sources(place, *rows):
    items = [{"sku": sku, "source_code": code, "quantity": number, "status": 1} for sku, code, number in rows]
    return ask(place, "inventory/source-items", "POST", json={"sourceItems": items})


def refusal(response) -> tuple[int, str]:
    return response.status_code, response.json()["message"]


def test_source_items_takes_unknown_skus_and_moves_no_time(place):
    product = place.shop.product_by_sku("SKU-0001")
    place.shop.touch_product(product, datetime(2026, 1, 1, tzinfo=UTC))
    answer = set_sources(place, ("sku-0001", "default", 771), ("NO-SUCH-SKU", "default", 5))
    assert (answer.status_code, answer.json()) == (200, [])
    assert (product.stock, product.modified) == (771, datetime(2026, 1, 1, tzinfo=UTC))


def test_one_wrong_source_fails_the_whole_call(place):
    before = place.shop.product_by_sku("SKU-0001").stock
    answer = set_sources(place, ("SKU-0001", "default", 7), ("SKU-0002", "nosuch", 7))
    assert refusal(answer) == (400, "Could not save Source Item")
    assert place.shop.product_by_sku("SKU-0001").stock == before


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "Input data is empty"),
        ([{"sku": "", "source_code": "default", "quantity": 1, "status": 1}],
         'Validation Failed: "sku" can not be empty.'),
        ([{"sku": "SKU-0001", "source_code": "default", "quantity": 1}],
         'Validation Failed: "status" should be numeric.'),
    ],
)  # fmt: skip
def test_what_source_items_refuses(place, items, message):
    answer = ask(place, "inventory/source-items", "POST", json={"sourceItems": items})
    assert refusal(answer) == (400, message)


def test_a_source_holds_what_unshipped_orders_reserved_until_they_are_shipped(place):
    place.shop.set_stock("SKU-0001", 33)
    order = place.shop.place_order("SKU-0001", quantity=14)

    def told() -> tuple[int, int]:
        filters = "searchCriteria[filter_groups][0][filters][0]"
        rows = ask(place, f"inventory/source-items?{filters}[field]=sku&{filters}[value]=SKU-0001").json()["items"]
        return rows[0]["quantity"], ask(place, "inventory/get-product-salable-quantity/SKU-0001/1").json()

    assert told() == (33, 19)
    place.shop.set_status(order.id, "completed")
    assert told() == (19, 19)


def test_a_legacy_quantity_of_0_is_out_of_stock_and_100_alone_does_not_undo_it(place):
    number = place.shop.product_by_sku("SKU-0001").id
    told = []
    for item in ({"qty": 0}, {"qty": 100}, {"qty": 100, "is_in_stock": True}):
        ask(place, f"products/SKU-0001/stockItems/{number}", "PUT", json={"stockItem": item})
        shown = ask(place, "stockItems/SKU-0001").json()
        told.append((shown["qty"], shown["is_in_stock"]))
    assert told == [(0, False), (100, False), (100, True)]


def test_without_its_modules_the_inventory_has_no_routes():
    with practice_shop(platform="magento", legacy_stock=True) as place:
        assert refusal(ask(place, "inventory/sources?searchCriteria")) == (404, "Request does not match any route.")
        assert "Magento_InventoryApi" not in ask(place, "modules").json()


def test_post_of_a_sku_that_is_there_overwrites_it_and_put_of_a_new_one_makes_it(place):
    count = len(place.shop.products.rows)
    product = place.shop.product_by_sku("SKU-0001")
    posted = ask(place, "products", "POST", "all", json={"product": {"sku": "sku-0001", "name": "Overwritten"}})
    assert (posted.status_code, posted.json()["id"], product.name) == (200, product.id, "Overwritten")
    new = {"name": "New", "attribute_set_id": 4, "price": 1}
    assert ask(place, "products/NEW", "PUT", "all", json={"product": new}).status_code == 200
    assert len(place.shop.products.rows) == count + 1
    wrong = ask(place, "products", "POST", "all", json={"product": {**new, "sku": "TWICE"}})
    assert refusal(wrong) == (400, "URL key for specified store already exists.")
    nothing = ask(place, "products", "POST", "all", json={"product": {"sku": "BARE", "price": 1}})
    assert nothing.json() == {
        "message": "Invalid product data: %1",
        "parameters": ["Invalid attribute set entity type"],
    }


def test_a_value_written_at_a_view_hides_the_one_of_all_views_there():
    with practice_shop(platform="magento", views=("default", "de")) as place:
        for scope, price in (("de", 5), ("all", 9)):
            ask(place, "products/SKU-0001", "PUT", scope, json={"product": {"price": price}})
        told = {
            scope: ask(place, "products/SKU-0001", scope=scope).json()["price"] for scope in ("all", "default", "de")
        }
        assert told == {"all": 9, "default": 9, "de": 5}


def test_a_customer_is_what_was_sent_and_nothing_else(place):
    number = place.shop.customer_by_email("customer1@example.test").id
    whole = ask(place, f"customers/{number}").json()
    assert whole["addresses"] and whole["default_billing"]
    few = {"id": number, "email": whole["email"], "firstname": "Ada", "lastname": "Byron", "website_id": 1}
    assert ask(place, f"customers/{number}", "PUT", json={"customer": few}).status_code == 200
    left = ask(place, f"customers/{number}").json()
    assert left["addresses"] == [] and "default_billing" not in left
    refused = ask(place, f"customers/{number}", "PUT", json={"customer": {"email": "a@example.test"}})
    assert refused.json()["parameters"] == {"fieldName": "firstname"}


def test_a_customer_sent_whole_stays_as_it_was(place):
    number = place.shop.customer_by_email("customer1@example.test").id
    whole = ask(place, f"customers/{number}").json()
    ask(place, f"customers/{number}", "PUT", json={"customer": whole})
    assert ask(place, f"customers/{number}").json() | {"updated_at": ""} == whole | {"updated_at": ""}


def test_a_bearer_token_and_a_stranger_hear_the_same(place):
    token = place.credentials["access_token"]
    expected = {
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": {"resources": "Magento_Sales::actions_view"},
    }
    for headers in ({"Authorization": f"Bearer {token}"}, {}):
        answer = requests.get(f"{place.url}/rest/V1/orders?searchCriteria", headers=headers, timeout=5)
        assert (answer.status_code, answer.json()) == (401, expected)


def test_an_unknown_view_has_no_route(place):
    assert refusal(ask(place, "orders?searchCriteria", scope="france"))[0] == 404
