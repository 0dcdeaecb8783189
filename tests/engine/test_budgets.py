"""One row a cart holds its budget, for threads and processes alike."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from carts import secrets
from carts.choices import CartStatus
from carts.errors import RateLimited, StopRequested
from carts.models import Cart, CartBudget, Feed
from carts.platforms.base import Allowance
from carts.services import control, feeds, leases
from carts.services.budgets import Priority, SharedBudget
from carts.services.connections import adapter_for
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import LONG_AGO, Worker, feed_of, know_the_items, poll, running_cart, wait_until
from tests.engine.test_kill import ROOT, Processes, database_url

pytestmark = pytest.mark.django_db(transaction=True)
BUCKET = Allowance(1000.0, 1000.0, 50.0)


class Clock:
    """Sleeping moves it, and nothing else."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def cart(db) -> Cart:
    return Cart.objects.create(name="Shop", url="https://shop.example", status=CartStatus.RUNNING)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def budget(cart: Cart, clock: Clock, priority: Priority = Priority.BACKGROUND) -> SharedBudget:
    return SharedBudget(cart.pk, priority, clock=clock.time, sleep=clock.sleep)


def told(cart: Cart, clock: Clock, allowance: Allowance = BUCKET) -> None:
    """The cart has told its limit, to some other worker."""
    budget(cart, clock).learn(allowance, spent=0, cost=0)


def left(cart: Cart) -> float:
    return json.loads(CartBudget.objects.get(pk=cart.pk).book)["left"]


def test_a_cart_that_never_told_a_limit_pays_one_look_and_no_wait(cart, clock, django_assert_num_queries):
    ours = budget(cart, clock)
    with django_assert_num_queries(1):
        for _ in range(100):
            ours.spend(500.0)
        ours.refused(30.0)
    assert clock.slept == []


def test_an_import_from_a_cart_without_limits_asks_no_budget(history):
    """WooCommerce's adapter has none to ask, so its import pays no statement at all."""
    know_the_items(history)
    cart = running_cart(history)
    seen: list[str] = []

    def note(execute, sql, *rest):
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        poll(cart)
    assert len(seen) > 10
    assert not [sql for sql in seen if "cartbudget" in sql]


def test_waits_are_computed_from_what_the_cart_says(cart, clock):
    told(cart, clock, Allowance(1000.0, 100.0, 50.0))
    budget(cart, clock, Priority.STAFF).spend(100.0)
    assert clock.slept == []
    budget(cart, clock, Priority.STOCK).spend(120.0)
    assert sum(clock.slept) == pytest.approx(120 / 50)


def test_all_workers_share_one_allowance(cart, clock):
    told(cart, clock)
    for _ in range(4):
        budget(cart, clock, Priority.STOCK).spend(200.0)
    # The seconds before the bucket is full are not counted on.
    assert left(cart) == 1000.0 - 2 * 50.0 - 800.0


def test_a_page_is_told_to_come_again_instead_of_hanging(cart, clock):
    told(cart, clock, Allowance(1000.0, 0.0, 50.0))
    with pytest.raises(RateLimited) as refusal:
        budget(cart, clock, Priority.STAFF).spend(400.0)
    assert refusal.value.wait_seconds == 8.0
    assert "8 seconds" in refusal.value.sentence
    assert clock.slept == []
    budget(cart, clock, Priority.STOCK).spend(50.0)  # nobody stands in the queue before it
    assert sum(clock.slept) == 1.0


def test_a_stop_ends_the_waiting(cart, clock):
    told(cart, clock, Allowance(1000.0, 0.0, 50.0))

    def stop_while_it_sleeps(seconds: float) -> None:
        clock.sleep(seconds)
        Cart.objects.update(status=CartStatus.STOPPED)

    ours = SharedBudget(cart.pk, Priority.BACKGROUND, clock=clock.time, sleep=stop_while_it_sleeps)
    with pytest.raises(StopRequested):
        ours.spend(900.0)
    assert sum(clock.slept) <= 1.0
    assert left(cart) < 900.0


def test_what_a_person_began_goes_on_in_a_stopped_cart(cart, clock):
    told(cart, clock, Allowance(1000.0, 0.0, 50.0))
    Cart.objects.update(status=CartStatus.STOPPED)
    budget(cart, clock, Priority.RUN).spend(50.0)
    assert sum(clock.slept) == pytest.approx((50 + 400) / 50)


def test_a_refusal_makes_everybody_wait(cart, clock):
    told(cart, clock)
    budget(cart, clock).refused(12.0)
    budget(cart, clock, Priority.ORDERS).spend(1.0)
    assert sum(clock.slept) == pytest.approx(12.0)


def test_a_request_that_failed_is_under_way_no_more(cart, clock):
    """Its answer told nothing. What was let go is spent, but nobody waits for it to be counted."""
    told(cart, clock, Allowance(1000.0, 500.0, 0.001))
    ours = budget(cart, clock, Priority.STOCK)
    ours.spend(50.0)
    ours.spend(50.0)
    ours.learn(Allowance(1000.0, 450.0, 0.001), spent=50.0, cost=50.0)
    assert left(cart) == pytest.approx(450.0)
    assert "flights" not in json.loads(CartBudget.objects.get(pk=cart.pk).book)


def test_a_poll_that_catches_up_lets_others_pass(history):
    know_the_items(history)
    cart = running_cart(history)

    def priority() -> Priority:
        return feeds.Poll(feed_of(cart), "", "")._priority()

    assert priority() == Priority.BACKGROUND
    poll(cart)
    assert priority() == Priority.ORDERS
    long_ago = timezone.now() - feeds.BACKLOG_AFTER
    Feed.objects.filter(cart=cart).update(polled_at=long_ago)
    assert priority() == Priority.BACKGROUND


def test_a_page_that_takes_longer_than_a_lease_keeps_it(history):
    know_the_items(history)
    feed = feed_of(running_cart(history))
    work = feeds.Poll(feed, leases.claim_feed(feed.pk), "")
    Feed.objects.update(lease_until=timezone.now())
    work._look_for_stop()
    assert Feed.objects.get().lease_until <= timezone.now()  # one look a request is enough
    work._held_at -= leases.LEASE_SECONDS / 2
    work._look_for_stop()
    assert Feed.objects.get().lease_until > timezone.now() + timedelta(seconds=leases.LEASE_SECONDS / 2)


def test_threads_spend_each_unit_once(cart, clock):
    """Two hundred requests at the same time, one row: none of the changes is lost."""
    told(cart, clock, Allowance(1000.0, 1000.0, 0.001))
    together = threading.Barrier(8)

    def work() -> None:
        ours = budget(cart, clock, Priority.STOCK)
        together.wait()
        for _ in range(25):
            ours.spend(4.0)

    for worker in [Worker(work) for _ in range(8)]:
        worker.join()
    assert left(cart) == pytest.approx(200.0, abs=0.01)


def test_threads_that_read_ahead_leave_no_connection_open(cart, clock):
    told(cart, clock)
    with ThreadPoolExecutor(1) as pool:

        def spend() -> bool:
            budget(cart, clock, Priority.STOCK).spend(1.0)
            return connections["default"].connection is None

        assert pool.submit(spend).result()


SPENDER = """
import sys, django
django.setup()
from carts.services.budgets import Priority, SharedBudget
ours = SharedBudget(int(sys.argv[1]), Priority.STOCK)
for _ in range(100):
    ours.spend(1.0)
"""


@pytest.mark.kill
def test_processes_share_one_row(cart, tmp_path):
    SharedBudget(cart.pk, Priority.STOCK).learn(Allowance(1000.0, 1000.0, 0.001), spent=0, cost=0)
    environment = Processes(tmp_path)._environment | {"DJANGO_SETTINGS_MODULE": "cartsync.settings"}
    assert environment["DATABASE_URL"] == database_url()
    command = [sys.executable, "-c", SPENDER, str(cart.pk)]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert left(cart) == pytest.approx(800.0, abs=0.01)
    assert CartBudget.objects.get().version >= 200


def test_every_priority_has_an_adapter_of_its_own_and_one_budget(cart):
    cart.credentials = secrets.seal({"consumer_key": "ck", "consumer_secret": "cs"})
    cart.save()
    stock, staff = adapter_for(cart, Priority.STOCK), adapter_for(cart)
    assert stock is not staff
    assert adapter_for(cart, Priority.STOCK) is stock
    assert adapter_for(cart, Priority.STAFF) is staff


# Through a whole cart: BigCommerce, whose window is used up after a few requests ------------------------


@pytest.fixture
def tight() -> Iterator[PracticeShop]:
    with practice_shop(platform="bigcommerce", orders=300, lines=2, quota=14, window_seconds=45) as place:
        yield place


@pytest.fixture
def tight_cart(db, tight) -> Cart:
    know_the_items(tight)
    changes = {"name": "Tight", "platform": "bigcommerce", "url": tight.address, "last_order_from": LONG_AGO}
    cart = control.create_cart(changes, tight.credentials, "staff")
    assert control.test_connection(cart, "staff").passed
    control.start(Cart.objects.get(pk=cart.pk), "staff", without_rehearsal=True)
    return Cart.objects.get(pk=cart.pk)


def somebody_waits(cart: Cart) -> bool:
    book = CartBudget.objects.filter(pk=cart.pk).values_list("book", flat=True).first()
    return '"queue"' in (book or "")


def test_stop_ends_a_poll_that_waits_for_its_next_page(tight, tight_cart):
    poller = Worker(lambda: poll(tight_cart))
    wait_until(lambda: somebody_waits(tight_cart))
    control.stop(tight_cart, "staff")
    asked = len(tight.requests)
    poller.join(timeout=5)
    assert len(tight.requests) == asked
    assert not [run for run in tight_cart.runs.all() if run.is_active]
    assert 429 not in [request.status for request in tight.requests]


def test_a_page_of_the_panel_says_when_to_come_again(tight, tight_cart, client, staff):
    client.force_login(staff)
    pages = [client.get(f"/carts/{tight_cart.pk}/cart-orders/").content.decode() for _ in range(4)]
    assert "can ask the shop again in" in pages[-1]
    assert 429 not in [request.status for request in tight.requests]
