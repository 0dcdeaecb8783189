"""What the practice shop answers and refuses, and what it counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from sandbox.shopify.api import CLIENT_ID, CLIENT_SECRET, PATH, TOKEN, TOKEN_PATH
from sandbox.shopify.cost import MOST_FOR_ONE_QUERY, sized
from tests.sandbox.conftest import NOON

ORDERS = "query($q: String, $n: Int!, $a: String) { orders(first: $n, after: $a, query: $q, sortKey: UPDATED_AT) { \
pageInfo { hasNextPage endCursor } nodes { id } } }"


def ids(data) -> list[int]:
    (connection,) = data.values()
    return [int(node["id"].rpartition("/")[2]) for node in connection["nodes"]]


# Refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ orders(first: 1) { nodes { colour } } }", "Cannot query field 'colour' on type 'Order'."),
        ("{ orders(first: 1, colour: 2) { nodes { id } } }", "Unknown argument 'colour' on field 'QueryRoot.orders'."),
        ("{ orders(first: 1, sortKey: COLOUR) { nodes { id } } }", "Value 'COLOUR' does not exist in 'OrderSortKeys'"),
        ("{ shop }", "Field 'shop' of type 'Shop!' must have a selection of subfields."),
        ("query { shop { name } } fragment F on Shop { id }", "Fragment 'F' is never used."),
        ("{ orders(first: 1) {", "Syntax Error: Expected Name, found <EOF>."),
        ("query($id: ID!) { order(id: $id) { id } }", "Variable '$id' of required type 'ID!' was not provided."),
    ],
)
def test_a_query_the_schema_refuses_is_refused(call, query, said):
    assert call.refusal(query)[1].startswith(said)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ orders { nodes { id } } }", "you must provide one of first or last"),
        ("{ orders(first: 251) { nodes { id } } }", "first must be between 1 and 250."),
        ('{ orders(first: 1, after: "x") { nodes { id } } }', "Invalid cursor for current pagination sort."),
        ('{ orders(first: 1, query: "colour:red") { nodes { id } } }', "No filter named 'colour' here."),
        (
            '{ orders(first: 1, query: "updated_at:>=2026-11-23") { nodes { id } } }',
            "The time '2026-11-23' is not quoted.",
        ),
    ],
)
def test_a_list_asked_for_wrongly_is_refused(call, query, said):
    assert call.refusal(query) == ("BAD_REQUEST", said)


def test_a_version_or_path_that_is_not_served_is_not_found(call, place):
    for path in (PATH.replace("2026-07", "2020-01"), "/admin/api/graphql.json", "/"):
        answer = requests.post(f"{place.url}{path}", json={"query": "{ shop { id } }"}, timeout=10)
        assert (answer.status_code, answer.json()) == (404, {"errors": "Not Found"})


# Access -----------------------------------------------------------------------------------------------


def test_a_stranger_is_refused_in_shopifys_words(place):
    for headers in ({}, {"X-Shopify-Access-Token": "shpat_wrong"}):
        answer = requests.post(f"{place.url}{PATH}", json={"query": "{ shop { id } }"}, headers=headers, timeout=10)
        said = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        assert (answer.status_code, answer.json()) == (401, {"errors": said})


def test_a_token_of_the_grant_lives_a_day_of_the_shops_clock(place, call):
    given = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = requests.post(f"{place.url}{TOKEN_PATH}", given, timeout=10).json()
    assert answer["expires_in"] == 86399 and "read_orders" in answer["scope"].split(",")
    call.session.headers["X-Shopify-Access-Token"] = answer["access_token"]
    place.shop.clock.advance(86398)
    assert call("{ shop { id } }").status_code == 200
    place.shop.clock.advance(1)
    assert call("{ shop { id } }").status_code == 401
    for name in given:
        wrong = requests.post(f"{place.url}{TOKEN_PATH}", {**given, name: "wrong"}, timeout=10)
        assert wrong.status_code == 400 and "access_token" not in wrong.json()


def test_a_scope_that_was_not_granted_denies_its_fields_only(place, call):
    order = place.shop.place_order(customer_id=place.shop.customer_by_email("customer1@example.test").id)
    place.platform.access.scopes.remove("read_customers")
    place.platform.access.scopes.remove("write_customers")
    assert ids(call.data("{ orders(first: 5) { nodes { id } } }")) == [order.id]
    said = "Access denied for customers field. Required access: `read_customers` access scope."
    assert call.refusal("{ customers(first: 5) { nodes { id } } }") == ("ACCESS_DENIED", said)
    answer = call("{ orders(first: 5) { nodes { id customer { id } } } }").json()
    assert answer["data"]["orders"]["nodes"][0]["customer"] is None
    assert answer["errors"][0]["path"] == ["orders", "nodes", 0, "customer"]


def test_tokens_are_not_in_the_request_log(place, call):
    call("{ shop { id } }")
    assert TOKEN not in str(list(place.requests))


# Lists ------------------------------------------------------------------------------------------------


def test_a_cursor_goes_on_behind_its_row_whatever_moved(place, call):
    orders = [place.shop.place_order(placed=NOON - timedelta(minutes=10 - number)) for number in range(5)]
    first = call.data(ORDERS, n=2)
    assert ids(first) == [orders[0].id, orders[1].id]
    place.shop.edit_order(orders[0].id, note="Edited")
    rest = call.data(ORDERS, n=9, a=first["orders"]["pageInfo"]["endCursor"])
    assert ids(rest) == [orders[2].id, orders[3].id, orders[4].id, orders[0].id]
    assert rest["orders"]["pageInfo"]["hasNextPage"] is False


def test_backwards_a_list_goes_on_too(place, call):
    orders = [place.shop.place_order(placed=NOON - timedelta(minutes=10 - number)) for number in range(5)]
    query = ORDERS.replace("UPDATED_AT", "CREATED_AT, reverse: true")
    first = call.data(query, n=3)
    rest = call.data(query, n=3, a=first["orders"]["pageInfo"]["endCursor"])
    assert ids(first) + ids(rest) == [order.id for order in reversed(orders)]


def test_comparators_take_their_second_in_or_leave_it_out(place, call):
    order = place.shop.place_order()
    at = "'2026-11-23T17:00:00Z'"
    found = {sign: ids(call.data(ORDERS, n=5, q=f"updated_at:{sign}{at}")) for sign in ("", ">=", "<=", ">", "<")}
    assert {sign: rows == [order.id] for sign, rows in found.items()} == {
        "": True, ">=": True, "<=": True, ">": False, "<": False,
    }  # fmt: skip


def test_terms_are_joined_by_and_unless_or_stands_between(place, call):
    paid, waiting = place.shop.place_order(email="it's@example.test"), place.shop.place_order(status="pending")
    both = "(financial_status:paid OR financial_status:pending)"
    assert ids(call.data(ORDERS, n=5, q=both)) == [paid.id, waiting.id]
    assert ids(call.data(ORDERS, n=5, q=f"{both} email:'it\\'s@example.test'")) == [paid.id]
    assert ids(call.data(ORDERS, n=5, q=f"{both} AND status:cancelled")) == []


def test_customers_match_by_the_whole_day_of_the_shop(place, call):
    customer = place.shop.customer_by_email("customer1@example.test")
    customer.modified = NOON - timedelta(hours=10)  # two in the morning in New York
    place.shop.save(place.shop.customers, customer)
    query = ORDERS.replace("orders(", "customers(")
    assert ids(call.data(query, n=5, q="updated_at:>='2026-11-23T16:59:00Z'")) == [customer.id]
    assert ids(call.data(query, n=5, q="updated_at:>='2026-11-24T05:00:00Z'")) == []


def test_a_list_without_a_word_about_status_hides_drafts(place, call):
    product = place.shop.product_by_sku("SKU-0001")
    product.status = "draft"
    place.shop.touch_product(product)
    lists = {"products": "status", "productVariants": "product_status"}
    for root, name in lists.items():
        query = f"query($q: String) {{ {root}(first: 99, query: $q) {{ nodes {{ id }} }} }}"
        assert product.id not in ids(call.data(query))
        assert ids(call.data(query, q=f"{name}:draft,archived")) == [product.id]


def test_counts_are_exact_up_to_their_limit(place, call):
    for _ in range(3):
        place.shop.place_order()
    query = "query($n: Int) { ordersCount(limit: $n) { count precision } }"
    assert call.data(query, n=None)["ordersCount"] == {"count": 3, "precision": "EXACT"}
    assert call.data(query, n=2)["ordersCount"] == {"count": 2, "precision": "AT_LEAST"}


# Cost -------------------------------------------------------------------------------------------------


def cost(answer) -> tuple[int, int | None]:
    told = answer.json()["extensions"]["cost"]
    return told["requestedQueryCost"], told["actualQueryCost"]


def test_what_live_servers_answered_is_what_it_reckons():
    """A list of 250 has counted twelve times its row: 25 points for a product's 250 variants with their stock item."""
    assert (sized(0), sized(1), sized(250), 1 + sized(250) * 2) == (0, 1, 12, 25)


def test_objects_cost_a_point_scalars_none_and_a_mutation_ten(place, call):
    assert cost(call("{ shop { id name } }")) == (1, 1)
    assert cost(call("{ shop { id plan { publicDisplayName } } }")) == (2, 2)
    mutation = "mutation { webhookSubscriptionDelete(id: 1) { userErrors { message } } }"
    assert cost(call(mutation)) == (10, 10)


def test_the_actual_cost_is_of_what_came(place, call):
    place.shop.place_order()
    answer = call("{ orders(first: 250) { nodes { id totalPriceSet { shopMoney { amount } } } } }")
    assert cost(answer) == (sized(250) * 3, 3)
    before = answer.json()["extensions"]["cost"]["throttleStatus"]
    assert before == {"maximumAvailable": 40000.0, "currentlyAvailable": before["currentlyAvailable"],
                      "restoreRate": 2000.0}  # fmt: skip


def test_a_query_above_the_limit_of_one_is_refused_and_costs_nothing(place, call):
    place.platform.bucket.now = lambda: 0.0
    left = place.platform.bucket.left
    parts = "nodes { id lineItems(first: 250) { nodes { id variant { inventoryItem { id } } product { id } "
    parts += "taxLines { priceSet { shopMoney { amount } } } } } }"
    code, said = call.refusal(f"{{ orders(first: 250) {{ {parts} }} }}")
    assert code == "MAX_COST_EXCEEDED" and f"({MOST_FOR_ONE_QUERY})" in said
    assert place.platform.bucket.left == left


@pytest.mark.parametrize("status", [200, 429])
def test_an_empty_bucket_throttles_until_its_points_are_back(place, call, status):
    bucket = place.platform.bucket
    now = 0.0
    bucket.now, bucket.restore, bucket.limit = (lambda: now), 100.0, 2000.0
    place.platform.throttled_status, bucket.left = status, 5.0
    query = "{ orders(first: 250) { nodes { id } } }"
    answer = call(query)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["errors"] == [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        assert answer.json()["extensions"]["cost"] == {
            "requestedQueryCost": 12, "actualQueryCost": None,
            "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 5, "restoreRate": 100.0},
        }  # fmt: skip
    else:
        assert answer.headers["Retry-After"] == "1"
    now = 0.08
    assert "errors" not in call(query).json()


def test_plans_restore_what_is_published():
    from sandbox.testing import practice_shop

    for plan, points in (("standard", 100), ("advanced", 200), ("plus", 1000), ("enterprise", 2000)):
        with practice_shop(platform="shopify", plan=plan, products=1, customers=0) as place:
            assert (place.platform.bucket.restore, place.platform.bucket.limit) == (points, points * 20)


def test_faults_strike_by_what_the_body_says(place, call):
    place.faults.add("500", body="customers")
    assert call("{ shop { id } }").status_code == 200
    answer = call("{ customers(first: 1) { nodes { id } } }")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
