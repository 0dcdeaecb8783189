"""A practice shop that speaks CSV over HTTP: tables to read, a table of quantities to write, a key in a header."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sandbox.messages import Request, Response, html_response
from sandbox.shop import Shop

KEY = "csv-practice-key"
ORDER = (
    "id", "status", "paid", "placed", "modified", "currency", "total", "tax", "discount", "customer", "email",
    "first_name", "last_name", "city", "country", "kind", "item", "sku", "name", "quantity", "net", "line_tax",
    "line_discount",
)  # fmt: skip
ITEM = ("id", "parent", "sku", "name", "price", "keeps_stock", "stock", "active", "modified")
CUSTOMER = (
    "id", "email", "first_name", "last_name", "company", "phone", "address_1", "city", "state", "postcode", "country",
    "modified",
)  # fmt: skip
COLUMNS = {"orders": ORDER, "items": ITEM, "customers": CUSTOMER}


class CsvVoice:
    """The platform as sandbox.server.Platform wants it."""

    def __init__(self, shop: Shop, options: Mapping[str, Any]) -> None:
        self.shop = shop

    @property
    def address(self) -> str:
        return self.shop.url

    @property
    def credentials(self) -> dict[str, str]:
        return {"key": KEY}

    def handle(self, request: Request) -> Response:
        if request.headers.get("X-Key") != KEY:
            return self.refusal(401)
        name = request.path.removeprefix("/").removesuffix(".csv")
        if request.method == "PUT" and name == "stock":
            return answer(("id", "result"), map(self._set, table(request.body.decode())))
        if name == "shop":
            return answer(("name", "currency", "timezone"), [(self.shop.name, self.shop.currency, self.shop.zone)])
        if name not in COLUMNS:
            return html_response("<html>There is no such page.</html>", 404)
        kind = {"orders": "order", "items": "product", "customers": "customer"}[name]
        every = next(each for each in self.shop.tables if each.kind == kind).rows.values()
        chosen = select([row for row in every if is_shown(row)], request.args)
        page = chosen[int(request.args.get("offset", 0)) :][: int(request.args.get("limit", 100))]
        told = answer(COLUMNS[name], (line for row in page for line in LINES[name](self.shop, row)))
        told.headers.append(("X-Total", str(len(chosen))))
        return told

    def refusal(self, status: int) -> Response:
        return Response(status, b"error\nThe key is not known here.\n", content_type="text/csv")

    def _set(self, row: Mapping[str, str]) -> tuple[str, str]:
        product = self.shop.products.rows.get(int(row["id"]))
        if product is None:
            return row["id"], "gone"
        if not product.manages_stock:
            return row["id"], "unkept"
        product.stock = int(row["quantity"])
        self.shop.touch_product(product)
        return row["id"], "set"


def is_shown(row: Any) -> bool:
    """Products that only group their variations are none of this shop's."""
    return getattr(row, "kind", "") != "variable" and getattr(row, "status", "") != "trash"


def select(rows: list[Any], asked: Mapping[str, str]) -> list[Any]:
    if "ids" in asked:
        rows = [row for row in rows if str(row.id) in asked["ids"].split(",")]
    for name in ("sku", "email"):
        if name in asked:
            rows = [row for row in rows if getattr(row, name).lower() == asked[name].lower()]
    if "status" in asked:
        rows = [row for row in rows if row.status in asked["status"].split(",")]
    if "search" in asked:
        rows = [row for row in rows if asked["search"].lower() in words_of(row)]
    if "placed_from" in asked:
        rows = [row for row in rows if row.created >= datetime.fromisoformat(asked["placed_from"])]
    if "placed_before" in asked:
        rows = [row for row in rows if row.created < datetime.fromisoformat(asked["placed_before"])]
    if "since" in asked:
        start = datetime.fromisoformat(asked["since"]), int(asked.get("behind", 0))
        rows = [row for row in rows if (changed(row), row.id) > start]
    if asked.get("sort") == "changed":
        return sorted(rows, key=lambda row: (changed(row), row.id))
    if asked.get("sort") == "newest":
        return sorted(rows, key=lambda row: (row.created, row.id), reverse=True)
    return sorted((row for row in rows if row.id > int(asked.get("after", 0))), key=lambda row: row.id)


def changed(row: Any) -> datetime:
    return row.modified or row.created


def words_of(row: Any) -> str:
    texts = [str(getattr(row, name, "")) for name in ("id", "name", "sku", "email", "first_name", "last_name")]
    return " ".join([*texts, getattr(getattr(row, "billing", None), "email", "")]).lower()


def order_lines(shop: Shop, order: Any) -> Iterable[tuple]:
    who = order.billing
    head = (
        order.id, order.status, order.paid or "", order.created, order.modified, order.currency, order.total,
        order.total_tax, order.discount_total, order.customer_id or "", who.email, who.first_name, who.last_name,
        who.city, who.country,
    )  # fmt: skip
    for line in order.lines:
        product = shop.products.rows.get(line.variation_id or line.product_id)
        item, sku = (product.id, product.sku) if product else ("", "")
        taken = line.subtotal - line.total
        yield *head, "item", item, sku, line.name, line.quantity, line.total, line.total_tax, taken
    for part in order.shipping_lines:
        yield *head, "shipping", "", "", part.title, 1, part.total, part.total_tax, 0
    for part in order.fees:
        yield *head, "fee", "", "", part.name, 1, part.total, part.total_tax, 0
    for refund in order.refunds:
        yield *head, "refund", refund.id, "", refund.reason, 1, refund.amount, 0, 0


def item_line(shop: Shop, row: Any) -> Iterable[tuple]:
    keeps = int(row.manages_stock)
    yield (
        row.id, row.parent_id or "", row.sku, row.name, row.regular_price, keeps, row.stock if keeps else "",
        int(row.status == "publish"), row.modified,
    )  # fmt: skip


def customer_line(shop: Shop, row: Any) -> Iterable[tuple]:
    where = row.billing
    yield (
        row.id, row.email, row.first_name, row.last_name, where.company, where.phone, where.address_1, where.city,
        where.state, where.postcode, where.country, changed(row),
    )  # fmt: skip


LINES = {"orders": order_lines, "items": item_line, "customers": customer_line}


def answer(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Response:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return Response(200, text.getvalue().encode(), content_type="text/csv")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
