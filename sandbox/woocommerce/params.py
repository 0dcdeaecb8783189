"""Query arguments checked against the collection's schema, with WordPress's messages."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from sandbox.woocommerce.dates import is_date
from sandbox.woocommerce.errors import invalid_params

Problem = tuple[str, str, Any]


class Rule(Struct, frozen=True):
    """One argument: `kind` is integer, boolean, string, list, ids or date."""

    kind: str = "string"
    default: Any = None
    allowed: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


def read(args: dict[str, Any], rules: dict[str, Rule]) -> dict[str, Any]:
    """The known arguments, typed, with defaults; unknown ones are ignored. Raises ApiError 400."""
    values: dict[str, Any] = {}
    problems: dict[str, Problem] = {}
    for name, rule in rules.items():
        if name not in args:
            if rule.default is not None:
                values[name] = rule.default
            continue
        problem = check(name, args[name], rule)
        if problem:
            problems[name] = problem
        else:
            values[name] = convert(args[name], rule)
    if problems:
        raise invalid_params(problems)
    return values


def check(name: str, value: Any, rule: Rule) -> Problem | None:
    """What is wrong with a value as sent in the query, or None."""
    if rule.kind == "integer":
        return _check_integer(name, value, rule)
    if rule.kind == "boolean" and str(value).lower() not in ("true", "false", "1", "0", ""):
        return _wrong_type(name, "boolean")
    if rule.kind == "ids" and not all(re.fullmatch(r"-?\d+", each) for each in _parts(value)):
        return _wrong_type(f"{name}[0]", "integer")
    if rule.kind == "date" and not is_date(value):
        return ("rest_invalid_date", "Invalid date.", None)
    if rule.allowed:
        return _check_allowed(name, value, rule)
    return None


def _check_integer(name: str, value: Any, rule: Rule) -> Problem | None:
    if not re.fullmatch(r"-?\d+", str(value)):
        return _wrong_type(name, "integer")
    low, high = rule.minimum, rule.maximum
    if (low is None or int(value) >= low) and (high is None or int(value) <= high):
        return None
    if high is None:
        text = f"{name} must be greater than or equal to {low}"
    else:
        text = f"{name} must be between {low} (inclusive) and {high} (inclusive)"
    return ("rest_out_of_bounds", text, None)


def _check_allowed(name: str, value: Any, rule: Rule) -> Problem | None:
    given = list(enumerate(_parts(value))) if rule.kind == "list" else [(None, value)]
    for index, each in given:
        if each not in rule.allowed:
            label = name if index is None else f"{name}[{index}]"
            words = ", ".join(rule.allowed[:-1]) + f", and {rule.allowed[-1]}"
            return ("rest_not_in_enum", f"{label} is not one of {words}.", None)
    return None


def convert(value: Any, rule: Rule) -> Any:
    if rule.kind == "integer":
        return int(value)
    if rule.kind == "boolean":
        return str(value).lower() in ("true", "1")
    if rule.kind == "ids":
        return [int(each) for each in _parts(value)]
    return _parts(value) if rule.kind == "list" else value


def _parts(value: Any) -> list[str]:
    if isinstance(value, list):
        return value
    return [part for part in re.split(r"[\s,]+", value) if part]


def _wrong_type(name: str, kind: str) -> Problem:
    return ("rest_invalid_type", f"{name} is not of type {kind}.", {"param": name})


_DATES = {name: Rule("date") for name in ("after", "before", "modified_after", "modified_before")}
_PAGES = {
    "page": Rule("integer", 1, minimum=1),
    "per_page": Rule("integer", 10, minimum=1, maximum=100),
    "offset": Rule("integer"),
    "search": Rule(),
    "include": Rule("ids"),
    "exclude": Rule("ids"),
}
_POSTS = {
    **_PAGES,
    **_DATES,
    "dates_are_gmt": Rule("boolean", False),
    "order": Rule(default="desc", allowed=("asc", "desc")),
    "orderby": Rule(default="date", allowed=("date", "id", "include", "title", "slug", "modified")),
    "parent": Rule("ids"),
}
_PRODUCT_STATUSES = ("any", "future", "trash", "draft", "pending", "private", "publish")
_ORDER_STATUSES = (
    *("any", "trash", "auto-draft", "pending", "processing", "on-hold"),
    *("completed", "cancelled", "refunded", "failed", "checkout-draft"),
)
ORDERS = {
    **_POSTS,
    "status": Rule("list", ["any"], _ORDER_STATUSES),
    "customer": Rule("integer"),
    "product": Rule("integer"),
}
REFUNDS = _POSTS
VARIATIONS = {
    **_POSTS,
    "orderby": Rule(default="date", allowed=(*_POSTS["orderby"].allowed, "menu_order")),
    "status": Rule(default="any", allowed=_PRODUCT_STATUSES),
    "sku": Rule(),
}
PRODUCTS = {
    **VARIATIONS,
    "orderby": Rule(default="date", allowed=(*VARIATIONS["orderby"].allowed, "price", "popularity", "rating")),
    "type": Rule(allowed=("simple", "grouped", "external", "variable")),
    "stock_status": Rule(allowed=("instock", "outofstock", "onbackorder")),
}
CUSTOMERS = {
    **_PAGES,
    "order": Rule(default="asc", allowed=("asc", "desc")),
    "orderby": Rule(default="name", allowed=("id", "include", "name", "registered_date")),
    "email": Rule(),
    "role": Rule(
        default="customer",
        allowed=(
            *("all", "administrator", "editor", "author", "contributor"),
            *("subscriber", "customer", "shop_manager"),
        ),
    ),
}
