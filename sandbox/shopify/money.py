"""Amounts as Shopify writes them: a bag of the shop's money and of the money the buyer saw."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.money import RATES_BY_ID, cents
from sandbox.records import Order, TaxShare

Bag = dict[str, dict[str, str]]


class Purse:
    """Makes the bags of one order. `extra["presentment"]` is {"currency": "EUR", "rate": "0.9"}, or absent."""

    def __init__(self, order: Order) -> None:
        seen: Mapping[str, str] = order.extra.get("presentment", {})
        self.currency = order.currency
        self.presentment = seen.get("currency", order.currency)
        self._rate = Decimal(seen.get("rate", "1"))

    def bag(self, amount: Decimal) -> Bag:
        return {
            "shopMoney": {"amount": text(amount), "currencyCode": self.currency},
            "presentmentMoney": {"amount": text(cents(amount * self._rate)), "currencyCode": self.presentment},
        }

    def taxes(self, shares: list[TaxShare]) -> list[dict[str, Any]]:
        return [
            {
                "title": RATES_BY_ID[share.rate_id].label,
                "rate": float(RATES_BY_ID[share.rate_id].percent / 100),
                "priceSet": self.bag(share.total),
            }
            for share in shares
        ]


def text(amount: Decimal) -> str:
    """With one decimal at least and no further noughts: 10.0, 10.5, 10.55."""
    plain = f"{amount.normalize():f}"
    return plain if "." in plain else f"{plain}.0"
