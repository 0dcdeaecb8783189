"""Webhooks: subscribing to them, and sending one signed as Standard Webhooks has it."""

from __future__ import annotations

import base64
import hmac
import urllib.request
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import msgspec

from sandbox.bigcommerce.errors import invalid, not_found
from sandbox.bigcommerce.listing import v3_list
from sandbox.messages import Request, Response, json_response

if TYPE_CHECKING:
    from sandbox.bigcommerce.api import BigCommerce

HOOKS_A_SCOPE = 10
SECONDS_TO_ANSWER = 10


def _all(api: BigCommerce) -> dict[int, dict[str, Any]]:
    return {hook["id"]: hook for hook in api.shop.fact("hooks", [])}


def _keep(api: BigCommerce, hooks: dict[int, dict[str, Any]]) -> None:
    api.shop.set_fact("hooks", list(hooks.values()))


def hooks(api: BigCommerce, request: Request) -> Response:
    known = _all(api)
    return v3_list(request, sorted(known), lambda each: known[each])


def create_hook(api: BigCommerce, request: Request) -> Response:
    given, known = request.json() or {}, _all(api)
    destination, scope = str(given.get("destination", "")), str(given.get("scope", ""))
    where = urlsplit(destination)
    is_here = where.hostname in ("127.0.0.1", "localhost")
    if not scope.startswith("store/"):
        raise invalid({"scope": "is not a scope"})
    if not is_here and (where.scheme != "https" or where.port not in (None, 443)):
        raise invalid({"destination": "must be https on port 443"})
    same = [hook for hook in known.values() if hook["scope"] == scope]
    if len(same) >= HOOKS_A_SCOPE or any(hook["destination"] == destination for hook in same):
        raise invalid({"destination": "is subscribed already, or too many are"})
    hook = {
        "id": api.shop.next_id("hook"),
        "client_id": "practice",
        "store_hash": api.store_hash,
        "scope": scope,
        "destination": destination,
        "headers": given.get("headers") or {},
        "is_active": bool(given.get("is_active", True)),
        "created_at": int(api.shop.clock.now().timestamp()),
        "updated_at": int(api.shop.clock.now().timestamp()),
    }
    _keep(api, {**known, hook["id"]: hook})
    return json_response({"data": hook, "meta": {}})


def update_hook(api: BigCommerce, request: Request, hook_id: int) -> Response:
    known = _all(api)
    if hook_id not in known:
        raise not_found()
    given = request.json() or {}
    known[hook_id] |= {name: given[name] for name in ("destination", "is_active", "headers", "scope") if name in given}
    _keep(api, known)
    return json_response({"data": known[hook_id], "meta": {}})


def delete_hook(api: BigCommerce, request: Request, hook_id: int) -> Response:
    known = _all(api)
    if hook_id not in known:
        raise not_found()
    hook = known.pop(hook_id)
    _keep(api, known)
    return json_response({"data": hook, "meta": {}})


def told(api: BigCommerce, scope: str, record_id: int) -> bytes:
    """The body of a webhook: only what happened to which record (of an address: to whose)."""
    kind = scope.split("/")[1]
    data: dict[str, Any] = {"type": kind, "id": record_id}
    if kind == "sku":
        variant = api.shop.products.rows[record_id]
        data["sku"] = {"product_id": variant.parent_id or variant.id, "variant_id": record_id}
    if "refund" in scope:
        data["refund"] = {"refund_id": 1}
    if "address" in scope:
        data |= {"id": record_id * 10 + 1, "address": {"customer_id": record_id}}
    moment = int(api.shop.clock.now().timestamp())
    body = {"scope": scope, "store_id": "1", "data": data, "created_at": moment, "producer": f"stores/{api.store_hash}"}
    unique = f"{api.shop.next_id('webhook')}:{scope}:{record_id}"
    return msgspec.json.encode({**body, "hash": sha1(unique.encode()).hexdigest()})


def signed(secret: str, message_id: str, timestamp: str, body: bytes) -> dict[str, str]:
    """The three headers of a signature. The key is what base64(client secret) stands for, as the library has it."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(secret.encode(), content, sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def deliver(api: BigCommerce, scope: str, record_id: int) -> list[int]:
    """Send one webhook to all who are subscribed; the status each answered with, 0 for none."""
    body = told(api, scope, record_id)
    message_id = f"msg_{api.shop.next_id('webhook-message')}"
    timestamp = str(int(api.shop.clock.now().timestamp()))
    statuses = []
    for hook in _all(api).values():
        if hook["scope"] != scope or not hook["is_active"]:
            continue
        headers = {
            "Content-Type": "application/json",
            **signed(api.client_secret, message_id, timestamp, body),
            **hook["headers"],
        }
        message = urllib.request.Request(hook["destination"], data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(message, timeout=SECONDS_TO_ANSWER) as answer:
                statuses.append(answer.status)
        except HTTPError as refused:
            statuses.append(refused.code)
        except (URLError, OSError):
            statuses.append(0)
    return statuses
