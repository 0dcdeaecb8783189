"""Writing customers."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.records import Address, Customer
from sandbox.shop import Shop
from sandbox.woocommerce.errors import ApiError
from sandbox.woocommerce.fields import Field

_PLAIN = ("email", "first_name", "last_name")


class Customers:
    """The resource /customers."""

    fields = {
        **dict.fromkeys((*_PLAIN, "username", "password"), Field("string")),
        "billing": Field("object"),
        "shipping": Field("object"),
        "meta_data": Field("array"),
    }
    path = "customers"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def body(self, record_id: int) -> bytes:
        return self.shop.customers.body(record_id)

    def create(self, given: dict[str, Any]) -> int:
        email = str(given.get("email") or "")
        if "email" not in given:
            raise ApiError(400, "rest_missing_callback_param", "Missing parameter(s): email", params=["email"])
        if "@" not in email:
            raise ApiError(400, "registration-error-invalid-email", "Please provide a valid email address.")
        if self.shop.customer_by_email(email):
            raise ApiError(
                400,
                "registration-error-email-exists",
                f"An account is already registered with {email}. Please log in or use a different email address.",
            )
        customer = self.shop.add_customer(email, username=given.get("username"), modified=self.shop.clock.now())
        self.shop.edit_customer(customer.id, **self._changes(customer, given))
        return customer.id

    def update(self, record_id: int, given: dict[str, Any]) -> None:
        customer = self._find(record_id)
        email = given.get("email", customer.email)
        other = self.shop.customer_by_email(email)
        if "@" not in email or (other and other.id != record_id):
            raise ApiError(400, "woocommerce_rest_customer_invalid_email", "Email address is invalid.")
        self.shop.edit_customer(record_id, **self._changes(customer, given))

    def delete(self, record_id: int, force: bool) -> bytes:
        self._find(record_id)
        if not force:
            raise ApiError(501, "woocommerce_rest_trash_not_supported", "Customers do not support trashing.")
        body = self.body(record_id)
        self.shop.delete_customer(record_id)
        return body

    def _find(self, record_id: int) -> Customer:
        customer = self.shop.customers.rows.get(record_id)
        if customer is None:
            raise ApiError(400, "woocommerce_rest_invalid_id", "Invalid resource ID.")
        return customer

    @staticmethod
    def _changes(customer: Customer, given: dict[str, Any]) -> dict[str, Any]:
        changes = {name: given[name] for name in _PLAIN if name in given}
        for name in ("billing", "shipping"):
            if name in given:
                changes[name] = merged(getattr(customer, name), given[name])
        if "meta_data" in given:
            changes["meta"] = given["meta_data"]
        return changes


def merged(place: Address, given: dict[str, Any]) -> Address:
    """The address with the given fields written over it; unknown ones are ignored."""
    known = {name: str(value) for name, value in given.items() if name in Address.__struct_fields__}
    return Address(**{**msgspec.structs.asdict(place), **known})
