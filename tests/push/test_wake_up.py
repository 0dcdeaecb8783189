"""From a change of stock to the shop without a tick: there is no beat in these tests that could find the mark."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from celery import Celery
from django.db import connection

import carts.tasks  # noqa: F401 - as a worker does
from backoffice.models import Item
from backoffice.services import stock
from carts.choices import Kind
from carts.models import Cart, Feed, Push
from cartsync import bell
from cartsync.celery import app
from tests.engine.helpers import fresh, wait_until
from tests.engine.test_kill import Processes, database_url
from tests.push.conftest import kept, shows, writes

# More than a whole test is given.
LONG_SECONDS = 300
pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def worker(tmp_path, redis_server, settings) -> Iterator[Processes]:
    """One that listens, and whose tasks have a single thread."""
    settings.REDIS_URL = redis_server.url
    bell.bell.cache_clear()
    processes = Processes(tmp_path, REDIS_URL=redis_server.url)
    processes.start("worker", "--concurrency", "1")
    try:
        wait_until(lambda: bell.bell().ring(0))
        yield processes
    finally:
        processes.kill_all()
        bell.bell.cache_clear()


@pytest.fixture
def listener() -> Iterator[bell.Listener]:
    """The part of the embedded set-up's worker that listens."""
    listener = bell.Listener(app, threads=2)
    listener.start()
    try:
        wait_until(lambda: bell.bell().ring(0))
        yield listener
    finally:
        listener.stop()


def count_in(item: Item, quantity: int) -> None:
    stock.adjust(fresh(item), Decimal(quantity), by=None, note="count")


def is_sent(place, shop_id: int, quantity: int) -> bool:
    idle = not Cart.objects.get().outboxes.exclude(lease_token="").exists()
    return shows(place, shop_id) == quantity and not Push.objects.exists() and idle


def test_a_worker_sends_a_change_at_once(cart, place, worker):
    shop_id, item = kept(place)
    count_in(item, 7)
    wait_until(lambda: is_sent(place, shop_id, 7))
    assert len(writes(place)) == 1, worker.logs()


def test_the_embedded_worker_sends_a_change_at_once(cart, place, listener):
    shop_id, item = kept(place)
    count_in(item, 7)
    wait_until(lambda: is_sent(place, shop_id, 7))
    assert len(writes(place)) == 1


def test_stock_does_not_wait_until_an_import_is_through(cart, place, worker, redis_server):
    shop_id, item = kept(place)
    place.faults.add("latency", match="orders", seconds=LONG_SECONDS, times=0)
    Feed.objects.update(next_poll_at=None)
    with Celery(broker=redis_server.url, set_as_current=False) as sender:
        sender.send_task("carts.tasks.poll_if_due", [Feed.objects.get(kind=Kind.ORDER).pk])
    wait_until(is_importing)
    count_in(item, 7)
    wait_until(lambda: shows(place, shop_id) == 7)
    assert is_importing()


def test_a_worker_whose_tasks_are_processes_leaves_stock_to_messages(tmp_path, redis_server):
    """It forks, and must not have threads of ours when it does."""
    processes = Processes(tmp_path, REDIS_URL=redis_server.url)
    processes.start("worker", "--pool", "prefork", "--concurrency", "1")
    try:
        with Celery(broker=redis_server.url, set_as_current=False) as sender:
            wait_until(lambda: sender.control.ping(timeout=0.5))
        assert not bell.RedisBell(redis_server.url).ring(0)
    finally:
        processes.kill_all()


def is_importing() -> bool:
    return Feed.objects.exclude(lease_token="").exists()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connection that can break")
def test_a_worker_whose_connection_to_the_database_broke_sends_all_the_same(cart, place, worker):
    shop_id, item = kept(place)
    count_in(item, 7)
    wait_until(lambda: is_sent(place, shop_id, 7))
    ours = connection.connection.info.backend_pid
    with psycopg.connect(database_url(), autocommit=True) as other:
        others = "pid NOT IN (pg_backend_pid(), %s) AND datname = current_database()"
        ended = other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}", [ours])
        assert ended.rowcount > 0
    count_in(item, 2)
    wait_until(lambda: is_sent(place, shop_id, 9))
    assert len(writes(place)) == 2, worker.logs()
