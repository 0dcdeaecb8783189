"""The embedded set-up's broker: a message wakes who waits for it."""

import threading
import time

import pytest
from kombu import Connection, Consumer, Producer, Queue

from cartsync import broker

QUEUE = Queue("wake-ups")
PATIENCE_SECONDS = 30


@pytest.fixture
def connection():
    with Connection("localhost", transport="cartsync.broker:Transport") as connection:
        yield connection
        QUEUE(connection.default_channel).purge()


def test_who_waits_is_woken_by_the_message_itself(connection, monkeypatch):
    monkeypatch.setattr(broker, "LONGEST_WAIT_SECONDS", 2 * PATIENCE_SECONDS)
    heard, waiting = threading.Event(), threading.Event()
    consumer = Consumer(connection.channel(), [QUEUE], callbacks=[lambda body, message: (message.ack(), heard.set())])

    def listen() -> None:
        waiting.set()
        while not heard.is_set():
            connection.drain_events(timeout=None)

    with consumer:
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        waiting.wait(PATIENCE_SECONDS)
        Producer(connection.channel()).publish({"id": 1}, routing_key=QUEUE.name)
        assert heard.wait(PATIENCE_SECONDS)
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_a_wait_without_a_message_ends(connection):
    with Consumer(connection.channel(), [QUEUE], callbacks=[]), pytest.raises(TimeoutError):
        before = time.monotonic()
        try:
            connection.drain_events(timeout=0.02)
        finally:
            assert time.monotonic() - before >= 0.02


def test_what_was_sent_before_somebody_listens_is_there(connection):
    Producer(connection.channel()).publish({"id": 7}, routing_key=QUEUE.name, declare=[QUEUE])
    bodies: list[dict] = []
    keep = [lambda body, message: (bodies.append(body), message.ack())]
    with Consumer(connection.channel(), [QUEUE], callbacks=keep):
        connection.drain_events(timeout=PATIENCE_SECONDS)
    assert bodies == [{"id": 7}]
