"""How PrestaShop writes times, amounts and flags, and what its shop is made of beside its records."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from sandbox.shop import Shop

NO_DATE = "0000-00-00 00:00:00"
# Languages by id; the default is not the first one.
LANGUAGES = {1: ("Español", "es"), 2: ("English", "en")}
DEFAULT_LANGUAGE = 2
COUNTRIES = {"US": 21, "DE": 1, "GB": 17, "ES": 6}
STATES = {("US", "NY"): 35, ("US", "CO"): 9, ("US", "CA"): 8}
CURRENCIES = {"USD": 2, "EUR": 3, "GBP": 4, "CLP": 1}
CARRIER_ID = 2
# States by id: name, and the flags (paid, shipped, logable, delivery, invoice). Ids and names are each shop's own.
ORDER_STATES = {
    2: ("Pago aceptado", 1, 0, 1, 0, 1),
    5: ("Entregado", 1, 1, 1, 1, 1),
    6: ("Cancelado", 0, 0, 0, 0, 0),
    7: ("Reembolsado", 0, 0, 0, 0, 1),
    8: ("Error en pago", 0, 0, 0, 0, 0),
    10: ("En espera de pago por transferencia", 0, 0, 0, 0, 0),
    13: ("En espera de validación contra reembolso", 0, 0, 0, 0, 0),
}
STATE_OF = {
    "pending": 10,
    "on-hold": 13,
    "processing": 2,
    "completed": 5,
    "cancelled": 6,
    "refunded": 7,
    "failed": 8,
    "trash": 6,
}
STATUS_OF = {2: "processing", 5: "completed", 6: "cancelled", 7: "refunded", 8: "failed", 10: "pending", 13: "on-hold"}
SPECIAL_STATES = {"PS_OS_CANCELED": 6, "PS_OS_REFUND": 7, "PS_OS_ERROR": 8}


@lru_cache(maxsize=65536)
def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def local(shop: Shop, moment: datetime | None) -> str:
    """A time as the shop writes it: its own clock's, without a zone."""
    return _local(moment, shop.zone) if moment else NO_DATE


def money(amount: Decimal) -> str:
    return f"{amount:.6f}"


def flag(value: object) -> str:
    return "1" if value else "0"


def reference(order_id: int) -> str:
    """Nine letters made of an order's id."""
    letters = ""
    for _ in range(9):
        order_id, digit = divmod(order_id, 26)
        letters = chr(65 + digit) + letters
    return letters
