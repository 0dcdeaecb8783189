"""The bell: who rings it knows whether a worker heard, and every worker hears."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import pytest
import redis
from celery import current_app

from carts.choices import PushKind
from carts.services import marks
from cartsync.bell import Bell, InProcessBell, RedisBell, bell
from tests.engine.helpers import wait_until
from tools import testservers

PATIENCE_SECONDS = 30


@pytest.fixture(params=["in process", "redis"])
def bells(request) -> Callable[[], Bell]:
    """Makes what a ringing and a listening side each have."""
    if request.param == "in process":
        bell = InProcessBell()
        return lambda: bell
    url = request.getfixturevalue("redis_url")
    return lambda: RedisBell(f"{url.rpartition('/')[0]}/7")


@contextmanager
def listening(bell: Bell) -> Iterator[Queue[int]]:
    heard: Queue[int] = Queue()
    stopping = threading.Event()
    thread = threading.Thread(target=bell.listen, args=(heard.put, stopping), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        stopping.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def ring_until_heard(bell: Bell, cart_id: int) -> None:
    """A listener takes a moment to begin."""
    wait_until(lambda: bell.ring(cart_id))


def test_nobody_hears_before_and_after_somebody_listens(bells):
    assert not bells().ring(1)
    with listening(bells()) as heard:
        ring_until_heard(bells(), 2)
        assert heard.get(timeout=PATIENCE_SECONDS) == 2
    wait_until(lambda: not bells().ring(3))
    assert heard.empty()


def test_all_who_listen_hear_each_ring_once_and_in_order(bells):
    with listening(bells()) as first, listening(bells()) as second:
        # Each is there when it has heard something.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while first.empty() or second.empty():
            bells().ring(0)
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for cart_id in range(1, 51):
            assert bells().ring(cart_id)
        for heard in (first, second):
            numbers = [heard.get(timeout=PATIENCE_SECONDS)]
            while numbers[-1] != 50:
                numbers.append(heard.get(timeout=PATIENCE_SECONDS))
            assert [number for number in numbers if number] == list(range(1, 51))


def test_two_installations_on_one_redis_do_not_hear_each_other(redis_url):
    server = redis_url.rpartition("/")[0]
    with listening(RedisBell(f"{server}/7")) as heard:
        ring_until_heard(RedisBell(f"{server}/7"), 1)
        assert not RedisBell(f"{server}/8").ring(2)
        assert heard.get(timeout=PATIENCE_SECONDS) == 1
        assert heard.empty()


def test_who_listens_hears_again_after_redis_was_away(redis_server):
    ours = RedisBell(redis_server.url)
    with listening(RedisBell(redis_server.url)) as heard:
        ring_until_heard(ours, 1)
        redis_server.stop()
        with pytest.raises(Exception, match=r"refused|closed"):
            ours.ring(2)
        redis_server.start()
        ring_until_heard(ours, 3)
        assert heard.get(timeout=PATIENCE_SECONDS) == 1
        assert heard.get(timeout=PATIENCE_SECONDS) == 3


def test_a_redis_that_keeps_us_off_the_channel_is_as_if_nobody_heard(redis_server):
    with redis.Redis.from_url(redis_server.url) as administrator:
        administrator.execute_command("ACL", "SETUSER", "default", "resetchannels")
    assert not RedisBell(redis_server.url).ring(1)


def test_where_nobody_hears_a_message_is_sent():
    with current_app.connection() as connection, connection.SimpleQueue("celery") as queue:
        queue.clear()
        marks.wake(41, PushKind.STOCK)
        message = queue.get(timeout=PATIENCE_SECONDS)
    assert message.headers["task"] == "carts.tasks.push_stock"
    assert message.payload[0] == [41]


def test_a_redis_that_is_away_keeps_nobody_from_going_on(settings, caplog):
    settings.REDIS_URL = f"redis://127.0.0.1:{testservers.free_port()}/0"
    bell.cache_clear()
    try:
        marks.wake(41, PushKind.STOCK)
    finally:
        bell.cache_clear()
    assert "the next tick finds the work" in caplog.text
