"""A cart that allows so much, and those who ask it at the same time, in a time of their own: nothing here waits."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from carts.platforms.base import Allowance
from carts.services import allowances
from carts.services.allowances import Book, Priority

TINY = 1e-6


@dataclass
class Points:
    """Takes the cost that is asked for when a request comes, gives back what it did not need when it is done."""

    limit: float
    per_second: float
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.limit

    def take(self, cost: float, now: float) -> bool:
        self._restore(now)
        if self.level < cost - TINY:
            return False
        self.level -= cost
        return True

    def give_back(self, cost: float, now: float) -> None:
        self._restore(now)
        self.level = min(self.limit, self.level + cost)

    def told(self, now: float) -> Allowance:
        self._restore(now)
        return Allowance(self.limit, self.level, self.per_second)

    def _restore(self, now: float) -> None:
        self.level = min(self.limit, self.level + self.per_second * (now - self.at))
        self.at = now


@dataclass
class Windows:
    """So many requests in each window of time."""

    limit: float
    seconds: float
    number: int = 0
    used: float = 0.0

    def take(self, cost: float, now: float) -> bool:
        self._turn(now)
        self.used += cost
        return self.used <= self.limit

    def give_back(self, cost: float, now: float) -> None: ...

    def told(self, now: float) -> Allowance:
        self._turn(now)
        return Allowance(self.limit, self.limit - self.used, reset_seconds=(self.number + 1) * self.seconds - now)

    def _turn(self, now: float) -> None:
        if int(now // self.seconds) > self.number:
            self.number, self.used = int(now // self.seconds), 0.0


@dataclass(eq=False)
class Asking:
    """One request after the other: cost asked for, cost really taken, seconds there, at work and back."""

    priority: Priority
    cost: float
    real: float = 0.0
    there: float = 0.01
    work: float = 0.05
    back: float = 0.01
    starts: float = 0.0
    pause: float = 0.0
    times: int = 10**9
    # Every so many'th answer never comes.
    loses_every: int = 0
    waits: list[float] = field(default_factory=list, repr=False)


class Play:
    """Everybody asks until `seconds` are over. `refusals`: requests the cart had to refuse."""

    def __init__(self, cart: Points | Windows, everybody: list[Asking]) -> None:
        self.cart, self.everybody = cart, everybody
        self.book: Book = allowances.opened(cart.told(0.0), 0.0)
        self.refusals: list[float] = []
        self.taken = 0.0
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = count()

    def __repr__(self) -> str:
        return f"Play({self.cart}, {self.everybody})"

    def run(self, seconds: float) -> "Play":
        for who in self.everybody:
            self._later(who.starts, self._requests(who))
        while self._events and self._events[0][0] <= seconds:
            now, _, work = heapq.heappop(self._events)
            work(now)
        return self

    def _later(self, at: float, work: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (at, next(self._number), work))

    def _requests(self, who: Asking) -> Callable[[float], None]:
        steps = self._steps(who)
        next(steps)

        def go_on(now: float) -> None:
            wake = next_at(steps, now)
            if wake is not None:
                self._later(wake, go_on)

        return go_on

    def _steps(self, who: Asking) -> Iterator[float]:
        """Yields when it goes on; is told what time it is."""
        now = yield 0.0
        for number in range(1, who.times + 1):
            token, arrived, wait = f"{self.everybody.index(who)}-{number:09}", now, 1.0
            while True:
                self.book, wait, spending = allowances.ask(self.book, token, who.cost, who.priority.value, now)
                if wait <= 0:
                    break
                now = yield now + min(wait, allowances.LOOK_SECONDS)
            who.waits.append(now - arrived)
            now = yield now + who.there
            if not self.cart.take(who.cost, now):
                self.refusals.append(now)
            now = yield now + who.work
            self.cart.give_back(who.cost - (who.real or who.cost), now)
            self.taken += who.real or who.cost
            told = self.cart.told(now)
            now = yield now + who.back
            if not who.loses_every or number % who.loses_every:
                self.book = allowances.learned(self.book, told, spending, who.cost, who.real or who.cost, now)
            now = yield now + who.pause


def next_at(steps: Iterator[float], now: float) -> float | None:
    try:
        return steps.send(now)  # type: ignore[attr-defined]
    except StopIteration:
        return None
