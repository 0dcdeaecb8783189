"""The BigCommerce practice shop keeps to what is documented, traps among it."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import requests

from sandbox.testing import PracticeShop, practice_shop
from sandbox.trading import LineDraft, OrderDraft

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Client:
    """Calls one shop with its token and gives back whole responses."""

    def __init__(self, place: PracticeShop, token: str = "") -> None:
        self.place = place
        self.headers = {"X-Auth-Token": token or place.platform.token}

    def __call__(self, method: str, path: str, json=None, **query) -> requests.Response:
        return requests.request(
            method, f"{self.place.address}/{path}", params=query, json=json, headers=self.headers, timeout=10
        )

    def get(self, path: str, **query):
        answer = self("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="bigcommerce", products=20) as place:
        place.shop.clock.set(NOON)
        yield place


@pytest.fixture
def call(place) -> Client:
    return Client(place)


def test_an_order_is_written_as_v2_writes_it(place, call):
    place.shop.place_order("SKU-0001", quantity=2, shipping_lines=[("Courier", "flat_rate", Decimal(5))])
    (order,) = call.get("v2/orders")
    assert order["date_created"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert (order["status_id"], order["status"], order["customer_id"]) == (11, "Awaiting Fulfillment", 0)
    assert order["products"]["resource"] == f"/orders/{order['id']}/products"
    for name in ("subtotal", "shipping_cost", "handling_cost", "wrapping_cost"):
        ex, inc, tax = (Decimal(order[f"{name}_{part}"]) for part in ("ex_tax", "inc_tax", "tax"))
        assert ex + tax == inc and ex.as_tuple().exponent == -4
    assert Decimal(order["total_ex_tax"]) + Decimal(order["total_tax"]) == Decimal(order["total_inc_tax"])
    assert order["refunded_amount"] == "0.0000"


def test_an_empty_list_of_v2_is_204_and_one_of_v3_is_not(call):
    assert (call("GET", "v2/orders").status_code, call("GET", "v2/orders").content) == (204, b"")
    assert call.get("v3/orders/payment_actions/refunds")["data"] == []


def test_lines_come_fifty_at_a_time(place, call):
    order = place.shop.take_order(OrderDraft([LineDraft(sku="SKU-0001") for _ in range(51)]))
    assert len(call.get(f"v2/orders/{order.id}/products")) == 50
    assert len(call.get(f"v2/orders/{order.id}/products", page=2)) == 1
    assert call("GET", f"v2/orders/{order.id}/products", page=3).status_code == 204
    (whole,) = call.get("v2/orders", include="consignments.line_items", consignment_structure="object")
    assert len(whole["consignments"]["shipping"][0]["line_items"]) == 50


def test_the_parts_of_an_order_are_lists_of_their_own(place, call):
    order = place.shop.place_order(
        "SKU-0001", fees=[("Wrap", Decimal("3.33"), True)], coupons=[("ten", "percent", Decimal(10))]
    )
    for part in ("shipping_addresses", "coupons", "taxes", "fees"):
        assert len(call.get(f"v2/orders/{order.id}/{part}")) == 1, part
    assert call("GET", "v2/orders/9999/fees").status_code == 404


def test_refunds_are_in_v3(place, call):
    order = place.shop.place_order("SKU-0001", quantity=2)
    place.shop.refund_order(order.id, lines={order.lines[0].id: 1})
    assert call.get(f"v2/orders/{order.id}")["status_id"] == 14
    (refund,) = call.get("v3/orders/payment_actions/refunds", **{"order_id:in": f"{order.id},9"})["data"]
    assert (refund["order_id"], refund["items"][0]["quantity"]) == (order.id, 1)
    assert call.get(f"v2/orders/{order.id}/products")[0]["quantity_refunded"] == 1


def test_a_date_alone_is_filled_with_the_hour_of_the_request(place, call):
    assert call.get("v3/catalog/products", **{"date_modified:min": "2026-11-23"})["meta"]["pagination"]["total"] == 0
    place.shop.touch_product(place.shop.products.rows[11], NOON.replace(hour=9))
    by_date = call.get("v3/catalog/products", **{"date_modified:min": "2026-11-23"})
    by_time = call.get("v3/catalog/products", **{"date_modified:min": "2026-11-23T00:00:00Z"})
    assert (len(by_date["data"]), len(by_time["data"])) == (0, 1)


def test_a_simple_product_has_a_base_variant_and_a_complex_one_has_none(place, call):
    rows = {row["id"]: row for row in call.get("v3/catalog/products", include="variants", limit=250)["data"]}
    simple, shirt = rows[11], next(row for row in rows.values() if row["sku"] == "SHIRT-001")
    assert (simple["base_variant_id"], [each["id"] for each in simple["variants"]]) == (16, [16])
    assert shirt["base_variant_id"] is None and len(shirt["variants"]) == 3
    assert len(call.get("v3/catalog/variants", **{"product_id:in": str(shirt["id"])})["data"]) == 3
    assert len(call.get(f"v3/catalog/products/{shirt['id']}/variants")["data"]) == 3


def test_batches_beyond_their_size_are_413(place, call):
    for path, rows in (("v3/catalog/products", 11), ("v3/catalog/variants", 51), ("v3/customers", 11)):
        assert call("PUT", path, [{"id": 11}] * rows).status_code == 413
    assert call("GET", "v3/catalog/products", limit=251).status_code == 413


def test_a_second_record_of_a_name_or_sku_is_409(place, call):
    row = {"type": "physical", "weight": 1, "price": 2}
    assert call("POST", "v3/catalog/products", {**row, "name": "X", "sku": "sku-0001"}).status_code == 409
    name = place.shop.products.rows[11].name.upper()
    assert call("PUT", "v3/catalog/products", [{"id": 12, "name": name}]).status_code == 409
    assert call("POST", "v3/catalog/products", {**row, "name": "X", "sku": "X-1"}).json()["data"]["base_variant_id"]


def test_a_batch_with_a_bad_barcode_is_207(place, call):
    answer = call("PUT", "v3/catalog/products", [{"id": 11, "upc": "abc", "weight": 5}, {"id": 12, "upc": "123"}])
    assert answer.status_code == 207
    assert [row["upc"] for row in answer.json()["data"]] == ["", "123"]


def test_an_adjustment_is_done_later_on_the_shops_clock(place, call):
    held = place.shop.products.rows[11].stock
    row = {"location_id": 1, "product_id": 11, "quantity": held + 5}
    assert "transaction_id" in call("PUT", "v3/inventory/adjustments/absolute", {"items": [row]}).json()
    shown = call.get("v3/inventory/locations/1/items", **{"variant_id:in": "16"})["data"][0]
    assert shown["available_to_sell"] == held
    place.shop.clock.advance(1)
    shown = call.get("v3/inventory/locations/1/items", **{"variant_id:in": "16"})["data"][0]
    assert (shown["available_to_sell"], shown["identity"]["product_id"]) == (held + 5, 11)


@pytest.mark.parametrize(
    "row",
    [
        {"location_id": 9, "product_id": 11, "quantity": 1},
        {"location_id": 1, "product_id": 9999, "quantity": 1},
        {"location_id": 1, "variant_id": 16, "quantity": 1},
        {"location_id": 1, "product_id": 11, "quantity": -1},
    ],
)
def test_one_wrong_row_refuses_an_adjustment_whole(place, call, row):
    held = place.shop.products.rows[12].stock
    good = {"location_id": 1, "product_id": 12, "quantity": held + 1}
    assert call("PUT", "v3/inventory/adjustments/absolute", {"items": [good, row]}).status_code == 422
    place.shop.clock.advance(5)
    call.get("v3/inventory/items")
    assert place.shop.products.rows[12].stock == held


def test_the_quota_counts_down_and_comes_back_with_the_window():
    with practice_shop(platform="bigcommerce", quota=2, window_seconds=30) as place:
        place.shop.clock.set(NOON)
        call = Client(place)
        left = [call("GET", "v2/time").headers["X-Rate-Limit-Requests-Left"] for _ in range(2)]
        refused = call("GET", "v2/time")
        assert (left, refused.status_code) == (["1", "0"], 429)
        assert refused.headers["X-Rate-Limit-Time-Reset-Ms"] == "30000"
        assert refused.headers["X-Rate-Limit-Time-Window-Ms"] == "30000"
        place.shop.clock.advance(30)
        assert call("GET", "v2/time").status_code == 200


def test_tokens_and_scopes(place):
    assert Client(place, "wrong")("GET", "v2/time").status_code == 401
    place.platform.scopes = {"orders": "read_only", "customers": "read_only"}
    call = Client(place)
    assert [call("GET", path).status_code for path in ("v2/orders", "v3/customers", "v2/store")] == [204, 200, 403]
    assert call("PUT", "v3/customers", []).status_code == 403
    assert [name for request in place.requests for name in request.headers if name.lower() == "x-auth-token"] == []


def test_incomplete_and_archived_orders_are_in_the_lists(place, call):
    order = place.shop.place_order()
    place.shop.trash_order(order.id)
    place.shop.place_order(status="incomplete")
    assert [(row["status_id"], row["is_deleted"]) for row in call.get("v2/orders")] == [(11, True), (0, False)]


def test_the_faults_of_lists_work_here_too(place, call):
    for number in range(4):
        place.shop.clock.advance(1)
        place.shop.place_order(email=f"b{number}@example.test")
    first = call.get("v2/orders", sort="date_modified:asc")
    place.shop.clock.advance(60)
    place.faults.add("rows_move", count=2)
    call.get("v2/orders", sort="date_modified:asc")
    moved = call.get("v2/orders", sort="date_modified:asc")
    assert [row["id"] for row in moved] == [row["id"] for row in (*first[2:], *first[:2])]
    place.faults.add("same_second", count=2)
    place.faults.add("late_commit", count=1, seconds=100)
    assert len(call.get("v2/orders")) == 5
    assert len(call.get("v2/orders")) == 7
    for kind, status in (("401", 401), ("500", 500)):
        place.faults.add(kind)
        answer = call("GET", "v2/orders")
        assert (answer.status_code, answer.json()["status"]) == (status, status)


class Listener(BaseHTTPRequestHandler):
    received: list = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(({name.lower(): text for name, text in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_webhook_is_sent_signed_through_the_practice_switch(place, call):
    Listener.received = []
    server = HTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    destination = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    hook = {"scope": "store/order/created", "destination": destination, "is_active": True, "headers": {"X-Own": "1"}}
    try:
        assert call("POST", "v3/hooks", hook).status_code == 200
        assert call("POST", "v3/hooks", hook).status_code == 422  # one of a scope and destination
        switch = f"{place.url}/_practice/webhooks"
        answer = requests.post(switch, json={"scope": "store/order/created", "id": 17}, timeout=10)
        assert answer.json() == {"statuses": [200]}
    finally:
        server.shutdown()
        server.server_close()
    ((headers, body),) = Listener.received
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = place.platform.client_secret.encode()
    expected = base64.b64encode(hmac.new(key, content, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (headers["x-own"], json.loads(body)["data"]) == ("1", {"type": "order", "id": 17})


def test_a_destination_must_be_https(call):
    for destination, status in (("http://example.test/x", 422), ("https://example.test:8443/x", 422)):
        hook = {"scope": "store/order/created", "destination": destination}
        assert call("POST", "v3/hooks", hook).status_code == status


def test_a_restart_keeps_orders_and_hooks(tmp_path):
    state = str(tmp_path / "shop.sqlite3")
    with practice_shop(platform="bigcommerce", orders=3, state=state) as place:
        ids = [row["id"] for row in Client(place).get("v2/orders")]
        Client(place)("POST", "v3/hooks", {"scope": "store/order/created", "destination": "https://example.test/x"})
    with practice_shop(platform="bigcommerce", orders=3, state=state) as place:
        assert [row["id"] for row in Client(place).get("v2/orders")] == ids
        assert len(Client(place).get("v3/hooks")["data"]) == 1
