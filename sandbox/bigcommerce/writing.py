"""Writing products, variants, customers and their addresses, in the batches the API takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.bigcommerce.catalogue_body import (
    KEPT,
    address_body,
    addresses_of,
    customer_body,
    product_body,
    variant_body,
)
from sandbox.bigcommerce.errors import ApiError, duplicate, invalid, not_found, too_large
from sandbox.bigcommerce.listing import ids_in
from sandbox.bigcommerce.looks import record_id
from sandbox.bigcommerce.reading import variant_record
from sandbox.messages import Request, Response, json_response
from sandbox.records import Address, Customer, Product

if TYPE_CHECKING:
    from sandbox.bigcommerce.api import BigCommerce

PRODUCTS_AT_MOST, VARIANTS_AT_MOST, CUSTOMERS_AT_MOST = 10, 50, 10
UPC_LENGTH = 14
_ADDRESS = {
    "first_name": "first_name", "last_name": "last_name", "company": "company", "address1": "address_1",
    "address2": "address_2", "city": "city", "state_or_province": "state", "postal_code": "postcode",
    "country_code": "country", "phone": "phone",
}  # fmt: skip
_NEEDED = ("first_name", "last_name", "address1", "city", "country_code")


def _rows(request: Request, most: int) -> list[dict[str, Any]]:
    given = request.json()
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
        raise invalid({"data": "a list of objects is required"})
    if len(given) > most:
        raise too_large()
    return given


# Products ----------------------------------------------------------------------------------------


def create_product(api: BigCommerce, request: Request) -> Response:
    given = request.json() or {}
    missing = {name: "is required" for name in ("name", "type", "weight", "price") if given.get(name) in (None, "")}
    if missing:
        raise invalid(missing)
    _check_unique(api, given, 0)
    product = api.shop.add_product("", str(given["name"]))
    _write_product(api, product, given)
    return json_response({"data": product_body(api.shop, product, set(), set()), "meta": {}})


def update_products(api: BigCommerce, request: Request) -> Response:
    """409 and 422 refuse all rows; a UPC that is none is refused alone, with 207 for the rest."""
    given = _rows(request, PRODUCTS_AT_MOST)
    found = []
    for row in given:
        found.append(api.product(row.get("id", 0)))
        _check_unique(api, row, row["id"])
        if row.get("name") == "":
            raise invalid({"name": "must not be empty"})
    errors: dict[str, str] = {}
    for product, row in zip(found, given, strict=True):
        if len(str(row.get("upc", ""))) > UPC_LENGTH or not str(row.get("upc", "0") or "0").isdigit():
            errors[f"{product.id}.upc"] = "upc must be up to 14 digits"
            row = {name: value for name, value in row.items() if name != "upc"}
        _write_product(api, product, row)
    body = {"data": [product_body(api.shop, each, set(), set()) for each in found], "meta": {}}
    if errors:
        return json_response({**body, "errors": {"status": 207, "title": "Partial update.", "errors": errors}}, 207)
    return json_response(body)


def _check_unique(api: BigCommerce, row: dict[str, Any], own_id: int) -> None:
    """SKUs are unique over products and variants, names over products, upper and lower case alike."""
    for other in api.shop.products.rows.values():
        if other.id == own_id or other.status == "trash":
            continue
        if row.get("sku") and other.sku.lower() == str(row["sku"]).lower():
            raise duplicate("sku")
        if row.get("name") and not other.parent_id and other.name.lower() == str(row["name"]).lower():
            raise duplicate("name")


def _write_product(api: BigCommerce, product: Product, row: dict[str, Any]) -> None:
    shop, old_sku = api.shop, product.sku
    if "name" in row:
        product.name = str(row["name"])
    if "sku" in row:
        product.sku = str(row["sku"])
    if "price" in row:
        product.regular_price = _price(row["price"])
    if "sale_price" in row:
        product.sale_price = _price(row["sale_price"]) if row["sale_price"] else ""
    if "is_visible" in row:
        product.status = "publish" if row["is_visible"] else "draft"
    product.extra |= {name: value for name, value in row.items() if name in KEPT}
    with shop.changing():
        shop.touch_product(product)
        if product.sku != old_sku:
            shop.forget_orders_of({product.id})


def _price(value: Any) -> str:
    return "" if value is None else f"{float(value):.2f}"


def delete_product(api: BigCommerce, request: Request, product_id: int) -> Response:
    api.product(product_id)
    api.shop.delete_product(product_id)
    return Response(204)


# Variants ----------------------------------------------------------------------------------------


def update_variants(api: BigCommerce, request: Request) -> Response:
    given = _rows(request, VARIANTS_AT_MOST)
    found: list[Product] = []
    for row in given:
        variant = variant_record(api.shop, row.get("id", 0))
        if variant is None:
            raise invalid({str(row.get("id")): "no such variant"})
        _check_unique(api, {"sku": row.get("sku")}, record_id(row["id"]))
        if len(str(row.get("upc") or "")) > UPC_LENGTH:
            raise invalid({"upc": "upc must be up to 14 digits"})
        found.append(variant)
    for variant, row in zip(found, given, strict=True):
        _write_variant(api, variant, row)
    return json_response({"data": [variant_body(api.shop, each) for each in found], "meta": {}})


def _write_variant(api: BigCommerce, variant: Product, row: dict[str, Any]) -> None:
    for name, field in (("price", "regular_price"), ("sale_price", "sale_price")):
        if name in row:
            setattr(variant, field, _price(row[name]) if row[name] else "")
    if "sku" in row:
        variant.sku = str(row["sku"])
    if "purchasing_disabled" in row:
        variant.status = "draft" if row["purchasing_disabled"] else "publish"
    variant.extra |= {name: row[name] for name in ("weight", "upc") if name in row}
    # Whether this moves the product's time is not documented: here it does not, which is the harder case.
    variant.modified = api.shop.clock.now()
    with api.shop.changing():
        api.shop.save(api.shop.products, variant)


# Customers ---------------------------------------------------------------------------------------


def _check_customer(api: BigCommerce, row: dict[str, Any], own_id: int) -> None:
    for name in ("first_name", "last_name", "email"):
        if (name in row or not own_id) and not row.get(name):
            raise invalid({name: f"{name} must not be empty"})
    other = api.shop.customer_by_email(str(row.get("email", "")))
    if row.get("email") and other is not None and other.id != own_id:
        raise invalid({"email": f"email {row['email']} already in use"})


def create_customers(api: BigCommerce, request: Request) -> Response:
    given = _rows(request, CUSTOMERS_AT_MOST)
    for row in given:
        _check_customer(api, row, 0)
        for address in row.get("addresses", ()):
            _check_address(address)
    made = []
    for row in given:
        customer = api.shop.add_customer(row["email"], modified=api.shop.clock.now())
        _write_customer(api, customer, row)
        for address in row.get("addresses", ()):
            _put_address(api, customer, address)
        made.append(customer)
    return json_response({"data": [customer_body(each, {"addresses"}) for each in made], "meta": {}})


def update_customers(api: BigCommerce, request: Request) -> Response:
    given = _rows(request, CUSTOMERS_AT_MOST)
    found: list[Customer] = []
    for row in given:
        customer = api.customer(row.get("id", 0))
        _check_customer(api, row, customer.id)
        found.append(customer)
    for customer, row in zip(found, given, strict=True):
        _write_customer(api, customer, row)
    return json_response({"data": [customer_body(each, set()) for each in found], "meta": {}})


def _write_customer(api: BigCommerce, customer: Customer, row: dict[str, Any]) -> None:
    for name in ("company", "phone"):
        if name in row:
            setattr(customer.billing, name, str(row[name]))
    changes = {name: str(row[name]) for name in ("email", "first_name", "last_name") if name in row}
    api.shop.edit_customer(customer.id, **changes)


def _check_address(row: dict[str, Any]) -> None:
    missing = {name: f"{name} is required" for name in _NEEDED if not row.get(name)}
    if missing:
        raise invalid(missing)


def _free_place(customer: Customer) -> str:
    for place in ("billing", "shipping"):
        if not getattr(customer, place).address_1:
            return place
    raise ApiError(422, "This practice shop keeps two addresses a customer")


def _put_address(api: BigCommerce, customer: Customer, row: dict[str, Any], place: str = "") -> int:
    """An address does not move its customer's time."""
    place = place or _free_place(customer)
    where: Address = getattr(customer, place)
    for theirs, ours in _ADDRESS.items():
        if theirs in row:
            setattr(where, ours, str(row[theirs]))
    with api.shop.changing():
        api.shop.save(api.shop.customers, customer)
    return customer.id * 10 + (1 if place == "billing" else 2)


def create_addresses(api: BigCommerce, request: Request) -> Response:
    given = _rows(request, CUSTOMERS_AT_MOST)
    for row in given:
        _check_address(row)
        api.customer(row.get("customer_id", 0))
    made = [
        (api.customer(row["customer_id"]), _put_address(api, api.customer(row["customer_id"]), row)) for row in given
    ]
    return _shown(made)


def update_addresses(api: BigCommerce, request: Request) -> Response:
    given = _rows(request, CUSTOMERS_AT_MOST)
    found = [(_owner(api, row.get("id", 0)), row) for row in given]
    for (customer, place), row in found:
        _put_address(api, customer, row, place)
    return _shown([(customer, row["id"]) for (customer, _), row in found])


def delete_addresses(api: BigCommerce, request: Request) -> Response:
    for address_id in ids_in(request, "id:in") or ():
        customer, place = _owner(api, address_id)
        kept = getattr(customer, place)
        # What the shop keeps of the customer under the same roof stays.
        setattr(customer, place, Address(company=kept.company, phone=kept.phone, email=kept.email))
        with api.shop.changing():
            api.shop.save(api.shop.customers, customer)
    return Response(204)


def _owner(api: BigCommerce, address_id: int) -> tuple[Customer, str]:
    customer = api.customer(address_id // 10)
    if address_id not in dict(addresses_of(customer)):
        raise not_found()
    return customer, "billing" if address_id % 10 == 1 else "shipping"


def _shown(made: list[tuple[Customer, int]]) -> Response:
    bodies = [
        address_body(customer, address_id, dict(addresses_of(customer))[address_id]) for customer, address_id in made
    ]
    return json_response({"data": bodies, "meta": {}})
