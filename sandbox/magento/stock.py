"""Stock: by sources with reservations, as a shop with multi-source inventory keeps it, or one legacy item a product.

The shop's state knows what can be sold. A source holds that and what unshipped orders have reserved of it; further
sources and what was written for SKUs nobody sells are kept as the fact "source_items".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct

from sandbox.magento.catalogue_body import is_in_stock, say_in_stock, stock_item
from sandbox.magento.criteria import Rows, page
from sandbox.magento.errors import ApiError, no_product, required
from sandbox.messages import Request, Response, json_response
from sandbox.records import Product
from sandbox.shop import Shop

DEFAULT = "default"
STOCK_ID = 1
WEBSITE = "base"
KEEPS_NO_STOCK = ("variable", "bundle", "grouped")
# Sold and not sent yet: what these orders hold is reserved.
UNSHIPPED = ("processing", "on-hold")
# Rows that are no product's at the default source are numbered from here.
FURTHER = 1_000_000


class SourceItem(Struct):
    source_item_id: int
    sku: str
    source_code: str
    quantity: int
    status: int


class Sources:
    """The sources of one shop, all of one stock; `codes` begin with the default one."""

    def __init__(self, shop: Shop, codes: tuple[str, ...]) -> None:
        self.shop = shop
        self.codes = codes

    def reserved(self) -> Counter[int]:
        """By product id."""
        held: Counter[int] = Counter()
        for order in self.shop.orders.rows.values():
            for line in order.lines if order.status in UNSHIPPED else ():
                product = self.shop.stock_holder(line) if line.stock_taken else None
                if product is not None:
                    held[product.id] += line.stock_taken
        return held

    def rows(self) -> list[SourceItem]:
        held = self.reserved()
        kept = [
            SourceItem(
                each.id, each.sku, DEFAULT, (each.stock or 0) + held[each.id], int(is_in_stock(each, held[each.id]))
            )
            for each in self.shop.products.rows.values()
            if each.manages_stock and each.kind not in KEEPS_NO_STOCK
        ]
        further = self.shop.fact("source_items", [])
        return kept + [SourceItem(FURTHER + place, *row) for place, row in enumerate(further)]

    def salable(self) -> dict[int, int]:
        """What buyers can buy of each product that keeps stock, by id: what is in sources, less what is reserved."""
        held, there = self.reserved(), Counter[str]()
        for row in self.rows():
            there[row.sku.lower()] += row.quantity if row.status else 0
        kept = [each for each in self.shop.products.rows.values() if each.manages_stock]
        return {each.id: there[each.sku.lower()] - held[each.id] for each in kept}

    def write(self, given: list[dict[str, Any]]) -> None:
        """All rows or none. Moves no timestamp, and takes an unknown SKU without a word."""
        self._check(given)
        held = self.reserved()
        with self.shop.changing():
            for row in given:
                product = product_of(self.shop, str(row["sku"]))
                is_ours = product is not None and product.kind not in KEEPS_NO_STOCK
                if product is not None and is_ours and row["source_code"] == DEFAULT:
                    product.manages_stock = True
                    product.stock = int(float(row["quantity"])) - held[product.id]
                    say_in_stock(product, bool(row["status"]))
                    self.shop.save(self.shop.products, product)
                else:
                    self._keep(row)

    def _check(self, given: list[dict[str, Any]]) -> None:
        if not given:
            raise ApiError(400, "Input data is empty")
        for row in given:
            for name, rule in (("sku", "can not be empty."), ("status", "should be numeric.")):
                if row.get(name) in (None, ""):
                    fault = {"message": f'"%field" {rule}', "parameters": {"field": name}}
                    raise ApiError(400, f'Validation Failed: "{name}" {rule}', errors=[fault])
        if any(row.get("source_code") not in self.codes for row in given):
            raise ApiError(400, "Could not save Source Item")

    def _keep(self, row: dict[str, Any]) -> None:
        kept = {(each[0].lower(), each[1]): each for each in self.shop.fact("source_items", [])}
        written = [row["sku"], row["source_code"], int(float(row["quantity"])), int(row["status"])]
        kept[written[0].lower(), written[1]] = written
        self.shop.set_fact("source_items", list(kept.values()))


def product_of(shop: Shop, sku: str) -> Product | None:
    """SKUs are compared without regard to case."""
    wanted = sku.strip().lower()
    live = (each for each in shop.products.rows.values() if each.sku.lower() == wanted and each.status != "trash")
    return next(live, None) if wanted else None


ITEM_ROWS = Rows(
    {name: (lambda row, name=name: getattr(row, name)) for name in SourceItem.__struct_fields__},
    lambda row: msgspec.json.encode({name: getattr(row, name) for name in SourceItem.__struct_fields__[1:]}),
)


def source_items(api: Any, request: Request) -> Response:
    return page(request, ITEM_ROWS, api.sources.rows())


def write_source_items(api: Any, request: Request) -> Response:
    given = (request.json() or {}).get("sourceItems")
    if given is None:
        raise required("sourceItems")
    api.sources.write(given)
    return json_response([])


def sources(api: Any, request: Request) -> Response:
    named = [
        {"source_code": code, "name": "Default Source" if code == DEFAULT else code.title(), "enabled": True}
        for code in api.sources.codes
    ]
    return _all(named)


def source_links(api: Any, request: Request) -> Response:
    codes = enumerate(api.sources.codes, 1)
    return _all([{"stock_id": STOCK_ID, "source_code": code, "priority": place} for place, code in codes])


def _all(rows: list[dict[str, Any]]) -> Response:
    return json_response({"items": rows, "search_criteria": {"filter_groups": []}, "total_count": len(rows)})


def stock_of_website(api: Any, request: Request, code: str) -> Response:
    if code != WEBSITE:
        raise ApiError(404, "No linked stock found for website with code: %1", [code])
    return json_response({"stock_id": STOCK_ID, "name": "Default Stock"})


def salable_quantity(api: Any, request: Request, sku: str, stock_id: str) -> Response:
    product = product_of(api.shop, sku)
    if product is None:
        raise no_product()
    if product.kind in KEEPS_NO_STOCK:
        raise ApiError(400, "Can't check requested quantity for products without Source Items support.")
    return json_response(api.sources.salable().get(product.id, 0))


def salable_quantities(api: Any, request: Request, code: str) -> Response:
    """Of the products that the criteria name, with their quantities; what keeps no stock has none."""
    if code != WEBSITE:
        raise ApiError(400, "No linked stock found for website with code: %1", [code])
    products = [each for each in api.shop.products.rows.values() if each.kind not in KEEPS_NO_STOCK]
    salable = api.sources.salable()
    return page(
        request, Rows({"sku": lambda each: each.sku}, lambda each: _salable(each, salable.get(each.id))), products
    )


def _salable(product: Product, quantity: int | None) -> bytes:
    told = {"sku": product.sku, "qty": quantity, "is_salable": quantity is None or quantity > 0}
    return msgspec.json.encode(told)


def legacy_item(api: Any, request: Request, sku: str) -> Response:
    product = product_of(api.shop, sku)
    if product is None:
        raise ApiError(404, 'The Product with the "%1" SKU doesn\'t exist.', [sku])
    return json_response(stock_item(product))


def write_legacy_item(api: Any, request: Request, sku: str, item_id: str) -> Response:
    """A quantity of 0 sets a product out of stock; more does not undo that. Moves no timestamp."""
    product = product_of(api.shop, sku)
    given = (request.json() or {}).get("stockItem")
    if product is None:
        raise ApiError(404, 'The Product with the "%1" SKU doesn\'t exist.', [sku])
    if given is None:
        raise required("stockItem")
    set_legacy(product, given)
    with api.shop.changing():
        api.shop.save(api.shop.products, product)
    return json_response(product.id)


def set_legacy(product: Product, given: dict[str, Any]) -> None:
    is_there = bool(given.get("is_in_stock", is_in_stock(product)))
    product.stock = int(given.get("qty", product.stock or 0))
    say_in_stock(product, is_there and product.stock > 0)
