"""One budget a cart, shared by everybody who sends requests to it: threads, workers, machines.

The truth is one row of the database (models.CartBudget), changed by conditional UPDATEs; what becomes of it is decided
by carts.services.allowances. A cart that never told a limit has no row, and pays one look for it. No transaction is
open while waiting.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from django.db import connection
from django.db.models import F

from carts.choices import CartStatus
from carts.errors import RateLimited, StopRequested
from carts.models import Cart, CartBudget
from carts.platforms.base import Allowance
from carts.services import allowances
from carts.services.allowances import Book, Priority, Spending

__all__ = ["Priority", "SharedBudget"]

_book = msgspec.json.Decoder(Book)
Step = Callable[[Book], Book]


class SharedBudget:
    """carts.platforms.base.Budget of one cart, for requests of one priority. May be used by many threads at a time."""

    def __init__(
        self,
        cart_id: int,
        priority: Priority,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cart_id, self._manner = cart_id, priority.value
        self._clock, self._sleep = clock, sleep
        # None: not looked for yet.
        self._has_limit: bool | None = None
        # A request is let go and answered in one thread.
        self._mine = threading.local()

    def spend(self, cost: float) -> None:
        """Raises RateLimited where waiting would take longer than is good for this priority, StopRequested where the
        cart was stopped meanwhile and this work ends with it."""
        failed = self._taken()
        if not self._limited():
            return
        token, arrived = secrets.token_hex(8), self._clock()
        wait = self._ask(token, cost, failed)
        while wait > 0:
            if self._clock() - arrived + wait > self._manner.longest_wait_seconds:
                self._leave(token)
                raise RateLimited(
                    "The shop lets us ask for so much at a time only, and for now that is used up. Nothing is lost. We "
                    f"can ask the shop again in {max(1, round(wait))} seconds.",
                    wait_seconds=wait,
                )
            self._sleep(min(wait, allowances.LOOK_SECONDS))
            self._look_for_stop(token)
            wait = self._ask(token, cost)

    def learn(self, allowance: Allowance, *, spent: float, cost: float) -> None:
        spending = self._taken()
        with _own_connection():
            if not self._has_limit:
                self._open(allowance)
            self._change(lambda book: allowances.learned(book, allowance, spending, spent, cost, self._clock()))

    def refused(self, wait_seconds: float | None) -> None:
        spending = self._taken()
        if self._limited():
            with _own_connection():
                self._change(lambda book: allowances.refused(book, wait_seconds, spending, self._clock()))

    # The row --------------------------------------------------------------------------------------------

    def _limited(self) -> bool:
        if self._has_limit is None:
            with _own_connection():
                self._has_limit = CartBudget.objects.filter(pk=self._cart_id).exists()
        return self._has_limit

    def _open(self, allowance: Allowance) -> None:
        book = allowances.opened(allowance, self._clock())
        row = CartBudget(cart_id=self._cart_id, book=msgspec.json.encode(book).decode())
        CartBudget.objects.bulk_create([row], ignore_conflicts=True)
        self._has_limit = True

    def _ask(self, token: str, cost: float, failed: Spending | None = None) -> float:
        told: tuple[float, Spending | None] = (0.0, None)

        def look(book: Book) -> Book:
            nonlocal told
            book = allowances.landed(book, failed) if failed else book
            changed, wait, spending = allowances.ask(book, token, cost, self._manner, self._clock())
            told = (wait, spending)
            return changed

        with _own_connection():
            self._change(look)
        wait, self._mine.spending = told
        return wait

    def _change(self, step: Step) -> None:
        """The row after the step, whoever else is at it; nothing where the cart was deleted."""
        row = CartBudget.objects.filter(pk=self._cart_id)
        while found := row.values_list("version", "book").first():
            version, text = found
            changed = msgspec.json.encode(step(_book.decode(text))).decode()
            if row.filter(version=version).update(book=changed, version=F("version") + 1):
                return

    def _leave(self, token: str) -> None:
        with _own_connection():
            self._change(lambda book: allowances.left_queue(book, token))

    def _look_for_stop(self, token: str) -> None:
        if not self._manner.ends_with_stop:
            return
        with _own_connection():
            is_running = Cart.objects.filter(pk=self._cart_id, status=CartStatus.RUNNING).exists()
        if not is_running:
            self._leave(token)
            raise StopRequested

    def _taken(self) -> Spending | None:
        spending: Spending | None = getattr(self._mine, "spending", None)
        self._mine.spending = None
        return spending


@contextmanager
def _own_connection() -> Iterator[None]:
    """Threads that read ahead end with their list: a connection that was opened for them is closed here."""
    is_opened_here = connection.connection is None
    try:
        yield
    finally:
        if is_opened_here:
            connection.close()
