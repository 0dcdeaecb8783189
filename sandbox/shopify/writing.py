"""What each mutation does. All answer with 200; only `userErrors` tell that nothing was done."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from graphql import GraphQLResolveInfo, get_directive_values

from sandbox.money import CENT
from sandbox.records import Address, Customer, Product
from sandbox.shopify.call import Call
from sandbox.shopify.catalogue_body import quantity_at, set_quantity_at
from sandbox.shopify.listing import bad_request
from sandbox.shopify.looks import gid, iso, number

MOST_ROWS = 250
REASONS = ("correction", "cycle_count_available", "damaged", "received", "restock", "shrinkage", "other")
Errors = list[dict[str, Any]]


def refusal(message: str, *field: str, code: str | None = None) -> dict[str, Any]:
    return {"message": message, "field": list(field) or None, "code": code}


def _idempotency_key(info: GraphQLResolveInfo) -> str:
    """Needed since 2026-04, which no schema says."""
    directive = info.schema.get_directive("idempotent")
    assert directive is not None
    given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not given or not given["key"]:
        raise bad_request("The @idempotent directive is required for this mutation but was not provided.")
    return given["key"]


# Stock ------------------------------------------------------------------------------------------------


def set_quantities(_: Any, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    key, rows = _idempotency_key(info), input["quantities"]
    if len(rows) > MOST_ROWS:
        raise bad_request(f"The input array size of {len(rows)} is greater than the maximum allowed of {MOST_ROWS}.")
    if not all("changeFromQuantity" in row for row in rows):
        raise bad_request("The field changeFromQuantity is required on every quantity; null skips the comparison.")
    asked = msgspec.json.encode(input)
    known = call.platform.answered.get(key)
    if known is not None:
        if known[0] != asked:
            message = "The idempotency key was used with other parameters."
            return _nothing([refusal(message, code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH")])
        return known[1]
    answer = _set(call, input, rows)
    call.platform.answered[key] = (asked, answer)
    return answer


def _set(call: Call, given: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    if given["reason"] not in REASONS:
        return _nothing([refusal("The reason is not valid.", "input", "reason", code="INVALID_REASON")])
    if given["name"] not in ("available", "on_hand"):
        return _nothing([refusal("The quantity name is not valid.", "input", "name", code="INVALID_NAME")])
    errors = _row_errors(call, rows)
    bad = {int(error["field"][2]) for error in errors}
    if errors and (call.platform.rejects_whole_batches or len(bad) == len(rows)):
        return _nothing(errors)
    changes = []
    with call.shop.changing():
        for place, row in enumerate(rows):
            if place not in bad:
                changes.append(_set_row(call, row, given["name"]))
    group = {
        "id": gid("InventoryAdjustmentGroup", call.shop.next_id("adjustment")),
        "createdAt": iso(call.shop.clock.now()),
        "reason": given["reason"],
        "changes": [change for change in changes if change["delta"]],
    }
    return {"inventoryAdjustmentGroup": group, "userErrors": errors}


def _nothing(errors: Errors) -> dict[str, Any]:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


def _row_errors(call: Call, rows: list[dict[str, Any]]) -> Errors:
    errors: Errors = []
    met: set[tuple[str, str]] = set()
    for place, row in enumerate(rows):
        pair = (row["inventoryItemId"], row["locationId"])
        found = _row_error(call, row, is_double=pair in met)
        met.add(pair)
        if found:
            field, code, message = found
            errors.append(refusal(message, "input", "quantities", str(place), field, code=code))
    return errors


def _row_error(call: Call, row: Mapping[str, Any], is_double: bool) -> tuple[str, str | None, str] | None:
    product = call.shop.products.rows.get(number(row["inventoryItemId"], "InventoryItem"))
    location = number(row["locationId"], "Location")
    if is_double:
        code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
        return "inventoryItemId", code, "The combination of inventoryItemId and locationId must be unique."
    if product is None or product.status == "trash" or product.kind == "variable":
        return "inventoryItemId", "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found."
    if location not in call.platform.locations:
        return "locationId", "INVALID_LOCATION", "The specified location could not be found."
    shown = quantity_at(product, location)
    if not product.manages_stock or shown is None:
        # Its code, ITEM_NOT_STOCKED_AT_LOCATION, is gone in 2026-10.
        return "locationId", None, "The specified inventory item is not stocked at the location."
    if row["changeFromQuantity"] is not None and row["changeFromQuantity"] != shown:
        message = "The changeFromQuantity argument no longer matches the persisted quantity."
        return "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE", message
    if row["quantity"] > 1_000_000_000:
        return "quantity", "INVALID_QUANTITY_TOO_HIGH", "The quantity can't be higher than 1,000,000,000."
    return None


def _set_row(call: Call, row: Mapping[str, Any], name: str) -> dict[str, Any]:
    product = call.shop.products.rows[number(row["inventoryItemId"], "InventoryItem")]
    location = number(row["locationId"], "Location")
    before = quantity_at(product, location) or 0
    if before != row["quantity"]:
        set_quantity_at(product, location, row["quantity"])
        call.shop.touch_product(product)
    return {
        "name": name,
        "delta": row["quantity"] - before,
        "quantityAfterChange": row["quantity"],
        "item": call.record("InventoryItem", product.id),
        "location": {"id": row["locationId"], "name": call.platform.locations[location], "isActive": True},
    }


# Products ---------------------------------------------------------------------------------------------


def update_variants(
    _: Any, info: GraphQLResolveInfo, productId: str, variants: list[dict[str, Any]], allowPartialUpdates: bool = False
) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    product = _product(call, productId)
    if product is None:
        return {"userErrors": [refusal("Product does not exist", "productId")]}
    errors: Errors = []
    for place, given in enumerate(variants):
        variant = call.shop.products.rows.get(number(given.get("id") or "", "ProductVariant"))
        if variant is None or (variant.parent_id or variant.id) != product.id:
            errors.append(refusal("Product variant does not exist", "variants", str(place), "id"))
        elif given.get("price") is not None and float(given["price"]) < 0:
            errors.append(refusal("Price must be greater than or equal to 0", "variants", str(place), "price"))
    bad = {int(error["field"][1]) for error in errors}
    if errors and not allowPartialUpdates:
        return {"userErrors": errors}
    done = []
    for place, given in enumerate(variants):
        if place not in bad:
            variant = call.shop.products.rows[number(given["id"], "ProductVariant")]
            _write_variant(call, variant, given)
            done.append(call.record("ProductVariant", variant.id))
    return {"productVariants": done, "userErrors": errors}


def _product(call: Call, given: str | None) -> Product | None:
    product = call.shop.products.rows.get(number(given or "", "Product"))
    return product if product and not product.parent_id and product.status != "trash" else None


def _write_variant(call: Call, variant: Product, given: Mapping[str, Any]) -> None:
    """Price and compare-at price here are the neutral shop's regular and sale price, the other way round on sale."""
    price = given.get("price", variant.price)
    compared = given.get("compareAtPrice", variant.regular_price if variant.sale_price else None)
    price, compared = _with_cents(price or "0"), _with_cents(compared) if compared else ""
    is_sale = bool(compared) and Decimal(compared) > Decimal(price)
    variant.regular_price, variant.sale_price = (compared, price) if is_sale else (price, "")
    if "barcode" in given:
        variant.extra = {**variant.extra, "barcode": given["barcode"] or ""}
    stock_item = given.get("inventoryItem") or {}
    if "tracked" in stock_item:
        variant.manages_stock = bool(stock_item["tracked"])
    if "sku" in stock_item or "sku" in given:
        variant.sku = stock_item.get("sku") or given.get("sku") or ""
    weight = (stock_item.get("measurement") or {}).get("weight")
    if weight:
        variant.extra = {**variant.extra, "weight": weight}
    call.shop.touch_product(variant)


def _with_cents(amount: str) -> str:
    return str(Decimal(amount).quantize(CENT))


def update_product(_: Any, info: GraphQLResolveInfo, product: dict[str, Any] | None = None) -> dict[str, Any]:
    call: Call = info.context
    call.access.check(info.field_name)
    given = product or {}
    found = _product(call, given.get("id"))
    if found is None:
        return {"userErrors": [refusal("Product does not exist", "id")]}
    if "title" in given and not (given["title"] or "").strip():
        return {"userErrors": [refusal("Title can't be blank", "title")]}
    _write_product(call, found, given)
    return {"userErrors": []}


def _write_product(call: Call, product: Product, given: Mapping[str, Any]) -> None:
    product.name = given.get("title") or product.name
    if "descriptionHtml" in given:
        product.extra = {**product.extra, "description": given["descriptionHtml"] or ""}
    if given.get("status"):
        product.status = {"ACTIVE": "publish", "ARCHIVED": "archived"}.get(given["status"], "draft")
    call.shop.touch_product(product)
    for child in product.children:
        call.shop.products.forget_body(child)


def set_product(_: Any, info: GraphQLResolveInfo, input: dict[str, Any], synchronous: bool = True, **__: Any) -> Any:
    """Creates only: to set a whole product anew would delete what is not named, and no connector should."""
    call: Call = info.context
    call.access.check(info.field_name)
    if not (input.get("title") or "").strip():
        return {"userErrors": [refusal("Title can't be blank", "input", "title")]}
    variants = input.get("variants") or [{}]
    if len(variants) != 1 or not input.get("productOptions"):
        return {"userErrors": [refusal("The practice shop makes products of one variant.", "input", "variants")]}
    product = call.shop.add_product("", input["title"], "0.00")
    _write_product(call, product, {"status": "ACTIVE", **input})
    _write_variant(call, product, variants[0])
    return {"product": call.record("Product", product.id), "userErrors": []}


# Customers --------------------------------------------------------------------------------------------


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


# Webhooks ---------------------------------------------------------------------------------------------


def create_webhook(_: Any, info: GraphQLResolveInfo, topic: str, webhookSubscription: dict[str, Any]) -> Any:
    uri = webhookSubscription.get("uri") or ""
    if not uri.startswith(("https://", "http://127.0.0.1")):
        return {"userErrors": [refusal("Address must be a valid https URL", "webhookSubscription", "uri")]}
    made = info.context.platform.webhooks.subscribe(topic, uri)
    if made is None:
        message = "Address for this topic has already been taken"
        return {"userErrors": [refusal(message, "webhookSubscription", "uri")]}
    return {"webhookSubscription": made, "userErrors": []}


def delete_webhook(_: Any, info: GraphQLResolveInfo, id: str) -> Any:
    if not info.context.platform.webhooks.unsubscribe(number(id, "WebhookSubscription")):
        return {"userErrors": [refusal("Webhook subscription does not exist", "id")]}
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


RESOLVERS = {
    "inventorySetQuantities": set_quantities,
    "productVariantsBulkUpdate": update_variants,
    "productUpdate": update_product,
    "productSet": set_product,
    "customerUpdate": update_customer,
    "customerCreate": create_customer,
    "customerAddressUpdate": update_address,
    "customerAddressCreate": update_address,
    "webhookSubscriptionCreate": create_webhook,
    "webhookSubscriptionDelete": delete_webhook,
}
