"""Writing customers and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.prestashop.looks import COUNTRIES, STATES
from sandbox.prestashop.people import GUESTS, OF_ORDERS, has_address, has_customer, own_addresses, touch_addresses
from sandbox.prestashop.writing_goods import invalid
from sandbox.prestashop.xml import ApiError
from sandbox.records import Address, Customer
from sandbox.shop import Shop

TAKEN = "Ya existe una cuenta con este correo electrónico"
_FIELDS = {"firstname": "first_name", "lastname": "last_name", "company": "company", "address1": "address_1",
           "address2": "address_2", "city": "city", "postcode": "postcode", "phone": "phone"}  # fmt: skip


class Customers:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def has(self, key: int) -> bool:
        return has_customer(self.shop, key) and key < GUESTS

    def create(self, given: Mapping[str, Any]) -> int:
        self._check(given, 0)
        return self.shop.add_customer(given["email"], given["firstname"], given["lastname"]).id

    def change(self, key: int, given: Mapping[str, Any], whole: bool) -> None:
        self._check(given, key)
        names = {"firstname": "first_name", "lastname": "last_name", "email": "email"}
        self.shop.edit_customer(key, **{names[name]: text for name, text in given.items() if name in names})

    def delete(self, key: int) -> None:
        self.shop.delete_customer(key)

    def _check(self, given: Mapping[str, Any], own: int) -> None:
        for field in ("firstname", "lastname"):
            if field in given and (not given[field].strip() or any(each.isdigit() for each in given[field])):
                raise invalid(f"Property Customer->{field} is not valid")
        if "email" in given and given["email"].count("@") != 1:
            raise invalid("Property Customer->email is not valid")
        other = self.shop.customer_by_email(given.get("email", ""))
        if other is not None and other.id != own and given.get("is_guest") != "1":
            raise ApiError(500, 141 if own else 140, TAKEN)


class Addresses:
    """A customer has room for two here."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def has(self, key: int) -> bool:
        return has_address(self.shop, key)

    def create(self, given: Mapping[str, Any]) -> int:
        customer = self.shop.customers.rows[int(given["id_customer"])]
        free = [customer.id * 10 + each for each in (0, 1) if customer.id * 10 + each not in own_addresses(customer)]
        if not free:
            raise ApiError(500, 46, "The practice shop has room for two addresses only")
        self._write(customer, free[0], Address(), given)
        return free[0]

    def change(self, key: int, given: Mapping[str, Any], whole: bool) -> None:
        if key >= OF_ORDERS:
            raise ApiError(500, 46, "The practice shop does not write addresses of orders")
        customer = self.shop.customers.rows[key // 10]
        self._write(customer, key, Address() if whole else own_addresses(customer)[key], given)

    def delete(self, key: int) -> None:
        customer = self.shop.customers.rows[key // 10]
        self._put(customer, key, Address())

    def _write(self, customer: Customer, key: int, old: Address, given: Mapping[str, Any]) -> None:
        new = Address(**{name: getattr(old, name) for name in Address.__struct_fields__})
        for name, field in _FIELDS.items():
            if name in given:
                setattr(new, field, given[name])
        if "id_country" in given:
            new.country = next((each for each, number in COUNTRIES.items() if str(number) == given["id_country"]), "")
            if not new.country:
                raise invalid("Property Address->id_country is not valid")
        if "id_state" in given:
            new.state = next((each[1] for each, number in STATES.items() if str(number) == given["id_state"]), "")
        new.email = customer.email if key % 10 == 0 else ""
        self._put(customer, key, new)

    def _put(self, customer: Customer, key: int, address: Address) -> None:
        setattr(customer, "billing" if key % 10 == 0 else "shipping", address)
        touch_addresses(self.shop, customer)
