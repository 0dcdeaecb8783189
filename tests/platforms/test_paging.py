"""Stitched paging over a list that moves: every row that was there at the start comes, and it ends.

The list is a shop's: sorted by (modified time, id), and between any two requests rows may be edited (they leave
their place for the end), placed, committed late or taken away.
"""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carts.errors import Unavailable
from carts.platforms.paging import Chunk, Following, Steps, requeried_pages, stepped_pages, stitched_pages
from carts.records import Page, RawRecord, Window

START = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)


class MovingList:
    """Rows by id with their modified second; before each request the next events happen."""

    def __init__(self, seconds: list[int], events: list[list[tuple[str, int]]]) -> None:
        self.rows = {number: START + timedelta(seconds=at) for number, at in enumerate(seconds, start=1)}
        self.clock = max(self.rows.values(), default=START) + timedelta(seconds=1)
        self.events = list(events)
        self.requests = 0
        self.lock = threading.Lock()

    def happen(self, what: str, choice: int) -> None:
        self.clock += timedelta(seconds=1)
        present = sorted(self.rows)
        if what == "place":
            self.rows[10_000 + self.requests * 100 + len(self.rows)] = self.clock
        elif what == "late":
            self.rows[20_000 + self.requests * 100 + len(self.rows)] = self.clock - timedelta(seconds=choice)
        elif present and what == "edit":
            self.rows[present[choice % len(present)]] = self.clock
        elif present and what == "trash":
            del self.rows[present[choice % len(present)]]

    def chunk(self, since: datetime | None, offset: int, per_page: int, tells_total: bool) -> Chunk:
        with self.lock:
            self.requests += 1
            for event in self.events.pop(0) if self.events else []:
                self.happen(*event)
            window = sorted((at, number) for number, at in self.rows.items() if since is None or at >= since)
            rows = tuple(RawRecord(str(number), at, b"", b"{}") for at, number in window[offset : offset + per_page])
            return Chunk(rows, len(window) if tells_total and rows else None)

    def chunk_from(self, since: datetime | None, behind: str, per_page: int, tells_total: bool) -> Chunk:
        with self.lock:
            self.requests += 1
            for event in self.events.pop(0) if self.events else []:
                self.happen(*event)
            window = sorted((at, number) for number, at in self.rows.items() if since is None or at >= since)
            if behind:
                window = [(at, number) for at, number in window if at == since and number > int(behind)]
            rows = tuple(RawRecord(str(number), at, b"", b"{}") for at, number in window[:per_page])
            return Chunk(rows, len(window) if tells_total else None)


def read_anew(shop: MovingList, per_page: int, tells_total: bool = True, since: datetime | None = START):
    def fetch(since: datetime | None, behind: str) -> Chunk:
        return shop.chunk_from(since, behind, per_page, tells_total)

    return list(requeried_pages(fetch, Window(since), per_page))


def read(shop: MovingList, per_page: int, in_flight: int, tells_total: bool = True, since: datetime | None = START):
    def fetch(since: datetime | None, offset: int) -> Chunk:
        return shop.chunk(since, offset, per_page, tells_total)

    return list(stitched_pages(fetch, Window(since, in_flight), per_page))


def delivered(pages) -> list[str]:
    return [row.external_id for page in pages for row in page.rows]


# Few seconds, so that many rows share one; edits and new rows at any moment between requests.
seconds = st.lists(st.integers(0, 12), max_size=40)
happenings = st.lists(
    st.lists(st.tuples(st.sampled_from(["edit", "edit", "place", "late", "trash"]), st.integers(0, 60)), max_size=3),
    max_size=12,
)


@settings(max_examples=600, deadline=None)
@given(seconds=seconds, events=happenings, per_page=st.integers(2, 9), in_flight=st.integers(1, 4), total=st.booleans())
def test_every_row_of_the_start_is_delivered_however_the_list_moves(seconds, events, per_page, in_flight, total):
    shop = MovingList(seconds, events)
    present = set(shop.rows)
    try:
        pages = read(shop, per_page, in_flight, total)
    except Unavailable:
        # Allowed only where a page cannot hold what one second holds and the rows of that second move.
        assert per_page <= max(seconds.count(second) for second in seconds) + sum(map(len, events))
        return
    assert {str(number) for number in present & set(shop.rows)} <= set(delivered(pages))
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    # The newest version of each row is the last one delivered, save for edits after its last delivery.
    assert shop.requests <= 12 * (len(seconds) + 40)


@settings(max_examples=200, deadline=None)
@given(seconds=seconds, per_page=st.integers(2, 9), in_flight=st.integers(1, 4), total=st.booleans())
def test_a_list_that_rests_is_delivered_once_and_in_order(seconds, per_page, in_flight, total):
    shop = MovingList(seconds, [])
    in_order = [str(number) for _, number in sorted((at, number) for number, at in shop.rows.items())]
    assert delivered(read(shop, per_page, in_flight, total)) == in_order


@pytest.mark.parametrize("in_flight", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 199, 200, 298, 299, 300])
def test_no_request_is_wasted_at_the_edges_of_pages(rows, in_flight):
    shop = MovingList(list(range(rows)), [])
    pages = read(shop, 100, in_flight)
    assert len(delivered(pages)) == rows
    # The first page holds 100 rows, each one after it 99 new ones.
    assert shop.requests == 1 + max(0, -(-(rows - 100) // 99))


@pytest.mark.parametrize("in_flight", [1, 4])
def test_more_rows_of_one_second_than_a_page_holds(in_flight):
    shop = MovingList([0] * 250, [])
    assert len(set(delivered(read(shop, 100, in_flight)))) == 250


def test_a_list_without_end_is_given_up_and_says_so():
    class Shuffled(MovingList):
        def chunk(self, since, offset, per_page, tells_total):
            for number in self.rows:
                self.rows[number] = START  # never any progress in time
            chunk = super().chunk(since, offset, per_page, tells_total)
            return Chunk(chunk.rows[::-1] if self.requests % 2 else chunk.rows, chunk.total)

    shop = Shuffled([0] * 30, [])
    with pytest.raises(Unavailable, match="changes faster"):
        read(shop, 10, 1)
    assert shop.requests < 40


@pytest.mark.parametrize("in_flight", [1, 2, 4])
def test_an_error_ends_the_reading_and_no_further_request_begins(in_flight):
    shop = MovingList(list(range(60)), [])

    def fetch(since, offset):
        if shop.requests == 2:
            raise Unavailable("broken")
        return shop.chunk(since, offset, 10, True)

    pages = stitched_pages(fetch, Window(START, in_flight), 10)
    with pytest.raises(Unavailable, match="broken"):
        list(pages)
    assert shop.requests == 2


# Asked anew from the last row's time ----------------------------------------------------------------------


@settings(max_examples=600, deadline=None)
@given(seconds=seconds, events=happenings, per_page=st.integers(1, 9), total=st.booleans())
def test_asked_anew_every_row_of_the_start_is_delivered_however_the_list_moves(seconds, events, per_page, total):
    shop = MovingList(seconds, events)
    present = set(shop.rows)
    pages = read_anew(shop, per_page, total)
    got = set(delivered(pages))
    assert {str(number) for number in present & set(shop.rows)} <= got
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


@given(seconds=seconds, per_page=st.integers(1, 9))
def test_asked_anew_a_list_at_rest_is_delivered_once_and_in_its_order(seconds, per_page):
    shop = MovingList(seconds, [])
    expected = [str(number) for _, number in sorted((at, number) for number, at in shop.rows.items())]
    assert delivered(read_anew(shop, per_page)) == expected
    assert delivered(read_anew(shop, per_page, since=None)) == expected


def test_asked_anew_the_count_is_of_the_whole_window():
    shop = MovingList(list(range(9)), [])
    assert [page.total for page in read_anew(shop, 4)] == [9, 9, 9]


@pytest.mark.parametrize(
    "times", [[None, None, None], [START + timedelta(1), START, START], [START, START, START]],
    ids=["no times", "not sorted", "the filter is ignored"],
)  # fmt: skip
def test_asked_anew_a_list_in_no_order_is_an_error_and_no_end(times):
    rows = tuple(RawRecord(str(number), at, b"", b"{}") for number, at in enumerate(times))
    with pytest.raises(Unavailable, match="order it was asked for"):
        list(requeried_pages(lambda since, behind: Chunk(rows, 9), Window(START), 3))


def test_asked_anew_closing_ends_it_and_no_request_begins():
    shop = MovingList(list(range(20)), [])
    pages = requeried_pages(lambda since, behind: shop.chunk_from(since, behind, 4, True), Window(START), 4)
    next(pages)
    pages.close()
    made = shop.requests
    assert made == 2  # the next page was asked for already
    assert shop.requests == made


# Pages of several requests -----------------------------------------------------------------------------


class Stepped:
    """Three pages of a list and a detail each; notes what was begun, and where it was announced."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.announced_in: list[threading.Thread] = []
        self.next_list = threading.Event()
        self.waits = False

    def steps(self, number: int) -> Steps[int]:
        following = number + 1 if number < 3 else None
        yield partial(self._ask, f"list {number}")
        yield Following(following)
        yield partial(self._ask, f"detail {number}")
        return Page((), None, following is None), following

    def _ask(self, name: str) -> None:
        self.begun.append(name)
        if name == "list 2":
            self.next_list.set()
        if name == "detail 1" and self.waits:
            assert self.next_list.wait(20), "the next list was not asked for meanwhile"

    def announce(self) -> None:
        self.announced_in.append(threading.current_thread())


def test_requests_of_a_page_come_one_after_the_other_and_the_next_page_after_them():
    shop = Stepped()
    assert len(list(stepped_pages(shop.steps, 1, Window(before_request=shop.announce)))) == 3
    assert shop.begun == ["list 1", "detail 1", "list 2", "detail 2", "list 3", "detail 3"]
    assert shop.announced_in == [threading.current_thread()] * 5


def test_with_two_in_flight_the_next_list_is_asked_for_beside_the_details():
    shop = Stepped()
    shop.waits = True
    window = Window(requests_in_flight=2, before_request=shop.announce)
    assert [page.is_last for page in stepped_pages(shop.steps, 1, window)] == [False, False, True]
    assert sorted(shop.begun) == ["detail 1", "detail 2", "detail 3", "list 1", "list 2", "list 3"]
    assert shop.announced_in == [threading.current_thread()] * 5


def test_closing_stepped_pages_ends_them():
    shop = Stepped()
    pages = stepped_pages(shop.steps, 1, Window())
    next(pages)
    pages.close()
    assert shop.begun == ["list 1", "detail 1", "list 2"]
