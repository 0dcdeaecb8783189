"""What a person types on the command line, as the values that services take. Refused says what is wrong with it."""

import json
import sys
from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.dateparse import parse_datetime

from carts.choices import Owner
from carts.errors import Refused
from carts.forms import CartForm, OwnersForm
from carts.models import Cart
from carts.platforms import adapter_class

STANDARD_INPUT = "-"
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
SETTINGS = tuple(CartForm.Meta.fields)


def find_cart(name_or_id: str) -> Cart:
    """A name wins over an id: a cart may be named 3."""
    carts = list(Cart.objects.filter(name=name_or_id))
    if not carts and name_or_id.isdecimal():
        carts = list(Cart.objects.filter(pk=int(name_or_id)))
    if not carts:
        raise Refused(f"There is no cart named {name_or_id}, nor with this id. See: manage.py cart list")
    return carts[0]


# Credentials ------------------------------------------------------------------------------------------


def read_credentials(source: str, platform: str) -> dict[str, str]:
    """A JSON object or KEY=VALUE lines, from the file `source` or, for "-", from standard input."""
    try:
        text = sys.stdin.read() if source == STANDARD_INPUT else Path(source).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"The credentials in {source} cannot be read ({type(error).__name__}). Nothing was saved."
        ) from None
    found = _credentials_of(text)
    wanted = [field.name for field in adapter_class(platform).credential_fields]
    if unknown := sorted(set(found) - set(wanted)):
        raise Refused(f"{platform} has no credential {', '.join(unknown)}; it takes: {', '.join(wanted)}.")
    if not found:
        raise Refused(f"There are no credentials in what was read. {platform} takes: {', '.join(wanted)}.")
    return found


def _credentials_of(text: str) -> dict[str, str]:
    """No message repeats what was read: it would put a secret on the screen and into the shell's log."""
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except ValueError:
            raise Refused("The credentials begin like JSON but are not JSON. Nothing was saved.") from None
        if not all(isinstance(value, str) for value in data.values()):
            raise Refused("Every credential must be a text in quotes. Nothing was saved.")
        return {name: value.strip() for name, value in data.items()}
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if any(not separator for _, separator, _ in pairs):
        raise Refused("The credentials must be a JSON object, or lines like consumer_key=ck_... Nothing was saved.")
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def check_complete(credentials: dict[str, str], platform: str) -> None:
    missing = [
        field.name
        for field in adapter_class(platform).credential_fields
        if field.is_required and not credentials.get(field.name)
    ]
    if missing:
        raise Refused(f"These credentials are missing: {', '.join(missing)}. Nothing was saved.")


# Settings ---------------------------------------------------------------------------------------------


def read_table(source: str) -> str:
    try:
        return sys.stdin.read() if source == STANDARD_INPUT else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The table in {source} cannot be read ({type(error).__name__}). Nothing was changed.") from None


def owners_of(cart: Cart, pairs: Sequence[str]) -> dict[str, str]:
    """`item.price=cart` pairs beside the owners there are, judged by the form. Refused with what is wrong."""
    split = [pair.partition("=") for pair in pairs]
    typed = {name.strip(): owner.strip() for name, _, owner in split}
    shown = OwnersForm(cart)
    data = {field.html_name: field.value() for field in shown}
    if unknown := [name for name in typed if name not in data]:
        raise Refused(f"There is no field {', '.join(unknown)}. Nothing was saved. Fields: {', '.join(data)}.")
    form = OwnersForm(cart, data | typed)
    if not form.is_valid():
        raise Refused(f"An owner is one of {', '.join(Owner.values)}. Nothing was saved.")
    return form.owners()


def changes_of(cart: Cart, pairs: Sequence[str]) -> dict[str, Any]:
    """`field=value` pairs as values for save_cart, judged by the panel's own form. Refused with every fault at once."""
    typed = dict(_split(pair) for pair in pairs)
    faults, exact = [], {}
    data = _as_shown(cart)
    for name, text in typed.items():
        try:
            at = _moment(name, text)
            if at is not None:
                exact[name] = at
            else:
                data[name] = _as_the_browser_sends(name, text)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    form = CartForm(data, instance=copy(cart))
    for name, errors in form.errors.items():
        faults.append(f"{name}: {' '.join(errors)}")
    if faults:
        raise Refused(f"{' '.join(faults)} Nothing was saved.")
    return {name: form.cleaned_data[name] for name in typed} | exact


def _split(pair: str) -> tuple[str, str]:
    name, separator, text = pair.partition("=")
    if not separator:
        raise Refused(f"{pair} is not FIELD=VALUE. Nothing was saved.")
    if name not in SETTINGS:
        raise Refused(f"{name} is not a setting; the settings are: {', '.join(SETTINGS)}. Nothing was saved.")
    return name, text.strip()


def _as_shown(cart: Cart) -> dict[str, Any]:
    """What the browser would send back of a form in which nothing was touched."""
    fields = list(CartForm(instance=cart))
    return {field.html_name: field.value() for field in fields} | {
        field.html_initial_name: field.value() for field in fields if field.field.show_hidden_initial
    }


def _moment(name: str, text: str) -> datetime | None:
    """A time whose zone was typed: exact even in the hour that comes twice, which the form's shop time is not."""
    if not isinstance(Cart._meta.get_field(name), models.DateTimeField):
        return None
    at = parse_datetime(text)
    return at.astimezone(UTC) if at and at.tzinfo else None


def _as_the_browser_sends(name: str, text: str) -> Any:
    field = Cart._meta.get_field(name)
    if isinstance(field, models.BooleanField):
        if text.lower() not in YES + NO:
            raise ValueError(f"{text} is neither yes nor no.")
        return text.lower() in YES
    if name == "order_statuses":
        return [part.strip() for part in text.split(",") if part.strip()]
    if name.endswith("_id") and text:
        return f"[{text}]"  # the form takes a bare number for the beginning of a SKU or code
    return text
