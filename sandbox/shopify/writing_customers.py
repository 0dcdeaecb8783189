"""Customers and the one address of each that a connector sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import GraphQLResolveInfo

from sandbox.records import Address, Customer
from sandbox.shopify.call import Call
from sandbox.shopify.errors import refusal
from sandbox.shopify.looks import gid, number

Errors = list[dict[str, Any]]


def update_customer(_: Any, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    customer = call.shop.customers.rows.get(number(input.get("id") or "", "Customer"))
    if customer is None:
        return {"userErrors": [refusal("Customer does not exist", "id")]}
    errors = _customer_errors(call, input, customer.id)
    if not errors:
        _write_customer(call, customer, input)
    return {"userErrors": errors}


def create_customer(_: Any, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    errors = _customer_errors(call, input, 0)
    if not any(input.get(name) for name in ("email", "phone", "firstName", "lastName")):
        errors = [refusal("A name, phone number, or email address must be present")]
    if errors:
        return {"userErrors": errors}
    customer = call.shop.add_customer(input.get("email") or "")
    _write_customer(call, customer, input)
    return {"customer": call.record("Customer", customer.id), "userErrors": []}


def _customer_errors(call: Call, given: Mapping[str, Any], own_id: int) -> Errors:
    email = given.get("email")
    if email and email.count("@") != 1:
        return [refusal("Email is invalid", "email")]
    other = call.shop.customer_by_email(email) if email else None
    if other and other.id != own_id:
        return [refusal("Email has already been taken", "email")]
    if given.get("phone") and not any(sign.isdigit() for sign in given["phone"]):
        return [refusal("Phone is invalid", "phone")]
    return []


def _write_customer(call: Call, customer: Customer, given: Mapping[str, Any]) -> None:
    names = {"firstName": "first_name", "lastName": "last_name", "email": "email"}
    changes: dict[str, Any] = {ours: given[name] or "" for name, ours in names.items() if name in given}
    if "phone" in given:
        changes["billing"] = msgspec.structs.replace(customer.billing, phone=given["phone"] or "")
    call.shop.edit_customer(customer.id, **changes)


ADDRESS_NAMES = {
    "firstName": "first_name", "lastName": "last_name", "company": "company", "address1": "address_1",
    "address2": "address_2", "city": "city", "provinceCode": "state", "zip": "postcode", "countryCode": "country",
}  # fmt: skip


def update_address(
    _: Any, info: GraphQLResolveInfo, address: dict[str, Any], customerId: str, addressId: str = "", **__: Any
) -> dict[str, Any]:
    """Of the one address there is; fields that are not given stay."""
    call: Call = info.context
    call.access.check(info.field_name)
    customer = call.shop.customers.rows.get(number(customerId, "Customer"))
    is_known = customer and (not addressId or addressId == gid("MailingAddress", customer.id))
    if customer is None or not is_known:
        return {"userErrors": [refusal("Address does not exist", "addressId")]}
    changes = {ours: address[name] or "" for name, ours in ADDRESS_NAMES.items() if name in address}
    billing: Address = msgspec.structs.replace(customer.billing, **changes)
    call.shop.edit_customer(customer.id, billing=billing)
    return {"userErrors": []}
