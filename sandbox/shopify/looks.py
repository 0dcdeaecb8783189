"""How one value looks in the Admin API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.records import Address


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def number(given: str, kind: str) -> int:
    """The number of a global id; 0 for what is none of this kind."""
    tail = given.removeprefix(f"gid://shopify/{kind}/")
    return int(tail) if tail != given and tail.isdigit() else 0


def iso(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def place(address: Address, of: str) -> dict[str, Any] | None:
    """A mailing address; None where nothing of it is known."""
    known = (address.first_name, address.last_name, address.company, address.address_1, address.city, address.country)
    if not any(known):
        return None
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", of),
        "firstName": address.first_name or None,
        "lastName": address.last_name or None,
        "company": address.company or None,
        "address1": address.address_1 or None,
        "address2": address.address_2 or None,
        "city": address.city or None,
        "provinceCode": address.state or None,
        "zip": address.postcode or None,
        "countryCodeV2": address.country or None,
        "phone": address.phone or None,
    }
