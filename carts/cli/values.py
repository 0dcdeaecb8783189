"""What a person types on the command line, as the values that services take. Refused says what is wrong with it."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.dateparse import parse_date, parse_datetime

from carts import gateway
from carts.choices import GuestRule
from carts.errors import Refused
from carts.models import Cart
from carts.platforms import adapter_class
from carts.services.connections import capabilities
from carts.services.control import shop_zone

STANDARD_INPUT = "-"
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
SETTINGS = (
    "name",
    "url",
    "notification_emails",
    "ca_bundle",
    "import_orders_as",
    "last_order_from",
    "last_update_time",
    "from_customer_updates",
    "from_item_updates",
    "order_statuses",
    "grace_minutes",
    "guest_rule",
    "guest_customer_id",
    "stand_in_item_id",
    "currencies",
    "poll_interval_seconds",
    "requests_in_flight",
    "to_customer_updates",
    "to_stock_updates",
    "to_item_updates",
    "silence_hours",
)


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
    missing = [field.name for field in adapter_class(platform).credential_fields if not credentials.get(field.name)]
    if missing:
        raise Refused(f"These credentials are missing: {', '.join(missing)}. Nothing was saved.")


# Settings ---------------------------------------------------------------------------------------------


def changes_of(cart: Cart, pairs: Sequence[str]) -> dict[str, Any]:
    """`field=value` pairs as values for save_cart. Refused with every fault at once; nothing is saved here."""
    changes: dict[str, Any] = {}
    faults = []
    for pair in pairs:
        name, separator, text = pair.partition("=")
        try:
            if not separator or name not in SETTINGS:
                raise ValueError(f"{name} is not a setting; the settings are: {', '.join(SETTINGS)}")
            changes[name] = value_of(cart, name, text.strip())
        except ValidationError as error:
            faults.append(f"{name}: {' '.join(error.messages)}")
        except ValueError as error:
            faults.append(f"{name}: {error}" if name in SETTINGS else str(error))
    rule = changes.get("guest_rule", cart.guest_rule)
    if rule == GuestRule.SHARED and changes.get("guest_customer_id", cart.guest_customer_id) is None:
        faults.append("guest_rule: shared needs a guest_customer_id")
    if faults:
        raise Refused(f"{'; '.join(faults)}. Nothing was saved.")
    return changes


def value_of(cart: Cart, name: str, text: str) -> Any:
    """The field's value. ValueError or ValidationError says what is wrong with the text."""
    field = Cart._meta.get_field(name)
    if name in _READERS:
        value = _READERS[name](cart, text)
    elif field.get_internal_type() == "BooleanField":
        return _yes_or_no(text)
    else:
        value = field.to_python(text)
    field.run_validators(value)
    field.validate(value, cart)
    return value


def time_of(cart: Cart, text: str) -> datetime | None:
    """ISO date, or date and time; without a zone it is the shop's."""
    if not text:
        return None
    at = parse_datetime(text)
    if at is None:
        day = parse_date(text)
        if day is None:
            raise ValueError("not a time; write it like 2026-11-23T10:00 or 2026-11-23T10:00Z")
        at = datetime(day.year, day.month, day.day)
    if at.tzinfo is None:
        at = at.replace(tzinfo=shop_zone(cart))
    return at.astimezone(UTC)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError(f"{text} is neither yes nor no")
    return text.lower() in YES


def _name(cart: Cart, text: str) -> str:
    if Cart.objects.filter(name=text).exclude(pk=cart.pk).exists():
        raise ValueError(f"there is a cart named {text} already")
    return text


def _url(cart: Cart, text: str) -> str:
    URLValidator(schemes=["http", "https"])(text)
    return text


def _emails(cart: Cart, text: str) -> str:
    addresses = Cart(notification_emails=text).notification_addresses
    for address in addresses:
        validate_email(address)
    return ", ".join(addresses)


def _statuses(cart: Cart, text: str) -> list[str]:
    known = capabilities(cart).order_statuses
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [status for status in chosen if status not in known]:
        raise ValueError(f"{', '.join(unknown)} is no status here; the statuses are: {', '.join(known)}")
    return chosen


def _currencies(cart: Cart, text: str) -> str:
    codes = [part.strip().upper() for part in text.split(",") if part.strip()]
    if wrong := [code for code in codes if len(code) != 3 or not code.isalpha()]:
        raise ValueError(f"{', '.join(wrong)} is not a code like USD")
    return ",".join(codes)


def _id_of(refs: Callable[[list[int]], dict[int, gateway.Ref]], text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text) not in refs([int(text)]):
        raise ValueError(f"there is none with the id {text}")
    return int(text)


_READERS: dict[str, Callable[[Cart, str], Any]] = {
    "name": _name,
    "url": _url,
    "notification_emails": _emails,
    "last_order_from": time_of,
    "last_update_time": time_of,
    "order_statuses": _statuses,
    "currencies": _currencies,
    "guest_customer_id": lambda cart, text: _id_of(gateway.customer_refs, text),
    "stand_in_item_id": lambda cart, text: _id_of(gateway.item_refs, text),
}
