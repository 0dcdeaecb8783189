"""Subscriptions, and their deliveries: the raw body signed with the client secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.error
import urllib.request
from typing import Any

import msgspec

from sandbox.records import Order, Product
from sandbox.shop import Shop
from sandbox.shopify.looks import gid

API_VERSION = "2026-07"
TIMEOUT_SECONDS = 5.0


def signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Webhooks:
    """They live in the shop's file, as the rest of it."""

    def __init__(self, shop: Shop, secret: str) -> None:
        self._shop, self._secret = shop, secret

    def _kept(self) -> dict[str, list[str]]:
        return self._shop.fact("webhooks", {})

    def subscriptions(self) -> list[dict[str, Any]]:
        return [_body(key, topic, uri) for key, (topic, uri) in self._kept().items()]

    def subscribe(self, topic: str, uri: str) -> dict[str, Any] | None:
        """None where it is there already."""
        kept = self._kept()
        if [topic, uri] in kept.values():
            return None
        key = str(self._shop.next_id("webhook"))
        self._shop.set_fact("webhooks", {**kept, key: [topic, uri]})
        return _body(key, topic, uri)

    def unsubscribe(self, number: int) -> bool:
        kept = self._kept()
        is_there = kept.pop(str(number), None) is not None
        self._shop.set_fact("webhooks", kept)
        return is_there

    def deliver(self, topic: str, record_id: int, delivery_id: str = "") -> list[int]:
        """Tell everybody who subscribed of one record; the status of each answer, 0 where none came. A `delivery_id`
        of an earlier delivery sends it a second time."""
        body = msgspec.json.encode(self.payload(topic, record_id))
        delivery = delivery_id or f"practice-{self._shop.next_id('delivery'):06d}"
        headers = self.headers(topic, body, delivery)
        return [_post(uri, body, headers) for wanted, uri in self._kept().values() if wanted == topic]

    def headers(self, topic: str, body: bytes, delivery_id: str) -> dict[str, str]:
        kind, _, what = topic.lower().partition("_")
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": f"{kind}/{what}",
            "X-Shopify-Hmac-SHA256": signature(self._secret, body),
            "X-Shopify-Shop-Domain": "practice-shop.myshopify.com",
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": delivery_id,
        }

    def payload(self, topic: str, record_id: int) -> dict[str, Any]:
        """The part of it that a hint needs; numbers are ids without their kind."""
        if topic.startswith("REFUNDS"):
            order: Order = self._shop.orders.rows[record_id]
            return {"id": order.refunds[0].id if order.refunds else 0, "order_id": record_id}
        if topic.startswith("PRODUCTS"):
            product: Product | None = self._shop.products.rows.get(record_id)
            variants = (product.children or [product.id]) if product else []
            return {"id": record_id, "variants": [{"id": each, "product_id": record_id} for each in variants]}
        return {"id": record_id}


def _body(key: str, topic: str, uri: str) -> dict[str, Any]:
    return {"id": gid("WebhookSubscription", key), "topic": topic, "uri": uri, "format": "JSON"}


def _post(uri: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(uri, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
