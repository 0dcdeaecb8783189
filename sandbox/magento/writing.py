"""Writing products and customers: what is sent, what is made of it, and what is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from sandbox.magento.catalogue_body import ATTRIBUTE_SET, TAX_CLASSES
from sandbox.magento.errors import ApiError, required
from sandbox.magento.stock import product_of, set_legacy
from sandbox.messages import Request
from sandbox.records import Address, Customer, Product
from sandbox.shop import Shop

# Fields of a customer that the state has no place for; a PUT without them empties them.
KEPT_FIELDS = ("prefix", "middlename", "suffix", "dob", "gender", "taxvat", "group_id", "custom_attributes")
ADDRESS_REQUIRED = ("firstname", "lastname", "street", "city", "country_id", "telephone")


def given_under(request: Request, name: str) -> dict[str, Any]:
    """Raises ApiError 400 where the body has not what the route takes."""
    try:
        body = request.json()
    except msgspec.DecodeError:
        raise ApiError(400, "Decoding error.") from None
    if not isinstance(body, dict) or not isinstance(body.get(name), dict):
        raise required(name)
    return body[name]


def save_product(shop: Shop, scope: str, sku: str, given: dict[str, Any]) -> Product:
    """Change the product with this SKU, in whatever case, or make it. A view's own values stay beside the global."""
    product = product_of(shop, sku)
    if product is None:
        product = _create_product(shop, sku, given)
    with shop.changing():
        if scope == "all":
            _write_product(product, given)
        else:
            views = product.extra.setdefault("views", {})
            views.setdefault(scope, {}).update({name: given[name] for name in ("name", "price") if name in given})
            _write_product(product, {name: given[name] for name in given if name not in ("name", "price")})
        product.modified = shop.clock.now()
        shop.save(shop.products, product)
    return product


def _create_product(shop: Shop, sku: str, given: dict[str, Any]) -> Product:
    if given.get("attribute_set_id") != ATTRIBUTE_SET:
        raise ApiError(400, "Invalid product data: %1", ["Invalid attribute set entity type"])
    name = str(given.get("name") or "")
    if not name:
        message = 'The "%1" attribute value is empty. Set the attribute and try again.'
        raise ApiError(400, message, ["Product Name"])
    if "price" not in given:
        raise ApiError(400, 'The value of attribute "price" must be set.')
    if any(_url_key(each.name) == _url_key(name) for each in shop.products.rows.values()):
        raise ApiError(400, "URL key for specified store already exists.")
    return shop.add_product(sku.strip(), name, str(given["price"]), stock=0)


def _url_key(name: str) -> str:
    return "-".join(name.lower().split())


def _write_product(product: Product, given: dict[str, Any]) -> None:
    if "name" in given:
        product.name = str(given["name"])
    if "price" in given:
        product.regular_price = str(Decimal(str(given["price"])))
    if "status" in given:
        product.status = "publish" if given["status"] == 1 else "draft"
    if "weight" in given:
        product.extra["weight"] = given["weight"]
    own = product.extra.setdefault("attributes", {})
    for each in given.get("custom_attributes", ()):
        code, value = each["attribute_code"], each.get("value")
        if code == "special_price":
            product.sale_price = str(value) if value not in (None, "") else ""
        elif code == "tax_class_id":
            product.tax_class = next((name for name, number in TAX_CLASSES.items() if number == value), "")
        else:
            own[code] = value
    stock = given.get("extension_attributes", {}).get("stock_item")
    if stock:
        set_legacy(product, stock)


def save_customer(shop: Shop, customer_id: int, given: dict[str, Any]) -> Customer:
    """The whole customer is what is sent: everything else of it is dropped, addresses too. 0 makes one."""
    for name in ("email", "firstname", "lastname"):
        if not given.get(name):
            raise required(name)
    other = shop.customer_by_email(str(given["email"]))
    if other is not None and other.id != customer_id:
        raise ApiError(400, "A customer with the same email address already exists in an associated website.")
    book = [_address(shop, each) for each in given.get("addresses") or ()]
    customer = shop.customers.rows.get(customer_id) or shop.add_customer(str(given["email"]))
    _mark_default(book, "billing", given.get("default_billing"))
    _mark_default(book, "shipping", given.get("default_shipping"))
    billing, shipping = _neutral(book, "billing"), _neutral(book, "shipping")
    fields = {name: given[name] for name in KEPT_FIELDS if name in given}
    shop.edit_customer(
        customer.id,
        email=str(given["email"]),
        first_name=str(given["firstname"]),
        last_name=str(given["lastname"]),
        billing=billing,
        shipping=shipping,
        meta=[
            {"key": "fields", "value": fields},
            {"key": "addresses", "value": book, "of": [msgspec.structs.asdict(each) for each in (billing, shipping)]},
        ],
    )
    return customer


def _address(shop: Shop, given: dict[str, Any]) -> dict[str, Any]:
    for name in ADDRESS_REQUIRED:
        if not given.get(name):
            raise required(name)
    return {**given, "id": given.get("id") or shop.next_id("address", 10_001)}


def _mark_default(book: list[dict[str, Any]], kind: str, chosen: Any) -> None:
    """By the flag on an address, else by the id on the customer; neither sent means none any more."""
    if any(each.get(f"default_{kind}") for each in book):
        return
    for each in book:
        each.pop(f"default_{kind}", None)
        if chosen is not None and str(each["id"]) == str(chosen):
            each[f"default_{kind}"] = True


def _neutral(book: list[dict[str, Any]], kind: str) -> Address:
    chosen = next((each for each in book if each.get(f"default_{kind}")), None)
    if chosen is None:
        return Address()
    street = [*chosen["street"], "", ""]
    return Address(
        first_name=chosen["firstname"],
        last_name=chosen["lastname"],
        company=chosen.get("company") or "",
        address_1=street[0],
        address_2=street[1],
        city=chosen["city"],
        state=(chosen.get("region") or {}).get("region_code") or "",
        postcode=chosen.get("postcode") or "",
        country=chosen["country_id"],
        phone=chosen["telephone"],
    )
