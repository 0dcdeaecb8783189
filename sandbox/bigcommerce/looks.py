"""How BigCommerce writes times, amounts, ids and addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from sandbox.records import Address, Product

_FOUR = Decimal("0.0001")
COUNTRIES = {"US": "United States", "DE": "Germany", "GB": "United Kingdom"}
# A variant's id runs beside that of products: the two meet, so that nobody takes one for the other.
_VARIANT_STEP = 5


def amount(value: Decimal) -> str:
    """v2: a text of four decimals."""
    return str(value.quantize(_FOUR))


def number(value: Any) -> int | float:
    """v3: a bare number, without a fraction where it has none."""
    found = float(value or 0)
    return int(found) if found == int(found) else found


def rfc2822(moment: datetime | None) -> str:
    return format_datetime(moment.astimezone(UTC)) if moment else ""


def iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def iso_offset(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def variant_id(product: Product) -> int:
    """Of a variant, or of the hidden base variant of a simple product."""
    return product.id + _VARIANT_STEP


def record_id(variant: int) -> int:
    """The shop's own record that a variant id stands for."""
    return variant - _VARIANT_STEP


def order_address(where: Address) -> dict[str, Any]:
    return {
        "first_name": where.first_name,
        "last_name": where.last_name,
        "company": where.company,
        "street_1": where.address_1,
        "street_2": where.address_2,
        "city": where.city,
        "state": where.state,
        "zip": where.postcode,
        "country": COUNTRIES.get(where.country, where.country),
        "country_iso2": where.country,
        "phone": where.phone,
        "email": where.email,
        "form_fields": [],
    }
