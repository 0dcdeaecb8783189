"""Lists: which rows the filters mean, in which order, and which of them are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from sandbox.messages import Request
from sandbox.prestashop.xml import ApiError, Row
from sandbox.shop import Shop

DATES = ("date_add", "date_upd")
_INTERVAL = re.compile(r"[0-9.:\- ]+,[0-9.:\- ]+")


@dataclass(frozen=True)
class Resource:
    """One kind of record. `keys` are its ids (of parts of orders, the order with the part), fewer where the filters,
    given as texts, tell so at once; `quick` reads a field without making the row; `sorts` is what a list is sorted by
    where that is not what it is filtered by; `hidden` fields are in no filter; `moves` is its kind for the fault that
    moves rows."""

    node: str
    keys: Callable[[Shop, Mapping[str, str]], Iterable[Any]]
    row: Callable[[Shop, Any], Row]
    list_name: str = ""
    quick: Mapping[str, Callable[[Shop, Any], str]] = field(default_factory=dict)
    sorts: Mapping[str, Callable[[Shop, Any], str]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    moves: str = ""
    methods: frozenset[str] = frozenset({"GET"})

    def value(self, shop: Shop, key: Any, name: str) -> str:
        if name in self.quick:
            return self.quick[name](shop, key)
        if name == "id" and isinstance(key, int):
            return str(key)
        value = self.row(shop, key).get(name, "")
        return next(iter(value.values()), "") if isinstance(value, Mapping) else str(value)


def found(shop: Shop, resource: Resource, request: Request) -> list[Any]:
    """The keys of what a list request asks for. Raises ApiError 400 on a filter, a sort or a date it may not use."""
    filters = {name[7:-1]: text for name, text in request.pairs if name.startswith("filter[") and name.endswith("]")}
    keys = list(resource.keys(shop, filters))
    names = _names(shop, resource, keys)
    with_dates = request.args.get("date") == "1"
    for name, text in filters.items():
        if names and (name not in names or (name in DATES and not with_dates)):
            known = ", ".join(f'"{each}"' for each in names if each not in DATES)
            raise ApiError(400, 32, f"This filter does not exist. The full list is: {known}")
        fits = test_of(text)
        keys = [key for key in keys if fits(resource.value(shop, key, name))]
    for name, is_down in reversed(_sort(request, names, with_dates)):
        read = resource.sorts.get(name) or partial(_value, resource, name)
        keys.sort(key=lambda key: _sortable(read(shop, key)), reverse=is_down)
    return _limited(keys, str(request.args.get("limit", "")))


def _value(resource: Resource, name: str, shop: Shop, key: Any) -> str:
    return resource.value(shop, key, name)


def _names(shop: Shop, resource: Resource, keys: list[Any]) -> list[str]:
    if not keys:
        return []
    return [name for name in resource.row(shop, keys[0]) if name != "associations" and name not in resource.hidden]


def _sort(request: Request, names: list[str], with_dates: bool) -> list[tuple[str, bool]]:
    """Without a sort the order is the database's own, here that of the keys."""
    text = request.args.get("sort", "")
    if not text:
        return []
    parts = [part.rpartition("_") for part in text.strip("[]").split(",")]
    for name, _, way in parts:
        if way not in ("ASC", "DESC"):
            raise ApiError(400, 37, 'The "sort" value has to be formed as this example: "field_ASC"')
        if names and (name not in names or (name in DATES and not with_dates)):
            raise ApiError(400, 38, f"Unable to filter by this field. However, these are available: {', '.join(names)}")
    return [(name, way == "DESC") for name, _, way in parts]


def _limited(keys: list[Any], limit: str) -> list[Any]:
    """What is no number counts as 0, as PHP has it."""
    if not limit:
        return keys
    parts = [int(part) if part.strip().isdigit() else 0 for part in limit.split(",")]
    start, count = (0, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    return keys[start : start + count]


def _sortable(text: str) -> tuple[int, Decimal, str]:
    try:
        return (0, Decimal(text), "")
    except InvalidOperation:
        return (1, Decimal(0), text.lower())


def test_of(text: str) -> Callable[[str], bool]:
    """A filter as the webservice reads it. Texts are compared without regard to case, as its database does."""
    shape = re.fullmatch(r"(%?)([!<>]?)\[(.*)\](%?)", text, re.DOTALL)
    if shape is None:
        return lambda value: _same(value, text)
    before, sign, inside, after = shape.groups()
    if before or after:
        return _like(inside.lower(), bool(before), bool(after))
    if sign in ("<", ">"):
        low = sign == ">"
        return lambda value: _sortable(value) > _sortable(inside) if low else _sortable(value) < _sortable(inside)
    if _INTERVAL.fullmatch(inside):
        start, end = sorted(map(_sortable, inside.split(",")))
        return lambda value: start <= _sortable(value) <= end
    chosen = {each.strip().lower() for each in inside.split("|")}
    return lambda value: (value.strip().lower() in chosen) != (sign == "!")


def _same(value: str, text: str) -> bool:
    return value.lower() == text.lower()


def _like(part: str, open_start: bool, open_end: bool) -> Callable[[str], bool]:
    if open_start and open_end:
        return lambda value: part in value.lower()
    return lambda value: value.lower().endswith(part) if open_start else value.lower().startswith(part)


def shown_fields(request: Request, default: list[str] | None) -> list[str] | None:
    """What `display` names: None for all; `default` without it."""
    text: Any = request.args.get("display", "")
    if not text:
        return default
    if text == "full":
        return None
    if not text.startswith("["):
        raise ApiError(400, 35, 'The value of "display" is not valid.')
    return [name.strip() for name in text.strip("[]").split(",")]
