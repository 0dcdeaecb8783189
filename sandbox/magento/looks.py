"""How one value looks in Magento's JSON, and the words it has for what the shop's state says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.records import Address

# The state of an order by the neutral status. A failed payment ends as a cancelled order here.
STATES = {
    "pending": "new",
    "processing": "processing",
    "completed": "complete",
    "on-hold": "holded",
    "cancelled": "canceled",
    "failed": "canceled",
    "refunded": "closed",
}
# The label of a state, as a shop that has changed nothing shows it.
STATUSES = {"new": "pending"}
STATE_NAMES = {"NY": "New York", "CO": "Colorado", "CA": "California"}
REGIONS = {"NY": 43, "CO": 13, "CA": 12}
_UNIT = Decimal("0.0001")


def number(amount: Decimal) -> int | float:
    """A JSON number as PHP writes it: at most four decimals, whole without a point."""
    return int(amount) if amount == int(amount) else float(amount.quantize(_UNIT, ROUND_HALF_UP))


def stamp(moment: datetime) -> str:
    """UTC without a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def order_address(place: Address, kind: str, order_id: int, email: str) -> dict[str, Any]:
    block: dict[str, Any] = {
        "address_type": kind,
        "city": place.city,
        "country_id": place.country,
        "email": place.email or email,
        "entity_id": order_id * 2 - (kind == "shipping"),
        "firstname": place.first_name,
        "lastname": place.last_name,
        "parent_id": order_id,
        "postcode": place.postcode,
        "street": [line for line in (place.address_1, place.address_2) if line],
        "telephone": place.phone,
    }
    if place.company:
        block["company"] = place.company
    if place.state:
        region = {"region": STATE_NAMES.get(place.state, place.state), "region_code": place.state}
        block |= {**region, "region_id": REGIONS.get(place.state, 0)}
    return dict(sorted(block.items()))


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"attribute_code": code, "value": value} for code, value in values.items()]
