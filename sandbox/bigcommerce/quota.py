"""The rate limit: so many requests a window, all of which come back at once when it ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

from sandbox.clock import Clock
from sandbox.messages import Headers


class Quota:
    """Windows run on the shop's clock, from their first request on."""

    def __init__(self, clock: Clock, requests: int, window_seconds: float) -> None:
        self.requests = requests
        self.window = timedelta(seconds=window_seconds)
        self._clock = clock
        self._began: datetime | None = None
        self._spent = 0
        self._lock = Lock()

    def spend(self) -> tuple[bool, Headers]:
        """(whether the request may be answered, the headers that tell what is left)."""
        with self._lock:
            now = self._clock.now()
            if self._began is None or not self._began <= now < self._began + self.window:
                self._began, self._spent = now, 0
            is_allowed = self._spent < self.requests
            self._spent += is_allowed
            reset = self._began + self.window - now
            return is_allowed, [
                ("X-Rate-Limit-Time-Window-Ms", str(_milliseconds(self.window))),
                ("X-Rate-Limit-Time-Reset-Ms", str(_milliseconds(reset))),
                ("X-Rate-Limit-Requests-Quota", str(self.requests)),
                ("X-Rate-Limit-Requests-Left", str(self.requests - self._spent)),
            ]


def _milliseconds(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))
