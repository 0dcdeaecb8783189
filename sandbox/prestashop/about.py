"""What the shop says of itself: configuration, languages, currencies, places, states, taxes, carriers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.money import RATES_BY_ID
from sandbox.prestashop.looks import (
    CARRIER_ID,
    COUNTRIES,
    CURRENCIES,
    DEFAULT_LANGUAGE,
    LANGUAGES,
    ORDER_STATES,
    SPECIAL_STATES,
    STATES,
    flag,
)
from sandbox.prestashop.query import Resource
from sandbox.prestashop.xml import Row
from sandbox.shop import Shop


def configuration(shop: Shop) -> dict[str, str]:
    return {
        "PS_SHOP_NAME": shop.name,
        "PS_TIMEZONE": shop.zone.key,
        "PS_LANG_DEFAULT": str(DEFAULT_LANGUAGE),
        "PS_CURRENCY_DEFAULT": str(CURRENCIES.get(shop.currency, 9)),
        "PS_STOCK_MANAGEMENT": "1",
        "PS_CUSTOMER_GROUP": "3",
        "PS_HOME_CATEGORY": "2",
        "PS_WEIGHT_UNIT": "kg",
        "PS_ROUND_TYPE": "2",
        **{name: str(value) for name, value in SPECIAL_STATES.items()},
    }


def _configuration(shop: Shop, key: int) -> Row:
    name, value = list(configuration(shop).items())[key - 1]
    return {"id": key, "value": value, "name": name, "id_shop_group": "", "id_shop": ""}


def _language(shop: Shop, key: int) -> Row:
    name, code = LANGUAGES[key]
    return {"id": key, "name": name, "iso_code": code, "locale": code, "active": "1"}


def _currency(shop: Shop, key: int) -> Row:
    code = next((each for each, number in CURRENCIES.items() if number == key), shop.currency)
    digits = "0" if code == "CLP" else "2"
    return {"id": key, "name": code, "iso_code": code, "conversion_rate": "1.000000", "deleted": "0", "active": "1",
            "precision": digits}  # fmt: skip


def _country(shop: Shop, key: int) -> Row:
    code = next(each for each, number in COUNTRIES.items() if number == key)
    return {"id": key, "iso_code": code, "active": "1", "contains_states": flag(code == "US"), "name": _named(code)}


def _state(shop: Shop, key: int) -> Row:
    country, code = next(each for each, number in STATES.items() if number == key)
    return {"id": key, "id_country": str(COUNTRIES[country]), "iso_code": code, "name": code, "active": "1"}


def _order_state(shop: Shop, key: int) -> Row:
    name, paid, shipped, logable, delivery, invoice = ORDER_STATES[key]
    return {
        "id": key, "unremovable": "1", "delivery": flag(delivery), "hidden": "0", "logable": flag(logable),
        "invoice": flag(invoice), "shipped": flag(shipped), "paid": flag(paid), "deleted": "0", "name": _named(name),
    }  # fmt: skip


def _carrier(shop: Shop, key: int) -> Row:
    return {"id": key, "deleted": "0", "name": "Flat rate", "active": "1", "delay": _named("2 days")}


def _tax(shop: Shop, key: int) -> Row:
    rate = RATES_BY_ID[key]
    return {"id": key, "rate": f"{rate.percent:.3f}", "active": "1", "deleted": "0", "name": _named(rate.label)}


def _named(text: str) -> dict[int, str]:
    return dict.fromkeys(LANGUAGES, text)


def _keys(table: Mapping[Any, Any]) -> Any:
    return lambda shop, filters: sorted(table)


def _numbers(table: Mapping[Any, int]) -> Any:
    return lambda shop, filters: sorted(table.values())


RESOURCES = {
    "configurations": Resource("configuration", lambda shop, _: range(1, len(configuration(shop)) + 1), _configuration),
    "languages": Resource("language", _keys(LANGUAGES), _language),
    "currencies": Resource("currency", lambda shop, _: sorted({*CURRENCIES.values(), CURRENCIES.get(shop.currency, 9)}),
                           _currency, hidden=frozenset({"name"})),
    "countries": Resource("country", _numbers(COUNTRIES), _country),
    "states": Resource("state", _numbers(STATES), _state),
    "order_states": Resource("order_state", _keys(ORDER_STATES), _order_state),
    "carriers": Resource("carrier", lambda shop, _: [CARRIER_ID], _carrier),
    "taxes": Resource("tax", _keys(RATES_BY_ID), _tax),
    "shops": Resource("shop", lambda shop, _: [1],
                      lambda shop, key: {"id": key, "id_shop_group": "1", "active": "1", "name": shop.name}),
}  # fmt: skip
