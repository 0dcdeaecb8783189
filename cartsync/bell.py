"""The bell: tells the workers that stock waits to be sent, in a fraction of the time that a Celery message takes.

Every worker hears it, and the lease decides who sends. Like a Celery message it carries an id only, and a lost one
costs a tick's wait; unlike one it is never kept: `ring` says whether anybody heard, so that a message can be sent
instead. What is rung for runs in threads of its own, so that stock does not wait until an import is through.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Protocol

import redis
from celery import Celery, bootsteps
from celery.concurrency.thread import TaskPool
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

TASK = "carts.tasks.push_stock"
LONGEST_WAIT_SECONDS = 0.5  # of the listening thread, which then looks whether it is to end
PAUSE_SECONDS = 1.0  # before a Redis that is away is tried again
Hear = Callable[[int], object]


class Bell(Protocol):
    def ring(self, cart_id: int) -> bool:
        """Whether a worker heard it. Raises whatever the broker's client raises when the broker is away."""

    def listen(self, hear: Hear, stopping: threading.Event) -> None:
        """Call `hear` at every ring until `stopping` is set. Must not raise."""


class InProcessBell:
    """For the embedded set-up, whose worker is threads of this process."""

    def __init__(self) -> None:
        self._hearers: tuple[Hear, ...] = ()

    def ring(self, cart_id: int) -> bool:
        hearers = self._hearers
        for hear in hearers:
            hear(cart_id)
        return bool(hearers)

    def listen(self, hear: Hear, stopping: threading.Event) -> None:
        self._hearers = (*self._hearers, hear)
        stopping.wait()
        self._hearers = tuple(each for each in self._hearers if each is not hear)


class RedisBell:
    """By publish and subscribe."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_connect_timeout=2, socket_timeout=5, health_check_interval=30, retry=Retry(NoBackoff(), 1)
        )
        # Redis knows no databases here: two installations may share a server, each with a number of its own.
        self._channel = f"cartsync/{self._client.connection_pool.connection_kwargs.get('db') or 0}/stock"

    def ring(self, cart_id: int) -> bool:
        try:
            return int(self._client.publish(self._channel, cart_id)) > 0
        except redis.ResponseError:  # an access list that keeps us off this channel, but not off the queues
            return False

    def listen(self, hear: Hear, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
                    subscription.subscribe(self._channel)
                    while not stopping.is_set():
                        if message := subscription.get_message(timeout=LONGEST_WAIT_SECONDS):
                            hear(int(message["data"]))
            except (redis.RedisError, OSError) as error:
                log.warning("The bell is out of reach (%s); it is tried again", type(error).__name__)
                stopping.wait(PAUSE_SECONDS)


@cache
def bell() -> Bell:
    return RedisBell(settings.REDIS_URL) if settings.REDIS_URL else InProcessBell()


class Listener:
    """Hears the bell in a thread of its own and does what it is rung for in others."""

    def __init__(self, app: Celery, threads: int) -> None:
        self._work = app.tasks[TASK].run
        self._pool = ThreadPoolExecutor(threads, "stock")
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=bell().listen, args=(self._hear, self._stopping), name="bell", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for what is under way, as the worker does for its tasks."""
        self._stopping.set()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _hear(self, cart_id: int) -> None:
        self._pool.submit(self._do, cart_id)

    def _do(self, cart_id: int) -> None:
        """With a connection that this thread keeps: to look each time whether it still works would be a statement more.
        Where it does not, that is seen, and everything is tried once more with another."""
        try:
            try:
                self._work(cart_id)
            except (InterfaceError, OperationalError):
                connection.close()
                self._work(cart_id)
        except Exception:
            connection.close()
            log.exception("Stock of cart %s was rung for in vain; the next tick finds it", cart_id)


class Step(bootsteps.StartStopStep):
    """The part of a Celery worker that listens. Only where its tasks are threads: one that forks must have none."""

    requires = {"celery.worker.components:Pool"}

    def include_if(self, worker: Any) -> bool:
        return issubclass(worker.pool_cls, TaskPool)

    def create(self, worker: Any) -> Listener:
        return Listener(worker.app, worker.concurrency)
