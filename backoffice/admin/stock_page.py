"""An item's stock as its page and the lists show it."""

from dataclasses import dataclass
from typing import Any

from backoffice.admin import show
from backoffice.admin.tables import Column, Table
from backoffice.models import Item
from backoffice.services import stock
from backoffice.text import plain_number
from backoffice.types import Availability

MOVEMENTS_SHOWN = 5
MOVEMENT_COLUMNS = (
    Column("When"),
    Column("Reason"),
    Column("On hand", is_number=True),
    Column("Committed", is_number=True),
    Column("Document or note", is_wide=True),
    Column("By"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    on_hand: str
    committed: str
    pending: str
    available: str


def figures(known: Availability) -> Figures:
    """`available` may be below zero: then more is promised than there is."""
    return Figures(
        on_hand=plain_number(known.on_hand),
        committed=plain_number(known.committed),
        pending=plain_number(known.pending),
        available=plain_number(known.on_hand - known.committed - known.pending),
    )


def context(item: Item) -> dict[str, Any]:
    known = figures(stock.availability([item.pk])[item.pk])
    return {
        "item": item,
        "figures": (
            ("On hand", known.on_hand, "in the warehouse"),
            ("Committed", known.committed, "promised by approved Sales Orders"),
            ("Pending", known.pending, "on PENDING documents"),
            ("Available", known.available, "on hand less committed and pending"),
        ),
        "movements": movement_table(item),
        "shown": MOVEMENTS_SHOWN,
    }


def movement_table(item: Item) -> Table:
    """The latest movements of one item, newest first."""
    latest = item.movements.select_related("document", "by").order_by("-id")[:MOVEMENTS_SHOWN]
    rows = [
        (
            show.moment(movement.at),
            movement.get_reason_display(),
            show.signed(movement.on_hand_change),
            show.signed(movement.committed_change),
            show.link(movement.document) if movement.document else movement.note or show.NOTHING,
            movement.by or show.NOTHING,
        )
        for movement in latest
    ]
    return Table(MOVEMENT_COLUMNS, rows)
