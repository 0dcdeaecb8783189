"""The fields of items and customers that pass between cart and system, as texts that can be compared.

A text is canonical: two values that mean the same are the same text. Numbers are plain decimals ("12.5"), flags "1" or
"0", addresses JSON objects with sorted keys; what is empty is "".
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carts.records import CUSTOMER, ITEM, Address, CartCustomer, CartItem

if TYPE_CHECKING:
    from carts.platforms.base import CartAdapter

Values = Mapping[str, str]

LABELS = {
    ITEM: {
        "name": "Name",
        "price": "Price",
        "sale_price": "Sale price",
        "description": "Description",
        "barcode": "Barcode",
        "weight": "Weight",
        "tax_class": "Tax class",
        "is_active": "Active",
        "is_stock_keeping": "Stock-keeping",
    },
    CUSTOMER: {
        "name": "Name",
        "company": "Company",
        "email": "E-mail",
        "phone": "Phone",
        "billing": "Billing address",
        "shipping": "Shipping address",
    },
}
NUMBERS, FLAGS, ADDRESSES = (
    {"price", "sale_price", "weight"},
    {"is_active", "is_stock_keeping"},
    {"billing", "shipping"},
)
# Fields of their own; in an address they would be compared twice.
NOT_IN_BILLING = ("company", "phone")
OTHER_ADDRESS_KEYS = tuple(name for name in Address.__slots__ if name not in NOT_IN_BILLING)


def of_cart(adapter: "CartAdapter", kind: str, body: bytes | str) -> dict[str, str]:
    """Raises Rejected where the cart's text cannot be read."""
    if kind == ITEM:
        return of_cart_item(adapter.parse_item(body))
    return of_cart_customer(adapter.parse_customer(body))


def of_cart_item(item: CartItem) -> dict[str, str]:
    return {
        "name": item.name.strip(),
        "price": number_text(item.price),
        "sale_price": number_text(item.sale_price),
        "description": item.description.strip(),
        "barcode": item.barcode.strip(),
        "weight": number_text(item.weight),
        "tax_class": item.tax_class,
        "is_active": flag_text(item.is_active),
        "is_stock_keeping": flag_text(item.is_stock_managed),
    }


def of_cart_customer(customer: CartCustomer) -> dict[str, str]:
    return {
        "name": f"{customer.first_name} {customer.last_name}".strip(),
        "company": customer.company.strip(),
        "email": customer.email.strip().lower(),
        "phone": customer.phone.strip(),
        "billing": billing_text(asdict(customer.billing)),
        "shipping": address_text(asdict(customer.shipping)),
    }


def number_text(value: Decimal | None) -> str:
    if value is None:
        return ""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def flag_text(value: bool) -> str:
    return "1" if value else "0"


def address_text(address: Mapping[str, Any]) -> str:
    """ "" for an address of which nothing is known."""
    kept = {name: str(address.get(name) or "").strip() for name in Address.__slots__}
    filled = {name: text for name, text in kept.items() if text}
    return json.dumps(filled, sort_keys=True, ensure_ascii=False) if filled else ""


def billing_text(address: Mapping[str, Any]) -> str:
    return address_text({name: text for name, text in address.items() if name not in NOT_IN_BILLING})


def address_of(text: str) -> dict[str, str]:
    """The keys that are empty are not in it."""
    return json.loads(text) if text else {}


def split_name(name: str) -> tuple[str, str]:
    """(first name, last name) where only one name is known: the last word is the last name."""
    first, _, last = name.strip().rpartition(" ")
    return first.strip(), last


def shown(field: str, text: str) -> str:
    """As a person reads it."""
    if not text:
        return "empty"
    if field in FLAGS:
        return "yes" if text == "1" else "no"
    if field in ADDRESSES:
        return ", ".join(address_of(text)[name] for name in Address.__slots__ if name in address_of(text))
    return text if len(text) <= 200 else f"{text[:200]} ..."
