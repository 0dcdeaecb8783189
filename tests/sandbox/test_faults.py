"""The fault switch, over the wire: by method call, by header and by the running shop's own door."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import NOON, Client

URLLIB_ERRORS = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def five(place):
    return [place.shop.place_order(placed=NOON.replace(minute=minute)).id for minute in range(5)]


def ask(call, fault):
    url = f"{call.place.url}/wp-json/wc/v3/orders"
    return call.session.get(url, headers={"X-Practice-Fault": fault}, timeout=10, allow_redirects=False)


def test_429_with_and_without_retry_after(call):
    told, silent = ask(call, "429;retry_after=7"), ask(call, "429")
    assert (told.status_code, told.headers["Retry-After"]) == (429, "7")
    assert (silent.status_code, "Retry-After" in silent.headers) == (429, False)


def test_401_and_500_in_the_platforms_words(call):
    refused, broken = ask(call, "401"), ask(call, "500")
    assert (refused.status_code, refused.json()["code"]) == (401, "woocommerce_rest_authentication_error")
    assert (broken.status_code, broken.json()["code"]) == (500, "internal_server_error")


@pytest.mark.parametrize(("kind", "status"), [("html200", 200), ("html503", 503)])
def test_html_where_json_belongs(call, kind, status):
    answer = ask(call, kind)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_redirect(call):
    answer = ask(call, "redirect;to=https://elsewhere.example.test/")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://elsewhere.example.test/")


def test_reset_is_a_reset_and_not_a_close(place, call, five):
    with socket.create_connection(("127.0.0.1", int(place.url.rsplit(":", 1)[1]))) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\nX-Practice-Fault: reset\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)


def test_a_truncated_body_is_shorter_than_announced(call, five):
    whole = len(call("GET", "orders").content)
    with pytest.raises(URLLIB_ERRORS) as cut:
        ask(call, "truncated")
    assert f"{whole // 2} bytes read" in str(cut.value)


def test_timeout_never_answers(place, call):
    with pytest.raises(requests.ReadTimeout):
        url = f"{place.url}/wp-json/wc/v3/orders"
        call.session.get(url, headers={"X-Practice-Fault": "timeout;seconds=5"}, timeout=0.2)


def test_latency_answers_late(call):
    begun = time.monotonic()
    assert ask(call, "latency;seconds=0.3").status_code == 200
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize(("processed", "count"), [(False, 0), (True, 1)])
def test_a_lost_answer_may_have_been_a_done_deed(place, call, processed, count):
    place.faults.add("reset", method="POST", processed=processed)
    with pytest.raises(URLLIB_ERRORS):
        call("POST", "orders", json={"line_items": [{"sku": "SKU-0001"}]})
    assert len(place.shop.orders.rows) == count


def test_a_fault_strikes_the_page_it_names_and_as_often_as_told(place, call, five):
    place.faults.add("500", match="/orders", page=2, times=2)
    statuses = [call("GET", "orders", page=page, per_page=2).status_code for page in (1, 2, 3, 2, 2)]
    assert statuses == [200, 500, 200, 500, 200]
    assert place.faults.active() == []


def test_a_fault_may_wait_and_may_stay(place, call):
    place.faults.add("500", match="/customers", after=1, times=0)
    statuses = [call("GET", path).status_code for path in ("customers", "orders", "customers", "customers")]
    assert statuses == [200, 200, 500, 500]
    place.faults.clear()
    assert call("GET", "customers").status_code == 200


def test_the_log_tells_what_struck(place, call):
    ask(call, "500")
    with pytest.raises(URLLIB_ERRORS):
        ask(call, "reset")
    assert [(line.status, line.faults) for line in place.requests] == [(500, ["500"]), (0, ["reset"])]


def test_late_commit_appears_behind_what_was_read(place, call, five):
    place.faults.add("late_commit", seconds=3600 * 24, count=2)
    first = call.get("orders", orderby="modified", order="asc")
    again = call.get("orders", orderby="modified", order="asc")
    late = [row["id"] for row in again if row["id"] not in five]
    assert [row["id"] for row in first] == five
    assert len(late) == 2
    assert [row["id"] for row in again][:2] == late
    assert again[0]["date_modified_gmt"] == "2026-11-22T17:00:00"


def test_same_second_puts_orders_before_and_after_the_reading(place, call):
    place.faults.add("same_second", count=5)
    first, again = call.get("orders"), call.get("orders")
    assert (len(first), len(again)) == (3, 5)
    assert {row["date_modified_gmt"] for row in again} == {"2026-11-23T17:00:00"}


def test_rows_move_makes_offset_paging_lose_rows(place, call, five):
    place.shop.clock.advance(3600)
    place.faults.add("rows_move", page=1, count=2)
    read = []
    for page in (1, 2, 3):
        read += call.ids("orders", orderby="modified", order="asc", per_page=2, page=page)
    assert set(five) - set(read) == set(five[2:4])
    assert call.ids("orders", orderby="modified", order="asc") == [*five[2:], *five[:2]]


def test_over_http(place, call):
    door = f"{place.url}/_practice/faults"
    made = requests.post(door, json={"kind": "500", "times": 2}, timeout=10)
    assert (made.status_code, made.json()["kind"]) == (200, "500")
    assert call("GET", "orders").status_code == 500
    assert [fault["struck"] for fault in requests.get(door, timeout=10).json()] == [1]
    assert requests.delete(door, timeout=10).json() == []
    assert call("GET", "orders").status_code == 200


def test_an_unknown_fault_is_refused(place):
    door = f"{place.url}/_practice/faults"
    for wrong in ({"kind": "gremlins"}, {"kind": "500", "colour": "red"}):
        assert requests.post(door, json=wrong, timeout=10).status_code == 400
    with pytest.raises(ValueError, match="gremlins"):
        place.faults.add("gremlins")
    assert place.faults.active() == []


def test_what_happens_in_the_shop_over_http(place, call):
    def do(method, switch, **given):
        answer = requests.request(method, f"{place.url}/_practice/{switch}", json=given, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    ids = do("POST", "orders", count=2, skus=["SKU-0001"])["ids"]
    late = do("POST", "orders", seconds_ago=60)["ids"]
    together = do("POST", "orders", count=3, same_second=True)["ids"]
    assert call.ids("orders", orderby="id", order="asc") == [*ids, *late, *together]
    do("PUT", "orders", id=ids[0], action="refund", amount="1.00", reason="late")
    do("PUT", "orders", id=ids[1], action="cancel")
    do("PUT", "orders", id=late[0], action="trash")
    do("PUT", "orders", id=together[0], action="delete")
    do("PUT", "orders", id=together[1], action="edit", note="Ring twice")
    do("PUT", "orders", id=together[2], action="status", status="completed")
    assert call.get(f"orders/{ids[0]}")["refunds"][0]["total"] == "-1.00"
    assert call.ids("orders", status="cancelled") == [ids[1]]
    assert call.ids("orders", status="trash") == [late[0]]
    assert call("GET", f"orders/{together[0]}").status_code == 404
    assert call.get(f"orders/{together[1]}")["customer_note"] == "Ring twice"
    assert call.ids("orders", status="completed") == [together[2]]
    assert do("PUT", "stock", sku="SKU-0001", quantity=5)["stock"] == 5
    added = do("POST", "products", sku="ADDED", name="Added", price="1.00", stock=2)["id"]
    assert call.ids("products", sku="ADDED") == [added]
    do("DELETE", "products", sku="ADDED")
    assert call.ids("products", sku="ADDED") == []
    assert do("POST", "clock", now="2026-11-01T05:30:00+00:00")["now"] == "2026-11-01T05:30:00Z"
    assert do("GET", "requests")[0]["path"] == "/wp-json/wc/v3/orders"


def test_a_wrong_wish_is_answered_with_a_sentence(place):
    door = f"{place.url}/_practice"
    assert requests.put(f"{door}/stock", json={"sku": "NOPE", "quantity": 1}, timeout=10).status_code == 404
    assert requests.put(f"{door}/orders", json={"id": 1, "action": "eat"}, timeout=10).status_code == 400
    assert requests.get(f"{door}/", timeout=10).status_code == 404


def test_a_client_that_asks_for_many_pages_keeps_one_connection(place, five):
    call = Client(place)
    for _ in range(5):
        call.get("orders")
    assert place.server.connections_opened == 1


def test_the_practice_door_is_shut_to_who_comes_through_a_proxy(place):
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    answer = requests.post(f"{place.url}/_practice/orders", json={}, headers=forwarded, timeout=10)
    assert (answer.status_code, place.shop.orders.rows) == (404, {})


def test_an_unknown_fault_in_a_header_is_told(call):
    answer = ask(call, "gremlins")
    assert answer.status_code == 400
    assert "gremlins" in answer.json()["error"]


def test_many_buyers_at_once_each_get_their_own_order_and_stock_is_exact(place):
    item = place.shop.set_stock("SKU-0001", 50)

    def buy(_):
        wanted = {"set_paid": True, "line_items": [{"sku": "SKU-0001"}]}
        return Client(place)("POST", "orders", json=wanted).json()["id"]

    with ThreadPoolExecutor(8) as buyers:
        ids = list(buyers.map(buy, range(40)))
    assert len(set(ids)) == 40
    assert (len(place.shop.orders.rows), item.stock) == (40, 10)
