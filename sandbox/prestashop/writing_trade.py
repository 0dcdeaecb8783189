"""Writing orders: their note, and their state through a history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.prestashop.looks import ORDER_STATES, STATUS_OF
from sandbox.prestashop.xml import ApiError
from sandbox.shop import Shop


class Orders:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def has(self, key: int) -> bool:
        return key in self.shop.orders.rows

    def create(self, given: Mapping[str, Any]) -> int:
        raise ApiError(500, 46, "The practice shop takes no orders over the webservice")

    def change(self, key: int, given: Mapping[str, Any], whole: bool) -> None:
        """Any write moves the order's time, one without a change too."""
        self.shop.edit_order(key, **({"note": given["note"]} if "note" in given else {}))
        if "current_state" in given:
            _set_state(self.shop, key, given["current_state"])

    def delete(self, key: int) -> None:
        self.shop.delete_order(key)


class Histories:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def has(self, key: int) -> bool:
        return False

    def create(self, given: Mapping[str, Any]) -> Any:
        order = self.shop.orders.rows.get(int(given["id_order"]))
        if order is None:
            raise ApiError(400, 85, 'Validation error: "Property OrderHistory->id_order is not valid"')
        _set_state(self.shop, order.id, given["id_order_state"])
        return order, order


def _set_state(shop: Shop, order_id: int, text: str) -> None:
    if not text.isdigit() or int(text) not in ORDER_STATES:
        raise ApiError(400, 85, 'Validation error: "Property OrderHistory->id_order_state is not valid"')
    shop.set_status(order_id, STATUS_OF[int(text)])
