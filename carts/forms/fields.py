"""Fields of the panel's forms: a time of the shop's clock, one of our records, a secret."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from unfold import widgets

from carts import gateway, secrets


class ShopTimeField(forms.DateTimeField):
    """A time as the shop's clock shows it. The value is aware UTC."""

    empty = "Never"

    def __init__(self, *, zone: tzinfo, **kwargs: Any) -> None:
        # The browser sends back what it was shown, so that a date that moved on by itself is not taken for an entry.
        super().__init__(show_hidden_initial=True, widget=time_widget(), **kwargs)
        self.zone = zone

    def prepare_value(self, value: Any) -> Any:
        return f"{value.astimezone(self.zone):%Y-%m-%dT%H:%M:%S}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            entered = datetime.fromisoformat(text).replace(tzinfo=self.zone)
        except ValueError:
            raise ValidationError("Enter a date and a time, such as 2026-01-31 08:30:00.", code="invalid") from None
        # Where the clocks go back an hour comes twice: the earlier is taken, so that no order is left out.
        moment = entered.astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) != entered.replace(tzinfo=None):
            raise ValidationError(
                f"There is no such time in {self.zone}: the clocks were put forward. Enter one an hour later.",
                code="skipped",
            )
        return moment


def time_widget() -> forms.DateTimeInput:
    classes = " ".join(widgets.DATETIME_CLASSES)
    return forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1", "class": classes})


class OursField(forms.CharField):
    """One of our items or customers, typed as its SKU or code, or picked from the suggestions. The value is its id."""

    # A suggestion ends in the id, which names the record whatever else is alike.
    ID = re.compile(r"\[(\d+)\]\s*$")

    def __init__(self, kind: str, **kwargs: Any) -> None:
        suggestions = f"suggest-{kind}"
        attrs = {
            "list": suggestions,
            "autocomplete": "off",
            "hx-get": reverse_lazy("carts:find", args=[kind]),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": f"#{suggestions}",
        }
        super().__init__(widget=widgets.UnfoldAdminTextInputWidget(attrs), **kwargs)
        self.suggestions = suggestions
        self.search: Callable[[str], list[gateway.Ref]] = SEARCH[kind]
        self.refs: Callable[[list[int]], dict[int, gateway.Ref]] = REFS[kind]

    def shown(self, value: int | None) -> str:
        ref = self.refs([value]).get(value) if value else None
        return ref.label if ref else "None"

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        ref = self.refs([value]).get(value)
        return option(ref) if ref else ""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, int) or not value:
            return value or None
        text = super().to_python(value)
        named = self.ID.search(text)
        found = list(self.refs([int(named[1])]).values()) if named else self.search(text)
        if len(found) > 1:
            # "AB-1" begins "AB-10" too; the whole of it is meant.
            found = [ref for ref in found if ref.label.casefold().startswith(f"{text.casefold()} ")] or found
        if len(found) != 1:
            how = "Nothing here begins" if not found else f"{len(found)} records begin"
            raise ValidationError(f"{how} with “{text}”. Type the whole SKU or code, or pick a suggestion.")
        return found[0].id


SEARCH = {"item": gateway.search_items, "customer": gateway.search_customers}
REFS = {"item": gateway.item_refs, "customer": gateway.customer_refs}


KEEP = "Leave it empty to keep it."


def option(ref: gateway.Ref) -> str:
    return f"{ref.label} [{ref.id}]"


class CredentialField(forms.CharField):
    """A secret: shown as its mask, sent back to the browser never. One that may be missing can be removed."""

    def __init__(self, mask: str, *, removable: bool, **kwargs: Any) -> None:
        keep = f"Leave it empty to keep it, or type {secrets.REMOVE} to remove it." if removable else KEEP
        hint = f"{mask}. {keep}" if mask != secrets.mask("") else mask
        attrs = {"autocomplete": "new-password", "placeholder": hint}
        super().__init__(widget=widgets.UnfoldAdminPasswordWidget(attrs), **kwargs)
        self.mask = mask

    def shown(self, value: Any) -> str:
        return self.mask
