"""How times, money and settings are written on every page."""

import uuid
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from carts.choices import Outcome, RecordState, RunState
from carts.models import Cart

register = template.Library()
STEPS = ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "h"), (60, "min"))
DATE_AND_TIME = "%Y-%m-%d %H:%M:%S"


@register.simple_tag
def ago(at: datetime | None, empty: str = "Never", zone: tzinfo | None = None) -> str:
    """`2 min ago`, with the exact time in the title: in `zone` (the shop's) where it is known, and in UTC."""
    if at is None:
        return empty
    return _time(at, distance(at, timezone.now()), zone)


@register.simple_tag
def exact(at: datetime | None, empty: str = "Never", zone: tzinfo | None = None) -> str:
    """The time itself in `zone`, for settings that are times; the title holds it in UTC."""
    if at is None:
        return empty
    there = at.astimezone(zone or UTC)
    return _time(at, f"{there:{DATE_AND_TIME}}", zone)


def _time(at: datetime, text: str, zone: tzinfo | None) -> SafeString:
    title = f"{at.astimezone(UTC):{DATE_AND_TIME}} UTC"
    if zone is not None and str(zone) != "UTC":
        title = f"{at.astimezone(zone):{DATE_AND_TIME}} {zone}, {title}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.astimezone(UTC).isoformat(), title, text)


def distance(at: datetime, now: datetime) -> str:
    seconds = int((now - at).total_seconds())
    for size, name in STEPS:
        number = abs(seconds) // size
        if number:
            plural = "s" if number > 1 and name not in ("h", "min") else ""
            return f"in {number} {name}{plural}" if seconds < 0 else f"{number} {name}{plural} ago"
    return "just now"


@register.filter
def money(amount: Decimal | None, currency: str = "") -> str:
    """`1,234.50 USD`; the shop's own decimals, at least two."""
    if amount is None:
        return "None"
    decimals = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"{amount:,.{decimals}f} {currency}".strip()


@register.filter
def plain(quantity: Decimal | None) -> str:
    return "None" if quantity is None else f"{quantity.normalize():f}"


@register.filter
def tone(value: str) -> str:
    """The badge's tone of a run's state, a record's state or an outcome."""
    for kind in (RunState, RecordState, Outcome):
        if value in kind.values:
            return kind(value).tone
    return ""


@register.filter
def cut_status(sentence: str, cart: Cart) -> str:
    """The sentence of state without the status it begins with, for places where the badge has told it."""
    status = cart.get_status_display()
    return capfirst(sentence.removeprefix(status).lstrip("., "))


@register.filter
def todos(number: int) -> str:
    return f"{number} to-do{'' if number == 1 else 's'}"


@register.simple_tag
def request_key() -> str:
    """Goes with a form, so that the same form sent twice does its work once."""
    return uuid.uuid4().hex


@register.simple_tag
def setting(field: BoundField, zone: tzinfo | None = None) -> str:
    """A field of the cart's form as View mode shows it."""
    value = field.initial
    if hasattr(field.field, "shown"):
        return field.field.shown(value)
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, datetime):
        return exact(value, zone=zone)
    choices = dict(getattr(field.field, "choices", ()))
    if isinstance(value, list):
        return ", ".join(str(choices.get(one, one)) for one in value) or "None"
    if not value:
        return getattr(field.field, "empty", "Not set")
    return str(choices.get(value, value))


@register.simple_tag(takes_context=True)
def address(context: dict[str, Any], **changes: Any) -> str:
    """This page's address with other parameters; an empty one is left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"
