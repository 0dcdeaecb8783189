"""The practice switch of a running shop: `/_practice/...`, answered on loopback only, JSON in and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.faults import KINDS
from sandbox.messages import Request, Response, json_response

if TYPE_CHECKING:
    from sandbox.server import PracticeServer


def handle(server: PracticeServer, request: Request) -> Response:
    """Answer one switch request: 400 with a sentence when it makes no sense, 404 for what does not exist."""
    name = request.path.removeprefix("/_practice").strip("/")
    action = _ACTIONS.get((request.method, name))
    if action is None:
        known = [f"{method} /_practice/{path}" for method, path in _ACTIONS]
        return json_response({"error": "No such switch.", "switches": known, "faults": KINDS}, 404)
    try:
        return json_response(action(server, request.json() or {}))
    except (KeyError, StopIteration) as missing:
        return json_response({"error": f"The shop does not have that: {missing}"}, 404)
    except (ValueError, TypeError, AttributeError, msgspec.MsgspecError) as wrong:
        return json_response({"error": str(wrong)}, 400)


def _add_fault(server: PracticeServer, given: dict[str, Any]) -> Any:
    return server.faults.add(given.pop("kind", ""), **given)


def _clear_faults(server: PracticeServer, given: dict[str, Any]) -> Any:
    server.faults.clear()
    return []


def _place(server: PracticeServer, given: dict[str, Any]) -> Any:
    """{"count": 1, "same_second": false, "seconds_ago": 0, "skus": [...], and fields of `Shop.place_order`}"""
    shop, count = server.shop, given.pop("count", 1)
    for name in ("placed", "modified"):
        if name in given:
            given[name] = datetime.fromisoformat(given[name]).astimezone(UTC)
    if given.pop("same_second", False):
        orders = shop.place_in_same_second(count)
    elif seconds := given.pop("seconds_ago", 0):
        orders = [shop.commit_late(seconds, *given.get("skus", ())) for _ in range(count)]
    else:
        skus = given.pop("skus", ())
        orders = [shop.place_order(*skus, **given) for _ in range(count)]
    return {"ids": [order.id for order in orders]}


def _change_order(server: PracticeServer, given: dict[str, Any]) -> Any:
    """{"id": 1, "action": "cancel|trash|untrash|delete|status|refund|edit", and what the action needs}"""
    shop, order_id, action = server.shop, given["id"], given["action"]
    if action == "status":
        shop.set_status(order_id, given["status"])
    elif action == "refund":
        amount = Decimal(given["amount"]) if "amount" in given else None
        lines = {int(key): count for key, count in given.get("lines", {}).items()}
        shop.refund_order(order_id, amount, given.get("reason", ""), lines)
    elif action == "edit":
        shop.edit_order(order_id, note=given.get("note", "Edited"))
    elif action in ("cancel", "trash", "untrash", "delete"):
        getattr(shop, f"{action}_order")(order_id)
    else:
        raise ValueError(f"No such action: {action}")
    return {"id": order_id}


def _set_stock(server: PracticeServer, given: dict[str, Any]) -> Any:
    product = server.shop.set_stock(given["sku"], given["quantity"])
    return {"id": product.id, "stock": product.stock}


def _add_product(server: PracticeServer, given: dict[str, Any]) -> Any:
    return {"id": server.shop.add_product(**given).id}


def _delete_product(server: PracticeServer, given: dict[str, Any]) -> Any:
    product = server.shop.product_by_sku(given["sku"])
    if product is None:
        raise KeyError(given["sku"])
    server.shop.delete_product(product.id)
    return {"id": product.id}


def _send_webhook(server: PracticeServer, given: dict[str, Any]) -> Any:
    """{"scope": "store/order/updated", "id": 1}, for platforms that have them."""
    return {"statuses": server.platform.deliver(given["scope"], given["id"])}


def _clock(server: PracticeServer, given: dict[str, Any]) -> Any:
    """{"now": "2026-11-01T05:30:00Z"} stands still there, {} follows the real clock."""
    if "now" in given:
        server.shop.clock.set(datetime.fromisoformat(given["now"]))
    else:
        server.shop.clock.release()
    return {"now": server.shop.clock.now()}


def _requests(server: PracticeServer, given: dict[str, Any]) -> Any:
    shown = ("method", "path", "query", "status", "faults", "at", "done")
    return [{name: getattr(r, name) for name in shown} for r in list(server.requests)]


def _clear_requests(server: PracticeServer, given: dict[str, Any]) -> Any:
    server.requests.clear()
    return []


_ACTIONS: dict[tuple[str, str], Callable[[PracticeServer, dict[str, Any]], Any]] = {
    ("GET", "faults"): lambda server, given: server.faults.active(),
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "orders"): _place,
    ("PUT", "orders"): _change_order,
    ("PUT", "stock"): _set_stock,
    ("POST", "products"): _add_product,
    ("DELETE", "products"): _delete_product,
    ("POST", "webhooks"): _send_webhook,
    ("POST", "clock"): _clock,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _clear_requests,
}
