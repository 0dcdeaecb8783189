"""Prices, stock and SKUs: every trap the real server was caught with."""

import pytest


@pytest.fixture
def item(place):
    return place.shop.product_by_sku("SKU-0001")


def put(call, product, **fields):
    answer = call("PUT", f"products/{product.id}", json=fields)
    return answer, answer.json()


def test_a_put_changes_only_what_it_names_and_moves_the_date(place, call, item):
    price = item.regular_price
    _, body = put(call, item, name="Another name")
    assert (body["name"], body["regular_price"], body["sku"]) == ("Another name", price, "SKU-0001")
    assert body["date_modified_gmt"] == "2026-11-23T17:00:00"
    assert call.get(f"products/{item.id}") == body


@pytest.mark.parametrize(("sent", "kept"), [("11.50", "11.50"), ("12,50", "1250"), ("abc", ""), ("", "")])
def test_what_the_shop_makes_of_a_price(call, item, sent, kept):
    answer, body = put(call, item, regular_price=sent)
    assert (answer.status_code, body["regular_price"], body["price"]) == (200, kept, kept)


def test_a_price_that_is_a_number_is_refused(call, item):
    before = item.regular_price
    answer, body = put(call, item, regular_price=12.5)
    assert (answer.status_code, body["code"]) == (400, "rest_invalid_param")
    assert body["data"]["params"] == {"regular_price": "regular_price is not of type string."}
    assert item.regular_price == before


def test_stock_that_is_nothing_becomes_zero_and_out_of_stock(call, item):
    _, body = put(call, item, stock_quantity=None)
    assert (body["stock_quantity"], body["stock_status"]) == (0, "outofstock")


def test_half_a_piece_is_refused(call, item):
    before = item.stock
    answer, _ = put(call, item, stock_quantity=5.5)
    assert (answer.status_code, item.stock) == (400, before)


def test_stock_is_ignored_unless_managed(call, item):
    put(call, item, manage_stock=False)
    answer, body = put(call, item, stock_quantity=9)
    assert (answer.status_code, body["manage_stock"], body["stock_quantity"]) == (200, False, None)
    _, body = put(call, item, manage_stock=True, stock_quantity=9)
    assert (body["stock_quantity"], body["stock_status"]) == (9, "instock")


def test_a_new_product(place, call):
    answer = call("POST", "products", json={"name": "New", "sku": "NEW-1", "regular_price": "3.00"})
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{place.url}/wp-json/wc/v3/products/{body['id']}"
    assert (body["type"], body["manage_stock"], body["stock_quantity"]) == ("simple", False, None)
    assert call.ids("products", sku="NEW-1") == [body["id"]]


def test_a_taken_sku_is_refused_with_a_proposal(place, call, item):
    count = len(place.shop.products.rows)
    answer = call("POST", "products", json={"name": "Copy", "sku": "SKU-0001"})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "product_invalid_sku",
        "message": "Invalid or duplicated SKU.",
        "data": {"status": 400, "resource_id": item.id, "unique_sku": "SKU-0001-1"},
    }
    assert len(place.shop.products.rows) == count


def test_a_sku_in_the_trash_is_refused_too(place, call, item):
    assert call("DELETE", f"products/{item.id}").json()["status"] == "publish"
    assert call.ids("products", sku="SKU-0001") == []
    answer = call("POST", "products", json={"name": "Copy", "sku": "SKU-0001"})
    assert (answer.status_code, answer.json()["code"]) == (400, "woocommerce_rest_product_not_created")
    assert call("DELETE", f"products/{item.id}").status_code == 410


def test_a_variation_is_written_through_its_parent_and_moves_it(place, call):
    parent = place.shop.add_product("TEE", "Tee", kind="variable")
    small = place.shop.add_product("TEE-S", "S", "9.00", stock=3, parent=parent, option="S")
    refused = call("PUT", f"products/{small.id}", json={"stock_quantity": 5})
    assert (refused.status_code, refused.json()["code"], small.stock) == (
        404,
        "woocommerce_rest_invalid_product_id",
        3,
    )
    place.shop.clock.advance(60)
    rows = call(
        "POST",
        f"products/{parent.id}/variations/batch",
        json={"update": [{"id": small.id, "stock_quantity": 5}]},
    ).json()["update"]
    assert (rows[0]["stock_quantity"], rows[0]["date_modified_gmt"]) == (5, "2026-11-23T17:01:00")
    assert call.get(f"products/{parent.id}")["date_modified_gmt"] == "2026-11-23T17:01:00"


def test_a_variation_that_does_not_manage_stock_loses_it(place, call):
    parent = place.shop.add_product("TEE", "Tee", kind="variable", stock=8)
    small = place.shop.add_product("TEE-S", "S", "9.00", parent=parent, option="S", backorders="yes")
    body = call("PUT", f"products/{parent.id}/variations/{small.id}", json={"stock_quantity": 5}).json()
    assert (body["manage_stock"], body["stock_quantity"], body["backorders"]) == ("parent", 8, "no")


def test_a_batch_answers_200_with_errors_in_its_rows(place, call, item):
    answer = call(
        "POST",
        "products/batch",
        json={
            "create": [{"name": "Copy", "sku": "SKU-0001"}, {"name": "Fresh", "sku": "FRESH"}],
            "update": [{"id": 999999, "name": "x"}, {"id": item.id, "stock_quantity": 77}],
            "delete": [888888],
        },
    )
    body = answer.json()
    assert (answer.status_code, list(body)) == (200, ["create", "update", "delete"])
    assert body["create"][0] == {
        "id": 0,
        "error": {
            "code": "product_invalid_sku",
            "message": "Invalid or duplicated SKU.",
            "data": {"status": 400, "resource_id": item.id, "unique_sku": "SKU-0001-1"},
        },
    }
    assert body["create"][1]["sku"] == "FRESH"
    invalid = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."}
    assert body["update"][0] == {"id": 999999, "error": {**invalid, "data": {"status": 400}}}
    assert body["update"][1]["stock_quantity"] == 77
    assert body["delete"] == [{"id": 888888, "error": {**invalid, "data": {"status": 404}}}]


def test_a_batch_is_not_checked_as_single_requests_are(call, item):
    rows = call(
        "POST", "products/batch", json={"update": [{"id": item.id, "regular_price": 12.5, "stock_quantity": 5.5}]}
    ).json()["update"]
    assert (rows[0]["regular_price"], rows[0]["stock_quantity"]) == ("12.5", 5)


def test_a_batch_takes_a_hundred_rows_and_no_more(call, item):
    row = {"id": item.id, "stock_quantity": 4}
    assert call("POST", "products/batch", json={"update": [row] * 100}).status_code == 200
    refused = call("POST", "products/batch", json={"update": [{**row, "stock_quantity": 9}] * 101})
    assert (refused.status_code, item.stock) == (413, 4)
    assert refused.json() == {
        "code": "woocommerce_rest_request_entity_too_large",
        "message": "Unable to accept more than 100 items for this request.",
        "data": {"status": 413},
    }


def test_json_that_is_broken(call, place, item):
    url = f"{place.url}/wp-json/wc/v3/products/{item.id}"
    answer = call.session.put(url, data="{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_json")
