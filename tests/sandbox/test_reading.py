"""Lists and single records."""

from datetime import timedelta

import pytest

from tests.sandbox.conftest import NOON


@pytest.fixture
def twelve(place):
    """Twelve orders, the last ten in one second."""
    moments = [NOON - timedelta(hours=2), NOON - timedelta(hours=1), *[NOON] * 10]
    return [place.shop.place_order(placed=moment).id for moment in moments]


def test_ten_newest_first_by_default(call, twelve):
    answer = call("GET", "orders")
    assert [row["id"] for row in answer.json()] == twelve[:1:-1]
    assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("12", "2")


def test_one_second_is_sorted_by_id(call, twelve):
    assert call.ids("orders", orderby="modified", order="asc", per_page=100) == twelve
    assert call.ids("orders", orderby="modified", order="desc", per_page=100) == twelve[::-1]


def test_pages_link_to_each_other(place, call, twelve):
    query = "orderby=id&order=asc&per_page=5"
    url = f"{place.url}/wp-json/wc/v3/orders?{query}"
    pages = [call.session.get(f"{url}&page={number}") for number in (1, 2, 3)]
    assert [row["id"] for page in pages for row in page.json()] == twelve
    assert pages[0].links["next"]["url"] == f"{url}&page=2"
    assert pages[1].links["prev"]["url"] == f"{url}&page=1"
    assert pages[1].links["next"]["url"] == f"{url}&page=3"
    assert "next" not in pages[2].links


def test_past_the_end_orders_forget_their_total_and_products_do_not(call, twelve):
    orders, products = call("GET", "orders", page=9), call("GET", "products", page=9)
    assert (orders.status_code, orders.json(), orders.headers["X-WP-Total"]) == (200, [], "0")
    assert (products.status_code, products.json(), products.headers["X-WP-Total"]) == (200, [], "10")


def test_offset_replaces_page(call, twelve):
    assert call.ids("orders", orderby="id", order="asc", offset=10, page=1) == twelve[10:]


def test_include_and_exclude(call, twelve):
    chosen = f"{twelve[4]},{twelve[1]}"
    assert call.ids("orders", include=chosen, orderby="include", order="asc") == [twelve[4], twelve[1]]
    rest = call.ids("orders", exclude=chosen, per_page=100)
    assert sorted(rest) == sorted(set(twelve) - {twelve[4], twelve[1]})


@pytest.mark.parametrize(
    ("query", "name", "code", "message"),
    [
        (
            {"per_page": 101},
            "per_page",
            "rest_out_of_bounds",
            "per_page must be between 1 (inclusive) and 100 (inclusive)",
        ),
        (
            {"orderby": "total"},
            "orderby",
            "rest_not_in_enum",
            "orderby is not one of date, id, include, title, slug, and modified.",
        ),
    ],
)
def test_refused_arguments(call, twelve, query, name, code, message):
    answer = call("GET", "orders", **query)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "rest_invalid_param",
        "message": f"Invalid parameter(s): {name}",
        "data": {
            "status": 400,
            "params": {name: message},
            "details": {name: {"code": code, "message": message, "data": None}},
        },
    }


def test_status_filters(place, call, twelve):
    place.shop.set_status(twelve[0], "completed")
    place.shop.cancel_order(twelve[1])
    assert call.ids("orders", status="completed,cancelled", orderby="id", order="asc") == twelve[:2]
    assert call.ids("orders", status="any", per_page=100, orderby="id", order="asc") == twelve
    assert call("GET", "orders", status="shipped").status_code == 400


def test_customer_product_and_search_filters(place, call, twelve):
    customer = next(iter(place.shop.customers.rows.values()))
    product = place.shop.product_by_sku("SKU-0003")
    mine = place.shop.place_order("SKU-0003", customer_id=customer.id, email="nobody@example.test").id
    assert call.ids("orders", customer=customer.id) == [mine]
    assert call.ids("orders", product=product.id) == [mine]
    assert call.ids("orders", search=str(mine)) == [mine]
    assert call.ids("orders", search="guest@example.test", per_page=100) == twelve[::-1]


def test_fields_keeps_only_what_is_named(call, twelve):
    assert call.get("orders", per_page=1, _fields="id,billing.email") == [
        {"id": twelve[-1], "billing": {"email": "guest@example.test"}}
    ]
    assert call.get(f"orders/{twelve[0]}", _fields="id,status") == {"id": twelve[0], "status": "processing"}


def test_products_leave_variations_to_their_own_lists(place, call):
    parent = place.shop.add_product("TEE", "Tee", kind="variable")
    small = place.shop.add_product("TEE-S", "S", "9.00", parent=parent, option="S").id
    large = place.shop.add_product("TEE-L", "L", "9.00", parent=parent, option="L").id
    assert {small, large} & set(call.ids("products", per_page=100)) == set()
    assert call.ids("variations", order="asc", orderby="id") == [small, large]
    assert call.ids(f"products/{parent.id}/variations", order="asc", orderby="id") == [small, large]
    assert call.get(f"products/{parent.id}")["variations"] == [small, large]
    assert call.get(f"products/{small}")["parent_id"] == parent.id


def test_sku_filter_is_exact_takes_a_list_and_finds_variations(place, call):
    parent = place.shop.add_product("TEE", "Tee", kind="variable")
    small = place.shop.add_product("TEE-S", "S", "9.00", parent=parent, option="S").id
    comma = place.shop.add_product("A,B", "Comma", "1.00").id
    first = place.shop.product_by_sku("SKU-0001").id
    assert call.ids("products", sku="SKU-0001,TEE-S", orderby="id", order="asc") == [first, small]
    assert call.ids("products", sku="A,B") == [comma]
    assert call.ids("products", sku="SKU-000") == []


def test_a_variation_without_its_own_sku_shows_its_parents(place, call):
    parent = place.shop.add_product("TEE", "Tee", kind="variable")
    bare = place.shop.add_product("", "S", "9.00", parent=parent, option="S")
    assert call.get(f"products/{parent.id}/variations/{bare.id}")["sku"] == "TEE"


def test_customers_hide_other_roles(place, call):
    assert {row["role"] for row in call.get("customers")} == {"customer"}
    everyone = call.get("customers", role="all", orderby="id", order="asc")
    assert [row["role"] for row in everyone] == ["administrator", "customer", "customer", "customer"]
    assert [row["email"] for row in call.get("customers", email="CUSTOMER2@example.test")] == ["customer2@example.test"]


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("orders/999", "woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
        ("products/999", "woocommerce_rest_product_invalid_id", "Invalid ID."),
        ("customers/999", "woocommerce_rest_invalid_id", "Invalid resource ID."),
        ("nothing", "rest_no_route", "No route was found matching the URL and request method."),
    ],
)
def test_what_is_not_there(call, path, code, message):
    answer = call("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"code": code, "message": message, "data": {"status": 404}}


def test_the_index_names_shop_and_zone_to_anyone(place, call):
    body = call.session.get(f"{place.url}/wp-json/", auth=("", "")).json()
    assert (body["name"], body["timezone_string"], body["gmt_offset"]) == (
        "Practice shop",
        "America/New_York",
        "-5",
    )
    assert "wc/v3" in body["namespaces"]


def test_what_the_shop_says_of_itself(call):
    status = call.get("system_status")
    assert (status["environment"]["version"], status["environment"]["default_timezone"]) == ("11.0.1", "UTC")
    assert status["settings"]["currency"] == "USD"
    assert call.get("settings/general/woocommerce_currency")["value"] == "USD"
    assert call.get("settings/tax/woocommerce_prices_include_tax")["value"] == "no"
    assert call.get("data/currencies/current")["code"] == "USD"
    assert [row["id"] for row in call.get("settings/tax")] == ["woocommerce_prices_include_tax"]


def test_without_pretty_permalinks(place, call, twelve):
    answer = call.session.get(f"{place.url}/index.php", params={"rest_route": "/wc/v3/orders", "per_page": 2})
    assert [row["id"] for row in answer.json()] == twelve[:-3:-1]


def test_the_date_header_is_the_shops_clock(place, call):
    assert call("GET", "orders").headers["Date"] == "Mon, 23 Nov 2026 17:00:00 GMT"
