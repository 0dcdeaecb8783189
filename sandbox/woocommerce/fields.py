"""Fields a caller may write, checked as WordPress checks them on single routes."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from sandbox.messages import Request, php_arguments
from sandbox.records import ZERO
from sandbox.woocommerce.errors import ApiError, invalid_params


class Field(Struct, frozen=True):
    """`kind` is string, integer, boolean, object or array."""

    kind: str
    allowed: tuple[str, ...] = ()
    takes_null: bool = False


def body_of(request: Request) -> dict[str, Any]:
    """The JSON (or form) body as a dict. Raises ApiError 400 on JSON that is broken or no object."""
    if "json" not in request.headers.get("Content-Type", "json"):
        return php_arguments(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    try:
        value = request.json() or {}
    except msgspec.DecodeError as broken:
        raise ApiError(400, "rest_invalid_json", "Invalid JSON body passed.") from broken
    if not isinstance(value, dict):
        raise ApiError(400, "rest_invalid_json", "Invalid JSON body passed.")
    return value


def check(given: dict[str, Any], fields: dict[str, Field]) -> None:
    """Raises ApiError 400 for every field of the wrong type. Batch rows are never checked on the real server."""
    problems = {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None or (value is None and field.takes_null):
            continue
        if not _FITS[field.kind](value):
            problems[name] = ("rest_invalid_type", f"{name} is not of type {field.kind}.", {"param": name})
        elif field.allowed and value not in field.allowed:
            words = ", ".join(field.allowed[:-1]) + f", and {field.allowed[-1]}"
            problems[name] = ("rest_not_in_enum", f"{name} is not one of {words}.", None)
    if problems:
        raise invalid_params(problems)


def _is_integer(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None)


_FITS = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: not isinstance(value, bool) and _is_integer(value),
    "boolean": lambda value: isinstance(value, bool) or value in ("true", "false", "1", "0", 0, 1),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def is_true(value: Any) -> bool:
    return value in (True, 1, "1", "true", "yes")


def price(value: Any) -> str:
    """The shop's reading of a price: commas are thousands marks, so "12,50" is 1250 and "abc" is no price."""
    return re.sub(r"[^0-9.\-]", "", str(value if value is not None else ""))


def money(value: Any) -> Decimal:
    """A figure of a line; text that is no number counts as nothing."""
    try:
        return Decimal(price(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return ZERO


def whole(value: Any) -> int:
    """PHP's (int): cuts decimals, nothing and text are 0."""
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return 0
