"""Setting quantities: what is compared, what one bad row does, and the key that keeps a repeated request from doing its
work twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import GraphQLResolveInfo, get_directive_values

from sandbox.shopify.call import Call
from sandbox.shopify.catalogue_body import quantity_at, set_quantity_at
from sandbox.shopify.errors import bad_request, refusal
from sandbox.shopify.looks import gid, iso, number

MOST_ROWS = 250
REASONS = ("correction", "cycle_count_available", "damaged", "received", "restock", "shrinkage", "other")
Errors = list[dict[str, Any]]


def _idempotency_key(info: GraphQLResolveInfo) -> str:
    """Needed since 2026-04, which no schema says."""
    directive = info.schema.get_directive("idempotent")
    assert directive is not None
    given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not given or not given["key"]:
        raise bad_request("The @idempotent directive is required for this mutation but was not provided.")
    return given["key"]


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
