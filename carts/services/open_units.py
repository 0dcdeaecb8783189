"""Units sold in a cart on orders that are not imported (yet): counted against what every cart may show.

Written with the page that saw the order, in the same transaction. Where no order of a page is held, waiting or
filtered, and none was, this costs nothing.
"""

from collections.abc import Sequence

from carts import gateway
from carts.choices import Kind, Outcome, Reason, RecordState
from carts.models import Cart, OpenUnits, Record
from carts.services import marks
from carts.services.planning import Decision

OPEN_OUTCOMES = (Outcome.HELD, Outcome.WAITING, Outcome.FILTERED)
OPEN_STATES = (RecordState.HELD, RecordState.WAITING, RecordState.FILTERED)


def save(cart: Cart, decisions: Sequence[Decision]) -> None:
    """After the records of these decisions were saved."""
    opened = {decision.row.external_id: decision for decision in decisions if _is_open(decision)}
    closed = [d.row.external_id for d in decisions if d.known is not None and d.known.state in OPEN_STATES]
    if not opened and not closed:
        return
    records = Record.objects.filter(cart=cart, kind=Kind.ORDER, external_id__in={*opened, *closed})
    ids = dict(records.values_list("external_id", "pk"))
    before = OpenUnits.objects.filter(record_id__in=ids.values())
    touched = set(before.values_list("external_item_id", "sku_key"))
    before.delete()
    new = [
        OpenUnits(
            record_id=ids[external_id],
            cart=cart,
            external_item_id=line.external_item_id,
            sku_key=gateway.normalise_sku(line.sku)[:255],
            quantity=line.quantity,
        )
        for external_id, decision in opened.items()
        for line in (decision.order.lines if decision.order else ())
        if line.kind == "item" and line.quantity
    ]
    OpenUnits.objects.bulk_create(new)
    touched |= {(units.external_item_id, units.sku_key) for units in new}
    _tell(cart, touched)


def forget(record: Record) -> None:
    """Its order is none of ours any more: staff said Ignore."""
    units = OpenUnits.objects.filter(record=record)
    touched = set(units.values_list("external_item_id", "sku_key"))
    units.delete()
    _tell(record.cart, touched)


def _is_open(decision: Decision) -> bool:
    order = decision.order
    if order is None or decision.outcome not in OPEN_OUTCOMES or order.is_cancelled:
        return False
    return decision.reason_code != Reason.SUB_ORDER  # its parent brings the same units


def _tell(cart: Cart, touched: set[tuple[str, str]]) -> None:
    if not touched:
        return
    links = Record.objects.filter(cart=cart, kind=Kind.ITEM, external_id__in={item for item, _ in touched})
    item_ids = {item_id for item_id in links.values_list("local_id", flat=True) if item_id is not None}
    item_ids |= set(gateway.items_by_sku({sku for _, sku in touched if sku}).values())
    marks.on_stock_changed(sorted(item_ids))
