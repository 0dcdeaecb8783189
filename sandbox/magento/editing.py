"""What staff of a Magento shop do that no other shop knows."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.magento.order_body import increment_id
from sandbox.records import Order
from sandbox.shop import Shop


def edit_order(shop: Shop, order_id: int, **changes: Any) -> Order:
    """Edit an order in the admin: it is cancelled, and another takes its place under its number and "-1".

    `changes` are fields of the new order (records.Order); its lines are those of the old one.
    """
    old = shop.orders.rows[order_id]
    with shop.changing():
        status = old.status
        shop.cancel_order(order_id)
        new = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=Order)
        new.id = shop.next_id("post", 11)
        new.created = new.modified = shop.clock.now()
        new.status = status
        for name, value in changes.items():
            setattr(new, name, value)
        first, _, edits = increment_id(old).partition("-")
        number = f"{first}-{int(edits or 0) + 1}"
        new.meta = _meta(
            increment_id=number,
            relation_parent_id=str(old.id),
            relation_parent_real_id=increment_id(old),
            edit_increment=int(edits or 0) + 1,
        )
        old.meta += _meta(relation_child_id=str(new.id), relation_child_real_id=number)
        shop.save(shop.orders, old)
        shop.move_stock(new, taken=True)
        shop.save(shop.orders, new)
    return new


def _meta(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]
