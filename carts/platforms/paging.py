"""Reading a moving list without losing a row of it.

The list is sorted by (modified time, id). While we read, rows are edited: they leave their place for the end, and all
behind them move up, so that plain page numbers skip rows. Therefore each page repeats the last row of the page
before. Where that row stands in the new page, nothing between the two was lost, and reading goes on behind it. Where
it does not, the reading starts anew from that row's time (closed), which asks the shop for everything since: the
rows that moved are read again, none is skipped. This holds for pages asked for at the same time, too.
"""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from carts.errors import Unavailable
from carts.records import Page, RawRecord, Window

# Rows that move at every single page are not a busy shop but a broken sort.
MAX_RESTARTS_WITHOUT_PROGRESS = 5


@dataclass(frozen=True, slots=True)
class Chunk:
    """One answer of the shop. `total`: how many rows the whole window held at that moment, if the shop says."""

    rows: tuple[RawRecord, ...]
    total: int | None


Position = TypeVar("Position")
FetchChunk = Callable[[datetime | None, int], Chunk]  # (since, offset)


def stitched_pages(fetch_chunk: FetchChunk, window: Window, per_page: int) -> Generator[Page]:
    """Pages of rows in the shop's order, ahead of the caller by at most `window.requests_in_flight` requests.
    After a restart a row may be delivered twice. After close() no further request begins."""
    since, number, restarts = window.since, 0, 0
    last: RawRecord | None = None
    while restarts <= MAX_RESTARTS_WITHOUT_PROGRESS:
        if number:
            window.before_request()
        with closing(_read_ahead(fetch_chunk, since, per_page, window)) as chunks:
            for index, (chunk, is_last) in enumerate(chunks):
                fresh = _rows_behind(chunk.rows, last) if index else chunk.rows
                if fresh is None:
                    break
                number += 1
                yield Page(rows=fresh, total=chunk.total, is_last=is_last)
                if is_last:
                    return
                last = chunk.rows[-1]
        if last is not None and last.modified_at is not None and last.modified_at != since:
            since, restarts = last.modified_at, 0
        else:
            restarts += 1
    raise Unavailable(
        "The shop's list changes faster than it can be read. What was read is kept; the next try follows by itself.",
        detail=f"page {number} did not continue the page before in {restarts} tries",
    )


def _rows_behind(rows: tuple[RawRecord, ...], last: RawRecord | None) -> tuple[RawRecord, ...] | None:
    """The rows that follow `last`; None when it is not among them, which means rows have moved."""
    for position, row in enumerate(rows):
        if last is not None and row.external_id == last.external_id and row.modified_at == last.modified_at:
            return rows[position + 1 :]
    return None


def _read_ahead(
    fetch_chunk: FetchChunk, since: datetime | None, per_page: int, window: Window
) -> Generator[tuple[Chunk, bool]]:
    """Chunks by offset, each overlapping the one before by a row, with whether it is the last. The first one tells
    whether there is more; only then are several asked for at once."""
    in_flight = window.requests_in_flight
    with ThreadPoolExecutor(max_workers=in_flight, thread_name_prefix="fetch") as pool:
        pending: deque[tuple[int, Future[Chunk]]] = deque()
        next_offset = 0

        def ask() -> None:
            nonlocal next_offset
            pending.append((next_offset, pool.submit(fetch_chunk, since, next_offset)))
            next_offset += per_page - 1

        try:
            ask()
            while pending:
                offset, future = pending.popleft()
                chunk = future.result()
                is_last = len(chunk.rows) < per_page or chunk.total == offset + per_page
                while not is_last and len(pending) < in_flight:
                    if pending and chunk.total is not None and next_offset + 1 >= chunk.total:
                        break
                    window.before_request()
                    ask()
                yield chunk, is_last
        finally:
            for _, future in pending:
                future.cancel()


FetchFrom = Callable[[datetime | None, str], Chunk]  # (since, behind)


def requeried_pages(fetch_from: FetchFrom, window: Window, per_page: int) -> Generator[Page]:
    """The same for shops that know page numbers only, where no two pages can share a row: every page is the first of a
    list that begins at the last row's time. `fetch_from(since, "")` gives rows modified at `since` or later,
    `fetch_from(since, id)` those modified in exactly that second behind the id; it is asked where a whole page lies in
    one second. Rows that move while we read leave for the end, where they are met again; none is skipped. The next page
    is asked for while the caller works on the one before. Times are of whole seconds."""
    since = window.since.replace(microsecond=0) if window.since else None
    met: set[tuple[str, datetime | None]] = set()
    delivered = 0
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as pool:
        step: tuple[datetime | None, str] | None = (since, "")
        pending = pool.submit(fetch_from, since, "")
        while step is not None:
            asked, chunk = step, pending.result()
            step = _next_step(asked, chunk, per_page)
            fresh = tuple(row for row in chunk.rows if (row.external_id, row.modified_at) not in met)
            total = (
                None if asked[1] or chunk.total is None else delivered + chunk.total - (len(chunk.rows) - len(fresh))
            )
            delivered += len(fresh)
            if step is not None:
                met = {(row.external_id, row.modified_at) for row in chunk.rows if row.modified_at == step[0]}
                window.before_request()
                pending = pool.submit(fetch_from, *step)
            yield Page(rows=fresh, total=total, is_last=step is None)


def _next_step(asked: tuple[datetime | None, str], chunk: Chunk, per_page: int) -> tuple[datetime | None, str] | None:
    """What to ask for behind this answer; None behind the last."""
    since, behind = asked
    is_full = len(chunk.rows) >= per_page and chunk.total != len(chunk.rows)
    if not is_full:
        return (since + timedelta(seconds=1), "") if since is not None and behind else None
    times = [row.modified_at for row in chunk.rows if row.modified_at]
    step = (times[-1], "") if times and (since is None or times[-1] > since) else (since, chunk.rows[-1].external_id)
    if not times or times != sorted(times) or step == asked:
        raise Unavailable(
            "The shop does not give its list in the order it was asked for, so nothing can be read on without missing "
            "records. Ask who made its last extension. The next try follows by itself.",
            detail=f"{len(chunk.rows)} rows from {times[:1]} to {times[-1:]}, asked from {since} {behind}",
        )
    return step


@dataclass(frozen=True, slots=True)
class Following(Generic[Position]):
    """Where the next page begins (None: this is the last), told before all of this one has been asked for."""

    position: Position | None


# One request after the other, each answered by `send`, and among them where the next page begins; then page and that.
Steps = Generator[Callable[[], Any] | Following[Position], Any, tuple[Page, Position | None]]


def stepped_pages(steps: Callable[[Position], Steps[Position]], first: Position, window: Window) -> Generator[Page]:
    """Pages that take several requests each, and each of which tells where the next begins. The first request of the
    next page is under way while the caller works on one; with several in flight, from when its place is known. After
    close() no further request begins."""
    with ThreadPoolExecutor(max_workers=window.requests_in_flight, thread_name_prefix="fetch") as pool:

        def begun(position: Position) -> tuple[Steps[Position], Future[Any]]:
            work = steps(position)
            return work, pool.submit(_request(next(work)))

        ahead: tuple[Steps[Position], Future[Any]] | None = begun(first)
        while ahead is not None:
            (work, under_way), ahead = ahead, None
            try:
                step = work.send(under_way.result())
                while True:
                    if isinstance(step, Following):
                        if step.position is not None and window.requests_in_flight > 1:
                            window.before_request()
                            ahead = begun(step.position)
                        step = work.send(None)
                    else:
                        window.before_request()
                        step = work.send(pool.submit(step).result())
            except StopIteration as done:
                page, position = done.value
            if ahead is None and position is not None:
                window.before_request()
                ahead = begun(position)
            yield page


def _request(step: Callable[[], Any] | Following[Position]) -> Callable[[], Any]:
    assert not isinstance(step, Following), "no page tells what follows before it has asked for anything"
    return step


def all_at_once(work: Steps[Position]) -> Page:
    """The page of these steps, one request after the other in the caller's own thread."""
    answer = None
    while True:
        try:
            step = work.send(answer)
        except StopIteration as done:
            page: Page = done.value[0]
            return page
        answer = None if isinstance(step, Following) else step()


def followed_pages(fetch_page: Callable[[str], Page], window: Window) -> Generator[Page]:
    """The same for pages of one request each, which tell their `next_position`; "" is the first."""

    def steps(position: str) -> Steps[str]:
        page: Page = yield lambda: fetch_page(position)
        return page, None if page.is_last else page.next_position

    return stepped_pages(steps, "", window)
