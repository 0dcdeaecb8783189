"""Stock by location. An adjustment is answered at once and done a moment later on the shop's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sandbox.bigcommerce.catalogue_body import is_complex, tracking
from sandbox.bigcommerce.errors import ApiError, invalid, not_found
from sandbox.bigcommerce.listing import ids_in, v3_list
from sandbox.bigcommerce.looks import variant_id
from sandbox.bigcommerce.reading import variant_record
from sandbox.messages import Request, Response, json_response
from sandbox.records import Product
from sandbox.shop import Shop

if TYPE_CHECKING:
    from sandbox.bigcommerce.api import BigCommerce

ADJUSTED_AT_MOST, MOST_OF_ONE, LISTED_AT_MOST = 2000, 2_147_483_647, 1000
DEFAULT_LOCATION = 1
# Under this name a record keeps what it has at the other locations, by their id.
_ELSEWHERE = "stock_at"
_SAFETY = "safety_stock"


class Adjustments:
    """What was answered and is not done yet."""

    def __init__(self, shop: Shop, settle_seconds: float) -> None:
        self._shop = shop
        self._settles = timedelta(seconds=settle_seconds)
        self._waiting: list[tuple[datetime, list[tuple[int, int, int]]]] = []

    def put(self, rows: list[tuple[int, int, int]]) -> None:
        """Rows of (record id, location, quantity)."""
        self._waiting.append((self._shop.clock.now() + self._settles, rows))
        self.settle()

    def settle(self) -> None:
        """Do what is due. Called with every request."""
        now = self._shop.clock.now()
        due = [rows for at, rows in self._waiting if at <= now]
        if not due:
            return
        self._waiting = [each for each in self._waiting if each[0] > now]
        with self._shop.changing():
            for record_id, location, quantity in (row for rows in due for row in rows):
                product = self._shop.products.rows.get(record_id)
                if product is not None:
                    _set(product, location, quantity)
                    self._shop.touch_product(product)


def _set(product: Product, location: int, quantity: int) -> None:
    if location == DEFAULT_LOCATION:
        product.stock = quantity
    else:
        product.extra[_ELSEWHERE] = {**product.extra.get(_ELSEWHERE, {}), str(location): quantity}


def stock_at(product: Product, location: int) -> int:
    if location == DEFAULT_LOCATION:
        return product.stock or 0
    return int(product.extra.get(_ELSEWHERE, {}).get(str(location), 0))


def locations(api: BigCommerce, request: Request) -> Response:
    rows = {
        number: {"id": number, "code": f"BC-LOCATION-{number}", "label": name, "enabled": True, "type_id": "PHYSICAL"}
        for number, name in enumerate(api.locations, start=1)
    }
    return v3_list(request, sorted(rows), lambda each: rows[each])


def _kept(api: BigCommerce, request: Request) -> dict[int, Product]:
    """Records the shop keeps stock of, by id."""
    shop = api.shop
    variants, products = ids_in(request, "variant_id:in"), ids_in(request, "product_id:in")
    skus = {each.lower() for each in str(request.args.get("sku:in", "")).split(",") if each}
    return {
        record.id: record
        for record in shop.products.rows.values()
        if record.manages_stock
        and record.status != "trash"
        and (variants is None or (variant_id(record) in variants and not is_complex(record)))
        and (products is None or (record.parent_id or record.id) in products)
        and (not skus or record.sku.lower() in skus)
    }


def _levels(record: Product, location: int) -> dict[str, Any]:
    held, safety = stock_at(record, location), int(record.extra.get(_SAFETY, 0))
    return {
        "available_to_sell": held - safety,
        "total_inventory_onhand": held,
        "settings": {"safety_stock": safety, "is_in_stock": held > 0, "warning_level": 0, "bin_picking_number": ""},
    }


def _identity(record: Product) -> dict[str, Any]:
    is_own = bool(record.parent_id)
    return {
        "sku": record.sku,
        "variant_id": variant_id(record),
        "product_id": record.parent_id or record.id,
        "sku_id": record.id if is_own else None,
    }


def items_at(api: BigCommerce, request: Request, location: int) -> Response:
    if location not in api.location_ids:
        raise not_found()
    rows = _kept(api, request)

    def body(number: int) -> dict[str, Any]:
        return {"identity": _identity(rows[number]), **_levels(rows[number], location)}

    return v3_list(request, sorted(rows), body, most=LISTED_AT_MOST)


def items(api: BigCommerce, request: Request) -> Response:
    rows = _kept(api, request)

    def body(number: int) -> dict[str, Any]:
        places = [{"location_id": each, **_levels(rows[number], each)} for each in api.location_ids]
        return {"identity": _identity(rows[number]), "locations": places}

    return v3_list(request, sorted(rows), body, most=LISTED_AT_MOST)


def set_absolute(api: BigCommerce, request: Request) -> Response:
    """One row that is wrong refuses all of them."""
    given = request.json()
    rows = given.get("items") if isinstance(given, dict) else None
    if not isinstance(rows, list) or not rows:
        raise invalid({"items": "at least one item is required"})
    if len(rows) > ADJUSTED_AT_MOST:
        raise invalid({"items": f"no more than {ADJUSTED_AT_MOST} items"})
    api.adjustments.put([_row(api, row) for row in rows])
    return json_response({"transaction_id": str(uuid4()), "data": {}, "meta": {}})


def _row(api: BigCommerce, row: dict[str, Any]) -> tuple[int, int, int]:
    location, quantity = row.get("location_id"), row.get("quantity")
    if location not in api.location_ids:
        raise ApiError(422, f"Location with id {location} does not exist")
    if not isinstance(quantity, int) or not 0 <= quantity <= MOST_OF_ONE:
        raise invalid({"quantity": "must be a whole number from 0"})
    record, key = _named(api, row)
    if record is None:
        raise ApiError(422, f"Item with {key} does not exist")
    owner = api.shop.products.rows.get(record.parent_id, record)
    kept = tracking(api.shop, owner)
    if kept == "none":
        raise ApiError(422, f"Item with {key} is not tracked")
    wanted = "product" if "product_id" in row else "variant"
    if kept != wanted and "sku" not in row:
        raise ApiError(422, f"[Item with {key} is tracked by {kept}, please update stock by {kept} id]")
    return record.id, location, quantity


def _named(api: BigCommerce, row: dict[str, Any]) -> tuple[Product | None, str]:
    if "product_id" in row:
        found = api.shop.products.rows.get(row["product_id"])
        return (found if found and not found.parent_id else None), f"product_id {row['product_id']}"
    if "variant_id" in row:
        return variant_record(api.shop, row["variant_id"]), f"variant_id {row['variant_id']}"
    return api.shop.product_by_sku(str(row.get("sku", ""))), f"sku {row.get('sku')}"
