"""One cart's budget as arithmetic: what is left of it, who waits for it, what is under way. Pure.

Times are seconds since 1970, amounts the platform's own units (points, or requests). Everybody who shares a budget goes
through one Book, so that a decision is made on all that was decided before it (carts.services.budgets).

Who may spend now: whoever is first in the queue, as soon as so much is left. The queue is in the order in which each is
due: when its turn would be without those who come later, and its patience. So small urgent requests pass large patient
ones, and nobody is passed for longer than its patience. What is patient also leaves a reserve, so that what is urgent
mostly waits for nothing at all.
"""

from dataclasses import dataclass
from enum import Enum

import msgspec
from msgspec.structs import replace

from carts.platforms.base import Allowance

# Of a bucket of points, what patient work leaves. Shopify's dearest query takes half of its smallest bucket: with less,
# a page of the live list waits for seconds beside an import; with more, an import finds the bucket full and loses.
RESERVED_OF_POINTS = 0.4
# Of what a window would have left if it were spent evenly: patient work has used it up at its end, not before.
RESERVED_OF_WINDOW = 0.5
# In the last part of a window nothing is left alone: it would be lost, and what is urgent waits no longer than that.
OPEN_PART_OF_WINDOW = 0.1
# No request is on its way to the cart for longer. A bucket that is full meanwhile restores nothing, while ours, which
# has let the request go already, would: so the last seconds before it is full are not counted on.
TRANSIT_SECONDS = 2.0
# Who waits looks so often, whatever was reckoned: Stop is seen, and those before it may have gone.
LOOK_SECONDS = 1.0
# No wait is shorter: a clock that counts since 1970 does not know a millionth of a second.
SHORTEST_SECONDS = 0.001
# Who was not heard of for so long was killed.
GONE_SECONDS = 5.0
# Longer than any request: one that is still under way then has failed.
FLIGHT_SECONDS = 60.0
# The cart refuses and does not say for how long: a platform under load.
REFUSED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How work spends: how long it lets others pass, whether it leaves the reserve alone, how long it waits at most
    before it is told when to come again, and whether a Stop ends its waiting."""

    patience_seconds: float
    is_patient: bool
    longest_wait_seconds: float
    ends_with_stop: bool


class Priority(Enum):
    """What a request is for, the most urgent first."""

    ORDERS = Manner(0.0, False, 60.0, True)  # a poll that is up to date
    STAFF = Manner(1.0, False, 5.0, False)  # a person waits for the page
    STOCK = Manner(2.0, False, 60.0, True)
    RUN = Manner(5.0, True, 60.0, False)  # a person began it and looks at its progress
    BACKGROUND = Manner(15.0, True, 60.0, True)  # a backlog, sweeps, items and customers


class Place(msgspec.Struct, frozen=True):
    """One who waits. Served in the order of (due, token)."""

    due: float
    token: str
    cost: float
    is_patient: bool
    seen: float


class Flight(msgspec.Struct, frozen=True):
    """One request that was let go and has not been answered."""

    token: str
    cost: float
    at: float


class Spending(msgspec.Struct, frozen=True):
    """What whoever spent remembers until the answer: `after` is all that was ever spent, this included, and `before`
    the cost of what was under way already. The cart may have answered without having counted those."""

    token: str
    after: float
    before: float


class Book(msgspec.Struct, frozen=True, omit_defaults=True):
    """`left` was there at `at`, and comes back by the second or, at `reset_at`, all at once."""

    limit: float
    left: float
    at: float
    restore_per_second: float = 0.0
    reset_at: float | None = None
    window_seconds: float = 0.0
    closed_until: float = 0.0
    spent: float = 0.0
    queue: tuple[Place, ...] = ()
    flights: tuple[Flight, ...] = ()

    @property
    def under_way(self) -> float:
        return sum(flight.cost for flight in self.flights)


def opened(allowance: Allowance, now: float) -> Book:
    """The book of a cart that tells its limit for the first time."""
    book = Book(allowance.limit, allowance.left, now)
    return _with_terms(book, allowance, now)


def advanced(book: Book, now: float) -> Book:
    """The same at a later time, without those who are gone."""
    now = max(now, book.at)
    queue = tuple(place for place in book.queue if place.seen > now - GONE_SECONDS)
    flights = tuple(flight for flight in book.flights if flight.at > now - FLIGHT_SECONDS)
    book = replace(book, at=now, queue=queue, flights=flights, left=_restored(book, now))
    if book.reset_at is not None and now >= book.reset_at:
        # What is under way may be counted in the new window. When that one ends, the next answer tells.
        return replace(book, left=book.limit - book.under_way, reset_at=now + book.window_seconds)
    return book


def ask(book: Book, token: str, cost: float, manner: Manner, now: float) -> tuple[Book, float, Spending | None]:
    """The book after one who wants to spend looked into it, how long it has to wait by what is known now, and, where it
    may spend, what it has to remember."""
    book = advanced(book, now)
    others = [place for place in book.queue if place.token != token]
    place = next((place for place in book.queue if place.token == token), None)
    if place is None:
        alone = _wait(book, cost + sum(each.cost for each in others), True) if manner.is_patient else 0.0
        place = Place(book.at + alone + manner.patience_seconds, token, cost, manner.is_patient, book.at)
    ahead = [each for each in others if (each.due, each.token) < (place.due, token)]
    need = cost + sum(each.cost for each in ahead)
    wait = _wait(book, need, manner.is_patient or any(each.is_patient for each in ahead))
    if wait > 0:
        waiting = replace(place, seen=book.at)
        return replace(book, queue=(*others, waiting)), max(wait, SHORTEST_SECONDS), None
    spending = Spending(token, book.spent + cost, book.under_way)
    flights = (*book.flights, Flight(token, cost, book.at))
    sure = max(book.limit - TRANSIT_SECONDS * book.restore_per_second, cost)
    let_go = replace(book, left=min(book.left, sure) - cost, spent=spending.after, queue=tuple(others), flights=flights)
    return let_go, 0.0, spending


def left_queue(book: Book, token: str) -> Book:
    return replace(book, queue=tuple(place for place in book.queue if place.token != token))


def landed(book: Book, spending: Spending) -> Book:
    """Its answer told nothing: the request failed, and is under way no more."""
    return replace(book, flights=tuple(each for each in book.flights if each.token != spending.token))


def learned(book: Book, allowance: Allowance, spending: Spending | None, spent: float, cost: float, now: float) -> Book:
    """After an answer. Ours is never more than the cart says, and never less than what it says without all that it may
    not have counted: that was let go since, or under way before."""
    book = advanced(book, now)
    left = book.left
    if spending is not None:
        book = landed(book, spending)
        left = max(left + spent - cost, allowance.left - (book.spent - spending.after) - spending.before)
    return _with_terms(replace(book, left=min(left, allowance.left)), allowance, book.at)


def refused(book: Book, wait_seconds: float | None, spending: Spending | None, now: float) -> Book:
    """Nobody spends for so long. Where the cart said how long, nothing was left."""
    book = advanced(book, now)
    wait = REFUSED_SECONDS if wait_seconds is None else wait_seconds
    book = landed(book, spending) if spending else book
    book = replace(book, closed_until=max(book.closed_until, book.at + wait))
    if wait_seconds is None:
        return book
    reset_at = None if book.reset_at is None else max(book.reset_at, book.closed_until)
    return replace(book, left=min(book.left, 0.0), reset_at=reset_at)


def _with_terms(book: Book, allowance: Allowance, now: float) -> Book:
    terms = replace(book, limit=allowance.limit, restore_per_second=allowance.restore_per_second)
    if allowance.reset_seconds is None:
        return terms
    # The cart tells how long is left of a window, not how long one is: it is as long as the longest that was left.
    window = max(book.window_seconds, allowance.reset_seconds)
    return replace(terms, reset_at=now + allowance.reset_seconds, window_seconds=window)


def _restored(book: Book, now: float) -> float:
    if book.reset_at is not None or book.left >= book.limit:
        return book.left
    return min(book.limit, book.left + book.restore_per_second * (now - book.at))


def _wait(book: Book, need: float, is_patient: bool) -> float:
    """Seconds from `book.at` until so much is left, and the reserve beside it where it is to be left."""
    closed = max(0.0, book.closed_until - book.at)
    if book.reset_at is not None:
        return max(closed, _wait_in_window(book, need, is_patient))
    if not book.restore_per_second:
        return closed
    # One that is dearer than all there can be goes when all is there; what it costs really, its answer tells.
    target = min(need + (RESERVED_OF_POINTS * book.limit if is_patient else 0.0), book.limit)
    return max(closed, (target - book.left) / book.restore_per_second)


def _wait_in_window(book: Book, need: float, is_patient: bool) -> float:
    assert book.reset_at is not None
    remaining, spare = book.reset_at - book.at, book.left - min(need, book.limit)
    if spare < 0:
        return remaining
    if not is_patient or not book.window_seconds:
        return 0.0
    # What is to be left falls evenly.
    falls_by = RESERVED_OF_WINDOW * book.limit / book.window_seconds
    is_open_in = remaining - OPEN_PART_OF_WINDOW * book.window_seconds
    return max(0.0, is_open_in - spare / falls_by) if falls_by else 0.0
