"""How values read on the pages of the back office."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from backoffice.text import plain_number

NEVER = "Never"
NOTHING = "-"


def moment(at: datetime | None) -> str | SafeString:
    """ "2 minutes ago", with the exact time in its title."""
    if at is None:
        return NEVER
    return format_html(
        '<time datetime="{}" title="{}" class="whitespace-nowrap">{}</time>',
        at.isoformat(),
        exact(at),
        naturaltime(at),
    )


def by_whom(at: datetime, by: Any) -> SafeString:
    return format_html("{} by {}", moment(at), by) if by else format_html("{}", moment(at))


def exact(at: datetime) -> str:
    return date_format(localtime(at), "j M Y, H:i:s T")


def signed(quantity: Decimal) -> str:
    """+2, -1.5; a dash for nothing."""
    if not quantity:
        return NOTHING
    return f"+{plain_number(quantity)}" if quantity > 0 else plain_number(quantity)


def together(text: str) -> SafeString:
    """On one line, however narrow the column."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def badge(text: str, tone: str) -> SafeString:
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone})


def link(to: Model | None, text: str | None = None) -> str | SafeString:
    """A link to the record's page; a dash when there is none."""
    if to is None:
        return NOTHING
    return format_html('<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>', page_of(to), text or to)


def page_of(record: Model) -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def address_lines(address: Mapping[str, Any]) -> list[str]:
    """An address as it stands on an envelope; an empty list when nothing is known."""
    part = {key: str(value or "").strip() for key, value in address.items()}
    lines = [
        f"{part.get('first_name', '')} {part.get('last_name', '')}",
        part.get("company", ""),
        part.get("address_1", ""),
        part.get("address_2", ""),
        f"{part.get('postcode', '')} {part.get('city', '')}",
        f"{part.get('state', '')} {part.get('country', '')}",
        part.get("phone", ""),
    ]
    return [line.strip() for line in lines if line.strip()]
