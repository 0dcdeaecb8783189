"""Keys, scopes, points and webhooks."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
import time_machine

from carts.errors import AuthError, ConfigError, RateLimited, Rejected, Unavailable
from carts.platforms.shopify import API_RETIRES, API_VERSION, FIRST_ESTIMATE_OF_ORDERS, NO_KEY, TOPIC_KINDS
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, WebhookHint, Window
from sandbox.shopify.api import CLIENT_ID, CLIENT_SECRET, TOKEN
from tests.platforms.around import around
from tests.platforms.shopify.conftest import NOON, Ledger, adapter_of

BY_CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def grants(place) -> int:
    return sum(request.path.endswith("/access_token") for request in place.requests)


# Keys -------------------------------------------------------------------------------------------------


def test_either_a_token_or_a_client_will_do_and_none_is_said_in_a_sentence(place):
    for credentials in ({"access_token": TOKEN}, BY_CLIENT):
        assert adapter_of(place, **credentials).check().name == "Practice shop"
    assert not any(field.is_required for field in adapter_of(place).credential_fields)
    for credentials in ({"client_id": CLIENT_ID}, {"client_secret": CLIENT_SECRET}, {"access_token": ""}):
        with pytest.raises(ConfigError) as raised:
            adapter_of(place, **credentials).check()
        assert raised.value.sentence == NO_KEY


def test_a_token_of_the_grant_is_asked_for_once_and_used(place, adapter):
    adapter.check()
    list(adapter.fetch(ORDER, Window()))
    assert grants(place) == 1


def test_a_token_is_renewed_before_its_day_is_over(place, adapter):
    with time_machine.travel(NOON, tick=False) as clock:
        adapter.check()
        clock.shift(timedelta(hours=21))
        adapter.check()
        assert grants(place) == 1
        clock.shift(timedelta(hours=1))
        adapter.check()
        assert grants(place) == 2


def test_a_token_the_shop_does_not_take_any_more_is_replaced_once(place, adapter):
    """It was refused before anything was done, so nothing is done twice."""
    adapter.check()
    place.shop.clock.advance(25 * 3600)
    assert adapter.check().name == "Practice shop"
    assert [request.status for request in place.requests if "graphql" in request.path][-3:] == [401, 200, 200]
    assert grants(place) == 2
    place.platform.access.token_seconds = 0
    place.shop.clock.advance(25 * 3600)
    with pytest.raises(AuthError):
        adapter.check()


def test_a_client_secret_that_is_wrong_needs_a_person(place):
    with pytest.raises(AuthError) as raised:
        adapter_of(place, client_id=CLIENT_ID, client_secret="shpss_wrong").check()
    assert raised.value.sentence.startswith("The shop gave no token for this client id and client secret.")
    assert "shpss_wrong" not in f"{raised.value.sentence}{raised.value.detail}"


def test_keys_are_in_no_error_record_or_address(place, adapter):
    place.shop.place_order()
    granted = []
    told = []
    with around(place, before=lambda request: granted.append(request.headers.get("X-Shopify-Access-Token"))):
        rows = [row for kind in (ORDER, ITEM, CUSTOMER) for page in adapter.fetch(kind, Window()) for row in page.rows]
    secrets = {CLIENT_SECRET, TOKEN, *filter(None, granted)}
    for fault in ("401", "429", "500", "html200", "redirect", "reset"):
        place.faults.add(fault, times=2)
        with pytest.raises((AuthError, RateLimited, Unavailable, ConfigError)) as raised:
            adapter.fetch_many(ORDER, ["11"])
        place.faults.clear()
        told.append(f"{raised.value.sentence} {raised.value.detail} {raised.value!r}")
    told += [adapter.clean(row.body) for row in rows] + [str(request) for request in place.requests]
    told = [text for text in told if "/access_token" not in text]  # where the secret belongs
    assert len(secrets) == 3 and rows and not [text for text in told for secret in secrets if secret in text]


# Scopes -----------------------------------------------------------------------------------------------


def test_the_check_tells_version_locations_and_every_missing_scope_with_what_stops(place, adapter):
    whole = adapter.check()
    assert (whole.version, whole.can_write, whole.warnings) == (API_VERSION, True, ())
    assert [(place.external_id, place.name) for place in whole.locations] == [("1", "Location 1")]
    assert (adapter.capabilities.api_version, adapter.capabilities.api_retires) == (API_VERSION, API_RETIRES)
    for scope in ("write_inventory", "read_inventory", "write_customers"):
        place.platform.access.scopes.remove(scope)
    less = adapter.check()
    assert less.warnings == (
        "The scope read_inventory is missing: stock cannot be read, nor sent.",
        "The scope write_inventory is missing: stock cannot be sent to the cart.",
        "The scope write_customers is missing: customers cannot be sent to the cart.",
    )
    assert not less.can_write and "write_inventory" in less.permissions


def test_writing_a_kind_takes_reading_it_in(place, adapter):
    place.platform.access.scopes[:] = [
        each for each in place.platform.access.scopes if each not in ("read_products", "read_customers")
    ]
    assert adapter.check().warnings == ()


def test_a_version_the_shop_does_not_serve_any_more_is_told(place, adapter):
    """Shopify answers with its oldest one then, and only a header says so."""

    def newer(request, response):
        response.headers = [("X-Shopify-API-Version", "2026-10")]

    with around(place, after=newer):
        info = adapter.check()
    assert info.version == "2026-10" and "does not serve 2026-07 any more" in info.warnings[0]


def test_without_locations_none_are_listed(place, adapter):
    place.platform.access.scopes[:] = ["read_orders", "read_products", "read_customers"]
    assert adapter.check().locations == ()


@pytest.mark.parametrize("scope", ["read_orders", "read_products", "read_customers"])
def test_without_what_orders_are_made_of_none_can_be_read(place, adapter, scope):
    customer = place.shop.customer_by_email("customer1@example.test")
    place.shop.place_order("SKU-0001", customer_id=customer.id)
    writing = scope.replace("read_", "write_")
    place.platform.access.scopes[:] = [x for x in place.platform.access.scopes if x not in (scope, writing)]
    with pytest.raises(AuthError) as raised:
        adapter.check()
    assert f"The scope {scope} is missing: " in raised.value.sentence
    with pytest.raises(AuthError) as raised:
        list(adapter.fetch(ORDER, Window()))
    assert scope in raised.value.sentence


# Points -----------------------------------------------------------------------------------------------


def test_every_request_is_paid_for_before_and_learned_from_after(place, adapter, budget):
    place.shop.place_order()
    list(adapter.fetch(ORDER, Window()))
    list(adapter.fetch(ORDER, Window()))
    sent = [request for request in place.requests if "graphql" in request.path]
    assert len(budget.spent) == len(budget.learned) == len(sent) == 2
    assert budget.spent == [FIRST_ESTIMATE_OF_ORDERS, 976.0]
    allowance, spent, cost = budget.learned[1]
    assert (allowance.limit, allowance.restore_per_second, spent) == (40000.0, 2000.0, 976.0)
    assert 0 < cost < 100 and allowance.left <= 40000 - cost


def test_throttled_with_200_waits_until_the_points_are_back(place, adapter, budget):
    place.platform.bucket.now = lambda: 0.0
    adapter.check()
    place.platform.bucket.left = 270.0
    with pytest.raises(RateLimited) as raised:
        list(adapter.fetch(ORDER, Window()))
    # 976 points are asked for, 270 are there, 2,000 come back in a second.
    assert raised.value.wait_seconds == pytest.approx(0.353)
    assert budget.refusals == [raised.value.wait_seconds]
    assert {request.status for request in place.requests} == {200}
    place.platform.bucket.now = lambda: 0.36
    list(adapter.fetch(ORDER, Window()))


def test_throttled_with_429_waits_as_the_header_says(place, adapter, budget):
    adapter.check()
    place.platform.bucket.now, place.platform.throttled_status = (lambda: 0.0), 429
    place.platform.bucket.restore, place.platform.bucket.left = 100.0, 70.0
    with pytest.raises(RateLimited) as raised:
        list(adapter.fetch(ORDER, Window()))
    assert (raised.value.wait_seconds, budget.refusals) == (9.0, [9.0])
    assert place.requests[-1].status == 429


def test_an_error_inside_the_shop_is_tried_again_and_a_refused_question_is_not(place, adapter):
    adapter.check()
    for errors, kind in (
        ([{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}], Unavailable),
        ([{"message": "Field 'x' doesn't exist on type 'Order'"}], Rejected),
        ("[API] something", Rejected),
    ):
        with around(place, after=lambda _, response, errors=errors: _answer(response, errors)), pytest.raises(kind):
            adapter.fetch_many(ORDER, ["11"])


def _answer(response, errors) -> None:
    response.body = json.dumps({"errors": errors}).encode()


# Webhooks ---------------------------------------------------------------------------------------------

ADDRESS = "https://panel.example.test/webhooks/1/"


def signed(topic: str, body: bytes, secret: str = CLIENT_SECRET) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"x-shopify-topic": topic, "x-shopify-hmac-sha256": signature, "x-shopify-webhook-id": "b54557e4"}


@pytest.mark.parametrize(
    ("topic", "body", "told"),
    [
        ("orders/create", b'{"id": 820982911946154508}', [(ORDER, "820982911946154508")]),
        ("orders/delete", b'{"id": 7}', [(ORDER, "7")]),
        ("refunds/create", b'{"id": 1, "order_id": 7}', [(ORDER, "7")]),
        ("customers/update", b'{"id": 5}', [(CUSTOMER, "5")]),
        ("products/update", b'{"id": 3, "variants": [{"id": 31}, {"id": 32}]}', [(ITEM, "31"), (ITEM, "32")]),
        ("themes/publish", b'{"id": 3}', []),
    ],
)
def test_a_signed_webhook_is_a_hint_of_what_to_read(place, adapter, topic, body, told):
    hints = adapter.read_webhook(signed(topic, body), body)
    assert hints == tuple(WebhookHint("b54557e4", kind, external_id) for kind, external_id in told)


def test_the_signature_is_of_the_raw_body_with_the_carts_own_secret(place, adapter):
    body = b'{"id":  7}'
    assert adapter.read_webhook(signed("orders/create", body), body)
    without_secret = adapter_of(place, access_token=TOKEN)
    for headers, raw, reader in (
        (signed("orders/create", body), b'{"id": 7}', adapter),
        (signed("orders/create", body, "another"), body, adapter),
        ({"x-shopify-topic": "orders/create"}, body, adapter),
        (signed("orders/create", body, ""), body, without_secret),
    ):
        with pytest.raises(Rejected):
            reader.read_webhook(headers, raw)


def test_webhooks_are_subscribed_once_mended_and_dropped(place, adapter):
    assert adapter.keep_webhooks(ADDRESS) == tuple(TOPIC_KINDS) == adapter.capabilities.webhook_topics
    assert adapter.keep_webhooks(ADDRESS) == ()
    # The shop removes those that did not answer, and one of ours may stand elsewhere since the panel has moved.
    first = place.platform.webhooks.subscriptions()[0]
    place.platform.webhooks.unsubscribe(int(first["id"].rpartition("/")[2]))
    place.platform.webhooks.subscribe("ORDERS_UPDATED", "https://old.example.test/")
    place.platform.webhooks.subscribe("SHOP_UPDATE", "https://other.example.test/")
    assert adapter.keep_webhooks(ADDRESS) == (first["topic"],)
    there = {(hook["topic"], hook["uri"]) for hook in place.platform.webhooks.subscriptions()}
    assert there == {(topic, ADDRESS) for topic in TOPIC_KINDS} | {("SHOP_UPDATE", "https://other.example.test/")}
    adapter.drop_webhooks(ADDRESS)
    assert [hook["topic"] for hook in place.platform.webhooks.subscriptions()] == ["SHOP_UPDATE"]


def test_where_staff_of_the_shop_see_a_record(place):
    adapter = adapter_of(place)
    assert adapter.admin_url(ORDER, "7") == f"{place.url}/admin/orders/7"
    assert adapter.admin_url(CUSTOMER, "7") == f"{place.url}/admin/customers/7"
    assert adapter.admin_url(ITEM, "7") == f"{place.url}/admin/products?query=variant_id%3A7"


def test_a_budget_that_is_spent_out_stops_the_request(place):
    class Empty(Ledger):
        def spend(self, cost: float) -> None:
            raise RateLimited("Nothing is left.", wait_seconds=3)

    adapter = adapter_of(place, budget=Empty(), access_token=TOKEN)
    with pytest.raises(RateLimited):
        adapter.read_stock([ItemRef("11")])
    assert list(place.requests) == []
