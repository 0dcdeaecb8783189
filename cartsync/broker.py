"""The embedded set-up's broker: kombu's in-memory one, woken by a message instead of looking for one.

Kombu's own sleeps between two looks, which is half of what a wake-up takes, and it looks a hundred times a second while
nothing happens.
"""

import threading
import time
from queue import Empty
from typing import Any

from kombu.transport import memory

# A worker that is full cannot be told when it is free again, so that it looks by itself so often.
LONGEST_WAIT_SECONDS = 0.05

_put = threading.Condition()
_count = 0


def _tell() -> None:
    global _count
    with _put:
        _count += 1
        _put.notify_all()


class Channel(memory.Channel):
    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        _tell()

    def _put_fanout(self, exchange: str, message: Any, routing_key: str | None = None, **kwargs: Any) -> None:
        super()._put_fanout(exchange, message, routing_key, **kwargs)
        _tell()


class Transport(memory.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver one message. TimeoutError when there was none for `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            seen = _count
            try:
                return self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                left = LONGEST_WAIT_SECONDS if end is None else end - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
                with _put:
                    _put.wait_for(lambda: _count != seen, min(left, LONGEST_WAIT_SECONDS))  # noqa: B023
