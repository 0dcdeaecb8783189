"""Orders and refunds made and changed over the API, and what they do to stock."""

from decimal import Decimal

import pytest

ADDRESS = {"first_name": "Ann", "country": "US", "state": "NY", "email": "ann@example.test"}


@pytest.fixture
def item(place):
    return place.shop.set_stock("SKU-0001", 10)


def test_an_order_with_tax_shipping_fee_and_a_given_price(call, item):
    answer = call(
        "POST",
        "orders",
        json={
            "set_paid": True,
            "billing": ADDRESS,
            "line_items": [{"product_id": item.id, "quantity": 3, "total": "10.00"}],
            "shipping_lines": [{"method_id": "flat_rate", "method_title": "Flat", "total": "5.00"}],
            "fee_lines": [{"name": "Gift", "total": "1.50"}],
        },
    )
    body = answer.json()
    assert answer.status_code == 201
    assert (body["status"], body["created_via"], body["customer_id"]) == ("processing", "rest-api", 0)
    line = body["line_items"][0]
    assert (line["total"], line["total_tax"], line["price"]) == ("10.00", "0.89", 3.3333333333333335)
    assert (body["shipping_total"], body["shipping_tax"]) == ("5.00", "0.44")
    assert (body["cart_tax"], body["total_tax"], body["total"]) == ("1.02", "1.46", "17.96")
    assert body["tax_lines"][0] | {"id": 0} == {
        "id": 0,
        "rate_code": "US-NY-NY TAX-1",
        "rate_id": 1,
        "label": "NY Tax",
        "compound": False,
        "tax_total": "1.02",
        "shipping_tax_total": "0.44",
        "rate_percent": 8.875,
        "meta_data": [],
    }
    assert body["date_paid_gmt"] == body["date_created_gmt"] == "2026-11-23T17:00:00"


def test_an_unknown_product_or_sku_is_taken_at_nothing(call):
    lines = [{"product_id": 999999}, {"sku": "NOWHERE", "quantity": 2}]
    body = call("POST", "orders", json={"line_items": lines}).json()
    assert [(ln["product_id"], ln["sku"], ln["total"]) for ln in body["line_items"]] == [(0, None, "0.00")] * 2


def test_a_negative_untaxed_fee_comes_back_taxed(call, item):
    fees = [
        {"name": "Loyalty", "total": "-2.00", "tax_status": "none"},
        {"name": "Plus", "total": "2.00", "tax_status": "none"},
    ]
    german = {"billing": {"country": "DE"}, "fee_lines": fees}
    body = call("POST", "orders", json=german).json()
    assert [(fee["total"], fee["total_tax"]) for fee in body["fee_lines"]] == [("-2.00", "-0.38"), ("2.00", "0.00")]


@pytest.mark.parametrize(
    ("code", "coupon", "total"),
    [("ten", ("10.00", "percent", 10), "90.00"), ("fivefix", ("5", "fixed_cart", 5), "95.00")],
)
def test_coupons(call, item, code, coupon, total):
    body = call(
        "POST",
        "orders",
        json={
            "line_items": [{"product_id": item.id, "quantity": 1, "total": "100.00"}],
            "coupon_lines": [{"code": code}],
        },
    ).json()
    line = body["coupon_lines"][0]
    assert Decimal(line["discount"]) == Decimal(coupon[0])
    assert (line["discount_type"], line["nominal_amount"]) == coupon[1:]
    assert (body["line_items"][0]["subtotal"], body["line_items"][0]["total"]) == ("100.00", total)
    assert (body["discount_total"], body["total"]) == (str(100 - Decimal(total)), total)


def test_an_unknown_coupon_or_customer_places_nothing(place, call, item):
    for wrong in ({"coupon_lines": [{"code": "nope"}]}, {"customer_id": 999}):
        assert call("POST", "orders", json=wrong).status_code == 400
    assert place.shop.orders.rows == {}


def test_orders_take_stock_may_drive_it_negative_and_move_the_products_date(place, call, item):
    place.shop.clock.advance(60)
    call("POST", "orders", json={"set_paid": True, "line_items": [{"product_id": item.id, "quantity": 12}]})
    body = call.get(f"products/{item.id}")
    assert (body["stock_quantity"], body["stock_status"], body["total_sales"]) == (-2, "outofstock", 12)
    assert body["date_modified_gmt"] == "2026-11-23T17:01:00"


def test_a_pending_order_takes_no_stock_until_it_is_paid_and_a_cancelled_one_gives_it_back(call, item):
    order = call("POST", "orders", json={"line_items": [{"product_id": item.id, "quantity": 4}]}).json()
    assert (order["status"], order["needs_payment"], item.stock) == ("pending", True, 10)
    for status, left in (("on-hold", 6), ("processing", 6), ("cancelled", 10), ("completed", 6)):
        order = call("PUT", f"orders/{order['id']}", json={"status": status}).json()
        assert (order["status"], item.stock) == (status, left)
    assert order["date_completed_gmt"] == "2026-11-23T17:00:00"


def test_a_partial_refund_shows_only_in_refunds_and_moves_the_date(place, call, item):
    order = place.shop.place_order("SKU-0001", quantity=2)
    total = str(order.total)
    place.shop.clock.advance(60)
    made = call("POST", f"orders/{order.id}/refunds", json={"amount": "1.00", "reason": "damaged"})
    body = call.get(f"orders/{order.id}")
    assert made.status_code == 201
    assert (body["status"], body["total"], body["date_modified_gmt"]) == (
        "processing",
        total,
        "2026-11-23T17:01:00",
    )
    assert body["refunds"] == [{"id": made.json()["id"], "reason": "damaged", "total": "-1.00", "total_tax": "0.00"}]
    assert call.get(f"orders/{order.id}/refunds") == [made.json()]
    assert call.get(f"orders/{order.id}/refunds/{made.json()['id']}") == made.json()
    assert [(row["id"], row["parent_id"]) for row in call.get("refunds")] == [(made.json()["id"], order.id)]


def test_a_line_refund_carries_its_tax_and_restocks(place, call, item):
    order = place.shop.place_order("SKU-0001", quantity=4)
    line = order.lines[0]
    made = call("POST", f"orders/{order.id}/refunds", json={"line_items": [{"id": line.id, "quantity": 1}]}).json()
    part = made["line_items"][0]
    assert part["quantity"] == -1
    assert Decimal(made["amount"]) == -(Decimal(part["total"]) + Decimal(part["total_tax"]))
    assert [(m["key"], m["value"]) for m in part["meta_data"]] == [("_refunded_item_id", str(line.id))]
    assert made["tax_lines"][0]["tax_total"] == part["total_tax"]
    assert item.stock == 7


def test_refunding_all_makes_the_order_refunded_and_more_is_refused(place, call, item):
    order = place.shop.place_order("SKU-0001")
    too_much = call("POST", f"orders/{order.id}/refunds", json={"amount": str(order.total + 1)})
    assert (too_much.status_code, order.status, order.refunds) == (500, "processing", [])
    call("POST", f"orders/{order.id}/refunds", json={"amount": str(order.total)})
    assert call.get(f"orders/{order.id}")["status"] == "refunded"


def test_delete_trashes_and_answers_with_the_old_status(place, call, item):
    order = place.shop.place_order("SKU-0001")
    assert call("DELETE", f"orders/{order.id}").json()["status"] == "processing"
    assert call.get(f"orders/{order.id}")["status"] == "trash"
    assert call.ids("orders", status="any") == []
    assert call.ids("orders", status="trash") == [order.id]
    assert call("DELETE", f"orders/{order.id}").status_code == 410
    assert call("DELETE", f"orders/{order.id}", force="true").status_code == 200
    assert call("GET", f"orders/{order.id}").status_code == 404


def test_lines_are_edited_added_and_removed(place, call, item):
    order = place.shop.place_order("SKU-0001", "SKU-0002")
    first, second = (line.id for line in order.lines)
    place.shop.clock.advance(60)
    edited = call(
        "PUT",
        f"orders/{order.id}",
        json={
            "line_items": [
                {"id": first, "quantity": 2, "subtotal": "20.00", "total": "20.00"},
                {"id": second, "quantity": 0},
                {"sku": "SKU-0003", "total": "5.00"},
            ]
        },
    ).json()
    assert [(ln["sku"], ln["quantity"], ln["total"]) for ln in edited["line_items"]] == [
        ("SKU-0001", 2, "20.00"),
        ("SKU-0003", 1, "5.00"),
    ]
    assert (edited["total_tax"], edited["total"]) == ("2.22", "27.22")
    assert edited["date_modified_gmt"] == "2026-11-23T17:01:00"


def test_a_line_of_another_order_is_refused(place, call, item):
    order, other = place.shop.place_order("SKU-0001"), place.shop.place_order("SKU-0001")
    wrong = {"line_items": [{"id": other.lines[0].id, "quantity": 9}]}
    answer = call("PUT", f"orders/{order.id}", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "woocommerce_rest_invalid_item_id")
    assert [line.quantity for line in (*order.lines, *other.lines)] == [1, 1]


def test_a_line_whose_product_was_deleted_keeps_its_name(place, call, item):
    order = place.shop.place_order("SKU-0001")
    assert call.get(f"orders/{order.id}")["line_items"][0]["sku"] == "SKU-0001"
    assert call("DELETE", f"products/{item.id}", force="true").status_code == 200
    line = call.get(f"orders/{order.id}")["line_items"][0]
    assert (line["product_id"], line["sku"], line["name"]) == (0, None, item.name)


def test_a_line_shows_the_sku_its_product_has_now(place, call, item):
    order = place.shop.place_order("SKU-0001")
    before = call.get(f"orders/{order.id}")
    place.shop.clock.advance(60)
    place.shop.rename_sku("SKU-0001", "RENAMED")
    after = call.get(f"orders/{order.id}")
    assert after["line_items"][0]["sku"] == "RENAMED"
    assert after["date_modified_gmt"] == before["date_modified_gmt"]


def test_a_batch_of_orders(place, call, item):
    order = place.shop.place_order("SKU-0001")
    body = call(
        "POST",
        "orders/batch",
        json={"create": [{"billing": ADDRESS}], "update": [{"id": order.id, "status": "completed"}], "delete": [1]},
    ).json()
    assert body["create"][0]["billing"]["email"] == "ann@example.test"
    assert body["update"][0]["status"] == "completed"
    assert body["delete"][0]["error"]["code"] == "woocommerce_rest_shop_order_invalid_id"


def test_an_unknown_status_is_refused(place, call, item):
    order = place.shop.place_order("SKU-0001")
    assert call("PUT", f"orders/{order.id}", json={"status": "shipped"}).status_code == 400
    assert order.status == "processing"


def test_staff_change_a_quantity_at_its_price_and_bring_an_order_back(place, call, item):
    order = place.shop.place_order("SKU-0001", "SKU-0002")
    first, second = order.lines
    unit = first.total
    place.shop.set_quantity(order.id, first.id, 3)
    place.shop.set_quantity(order.id, second.id, 0)
    place.shop.trash_order(order.id)
    place.shop.untrash_order(order.id)
    body = call.get(f"orders/{order.id}")
    assert [(ln["quantity"], Decimal(ln["total"])) for ln in body["line_items"]] == [(3, unit * 3)]
    assert Decimal(body["total"]) == unit * 3 + order.lines[0].total_tax
    assert call.ids("orders") == [order.id]
