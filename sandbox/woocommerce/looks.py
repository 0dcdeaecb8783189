"""How one value looks in WooCommerce's JSON."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.records import Address

VERSION = "11.0.1"
SYMBOLS = {"USD": "$", "EUR": "\u20ac", "GBP": "\u00a3"}
ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """The shop's wall clock, without a zone."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def gmt(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def number(amount: Decimal) -> int | float:
    """A JSON number as PHP writes it: whole without a point."""
    return int(amount) if amount == int(amount) else float(amount)


def bare(amount: Decimal) -> str:
    """A figure the real shop hands over unformatted: 5 rather than 5.00."""
    return f"{number(amount)}"


def address(place: Address, *, with_email: bool) -> dict[str, str]:
    """An address block of an order."""
    block = {
        "first_name": place.first_name,
        "last_name": place.last_name,
        "company": place.company,
        "address_1": place.address_1,
        "address_2": place.address_2,
        "city": place.city,
        "state": place.state,
        "postcode": place.postcode,
        "country": place.country,
    }
    if with_email:
        block["email"] = place.email
    block["phone"] = place.phone
    return block


def meta(meta_id: int, key: str, value: str, label: str | None = None) -> dict[str, Any]:
    """A piece of a line's metadata with its display copies."""
    return {
        "id": meta_id,
        "key": key,
        "value": value,
        "display_key": label or key,
        "display_value": value,
    }


def links(base: str, path: str, collection: str, up: str = "", allow: list[str] | None = None) -> dict[str, Any]:
    """The `_links` block; paths are relative to wc/v3."""
    root = f"{base}/wp-json/wc/v3"
    block: dict[str, Any] = {
        "self": [{"href": f"{root}/{path}", "targetHints": {"allow": allow or ALL_METHODS}}],
        "collection": [{"href": f"{root}/{collection}"}],
    }
    if up:
        block["up"] = [{"href": f"{root}/{up}"}]
    return block
