"""searchCriteria: which rows, in which order, and what of them. As the shop's database takes them, not as one hopes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from sandbox.magento.errors import ApiError, broken, required
from sandbox.messages import Request, Response

_NAME = re.compile(r"searchCriteria\b(.*)", re.IGNORECASE)
_KEYS = re.compile(r"\[([^\]]*)\]")
# What follows the seconds is dropped by the database: a zone, an offset.
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}))?")
Value = str | int | float | None


class Filter(Struct):
    field: str = ""
    value: str = ""
    condition: str = "eq"


class Criteria(Struct):
    groups: dict[str, dict[str, Filter]] = field(default_factory=dict)
    sorts: dict[str, dict[str, str]] = field(default_factory=dict)
    size: int = 0
    page: int = 1

    def echo(self) -> dict[str, Any]:
        """The criteria as the answer repeats them."""
        told: dict[str, Any] = {
            "filter_groups": [
                {
                    "filters": [
                        {"field": each.field, "value": each.value, "condition_type": each.condition}
                        for each in group.values()
                    ]
                }
                for group in self.groups.values()
            ]
        }
        if self.sorts:
            told["sort_orders"] = list(self.sorts.values())
        if self.size:
            told["page_size"] = self.size
        if self.page > 1:
            told["current_page"] = self.page
        return told


def criteria_of(request: Request) -> Criteria:
    """Raises ApiError 400 where there are none at all, or where a direction is neither ASC nor DESC."""
    found, criteria = False, Criteria()
    for name, value in request.pairs:
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        found = True
        keys = [re.sub(r"_(\w)", lambda m: m[1].upper(), key) for key in _KEYS.findall(match[1])]
        _set(criteria, keys, value)
    if not found:
        raise required("searchCriteria")
    for sort in criteria.sorts.values():
        sort.setdefault("direction", "DESC")
        if sort["direction"] not in ("ASC", "DESC"):
            message = "The sort order has to be specified as %1 for ascending order or %2 for descending order."
            raise ApiError(400, message, ["ASC", "DESC"])
    return criteria


def _set(criteria: Criteria, keys: list[str], value: str) -> None:
    if len(keys) == 5 and keys[0] == "filterGroups":
        each = criteria.groups.setdefault(keys[1], {}).setdefault(keys[3], Filter())
        name = {"conditionType": "condition"}.get(keys[4], keys[4])
        if name in Filter.__struct_fields__:
            setattr(each, name, value)
    elif len(keys) == 3 and keys[0] == "sortOrders":
        criteria.sorts.setdefault(keys[1], {})[keys[2]] = value
    elif keys == ["pageSize"]:
        criteria.size = int(value or 0)
    elif keys == ["currentPage"]:
        criteria.page = max(1, int(value or 1))


class Rows(Struct):
    """One kind of row: the values that can be asked for, by name, and how one is written."""

    values: Mapping[str, Callable[[Any], Value]]
    body: Callable[[Any], bytes]
    kind: str = ""
    dates: frozenset[str] = frozenset({"created_at", "updated_at"})


def page(request: Request, rows: Rows, records: Iterable[Any], *, repeats_last: bool = False) -> Response:
    """The answer of a list. `repeats_last`: past the end an old shop shows its last page again."""
    criteria = criteria_of(request)
    found = [record for record in records if _matches(rows, criteria, record)]
    for sort in reversed(criteria.sorts.values()):
        key = rows.values.get(sort.get("field", ""))
        if key is None:
            raise broken()
        found.sort(key=key, reverse=sort["direction"] == "DESC")  # type: ignore[arg-type, return-value]
    shown = _cut(found, criteria, repeats_last)
    items = b"[" + b",".join(rows.body(record) for record in shown) + b"]"
    rest = msgspec.json.encode({"search_criteria": criteria.echo(), "total_count": len(found)})
    body = b'{"items":' + items + b"," + rest[1:]
    ids = [getattr(record, "id", 0) for record in shown]
    return Response(200, only_fields(body, request.args.get("fields", "")), [], ids, rows.kind)


def _cut(found: Sequence[Any], criteria: Criteria, repeats_last: bool) -> Sequence[Any]:
    if not criteria.size:
        return found
    last = max(1, -(-len(found) // criteria.size))
    number = min(criteria.page, last) if repeats_last else criteria.page
    return found[(number - 1) * criteria.size : number * criteria.size]


def _matches(rows: Rows, criteria: Criteria, record: Any) -> bool:
    return all(any(_fits(rows, each, record) for each in group.values()) for group in criteria.groups.values())


def _fits(rows: Rows, each: Filter, record: Any) -> bool:
    get = rows.values.get(each.field)
    if get is None:
        raise broken()
    value = get(record)
    if each.condition in ("null", "notnull"):
        return (value is None) == (each.condition == "null")
    if value is None:
        return False
    if each.field in rows.dates:
        return _compared(str(value), _date(each.value), each.condition)
    if isinstance(value, str):
        return _compared(value.lower(), each.value.lower(), each.condition)
    return _compared_numbers(float(value), each.value, each.condition)


def _date(text: str) -> str:
    """What is no date is before every other: it lets "later than" match everything."""
    match = _DATE.match(text)
    return f"{match[1]} {match[2] or '00:00:00'}" if match else ""


def _compared(value: str, wanted: str, condition: str) -> bool:
    if condition in ("in", "nin"):
        return (value in wanted.split(",")) == (condition == "in")
    if condition == "like":
        parts = (re.escape(part) for part in wanted.split("%"))
        return re.fullmatch(".*".join(parts), value, re.DOTALL) is not None
    return _ordered(value, wanted, condition)


def _compared_numbers(value: float, wanted: str, condition: str) -> bool:
    if condition in ("in", "nin"):
        return (value in [_number(each) for each in wanted.split(",")]) == (condition == "in")
    return _ordered(value, _number(wanted), condition)


def _number(text: str) -> float:
    match = re.match(r"\s*-?\d+(\.\d+)?", text)
    return float(match[0]) if match else 0.0


def _ordered(value: Any, wanted: Any, condition: str) -> bool:
    outcomes = {
        "eq": value == wanted,
        "neq": value != wanted,
        "gt": value > wanted,
        "gteq": value >= wanted,
        "from": value >= wanted,
        "lt": value < wanted,
        "lteq": value <= wanted,
        "to": value <= wanted,
    }
    if condition not in outcomes:
        raise broken()
    return outcomes[condition]


def only_fields(body: bytes, wanted: str) -> bytes:
    """Keep what `fields` names, as `items[id,sku],total_count`. A list that is empty then is null."""
    if not wanted:
        return body
    return msgspec.json.encode(_keep(msgspec.json.decode(body), _tree(wanted)))


def _tree(text: str) -> dict[str, Any]:
    stack: list[dict[str, Any]] = [{}]
    name = ""
    for token in re.findall(r"[\w.-]+|[\[\],]", text):
        if token == "[":
            stack.append(stack[-1][name])
        elif token == "]":
            stack.pop()
        elif token != ",":
            name = token
            stack[-1][name] = {}
    return stack[0]


def _keep(value: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_keep(each, tree) for each in value] or None
    if isinstance(value, dict):
        return {name: _keep(value[name], deeper) for name, deeper in tree.items() if name in value}
    return value
