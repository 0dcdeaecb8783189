"""Shopify's search syntax, as far as lists are filtered by it: terms, comparators, quotes, OR and parentheses.

The real shop leaves out a filter it does not know and only warns; this one refuses, so that no test is fooled.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from msgspec import Struct

Matches = Callable[[Any], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<join>OR|AND)\b
    |(?:(?P<field>\w+):)?\s*(?P<operator>>=|<=|>|<)?\s*(?:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"
    |(?P<bare>[^\s()'":]+)))""",
    re.VERBOSE,
)
_COMPARE = {"": operator.eq, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class SearchError(Exception):
    """A query nobody could mean."""


class Term(Struct):
    field: str
    operator: str
    value: str
    is_quoted: bool


# By name, what makes a test of a term; "" is the term without a name.
Fields = Mapping[str, Callable[[Term], Matches]]


def parse(query: str, fields: Fields) -> Matches:
    tokens = _tokens(query)
    matches, rest = _either(tokens, fields)
    if rest:
        raise SearchError(f"Unbalanced parentheses in {query!r}.")
    return matches


def fields_of(query: str) -> set[str]:
    """The names a query filters by."""
    return {token.field for token in _tokens(query) if isinstance(token, Term)}


def _tokens(query: str) -> list[Term | str]:
    tokens: list[Term | str] = []
    place = 0
    text = query.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise SearchError(f"The search {query!r} cannot be read at {text[place:]!r}. Are its times quoted?")
        place = found.end()
        if found["open"] or found["close"] or found["join"]:
            tokens.append(found["open"] or found["close"] or found["join"])
            continue
        quoted = found["single"] if found["single"] is not None else found["double"]
        value = found["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        tokens.append(Term(found["field"] or "", found["operator"] or "", value, quoted is not None))
    return tokens


def _either(tokens: list[Term | str], fields: Fields) -> tuple[Matches, list[Term | str]]:
    matches, rest = _every(tokens, fields)
    while rest and rest[0] == "OR":
        other, rest = _every(rest[1:], fields)
        matches = _joined(any, matches, other)
    return matches, rest


def _every(tokens: list[Term | str], fields: Fields) -> tuple[Matches, list[Term | str]]:
    found: list[Matches] = []
    while tokens and tokens[0] not in (")", "OR"):
        token, *tokens = tokens
        if token == "AND":
            continue
        if token == "(":
            inner, tokens = _either(tokens, fields)
            if not tokens or tokens[0] != ")":
                raise SearchError("Unbalanced parentheses.")
            tokens = tokens[1:]
            found.append(inner)
        elif isinstance(token, Term):
            if token.field not in fields:
                raise SearchError(f"No filter named {token.field!r} here.")
            found.append(fields[token.field](token))
    return _joined(all, *found), tokens


def _joined(join: Callable[[Any], bool], *parts: Matches) -> Matches:
    return lambda record: join(part(record) for part in parts)


# What a field makes of a term -------------------------------------------------------------------------


def text(value_of: Callable[[Any], str]) -> Callable[[Term], Matches]:
    """Equal without regard to case; a comma-separated value means any of them."""

    def make(term: Term) -> Matches:
        wanted = {part.strip().lower() for part in ([term.value] if term.is_quoted else term.value.split(","))}
        return lambda record: value_of(record).lower() in wanted

    return make


def anywhere(value_of: Callable[[Any], str]) -> Callable[[Term], Matches]:
    return lambda term: lambda record: term.value.lower() in value_of(record).lower()


def number(value_of: Callable[[Any], int]) -> Callable[[Term], Matches]:
    def make(term: Term) -> Matches:
        compare = _COMPARE[term.operator]
        if not term.operator and "," in term.value:
            wanted = {int(part) for part in term.value.split(",")}
            return lambda record: value_of(record) in wanted
        value = int(term.value)
        return lambda record: compare(value_of(record), value)

    return make


def flag(value_of: Callable[[Any], bool]) -> Callable[[Term], Matches]:
    return lambda term: lambda record: value_of(record) is (term.value.lower() == "true")


def moment(value_of: Callable[[Any], datetime]) -> Callable[[Term], Matches]:
    """A time to the second; `>=` takes it in and `>` does not."""

    def make(term: Term) -> Matches:
        value, compare = _time(term), _COMPARE[term.operator]
        return lambda record: compare(value_of(record), value)

    return make


def day(value_of: Callable[[Any], datetime], zone: tzinfo) -> Callable[[Term], Matches]:
    """A time that matches by the whole day of the shop's zone, whatever its hour."""

    def make(term: Term) -> Matches:
        value, compare = _day(_time(term), zone), _COMPARE[term.operator]
        return lambda record: compare(_day(value_of(record), zone), value)

    return make


def _day(at: datetime, zone: tzinfo) -> date:
    return at.astimezone(zone).date()


def _time(term: Term) -> datetime:
    if not term.is_quoted:
        raise SearchError(f"The time {term.value!r} is not quoted.")
    value = datetime.fromisoformat(term.value)
    if value.tzinfo is None:
        raise SearchError(f"The time {term.value!r} has no zone.")
    return value
