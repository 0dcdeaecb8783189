"""Mutations: what is needed at run time though no schema says so, and what 200 hides."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sandbox.shopify.api import CLIENT_SECRET

SET = """mutation($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id changes { delta quantityAfterChange } } userErrors { code field message } } }"""


def quantities(*rows: tuple[int, int, int | None], **changes) -> dict:
    """Rows of (item, quantity, changeFromQuantity)."""
    given = [
        {
            "inventoryItemId": f"gid://shopify/InventoryItem/{item}",
            "locationId": "gid://shopify/Location/1",
            "quantity": quantity,
            "changeFromQuantity": known,
        }
        for item, quantity, known in rows
    ]
    return {"name": "available", "reason": "correction", "quantities": given, **changes}


def shows(place, *ids: int) -> list[int]:
    return [place.shop.products.rows[each].stock for each in ids]


def test_without_the_directive_or_with_an_empty_key_nothing_is_set(place, call):
    before = shows(place, 11)
    for query in (SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", ""), SET):
        code, said = call.refusal(query, input=quantities((11, 3, None)), key="")
        assert code == "BAD_REQUEST" and "@idempotent directive is required" in said
    assert shows(place, 11) == before


def test_change_from_quantity_has_to_be_there_even_if_it_is_null(place, call):
    before, given = shows(place, 11), quantities((11, 3, None))
    del given["quantities"][0]["changeFromQuantity"]
    code, said = call.refusal(SET, input=given, key="a")
    assert code == "BAD_REQUEST" and "changeFromQuantity" in said
    assert shows(place, 11) == before


def test_what_is_compared_is_refused_when_stale_row_by_row(place, call):
    place.shop.set_stock("SKU-0001", 5)
    answer = call.data(SET, input=quantities((11, 9, 4), (12, 8, None), (999, 7, None)), key="a")
    told = answer["inventorySetQuantities"]
    assert told["inventoryAdjustmentGroup"] is None
    assert [(error["code"], error["field"]) for error in told["userErrors"]] == [
        ("CHANGE_FROM_QUANTITY_STALE", ["input", "quantities", "0", "changeFromQuantity"]),
        ("INVALID_INVENTORY_ITEM", ["input", "quantities", "2", "inventoryItemId"]),
    ]
    assert shows(place, 11) == [5]
    place.platform.rejects_whole_batches = False
    answer = call.data(SET, input=quantities((11, 9, 4), (12, 8, None), (999, 7, None)), key="b")
    assert len(answer["inventorySetQuantities"]["userErrors"]) == 2
    assert shows(place, 11, 12) == [5, 8]


def test_a_key_does_its_work_once_and_answers_the_same_again(place, call):
    first = call.data(SET, input=quantities((11, 9, None)), key="a")
    place.shop.set_stock("SKU-0001", 2)
    assert call.data(SET, input=quantities((11, 9, None)), key="a") == first
    assert shows(place, 11) == [2]
    other = call.data(SET, input=quantities((11, 8, None)), key="a")["inventorySetQuantities"]
    assert [error["code"] for error in other["userErrors"]] == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert shows(place, 11) == [2]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"reason": "because"}, "INVALID_REASON"), ({"name": "reserved"}, "INVALID_NAME")],
)
def test_a_whole_request_may_be_wrong(place, call, changes, code):
    told = call.data(SET, input=quantities((11, 9, None), **changes), key="a")["inventorySetQuantities"]
    assert [error["code"] for error in told["userErrors"]] == [code]


def test_250_rows_are_the_most_and_each_item_may_stand_once(place, call):
    code, said = call.refusal(SET, input=quantities(*[(11, 1, None)] * 251), key="a")
    assert code == "BAD_REQUEST" and "maximum allowed of 250" in said
    told = call.data(SET, input=quantities((11, 1, None), (11, 2, None)), key="b")["inventorySetQuantities"]
    assert [error["code"] for error in told["userErrors"]] == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"]


def test_price_and_compare_at_price_are_the_neutral_shops_sale_and_regular_price(place, call):
    query = """mutation($variants: [ProductVariantsBulkInput!]!) {
      productVariantsBulkUpdate(productId: "gid://shopify/Product/11", variants: $variants) {
        productVariants { price compareAtPrice } userErrors { field message } } }"""
    variant = {"id": "gid://shopify/ProductVariant/11", "price": "9", "compareAtPrice": "12.5"}
    told = call.data(query, variants=[variant])["productVariantsBulkUpdate"]
    assert told == {"productVariants": [{"price": "9.00", "compareAtPrice": "12.50"}], "userErrors": []}
    product = place.shop.products.rows[11]
    assert (product.regular_price, product.sale_price) == ("12.50", "9.00")
    other = {"id": "gid://shopify/ProductVariant/12", "price": "1"}
    told = call.data(query, variants=[other])["productVariantsBulkUpdate"]
    assert [error["message"] for error in told["userErrors"]] == ["Product variant does not exist"]


def test_an_email_is_one_customers(place, call):
    query = """mutation($input: CustomerInput!) { customerCreate(input: $input) {
      customer { id } userErrors { field message } } }"""
    told = call.data(query, input={"email": "customer1@example.test"})["customerCreate"]
    assert told == {"customer": None, "userErrors": [{"field": ["email"], "message": "Email has already been taken"}]}
    assert call.data(query, input={"firstName": "Ada"})["customerCreate"]["customer"]


# Webhooks ---------------------------------------------------------------------------------------------


class Listener(HTTPServer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Ear)


class _Ear(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def listener():
    listener = Listener()
    threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
    yield listener
    listener.shutdown()
    listener.server_close()


SUBSCRIBE = """mutation($uri: String!) {
  webhookSubscriptionCreate(topic: ORDERS_UPDATED, webhookSubscription: {uri: $uri}) {
    webhookSubscription { id topic uri } userErrors { message } } }"""


def test_the_practice_switch_sends_a_signed_webhook_to_whom_it_concerns(place, call, listener):
    order = place.shop.place_order()
    uri = f"http://127.0.0.1:{listener.server_port}/hook"
    made = call.data(SUBSCRIBE, uri=uri)["webhookSubscriptionCreate"]
    assert made["webhookSubscription"]["uri"] == uri and made["userErrors"] == []
    switch = f"{place.url}/_practice/webhooks"
    answer = call.session.post(switch, json={"scope": "ORDERS_UPDATED", "id": order.id}, timeout=10)
    assert answer.json() == {"statuses": [204]}
    ((headers, body),) = listener.heard
    signature = base64.b64encode(hmac.new(CLIENT_SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["x-shopify-hmac-sha256"] == signature
    assert (headers["x-shopify-topic"], headers["x-shopify-webhook-id"]) == ("orders/updated", "practice-000001")
    assert call.session.post(switch, json={"scope": "ORDERS_CREATE", "id": order.id}, timeout=10).json() == {
        "statuses": []
    }
    call.data("mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId } }",
              id=made["webhookSubscription"]["id"])  # fmt: skip
    assert place.platform.deliver("ORDERS_UPDATED", order.id) == []


def test_a_subscription_is_made_once_and_only_to_a_safe_address(place, call):
    for uri, said in (
        ("http://shop.example.test/", "Address must be a valid https URL"),
        ("https://a.example.test/", None),
        ("https://a.example.test/", "Address for this topic has already been taken"),
    ):
        errors = call.data(SUBSCRIBE, uri=uri)["webhookSubscriptionCreate"]["userErrors"]
        assert [error["message"] for error in errors] == ([said] if said else [])
