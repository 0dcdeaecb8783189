"""The floor: the least that must be done. Fetch, parse, and put prepared rows into the tables an import fills.

No rule, no look-up in the database, no order ever held, changed or met twice: the tables must be empty and the items
known. One transaction a page; COPY on PostgreSQL, executemany on SQLite.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import count
from typing import Any

import msgspec
import requests
from django.db import connection, transaction

from backoffice.models import Customer, CustomerEmail, Document, DocumentLine, Item
from bench.shop import CREDENTIALS
from carts.models import Cart, Record, Run, RunItem

PER_PAGE = 100


class Line(msgspec.Struct):
    total: str
    total_tax: str
    name: str = ""
    method_title: str = ""
    sku: str = ""
    quantity: int = 1
    subtotal: str = "0"


class Order(msgspec.Struct):
    id: int
    number: str
    status: str
    currency: str
    date_created_gmt: str
    date_modified_gmt: str
    total: str
    total_tax: str
    shipping_total: str
    discount_total: str
    customer_id: int
    billing: dict[str, str]
    shipping: dict[str, str]
    payment_method_title: str
    customer_note: str
    line_items: list[Line]
    shipping_lines: list[Line]


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_order = msgspec.json.Decoder(Order)
Row = tuple[Any, ...]


class Floor:
    """Fills the tables of one cart from its shop, with ids of its own counting."""

    def __init__(self, cart: Cart, run: Run) -> None:
        self._cart, self._run = cart, run
        self._items = dict(Item.objects.values_list("sku", "pk"))
        self._customers: dict[int, int] = {}
        self._ids = count(1)
        self._now = datetime.now(UTC).isoformat()
        self._insert = _copy if connection.vendor == "postgresql" else _executemany

    def fill(self, orders: int) -> None:
        """The oldest `orders` of the shop, which must be whole pages."""
        session = requests.Session()
        session.trust_env = False
        session.auth = CREDENTIALS["consumer_key"], CREDENTIALS["consumer_secret"]
        for page in range(1, orders // PER_PAGE + 1):
            params = {"per_page": PER_PAGE, "page": page, "orderby": "modified", "order": "asc"}
            answer = session.get(f"{self._cart.url}/wp-json/wc/v3/orders", params=params)
            answer.raise_for_status()
            tables: dict[type, list[Row]] = defaultdict(list)
            for raw in _rows.decode(answer.content):
                self._prepare(_order.decode(raw), bytes(raw), tables)
            with transaction.atomic():
                for model, columns in COLUMNS.items():
                    if tables[model]:
                        self._insert(model._meta.db_table, columns, tables[model])

    def _prepare(self, order: Order, raw: bytes, tables: dict[type, list[Row]]) -> None:
        now, ref = self._now, str(order.id)
        name = f"{order.billing['first_name']} {order.billing['last_name']}"
        email = order.billing["email"]
        billing, shipping = json.dumps(order.billing), json.dumps(order.shipping)
        customer = self._customers.get(order.customer_id)
        if customer is None:
            customer = self._customers[order.customer_id] = next(self._ids)
            key = f"F-{customer}"
            tables[Customer].append(
                (customer, key, name, name.casefold(), "", order.billing["phone"], billing, shipping, email, now, now)
            )
            tables[CustomerEmail].append((customer, email, email.casefold()))
            tables[Record].append(
                (self._cart.pk, "customer", str(order.customer_id), "", email, name, "imported", "", "", b"", "",
                 customer, False, None, None, "", None, "", now, now)
            )  # fmt: skip
        document = next(self._ids)
        placed, modified = f"{order.date_created_gmt}+00:00", f"{order.date_modified_gmt}+00:00"
        net = f"{float(order.total) - float(order.total_tax):.2f}"
        tables[Document].append(
            (document, "sales_order", f"F-{document}", "pending", customer, order.currency, order.total, net,
             order.total_tax, order.shipping_total, order.discount_total, "{}", placed, now, self._cart.source, ref,
             order.number, billing, shipping, order.payment_method_title, order.customer_note)
        )  # fmt: skip
        for position, line in enumerate(order.line_items + order.shipping_lines, start=1):
            tables[DocumentLine].append(
                (document, position, "item" if line.sku else "shipping", self._items.get(line.sku), line.sku,
                 line.name or line.method_title, line.quantity, line.total, line.total, line.total_tax, "0")
            )  # fmt: skip
        tables[Record].append(
            (self._cart.pk, "order", ref, "", order.number, email, "imported", "", "",
             blake2b(raw, digest_size=16).digest(), raw.decode(), document, False, placed, modified, order.status,
             order.total, order.currency, now, now)
        )  # fmt: skip
        tables[RunItem].append((self._run.pk, ref, order.number, "new", "", "", document))


COLUMNS: dict[type, str] = {
    Customer: "id code name name_key company phone billing shipping import_key created_at modified_at",
    CustomerEmail: "customer_id email email_key",
    Document: "id type number state customer_id currency total net_total tax_total shipping_total discount_total "
    "exchange placed_at created_at source source_ref source_number billing shipping payment_method note",
    DocumentLine: "document_id position kind item_id sku description quantity unit_price net tax discount",
    Record: "cart_id kind external_id parent_id label name state reason_code reason digest payload local_id "
    "picked_by_hand placed_at modified_at shop_status total currency seen_at changed_at",
    RunItem: "run_id external_id label outcome reason_code message local_id",
}


def _copy(table: str, columns: str, rows: Iterable[Row]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns.replace(' ', ', ')}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _executemany(table: str, columns: str, rows: Sequence[Row]) -> None:
    names = columns.split()
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['?'] * len(names))})"
    assert connection.connection is not None
    connection.connection.executemany(sql, rows)
