"""Pages of a list: filters by id and time, the order asked for, and the frame v2 and v3 put around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from sandbox.bigcommerce.errors import invalid, too_large
from sandbox.messages import Request, Response, json_response

_NO_END = 1 << 62


def whole(request: Request, name: str, default: int) -> int:
    text = str(request.args.get(name, default))
    if not text.lstrip("-").isdigit():
        raise invalid({name: "must be a whole number"})
    return int(text)


def ids_in(request: Request, name: str) -> set[int] | None:
    """The ids a filter names; None without the filter."""
    text = request.args.get(name)
    if not text:
        return None
    parts = str(text).split(",")
    if not all(part.strip().isdigit() for part in parts):
        raise invalid({name: "must be a list of whole numbers"})
    return {int(part) for part in parts}


def words_in(request: Request, name: str) -> set[str]:
    return {part for part in str(request.args.get(name, "")).split(",") if part}


def moment(request: Request, name: str, now: datetime, *, fills_date: bool = False) -> datetime | None:
    """The time of a filter; a value without a zone is UTC. `fills_date`: of a date alone it becomes that day at this
    hour of now, as products do it."""
    text = str(request.args.get(name) or "")
    if not text:
        return None
    if len(text) == 10:
        clock = now.astimezone(UTC).time() if fills_date else time()
        return datetime.combine(date.fromisoformat(text), clock, UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            raise invalid({name: "is not a time"}) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def between(at: datetime, low: datetime | None, high: datetime | None) -> bool:
    return (low is None or at >= low) and (high is None or at <= high)


def page_of(request: Request, ids: Sequence[int], most: int, default: int = 50) -> tuple[Sequence[int], int, int]:
    """(the ids shown, page number, page size). A limit beyond `most` is refused."""
    size, number = whole(request, "limit", default), whole(request, "page", 1)
    if size > most:
        raise too_large()
    if size < 1 or number < 1:
        raise invalid({"limit": "must be above zero"})
    return ids[(number - 1) * size : number * size], number, size


def v2_list(request: Request, ids: Sequence[int], body: Callable[[int], bytes], kind: str, most: int) -> Response:
    """A bare list; an empty one is 204 without a body."""
    shown, _, _ = page_of(request, ids, most)
    if not shown:
        return Response(204)
    return Response(200, b"[" + b",".join(map(body, shown)) + b"]", [], list(shown), kind)


def v2_parts(request: Request, rows: Sequence[dict[str, Any]], most: int = 250) -> Response:
    """A sub-resource of an order, at most 50 rows unless more are asked for."""
    places, _, _ = page_of(request, range(len(rows)), most)
    return json_response([rows[place] for place in places]) if places else Response(204)


def v3_list(
    request: Request,
    ids: Sequence[int],
    body: Callable[[int], Any],
    kind: str = "",
    *,
    most: int = 250,
    default: int = 50,
) -> Response:
    shown, number, size = page_of(request, ids, most, default)
    meta = {
        "pagination": {
            "total": len(ids),
            "count": len(shown),
            "per_page": size,
            "current_page": number,
            "total_pages": -(-len(ids) // size),
            "links": {"current": f"?page={number}&limit={size}"},
        }
    }
    text = msgspec.json.encode({"data": [body(each) for each in shown], "meta": meta})
    return Response(200, text, [], list(shown), kind)


def ordered(rows: Iterable[Any], key: Callable[[Any], Any], *, descending: bool = False) -> list[int]:
    """Ids of the rows, by (key, id)."""
    return [row.id for row in sorted(rows, key=lambda row: (key(row), row.id), reverse=descending)]
