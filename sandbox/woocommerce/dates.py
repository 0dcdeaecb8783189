"""The four date filters exactly as measured: exclusive, to the second, and with their trap.

A value without a zone is the shop's local time; one with `Z` or an offset is right by itself. With
`dates_are_gmt` the value is still brought to local time first and only then compared with the UTC column, so
a zoneless UTC value is right (but for one that falls into the local hour skipped in spring, which moves an hour
on) and one with `Z` is off by the shop's distance from UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from sandbox.woocommerce.errors import invalid_params

_FORMAT = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}(?::\d{2})?)?$")
NAMES = ("after", "before", "modified_after", "modified_before")


class DateBound(Struct, frozen=True):
    """`field` is created or modified; `value` naive in the column's own time; `is_local` names the column."""

    field: str
    is_lower: bool
    is_local: bool
    value: datetime

    def admits(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Strictly beyond the bound, never on it."""
        column = moment.astimezone(zone if self.is_local else UTC).replace(tzinfo=None)
        return column > self.value if self.is_lower else column < self.value


def is_date(value: Any) -> bool:
    """WordPress's idea of a date-time: a bare date or an unencoded `+` is none."""
    if not isinstance(value, str) or not _FORMAT.match(value):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


def parse(value: str) -> datetime:
    """Naive when the text carries no zone."""
    return datetime.fromisoformat(value.upper().replace(" ", "T")).replace(microsecond=0)


def bounds(args: dict[str, Any], zone: ZoneInfo, *, stores_utc: bool) -> list[DateBound]:
    """The filters among the arguments. `stores_utc`: orders, whose local filters the shop turns into UTC;
    products compare with their local column. Raises ApiError 400 on a value that is no date-time."""
    wrong = {n: ("rest_invalid_date", "Invalid date.", None) for n in NAMES if n in args and not is_date(args[n])}
    if wrong:
        raise invalid_params(wrong)
    is_gmt = bool(args.get("dates_are_gmt"))
    return [_bound(name, args[name], zone, is_gmt, stores_utc) for name in NAMES if name in args]


def _bound(name: str, text: str, zone: ZoneInfo, is_gmt: bool, stores_utc: bool) -> DateBound:
    value = parse(text)
    # A local time that never was moves on by the hour skipped, one that was twice is taken as the first.
    aware = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    field = "modified" if name.startswith("modified") else "created"
    is_local = not is_gmt and not stores_utc
    in_utc = stores_utc and not is_gmt
    column = aware if in_utc else aware.astimezone(zone)
    return DateBound(field, name.endswith("after"), is_local, column.replace(tzinfo=None))
