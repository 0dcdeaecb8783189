"""POST, PUT and PATCH: one record after the other, without a transaction, as the real webservice stores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from sandbox.messages import Request, Response
from sandbox.prestashop import writing_goods, writing_people, writing_trade
from sandbox.prestashop.query import Resource
from sandbox.prestashop.xml import ApiError, entities, node, response, value_of
from sandbox.shop import Shop


@dataclass(frozen=True)
class Rules:
    """What a write may hold. `needed`: at POST and PUT; `refused`: fields that may not be sent at all."""

    writer: Any
    needed: tuple[str, ...]
    refused: tuple[str, ...] = ()


RULES = {
    "products": Rules(writing_goods.Products, ("price",), ("quantity", "manufacturer_name")),
    "combinations": Rules(writing_goods.Combinations, ("id_product", "minimal_quantity")),
    "stock_availables": Rules(
        writing_goods.Stock, ("id_product", "id_product_attribute", "quantity", "depends_on_stock", "out_of_stock")
    ),
    "customers": Rules(
        writing_people.Customers, ("passwd", "lastname", "firstname", "email"), ("secure_key", "last_passwd_gen")
    ),
    "addresses": Rules(
        writing_people.Addresses, ("id_country", "alias", "lastname", "firstname", "address1", "city")
    ),
    "orders": Rules(writing_trade.Orders, ("id_address_delivery", "id_customer", "total_paid")),
    "order_histories": Rules(writing_trade.Histories, ("id_order", "id_order_state")),
}  # fmt: skip


def write(shop: Shop, name: str, resource: Resource, request: Request, tail: str, version: str) -> Response:
    """The stored records, or a refusal; what came before the refused one is stored by then. Raises ApiError."""
    rules = RULES[name]
    writer = rules.writer(shop)
    if request.method == "DELETE":
        writer.delete(int(tail))
        return Response(200, b"", [("PSWS-Version", version)])
    elements = entities(request.body)
    if request.method == "POST":
        keys = [_create(writer, rules, each) for each in elements]
    else:
        _check_ids(elements)
        keys = [_change(writer, rules, each, request.method) for each in elements]
    rows = "\n".join(node(resource.node, resource.row(shop, key)) for key in keys)
    return response(rows, version, 201 if request.method == "POST" else 200)


def _check_ids(elements: list[Element]) -> None:
    """Before anything is stored."""
    ids = [(each.findtext("id") or "").strip() for each in elements]
    if not all(ids):
        raise ApiError(400, 90, "id is required when modifying a resource")
    if len(set(ids)) != len(ids):
        raise ApiError(400, 89, "id is duplicate in request")


def _create(writer: Any, rules: Rules, element: Element) -> Any:
    given = _given(element, rules, "POST")
    if given.pop("id", ""):
        raise ApiError(400, 91, "id is forbidden when adding a new resource")
    return writer.create(given)


def _change(writer: Any, rules: Rules, element: Element, method: str) -> Any:
    key = (element.findtext("id") or "").strip()
    if not key.isdigit() or not writer.has(int(key)):
        raise ApiError(404, 92, "Invalid ID")
    writer.change(int(key), _given(element, rules, method), whole=method == "PUT")
    return int(key)


def _given(element: Element, rules: Rules, method: str) -> dict[str, Any]:
    given: Mapping[str, Any] = {each.tag: value_of(each) for each in element if each.tag != "associations"}
    for field in rules.refused:
        if field in given:
            raise ApiError(400, 93, f'parameter "{field}" not writable. Please remove this attribute of this XML')
    if method != "PATCH":
        for field in rules.needed:
            if field not in given:
                raise ApiError(400, 41, f'parameter "{field}" required')
    return dict(given)
