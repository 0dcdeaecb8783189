"""What shops tell by webhook, over a socket and signed by the practice shops: a hint to read again, nothing more."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db.models import F
from django.utils import timezone

from backoffice.models import DocumentTodo, Item
from carts.choices import CartStatus, Kind, RecordState
from carts.models import Cart, Delivery, Feed, Record, Run, Webhooks
from carts.services import control, leases, mapping, subscriptions, ticking, webhooks
from sandbox.bigcommerce import hooks as bigcommerce
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import (
    LONG_AGO,
    documents,
    feed_of,
    fresh,
    know_the_items,
    poll,
    record_of,
    row_counts,
    wait_until,
)
from tests.engine.test_kill import Processes
from tests.platforms.around import around, at_request

pytestmark = pytest.mark.django_db(transaction=True)
TOPICS = {
    "bigcommerce": {"order": "store/order/updated", "item": "store/product/updated"},
    "shopify": {"order": "ORDERS_UPDATED", "item": "PRODUCTS_UPDATE"},
}


@dataclass
class Teller:
    """A practice shop that sends webhooks, and the cart it sends them to."""

    platform: str
    place: PracticeShop
    cart: Cart

    def message(self, kind: str, record_id: int, delivery: str = "one") -> tuple[dict[str, str], bytes]:
        """Headers and body, signed by the shop."""
        api, topic = self.place.platform, TOPICS[self.platform][kind]
        if self.platform == "shopify":
            body = json.dumps(api.webhooks.payload(topic, record_id)).encode()
            return api.webhooks.headers(topic, body, delivery), body
        body = bigcommerce.told(api, topic, record_id)
        return bigcommerce.signed(api.client_secret, delivery, "1800000000", body), body

    @property
    def address(self) -> str:
        return subscriptions.address_of(Webhooks.objects.get(pk=self.cart.pk))

    def send(self, message: tuple[dict[str, str], bytes]) -> int:
        headers, body = message
        return requests.post(self.address, body, headers=headers, timeout=10).status_code

    def tell(self, kind: str, record_id: int) -> list[int]:
        """As the shop itself does it, to all who are subscribed."""
        return self.place.platform.deliver(TOPICS[self.platform][kind], record_id)

    def drop_all(self) -> None:
        """As a shop does after deliveries that failed."""
        self.place.shop.set_fact("webhooks" if self.platform == "shopify" else "hooks", {} if self.is_shopify else [])

    def readings(self) -> int:
        return len([each for each in self.place.requests if "oauth" not in each.path])

    @property
    def is_shopify(self) -> bool:
        return self.platform == "shopify"


@pytest.fixture(params=TOPICS)
def teller(request, live_server, settings) -> Iterator[Teller]:
    """RUNNING and subscribed, its items known; nothing polled yet."""
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    with practice_shop(platform=request.param) as place:
        know_the_items(place)
        changes = {"name": "Shop", "platform": request.param, "url": place.address, "last_order_from": LONG_AGO}
        changes |= {"from_item_updates": True, "to_item_updates": True, "last_update_time": LONG_AGO}
        cart = control.create_cart(changes, place.credentials, "staff")
        result = control.test_connection(cart, "staff")
        assert result.passed, result.message
        control.start(fresh(cart), "staff", without_rehearsal=True)
        subscriptions.check(cart.pk)
        yield Teller(request.param, place, fresh(cart))


@pytest.fixture
def processes(tmp_path, redis_server) -> Iterator[Processes]:
    processes = Processes(tmp_path, REDIS_URL=redis_server.url)
    processes.start("worker")
    processes.start("beat")
    yield processes
    processes.kill_all()


def later(**changes: Any) -> None:
    """As if so much time had passed since the subscriptions were looked at."""
    Webhooks.objects.update(next_check_at=timezone.now() - timedelta(seconds=1), **changes)


def assert_all_imported_once(teller: Teller) -> None:
    orders = {str(order.id): order.total for order in teller.place.shop.orders.rows.values()}
    assert {ref: document.total for ref, document in documents(teller.cart).items()} == orders


# The door ---------------------------------------------------------------------------------------------


def test_a_delivery_is_stored_and_answered_before_anything_is_done(teller):
    order = teller.place.shop.place_order()
    teller.place.requests.clear()
    assert teller.tell("order", order.id) == [200]
    assert list(teller.place.requests) == []
    assert documents(teller.cart) == {}
    (delivery,) = Delivery.objects.all()
    assert (delivery.kind, delivery.external_id, delivery.done_at) == (Kind.ORDER, str(order.id), None)


def test_an_order_that_was_told_of_is_imported_without_a_poll(teller):
    order = teller.place.shop.place_order()
    cursor = feed_of(teller.cart).high_water
    teller.tell("order", order.id)
    webhooks.read_again(teller.cart.pk)
    assert_all_imported_once(teller)
    assert feed_of(teller.cart).high_water == cursor
    assert feed_of(teller.cart).lease_token == ""
    assert Delivery.objects.get().done_at is not None
    assert webhooks.due(timezone.now()) == []


def test_a_delivery_that_comes_five_times_is_one(teller):
    order = teller.place.shop.place_order()
    message = teller.message("order", order.id)
    assert [teller.send(message) for _ in range(3)] == [200] * 3
    webhooks.read_again(teller.cart.pk)
    teller.place.requests.clear()
    assert [teller.send(message) for _ in range(2)] == [200] * 2
    webhooks.read_again(teller.cart.pk)
    assert Delivery.objects.count() == 1
    assert list(teller.place.requests) == []
    assert len(documents(teller.cart)) == 1
    assert Webhooks.objects.get().told == 5


def test_what_is_not_signed_by_the_shop_is_refused_and_stored_nowhere(teller):
    order = teller.place.shop.place_order()
    headers, body = teller.message("order", order.id)
    before = row_counts()
    assert teller.send((headers, body.replace(b"}", b" }"))) == 401
    assert teller.send(({}, body)) == 401
    assert row_counts() == before
    kept = Webhooks.objects.get()
    assert (kept.refused, kept.told, kept.told_at) == (2, 0, None)


def test_only_the_cart_s_own_address_takes_deliveries(teller):
    message = teller.message("order", teller.place.shop.place_order().id)
    there = requests.get(teller.address, timeout=10)
    elsewhere = requests.post(f"{teller.address[:-5]}/", message[1], headers=message[0], timeout=10)
    large = requests.post(teller.address, b"x" * 3_000_000, headers=message[0], timeout=10)
    assert (there.status_code, elsewhere.status_code, large.status_code) == (405, 404, 413)
    assert Delivery.objects.count() == 0


def test_a_stopped_cart_s_deliveries_are_taken_and_not_kept(teller):
    order = teller.place.shop.place_order()
    control.stop(teller.cart, "staff")
    assert teller.tell("order", order.id) == [200]
    assert Delivery.objects.count() == 0
    control.start(fresh(teller.cart), "staff", without_rehearsal=True)
    poll(teller.cart)
    assert_all_imported_once(teller)


def test_what_came_before_a_stop_is_not_read_after_it(teller):
    order = teller.place.shop.place_order()
    teller.tell("order", order.id)
    control.stop(teller.cart, "staff")
    teller.place.requests.clear()
    webhooks.read_again(teller.cart.pk)
    assert webhooks.due(timezone.now()) == []
    assert list(teller.place.requests) == []
    assert documents(teller.cart) == {}


# What it comes to -------------------------------------------------------------------------------------


def test_late_and_out_of_order_is_as_if_it_had_never_come(teller):
    """The change before the order, the order after the poll has read both: the shop is asked, not the message."""
    order = teller.place.shop.place_order()
    changed = teller.message("order", order.id, "changed")
    placed = teller.message("order", order.id, "placed")
    poll(teller.cart)
    teller.send(changed)
    webhooks.read_again(teller.cart.pk)
    teller.send(placed)
    webhooks.read_again(teller.cart.pk)
    assert_all_imported_once(teller)
    assert DocumentTodo.objects.count() == 0
    assert Run.objects.filter(cart=teller.cart).count() == 1


def test_an_older_answer_never_replaces_a_newer_one(teller):
    """A shop that answers from a copy that is behind."""
    order = teller.place.shop.place_order()
    poll(teller.cart)
    newer = Record.objects.filter(cart=teller.cart, kind=Kind.ORDER)
    newer.update(modified_at=F("modified_at") + timedelta(minutes=1), digest=b"newer")
    teller.tell("order", order.id)
    webhooks.read_again(teller.cart.pk)
    assert bytes(record_of(teller.cart, order).digest) == b"newer"
    assert Delivery.objects.get().done_at is not None


def test_an_order_before_the_fence_is_not_imported_because_the_shop_told_of_it(teller):
    old = teller.place.shop.place_order(placed=LONG_AGO - timedelta(days=1))
    teller.tell("order", old.id)
    webhooks.read_again(teller.cart.pk)
    assert documents(teller.cart) == {}


def test_many_deliveries_of_one_order_are_read_once(teller):
    order = teller.place.shop.place_order()
    for number in range(4):
        teller.send(teller.message("order", order.id, f"number {number}"))
    teller.place.requests.clear()
    webhooks.read_again(teller.cart.pk)
    at_once = teller.readings()
    teller.send(teller.message("order", order.id, "again"))
    teller.place.requests.clear()
    webhooks.read_again(teller.cart.pk)
    assert at_once == teller.readings() > 0
    assert Delivery.objects.filter(done_at=None).count() == 0


def test_an_order_that_is_gone_is_marked_and_a_document_of_it_is_for_a_person(teller):
    imported = teller.place.shop.place_order()
    held = teller.place.shop.place_order()
    poll(teller.cart)
    Record.objects.filter(external_id=str(held.id)).update(state=RecordState.HELD, local_id=None)
    for order in (imported, held):
        teller.send(teller.message("order", order.id, f"gone {order.id}"))
        teller.place.shop.delete_order(order.id)
    webhooks.read_again(teller.cart.pk)
    assert record_of(teller.cart, held).state == RecordState.MISSING
    assert record_of(teller.cart, imported).state == RecordState.IMPORTED
    assert "deleted there" in DocumentTodo.objects.get().text


def test_an_item_that_was_told_of_is_taken_as_by_a_poll(teller):
    product = next(row for row in teller.place.shop.products.rows.values() if row.sku and row.kind == "simple")
    ticking.poll_now(*claimed(teller.cart, Kind.ITEM))
    link(teller.cart, product.sku)
    product.name = "Renamed in the shop"
    teller.place.shop.touch_product(product)
    teller.tell("item", product.id)
    webhooks.read_again(teller.cart.pk)
    assert Item.objects.get(sku=product.sku).name == "Renamed in the shop"


def claimed(cart: Cart, kind: Kind) -> tuple[int, str]:
    feed = Feed.objects.get(cart=cart, kind=kind)
    return feed.pk, leases.claim_feed(feed.pk)


def link(cart: Cart, sku: str) -> None:
    record = Record.objects.get(cart=cart, kind=Kind.ITEM, label=sku)
    mapping.link(record, Item.objects.get(sku=sku).pk)


# When things break ------------------------------------------------------------------------------------


def test_a_killed_worker_s_deliveries_are_found_by_the_tick(teller):
    order = teller.place.shop.place_order()
    teller.tell("order", order.id)
    feed = feed_of(teller.cart)
    assert leases.claim_feed(feed.pk)  # and never heard of again
    webhooks.read_again(teller.cart.pk)
    assert documents(teller.cart) == {}
    Feed.objects.filter(pk=feed.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert webhooks.due(timezone.now()) == [teller.cart.pk]
    webhooks.read_again(teller.cart.pk)
    webhooks.read_again(teller.cart.pk)
    assert_all_imported_once(teller)


@pytest.mark.kill
@pytest.mark.parametrize("teller", ["bigcommerce"], indirect=True)
def test_a_worker_killed_while_it_reads_what_was_told(teller, processes):
    """Real processes. No poll is due: what arrives was told of."""
    Feed.objects.filter(cart=teller.cart).update(next_poll_at=timezone.now() + timedelta(days=1))
    order = teller.place.shop.place_order()

    def kill_and_start_anew() -> None:
        processes.kill("worker")
        processes.start("worker")

    with around(teller.place, before=at_request(1, kill_and_start_anew, match="/orders")):
        teller.send(teller.message("order", order.id))
        wait_until(lambda: Delivery.objects.filter(done_at=None).count() == 0)
    assert_all_imported_once(teller)
    wait_until(lambda: feed_of(teller.cart).lease_token == "")


def test_a_shop_that_does_not_answer_is_asked_later_and_then_left_to_the_poll(teller):
    order = teller.place.shop.place_order()
    teller.tell("order", order.id)
    teller.place.faults.add("500", times=0)
    for _ in range(webhooks.MOST_TRIES):
        webhooks.read_again(teller.cart.pk)
        assert webhooks.due(timezone.now()) == []
        Delivery.objects.update(due_at=timezone.now())
    assert Delivery.objects.get().done_at is not None
    assert feed_of(teller.cart).failures == 0
    teller.place.faults.clear()
    poll(teller.cart)
    assert_all_imported_once(teller)


# Subscriptions ----------------------------------------------------------------------------------------


def test_what_the_shop_dropped_is_subscribed_anew_within_a_day_and_told(teller):
    assert Webhooks.objects.get().mended == ""
    teller.drop_all()
    subscriptions.check(teller.cart.pk)  # looked at just now
    assert teller.tell("order", teller.place.shop.place_order().id) == []
    assert timezone.now() + timedelta(hours=23) < Webhooks.objects.get().next_check_at
    later()
    subscriptions.check(teller.cart.pk)
    assert teller.tell("order", teller.place.shop.place_order().id) == [200]
    assert TOPICS[teller.platform]["order"] in Webhooks.objects.get().mended


def test_old_deliveries_are_forgotten(teller):
    teller.tell("order", teller.place.shop.place_order().id)
    Delivery.objects.update(received_at=timezone.now() - webhooks.KEPT - timedelta(hours=1))
    teller.tell("order", teller.place.shop.place_order().id)
    later()
    subscriptions.check(teller.cart.pk)
    assert Delivery.objects.count() == 1


def test_a_check_that_fails_stops_no_poll(teller):
    later()
    teller.place.faults.add("500", times=1)
    subscriptions.check(teller.cart.pk)
    assert Webhooks.objects.get().error != ""
    teller.place.shop.place_order()
    poll(teller.cart)
    assert_all_imported_once(teller)
    assert subscriptions.due(timezone.now()) == []
    later()
    subscriptions.check(teller.cart.pk)
    assert Webhooks.objects.get().error == ""


def test_without_an_address_nothing_is_subscribed(teller, settings):
    settings.PUBLIC_URL = ""
    later()
    assert subscriptions.due(timezone.now()) == []
    assert "PUBLIC_URL" in subscriptions.of_cart(teller.cart).off


@pytest.mark.parametrize("teller", ["shopify"], indirect=True)
def test_a_shopify_cart_without_a_client_secret_subscribes_to_nothing(teller):
    """It could not tell the shop's messages from others, and the shop would drop what is always refused."""
    with practice_shop(platform="shopify", by_token=True) as place:
        cart = control.create_cart(
            {"name": "By token", "platform": "shopify", "url": place.address}, place.credentials, ""
        )
        Cart.objects.filter(pk=cart.pk).update(status=CartStatus.RUNNING)
        subscriptions.check(cart.pk)
        assert place.platform.webhooks.subscriptions() == []
    state = subscriptions.of_cart(fresh(cart))
    assert "client secret" in state.webhooks.error
    assert "Not subscribed" in state.off


def test_a_stopped_cart_s_subscriptions_are_left_alone(teller):
    control.stop(teller.cart, "staff")
    teller.place.requests.clear()
    later()
    subscriptions.check(teller.cart.pk)
    assert list(teller.place.requests) == []
    assert Cart.objects.get().status == CartStatus.STOPPED
    assert "STOPPED" in subscriptions.of_cart(fresh(teller.cart)).off


def test_the_cart_s_page_shows_whether_webhooks_come(teller, client, staff):
    client.force_login(staff)
    teller.tell("order", teller.place.shop.place_order().id)
    later(mended_at=timezone.now(), mended="store/order/updated", refused=2, refused_at=timezone.now())
    page = client.get(f"/carts/{teller.cart.pk}/").content.decode()
    assert "On: the shop tells of changes at once" in page
    assert "store/order/updated" in page
    assert "2 without the cart&#x27;s signature were refused" in page or "2 without the cart's signature were" in page
