"""A sixth platform, to show what adding one takes: this file, one line in the registry, and a practice shop.

It can be read and takes stock; fields of items and customers are not set in it, as its Capabilities say."""

import csv
import io
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from itertools import groupby
from typing import Any, ClassVar

from carts.errors import CartError, ConfigError, NotFound, Rejected, Unavailable
from carts.platforms.base import Capabilities, Connection, CredentialField
from carts.platforms.http import Answer, ShopSession, Speech, retry_after_seconds
from carts.records import (
    CUSTOMER,
    ITEM,
    ORDER,
    Address,
    CartCustomer,
    CartItem,
    CartOrder,
    ItemRef,
    Listing,
    OrderLine,
    Page,
    RawRecord,
    RecordChange,
    Refund,
    RowResult,
    ShopInfo,
    StockLevel,
    Window,
)

NAME = "csv"
PER_PAGE = 100
TABLES = {ORDER: "orders", ITEM: "items", CUSTOMER: "customers"}
CANNOT_SET = "This shop takes stock only, so nothing of this record was sent. Change it in the shop's own admin."
CSV = Speech(
    accept="text/csv",
    is_body=lambda answer: "text/csv" in answer.headers.get("Content-Type", ""),
    message=lambda answer: answer.text.partition("\n")[2].strip()[:200],
    wait_seconds=lambda answer: retry_after_seconds(answer.headers.get("Retry-After", "")),
)


class CsvShop:
    label: ClassVar[str] = "CSV shop"
    url_help: ClassVar[str] = "Where the shop's tables lie."
    capabilities: ClassVar[Capabilities] = Capabilities(
        orders="Found by the time they were last modified, within one poll.",
        items="Found when all are compared.",
        customers="Found when all are compared.",
        cannot=("Fields of items and customers are not set in the cart, and none are created there.",),
        order_statuses={
            "pending": "Pending", "processing": "Processing", "on-hold": "On hold", "completed": "Completed",
            "cancelled": "Cancelled", "refunded": "Refunded", "failed": "Failed",
        },
        paid_statuses=("processing", "completed"),
        overlap_seconds=120,
        tells_changes=frozenset({ORDER}),
        item_fields=frozenset(),
        variation_fields=frozenset(),
        customer_fields=frozenset(),
    )  # fmt: skip
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (CredentialField("key", "Key"),)

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url.rstrip("/")
        self._session = ShopSession(
            ca_bundle=connection.ca_bundle,
            timeout_seconds=connection.timeout_seconds,
            speech=CSV,
            headers={"X-Key": connection.credentials.get("key", "")},
        )

    def close(self) -> None:
        self._session.close()

    # Reading ----------------------------------------------------------------------------------------

    def check(self) -> ShopInfo:
        try:
            (shop,) = table(self._send("GET", "shop").text, ("name", "currency", "timezone"))
        except (NotFound, ValueError):
            raise ConfigError("There is no CSV shop at this address. Correct it under Edit.") from None
        return ShopInfo(shop["name"], shop["currency"], shop["timezone"], "1", True, "Read; stock is written")

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        """By (modified, id) behind the last row: what moves meanwhile is met again at the end."""
        asked: dict[str, Any] = {"sort": "changed", "limit": PER_PAGE}
        if window.since:
            asked["since"] = window.since.isoformat()
        while True:
            page = self._page(kind, asked)
            yield page
            if page.is_last:
                return
            last = page.rows[-1]
            assert last.modified_at is not None
            asked |= {"since": last.modified_at.isoformat(), "behind": last.external_id}
            window.before_request()

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        ids = [each for each in external_ids if each.isdecimal()]
        return list(self._page(kind, {"ids": ",".join(ids)}).rows) if ids else []

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        return []  # every thing that can be bought is a row of its own

    def page_by_id(self, kind: str, position: str) -> Page:
        page = self._page(kind, {"after": position or 0, "limit": PER_PAGE})
        return Page(page.rows, None, page.is_last, "" if page.is_last else page.rows[-1].external_id)

    def listing(self, kind: str, listing: Listing) -> Page:
        offset = int(listing.position or 0)
        asked: dict[str, Any] = {"sort": "newest", "limit": listing.per_page, "offset": offset}
        wanted = {
            "status": listing.status,
            "search": listing.search,
            "placed_from": listing.placed_from and listing.placed_from.isoformat(),
            "placed_before": listing.placed_before and listing.placed_before.isoformat(),
        }
        page = self._page(kind, asked | {name: value for name, value in wanted.items() if value})
        end = offset + len(page.rows)
        is_last = page.total == end
        return Page(page.rows, page.total, is_last, "" if is_last else str(end))

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        by_id = {ref.external_id: ref for ref in refs}
        ids = list(by_id)
        batches = (self.fetch_many(kind, ids[at : at + PER_PAGE]) for at in range(0, len(ids), PER_PAGE))
        return {by_id[row.external_id]: row for batch in batches for row in batch}

    def find(self, kind: str, key: str) -> list[RawRecord]:
        return list(self._page(kind, {"email" if kind == CUSTOMER else "sku": key}).rows)

    def admin_url(self, kind: str, external_id: str) -> str:
        return f"{self._url}/admin/{TABLES[kind]}/{external_id}"

    def _send(self, method: str, name: str, **content: Any) -> Answer:
        return self._session.request(method, f"{self._url}/{name}.csv", auth=None, **content)

    def _page(self, kind: str, asked: Mapping[str, Any]) -> Page:
        answer = self._send("GET", TABLES[kind], params=asked)
        try:
            rows = tuple(records(answer.text))
        except (ValueError, KeyError) as error:
            raise Unavailable(
                "The shop's table broke off or is none. The next try follows by itself.", detail=type(error).__name__
            ) from None
        return Page(rows, int(answer.headers.get("X-Total", len(rows))), len(rows) < PER_PAGE)

    # Writing ----------------------------------------------------------------------------------------

    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        rows = self.read_records(ITEM, refs)
        return {ref: self.parse_item(row.body).stock for ref, row in rows.items()}

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        return [list(refs[at : at + PER_PAGE]) for at in range(0, len(refs), PER_PAGE)]

    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        lines = ["id,quantity", *(f"{each.external_id},{int(each.quantity)}" for each in levels)]
        answer = self._send("PUT", "stock", data="\n".join(lines).encode(), headers={"Content-Type": "text/csv"})
        try:
            told = {row["id"]: row["result"] for row in table(answer.text, ("id", "result"))}
        except ValueError:
            raise Unavailable("The shop's answer broke off. The next try follows by itself.") from None
        return [RowResult(each.external_id, _error(told.get(each.external_id))) for each in levels]

    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        return [RowResult(change.ref.external_id, Rejected(CANNOT_SET)) for change in changes]

    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        raise Rejected(CANNOT_SET)

    # Mapping ----------------------------------------------------------------------------------------

    def parse_order(self, body: bytes | str) -> CartOrder:
        return _parsed(_order, body)

    def parse_item(self, body: bytes | str) -> CartItem:
        return _parsed(_item, body)

    def parse_customer(self, body: bytes | str) -> CartCustomer:
        return _parsed(_customer, body)

    def clean(self, body: bytes) -> str:
        return body.decode()


def _error(result: str | None) -> CartError | None:
    if result == "set":
        return None
    if result == "gone":
        return NotFound("The cart does not have this item any more.")
    return Rejected("The cart keeps no stock for this item. Switch it on in the shop, then click Retry.")


def table(text: str, columns: tuple[str, ...] = ("id",)) -> list[dict[str, str]]:
    """ValueError where it is no table that begins with these columns."""
    found = csv.DictReader(io.StringIO(text))
    if tuple(found.fieldnames or ())[: len(columns)] != columns:
        raise ValueError("not the table that was asked for")
    return list(found)


def records(text: str) -> Generator[RawRecord]:
    """One record is all the rows of its id, with the head of the table."""
    rows = table(text)
    for external_id, group in groupby(rows, key=lambda row: row["id"]):
        lines = list(group)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
        body = out.getvalue().encode()
        modified = datetime.fromisoformat(lines[0]["modified"])
        yield RawRecord(external_id, modified, blake2b(body, digest_size=16).digest(), body)


def _parsed(function: Any, body: bytes | str) -> Any:
    try:
        return function(table(body.decode() if isinstance(body, bytes) else body))
    except (ValueError, KeyError, IndexError, TypeError, InvalidOperation) as error:
        raise Rejected("This is no row of the shop's tables, so it was not read.", detail=repr(error)) from None


def _order(rows: list[dict[str, str]]) -> CartOrder:
    head = rows[0]
    where = Address(head["first_name"], head["last_name"], city=head["city"], country=head["country"])
    return CartOrder(
        external_id=head["id"],
        number=head["id"],
        parent_id="",
        status=head["status"],
        is_paid=bool(head["paid"]),
        is_cancelled=head["status"] in ("cancelled", "refunded", "failed"),
        placed_at=datetime.fromisoformat(head["placed"]),
        modified_at=datetime.fromisoformat(head["modified"]),
        currency=head["currency"],
        total=Decimal(head["total"]),
        tax_total=Decimal(head["tax"]),
        discount_total=Decimal(head["discount"]),
        rounding_limit=Decimal(0),
        lines=tuple(_line(row) for row in rows if row["kind"] != "refund"),
        external_customer_id=head["customer"],
        email=head["email"],
        billing=where,
        shipping=where,
        refunds=tuple(Refund(r["item"], Decimal(r["net"]), r["name"]) for r in rows if r["kind"] == "refund"),
    )


def _line(row: dict[str, str]) -> OrderLine:
    return OrderLine(
        row["kind"], row["item"], row["sku"], row["name"], Decimal(row["quantity"]), Decimal(row["net"]),
        Decimal(row["line_tax"]), Decimal(row["line_discount"]),
    )  # fmt: skip


def _item(rows: list[dict[str, str]]) -> CartItem:
    (row,) = rows
    return CartItem(
        external_id=row["id"],
        parent_id="",
        sku=row["sku"],
        name=row["name"],
        price=Decimal(row["price"]) if row["price"] else None,
        sale_price=None,
        description="",
        barcode="",
        weight=None,
        tax_class="",
        is_stock_managed=row["keeps_stock"] == "1",
        is_active=row["active"] == "1",
        has_variations=False,
        stock=Decimal(row["stock"]) if row["stock"] else None,
        modified_at=datetime.fromisoformat(row["modified"]),
    )


def _customer(rows: list[dict[str, str]]) -> CartCustomer:
    (row,) = rows
    names = ("first_name", "last_name", "company", "address_1", "city", "state", "postcode", "country")
    where = Address(**{name: row[name] for name in names})
    return CartCustomer(
        row["id"], row["email"], row["first_name"], row["last_name"], row["company"], row["phone"], where, where,
        datetime.fromisoformat(row["modified"]),
    )  # fmt: skip
