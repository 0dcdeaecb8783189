"""Customers, guests among them, and addresses, which are records of their own.

The state keeps two addresses with a customer and two with an order. Here each is a record: a customer's by the
customer's id, an order's by the order's, where it is not (or no longer) the customer's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sandbox.prestashop.looks import COUNTRIES, NO_DATE, STATES, flag, local
from sandbox.prestashop.query import Resource
from sandbox.prestashop.xml import Row
from sandbox.records import Address, Customer, Order
from sandbox.shop import Shop

GUESTS = 1_000_000  # a guest's id is the order's above it
OF_ORDERS = 10_000_000
# What this shop would be harmed by if it were kept elsewhere; tests look for it.
SECRET_HASH = "$2y$10$practicehashpracticehashpractice"
SECRET_KEY = "5ecre7practice5ecre7practice5ecr"
TOUCHED = "address_touched"


def customer_ids(shop: Shop, filters: Mapping[str, str]) -> list[int]:
    guests = [GUESTS + order.id for order in shop.orders.rows.values() if not order.customer_id]
    return [each.id for each in shop.customers.rows.values() if each.role == "customer"] + guests


def has_customer(shop: Shop, key: int) -> bool:
    if key > GUESTS:
        return (key - GUESTS) in shop.orders.rows
    return key in shop.customers.rows and shop.customers.rows[key].role == "customer"


def _customer(shop: Shop, key: int) -> Row:
    if key > GUESTS:
        order = shop.orders.rows[key - GUESTS]
        who = order.billing
        return _person(shop, key, who.first_name, who.last_name, who.email, True, order.created, order.created)
    each = shop.customers.rows[key]
    changed = each.modified or each.created
    return _person(shop, key, each.first_name, each.last_name, each.email, False, each.created, changed)


def _person(
    shop: Shop, key: int, first: str, last: str, email: str, is_guest: bool, made: datetime, changed: datetime
) -> Row:
    return {
        "id": key, "id_default_group": "3", "id_lang": "2", "newsletter_date_add": NO_DATE,
        "ip_registration_newsletter": "", "last_passwd_gen": local(shop, made), "secure_key": SECRET_KEY,
        "deleted": "0", "passwd": SECRET_HASH, "lastname": last, "firstname": first, "email": email,
        "birthday": "0000-00-00", "newsletter": "0", "optin": "0", "company": "", "active": "1", "note": "",
        "is_guest": flag(is_guest), "id_shop": "1", "id_shop_group": "1", "date_add": local(shop, made),
        "date_upd": local(shop, changed), "reset_password_token": "",
        "reset_password_validity": NO_DATE, "associations": {"groups": ("group", [{"id": "3"}])},
    }  # fmt: skip


# Addresses ----------------------------------------------------------------------------------------------


def own_addresses(customer: Customer) -> dict[int, Address]:
    """By id; one that holds nothing is none."""
    both = {customer.id * 10: customer.billing, customer.id * 10 + 1: customer.shipping}
    return {key: each for key, each in both.items() if each.address_1 or each.city or each.last_name}


def order_addresses(shop: Shop, order: Order) -> tuple[int, int]:
    """(invoice, delivery): the customer's own while they are the same, else copies under the order's id."""
    customer = shop.customers.rows.get(order.customer_id)
    own = {repr(each): key for key, each in own_addresses(customer).items()} if customer else {}
    invoice = own.get(repr(order.billing), OF_ORDERS + order.id * 10)
    if not (order.shipping.address_1 or order.shipping.last_name):
        return invoice, invoice
    return invoice, own.get(repr(order.shipping), OF_ORDERS + order.id * 10 + 1)


def address_ids(shop: Shop, filters: Mapping[str, str]) -> list[int]:
    wanted = filters.get("id", "").strip("[]").split("|")
    if wanted[0].isdigit():
        return [int(each) for each in wanted if each.isdigit() and has_address(shop, int(each))]
    own = [key for each in shop.customers.rows.values() if each.role == "customer" for key in own_addresses(each)]
    return own + [key for order in shop.orders.rows.values() for key in _copies(shop, order)]


def _copies(shop: Shop, order: Order) -> Iterable[int]:
    return sorted({key for key in order_addresses(shop, order) if key >= OF_ORDERS})


def has_address(shop: Shop, key: int) -> bool:
    if key >= OF_ORDERS:
        order = shop.orders.rows.get((key - OF_ORDERS) // 10)
        return order is not None and key in order_addresses(shop, order)
    customer = shop.customers.rows.get(key // 10)
    return customer is not None and key in own_addresses(customer)


def _address(shop: Shop, key: int) -> Row:
    if key >= OF_ORDERS:
        order = shop.orders.rows[(key - OF_ORDERS) // 10]
        given = order.billing if key % 10 == 0 else order.shipping
        owner, made, changed = order.customer_id or GUESTS + order.id, order.created, order.created
        is_deleted = bool(order.customer_id)
    else:
        customer = shop.customers.rows[key // 10]
        given = own_addresses(customer)[key]
        owner, made, changed, is_deleted = customer.id, customer.created, touched(customer), False
    state = STATES.get((given.country, given.state), 0)
    return {
        "id": key, "id_customer": str(owner), "id_manufacturer": "0", "id_supplier": "0", "id_warehouse": "0",
        "id_country": str(COUNTRIES.get(given.country, 0)), "id_state": str(state), "alias": "My address",
        "company": given.company, "lastname": given.last_name, "firstname": given.first_name, "vat_number": "",
        "address1": given.address_1, "address2": given.address_2, "postcode": given.postcode, "city": given.city,
        "other": "", "phone": given.phone, "phone_mobile": "", "dni": "", "deleted": flag(is_deleted),
        "date_add": local(shop, made), "date_upd": local(shop, changed),
    }  # fmt: skip


def touched(customer: Customer) -> datetime:
    """When an address of the customer was last saved, which the customer's own time does not tell."""
    marks = [each["value"] for each in customer.meta if each.get("key") == TOUCHED]
    return datetime.fromisoformat(marks[-1]) if marks else customer.created


def touch_addresses(shop: Shop, customer: Customer) -> None:
    """Save a customer's addresses as changed now; the customer's own time stays."""
    customer.meta = [each for each in customer.meta if each.get("key") != TOUCHED]
    customer.meta.append({"key": TOUCHED, "value": shop.clock.now().isoformat()})
    with shop.changing():
        shop.save(shop.customers, customer)


ALL = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE"})
RESOURCES = {
    "customers": Resource("customer", customer_ids, _customer, moves="customer", methods=ALL),
    "addresses": Resource("address", address_ids, _address, methods=ALL),
}
