"""Pages of a list: filter, sort, count and join the bodies."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

import msgspec

from sandbox.messages import Request, Response
from sandbox.table import Key, Table
from sandbox.woocommerce.dates import DateBound

# No id reaches this; it closes a range of (time, id) keys.
_LAST = 1 << 62


def in_range(keys: list[Key], bounds: list[DateBound]) -> list[Key]:
    """The keys strictly between UTC bounds, by bisection."""
    low, high = 0, len(keys)
    for bound in bounds:
        moment = bound.value.replace(tzinfo=UTC)
        if bound.is_lower:
            low = max(low, bisect_right(keys, (moment, _LAST)))
        else:
            high = min(high, bisect_left(keys, (moment, 0)))
    return keys[low:high]


def page_of(ids: Sequence[int], values: dict[str, Any]) -> Sequence[int]:
    """The part of the list that `page` and `per_page`, or `offset`, ask for."""
    size = values["per_page"]
    start = values["offset"] if "offset" in values else (values["page"] - 1) * size
    return ids[start : start + size]


def included(ids: list[int], values: dict[str, Any]) -> list[int]:
    """Apply include and exclude; orderby=include brings the order the ids were named in."""
    if wanted := values.get("include"):
        present = set(ids)
        named = [each for each in wanted if each in present]
        chosen = set(wanted)
        ids = named if values["orderby"] == "include" else [each for each in ids if each in chosen]
    if unwanted := set(values.get("exclude", ())):
        ids = [each for each in ids if each not in unwanted]
    return ids


def list_response(
    request: Request,
    base: str,
    ids: Sequence[int],
    values: dict[str, Any],
    body: Callable[[int], bytes],
    *,
    kind: str = "",
    forgets_total: bool = False,
) -> Response:
    """A page with its headers. `forgets_total`: past the end the total reads 0, as it does for orders."""
    shown = page_of(ids, values)
    total = 0 if forgets_total and not shown else len(ids)
    pages = -(-total // values["per_page"])
    headers = [("X-WP-Total", str(total)), ("X-WP-TotalPages", str(pages))]
    links = _page_links(request, base, values["page"], pages)
    if links:
        headers.append(("Link", links))
    return Response(200, b"[" + b",".join(map(body, shown)) + b"]", headers, list(shown), kind)


def _page_links(request: Request, base: str, page: int, pages: int) -> str:
    def link(number: int, rel: str) -> str:
        pairs = [(name, value) for name, value in request.pairs if name != "page"]
        return f'<{base}{request.path}?{urlencode([*pairs, ("page", number)])}>; rel="{rel}"'

    links = []
    if page > 1 and pages:
        links.append(link(min(page - 1, pages), "prev"))
    if page < pages:
        links.append(link(page + 1, "next"))
    return ", ".join(links)


def only_fields(response: Response, fields: str) -> Response:
    """Keep the members `_fields` names, `a.b` reaching inside."""
    wanted = [name.strip().split(".") for name in fields.split(",") if name.strip()]
    decoded = msgspec.json.decode(response.body)
    kept = [_keep(each, wanted) for each in decoded] if isinstance(decoded, list) else _keep(decoded, wanted)
    response.body = msgspec.json.encode(kept)
    return response


def _keep(value: Any, wanted: list[list[str]]) -> Any:
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name in value:
        deeper = [path[1:] for path in wanted if path[0] == name]
        if deeper:
            kept[name] = value[name] if [] in deeper else _keep(value[name], deeper)
    return kept


class Memo:
    """The last few filtered lists, so that the next page of one is a slice while nothing has changed."""

    _SIZE = 16

    def __init__(self) -> None:
        self._lists: dict[Any, list[int]] = {}

    def ids(self, table: Table, values: dict[str, Any], find: Callable[[], list[int]]) -> list[int]:
        """`find()` unless the same list of an unchanged table was found before."""
        paging = ("page", "per_page", "offset")
        asked = msgspec.json.encode([item for item in sorted(values.items()) if item[0] not in paging])
        key = (table.kind, table.version, asked)
        if key not in self._lists:
            while len(self._lists) >= self._SIZE:
                del self._lists[next(iter(self._lists))]
            self._lists[key] = find()
        return self._lists[key]
