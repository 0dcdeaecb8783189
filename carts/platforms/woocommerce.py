"""WooCommerce, REST API v3 (checked against 11.0.1; facts and traps: docs/platforms/woocommerce.md)."""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_UP, Decimal
from functools import partial
from html import unescape
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth1

from carts.errors import AuthError, CartError, ConfigError, NotFound, Rejected, Unavailable
from carts.platforms.base import Capabilities, Connection, CredentialField
from carts.platforms.bodies import (
    NUMBER,
    broken_answer,
    digest_of,
    exact_decoder,
    exact_encoder,
    money,
    optional_money,
    reading,
)
from carts.platforms.http import Answer, ShopSession
from carts.platforms.paging import Chunk, stitched_pages
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

LABEL = "WooCommerce"
PER_PAGE = 100  # the most the API gives, and the most a batch takes
API = "/wp-json/wc/v3"
PATHS = {ORDER: "orders", ITEM: "products", CUSTOMER: "customers"}
CANCELLED_STATUSES = frozenset({"cancelled", "refunded", "failed", "trash"})
# Keys that open an order to whoever holds them, and network addresses of buyers: never kept.
UNKEPT_FIELDS = (
    "order_key",
    "payment_url",
    "customer_ip_address",
    "customer_user_agent",
    "cart_hash",
    "_links",
)
ONE = Decimal(1)
NO_STOCK_KEPT = (
    "The cart keeps no stock for this item, so the quantity went nowhere. Tick Manage stock on it in the shop's admin "
    "and click Retry, or leave it as it is and click Ignore."
)
# The code of an answer to somebody without a key, and to a key the shop does not know.
STRANGER = "woocommerce_rest_cannot_"
ITEM_LINE, SHIPPING_LINE, FEE_LINE = "item", "shipping", "fee"
ITEM_FIELDS = frozenset({"name", "price", "sale_price", "description", "barcode", "weight", "tax_class", "is_active"})
WRITTEN_AS = {
    "price": "regular_price",
    "sale_price": "sale_price",
    "barcode": "global_unique_id",
    "name": "name",
    "description": "description",
    "weight": "weight",
}
ADDRESS_FIELDS = tuple(field.name for field in fields(Address))


class _Head(msgspec.Struct):
    id: int
    date_modified_gmt: str | None = None


_rows_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_heads_decoder = msgspec.json.Decoder(list[_Head])
_head_decoder = msgspec.json.Decoder(_Head)


class WooCommerce:
    label: ClassVar[str] = LABEL
    url_help: ClassVar[str] = "The address of the shop itself, as a buyer opens it."
    capabilities: ClassVar[Capabilities] = Capabilities(
        orders="Found by the time they were last modified; an order is here within one poll of being placed or edited.",
        items="Found by the time they were last modified, within one poll; deleted ones when all are compared.",
        customers="WooCommerce cannot say which have changed, so they are found when all are compared.",
        cannot=(
            "Orders moved to the trash or deleted in the shop are not reported by it.",
            "A refund that is deleted again in the shop is not reported by it.",
            "In old versions of WooCommerce, editing an order's lines in the shop's admin may not count as a change.",
            "Currencies other than the order's own are known to plug-ins only.",
            "The name of a variation, and whether the shop keeps stock of an item, are not set in the cart.",
            "A variation is not created in the cart; create it in the shop's admin with the same SKU.",
        ),
        order_statuses={
            "pending": "Pending payment",
            "processing": "Processing",
            "on-hold": "On hold",
            "completed": "Completed",
            "cancelled": "Cancelled",
            "refunded": "Refunded",
            "failed": "Failed",
        },
        paid_statuses=("processing", "completed"),
        # Rows committed late carry an older time; two minutes is far above any PHP time limit that still commits.
        overlap_seconds=120,
        tells_changes=frozenset({ORDER, ITEM}),
        item_fields=ITEM_FIELDS,
        # A variation's name is made by the shop, of its attributes.
        variation_fields=ITEM_FIELDS - {"name"},
        customer_fields=frozenset({"name", "company", "email", "phone", "billing", "shipping"}),
        customers_a_request=1,
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            "consumer_key", "Consumer key", "Starts with ck_. WooCommerce > Settings > Advanced > REST API."
        ),
        CredentialField(
            "consumer_secret",
            "Consumer secret",
            "Starts with cs_. Shown once by the shop, when the key is made.",
        ),
    )

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url.rstrip("/")
        key = connection.credentials.get("consumer_key", "")
        secret = connection.credentials.get("consumer_secret", "")
        self._zone = ZoneInfo(connection.timezone) if connection.timezone in available_timezones() else UTC
        # Over plain HTTP the shop refuses Basic and wants OAuth 1.0a with one leg, signed in the query.
        self._signature = OAuth1(key, client_secret=secret, signature_type="query")
        self._is_safe = self._url.lower().startswith("https://")
        self._auth: AuthBase = HTTPBasicAuth(key, secret) if self._is_safe else self._signature
        self._session = ShopSession(ca_bundle=connection.ca_bundle, timeout_seconds=connection.timeout_seconds)

    def close(self) -> None:
        self._session.close()

    # Reading --------------------------------------------------------------------------------------

    def check(self) -> ShopInfo:
        index = self._index()
        if not any(space.startswith("wc/v3") for space in index.get("namespaces", ())):
            raise ConfigError(
                "This address is a WordPress site without WooCommerce's REST API. Check that the WooCommerce plug-in "
                "is active and its version is 3.5 or newer, then click Test Connection."
            )
        self._get("orders", {"per_page": 1, "_fields": "id"})
        settings = {row["id"]: row.get("value") for row in self._optional("settings/general")}
        status = self._optional("system_status", {"_fields": "environment"})
        version = status.get("environment", {}).get("version", "") if isinstance(status, dict) else ""
        currency = settings.get("woocommerce_currency") or self._get("data/currencies/current").get("code", "")
        can_write = self._can_write()
        warnings = []
        if not settings:
            warnings.append("The key's user may not read the shop's settings, so some of them are not shown here.")
        if not self._is_safe:
            warnings.append(
                "The address is plain http: orders and customers travel readable. Use https for a live shop."
            )
        return ShopInfo(
            name=unescape(str(index.get("name", ""))),
            currency=str(currency),
            timezone=_timezone_name(index),
            version=str(version),
            can_write=can_write,
            permissions="Read and write" if can_write else "Read only: nothing can be sent to the cart with this key",
            address=str(index.get("home", "")),
            warnings=tuple(warnings),
        )

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        return stitched_pages(partial(self._chunk, kind), window, PER_PAGE)

    def _chunk(self, kind: str, since: datetime | None, offset: int) -> Chunk:
        params: dict[str, Any] = {
            "per_page": PER_PAGE,
            "offset": offset,
            "order": "asc",
            "orderby": "modified",
        }
        if kind == CUSTOMER:
            params |= {"orderby": "id", "role": "all"}  # customers have no date filter at all
        elif since is not None:
            # The filter is exclusive and knows whole seconds.
            just_before = since.replace(microsecond=0) - timedelta(seconds=1)
            params |= {"modified_after": self._cut(just_before), "dates_are_gmt": "true"}
        if kind == ORDER:
            params["status"] = "any"
        return _chunk_of(self._response(PATHS[kind], params))

    def _cut(self, at: datetime) -> str:
        """A time for the date filters: UTC without a zone (a zone beside dates_are_gmt would shift it twice).

        The shop reads this text as a time of its own zone first. One that its clocks skip in spring it moves forward
        by the hour, and would hide what lies between; so the hour is taken off before.
        """
        text = at.astimezone(UTC).replace(tzinfo=None)
        skipped = _offset(text, self._zone, fold=1) - _offset(text, self._zone, fold=0)
        return f"{text - max(skipped, timedelta(0)):%Y-%m-%dT%H:%M:%S}"

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        ids = [external_id for external_id in external_ids if external_id.isdecimal()]
        if not ids:
            return []  # an empty include means the whole shop
        params: dict[str, Any] = {
            "include": ",".join(ids),
            "per_page": PER_PAGE,
            "orderby": "include",
        }
        if kind == ORDER:
            params["status"] = "any"
        if kind == CUSTOMER:
            params["role"] = "all"
        return list(_chunk_of(self._response(PATHS[kind], params)).rows)

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        rows: list[RawRecord] = []
        while True:
            params = {"per_page": PER_PAGE, "offset": len(rows), "orderby": "id", "order": "asc"}
            chunk = _chunk_of(self._response(f"products/{parent_id}/variations", params))
            rows += chunk.rows
            if len(chunk.rows) < PER_PAGE:
                return rows

    def listing(self, kind: str, listing: Listing) -> Page:
        params: dict[str, Any] = {
            "page": int(listing.position or 1),
            "per_page": listing.per_page,
            "order": "desc",
            "orderby": "date",
        }
        if kind == ORDER:
            params["status"] = listing.status or "any"
        if kind == ITEM:
            params["orderby"] = "id"
        if kind == CUSTOMER:
            params |= {"orderby": "registered_date", "role": "all"}
        if listing.search:
            params["search"] = listing.search
        if kind != CUSTOMER and listing.placed_from is not None:
            params |= {
                "after": self._cut(listing.placed_from - timedelta(seconds=1)),
                "dates_are_gmt": "true",
            }
        if kind != CUSTOMER and listing.placed_before is not None:
            params |= {"before": self._cut(listing.placed_before), "dates_are_gmt": "true"}
        chunk = _chunk_of(self._response(PATHS[kind], params))
        return _page(chunk, int(listing.position or 1), listing.per_page)

    def admin_url(self, kind: str, external_id: str) -> str:
        if kind == ORDER:
            return f"{self._url}/wp-admin/admin.php?page=wc-orders&action=edit&id={external_id}"
        if kind == ITEM:
            return f"{self._url}/wp-admin/post.php?post={external_id}&action=edit"
        return f"{self._url}/wp-admin/user-edit.php?user_id={external_id}"

    # Requests -------------------------------------------------------------------------------------

    def _response(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        return self._send("GET", f"{self._url}{API}/{path}", params=params)

    def _send(self, method: str, url: str, **content: Any) -> Answer:
        """Some hosts strip the Authorization header; the shop then answers as to a stranger. A signed request tells
        whether it is that, and once it worked it stays."""
        try:
            return self._session.request(method, url, auth=self._auth, **content)
        except AuthError as error:
            if self._auth is self._signature or STRANGER not in error.detail:
                raise
            response = self._session.request(method, url, auth=self._signature, **content)
            self._auth = self._signature
            return response

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return _decode(self._response(path, params).content)

    def _optional(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """What only a manager of the shop may read: empty for a lesser key."""
        try:
            return self._get(path, params)
        except (AuthError, NotFound):
            return {} if path == "system_status" else []

    def _index(self) -> dict[str, Any]:
        try:
            index = _decode(self._session.request("GET", f"{self._url}/wp-json/", auth=None).content)
        except (NotFound, Unavailable) as error:
            if isinstance(error, Unavailable) and not error.detail.startswith("HTTP 200"):
                raise
            raise ConfigError(
                "There is no WordPress REST API at this address. Check the Cart Connect URL (the address of the "
                "shop's front page), that permalinks are not set to Plain, and that no plug-in switches the REST API "
                "off; then click Test Connection.",
                detail=error.detail,
            ) from None
        if not isinstance(index, dict):
            raise ConfigError("This address is not a WordPress site. Check the Cart Connect URL.")
        return index

    def _can_write(self) -> bool:
        """A batch of nothing changes nothing; a read-only key is refused before the shop looks into it."""
        try:
            self._send("POST", f"{self._url}{API}/products/batch", json={})
        except AuthError:
            return False
        except CartError as error:
            if not isinstance(error, Rejected):
                raise
        return True

    # Stock ----------------------------------------------------------------------------------------

    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        found: dict[ItemRef, Decimal | None] = {}
        for batch in self.stock_batches(refs):
            by_id = {ref.external_id: ref for ref in batch}
            params = {"include": ",".join(by_id), "per_page": PER_PAGE, "_fields": "id,manage_stock,stock_quantity"}
            for row in self._get(_stock_path(batch[0]), params):
                # A variation may say "parent": its own quantity is not kept then, whatever stands there.
                kept = row.get("manage_stock") is True and row.get("stock_quantity") is not None
                found[by_id[str(row["id"])]] = money(row["stock_quantity"]) if kept else None
        return found

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        """Simple products of the whole shop together, variations by their product, PER_PAGE at most."""
        groups: dict[str, list[ItemRef]] = {}
        for ref in refs:
            groups.setdefault(ref.parent_id, []).append(ref)
        return [group[at : at + PER_PAGE] for group in groups.values() for at in range(0, len(group), PER_PAGE)]

    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        """`manage_stock` is never sent: it would switch stock-keeping on, and take a variation off its product's."""
        first = levels[0]
        path = f"{_stock_path(ItemRef(first.external_id, first.parent_id))}/batch"
        rows = [{"id": int(level.external_id), "stock_quantity": int(level.quantity)} for level in levels]
        answer = self._send("POST", f"{self._url}{API}/{path}", json={"update": rows})
        return _results(answer, levels)

    # Items and customers --------------------------------------------------------------------------

    def page_by_id(self, kind: str, position: str) -> Page:
        number = int(position or 1)
        params: dict[str, Any] = {"page": number, "per_page": PER_PAGE, "orderby": "id", "order": "asc"}
        if kind == CUSTOMER:
            params["role"] = "all"
        return _page(_chunk_of(self._response(PATHS[kind], params)), number, PER_PAGE)

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        found: dict[ItemRef, RawRecord] = {}
        for batch in self.stock_batches(refs):
            by_id = {ref.external_id: ref for ref in batch if ref.external_id.isdecimal()}
            if not by_id:
                continue  # an empty include means the whole shop
            params: dict[str, Any] = {"include": ",".join(by_id), "per_page": PER_PAGE}
            if kind == CUSTOMER:
                params["role"] = "all"
            try:
                rows = _chunk_of(self._response(_path(kind, batch[0]), params)).rows
            except NotFound:
                if not batch[0].parent_id:
                    raise
                rows = ()  # the product is gone, and its variations with it
            found |= {by_id[row.external_id]: row for row in rows if row.external_id in by_id}
        return found

    def find(self, kind: str, key: str) -> list[RawRecord]:
        """The shop takes a comma in `sku` for several SKUs, and tells upper case from lower nowhere."""
        given = {"email": key, "role": "all"} if kind == CUSTOMER else {"sku": key}
        rows = _chunk_of(self._response(PATHS[kind], {**given, "per_page": PER_PAGE})).rows
        if kind == CUSTOMER:
            return [row for row in rows if self.parse_customer(row.body).email.strip().lower() == key.strip().lower()]
        return [row for row in rows if self.parse_item(row.body).sku.strip().lower() == key.strip().lower()]

    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        if kind == CUSTOMER:
            # One by one: a shop manager's key may write customers, but not in batches.
            return [self._push_customer(change) for change in changes]
        rows: list[dict[str, Any]] = []
        refused: dict[str, Rejected] = {}
        for change in changes:
            try:
                rows.append({"id": int(change.ref.external_id), **_item_body(change.values, change.ref.parent_id)})
            except Rejected as error:
                refused[change.ref.external_id] = error
        answered = self._batch(_path(ITEM, changes[0].ref), rows) if rows else {}
        return [
            RowResult(ref.external_id, error=refused[ref.external_id])
            if ref.external_id in refused
            else answered[ref.external_id]
            for ref in (change.ref for change in changes)
        ]

    def _batch(self, path: str, rows: list[dict[str, Any]]) -> dict[str, RowResult]:
        answer = self._send("POST", f"{self._url}{API}/{path}/batch", json={"update": rows})
        try:
            texts = msgspec.json.decode(answer.content, type=dict[str, list[msgspec.Raw]]).get("update", [])
        except msgspec.DecodeError as error:
            raise broken_answer(LABEL, error) from None
        if len(texts) != len(rows):
            raise broken_answer(LABEL, ValueError(f"{len(texts)} rows came back of {len(rows)}"))
        return {str(row["id"]): _row_result(str(row["id"]), text) for row, text in zip(rows, texts, strict=True)}

    def _push_customer(self, change: RecordChange) -> RowResult:
        external_id = change.ref.external_id
        try:
            body = _customer_body(change.values)
            answer = self._send("PUT", f"{self._url}{API}/customers/{external_id}", json=body)
        except NotFound as error:
            return RowResult(external_id, error=error)
        except Rejected as error:
            gone = "invalid_id" in error.detail
            return RowResult(external_id, error=NotFound(error.sentence, detail=error.detail) if gone else error)
        return _row_result(external_id, msgspec.Raw(answer.content))

    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        body = {**_customer_body(values), "email": key} if kind == CUSTOMER else {**_item_body(values, ""), "sku": key}
        answer = self._send("POST", f"{self._url}{API}/{PATHS[kind]}", json=body)
        text = msgspec.Raw(answer.content)
        return _raw_record(text, _head(text))

    # Mapping: pure functions of the shop's text -------------------------------------------------------

    def parse_order(self, body: bytes | str) -> CartOrder:
        with reading("order", LABEL):
            return _order(exact_decoder.decode(body))

    def parse_item(self, body: bytes | str) -> CartItem:
        with reading("item", LABEL):
            return _item(exact_decoder.decode(body))

    def parse_customer(self, body: bytes | str) -> CartCustomer:
        with reading("customer", LABEL):
            return _customer(exact_decoder.decode(body))

    def clean(self, body: bytes) -> str:
        data = exact_decoder.decode(body)
        for name in UNKEPT_FIELDS:
            data.pop(name, None)
        return exact_encoder.encode(data).decode()


def _page(chunk: Chunk, number: int, per_page: int) -> Page:
    is_last = len(chunk.rows) < per_page or chunk.total == number * per_page
    return Page(chunk.rows, chunk.total, is_last, "" if is_last else str(number + 1))


def _stock_path(ref: ItemRef) -> str:
    return _path(ITEM, ref)


def _path(kind: str, ref: ItemRef) -> str:
    return f"products/{ref.parent_id}/variations" if ref.parent_id else PATHS[kind]


def _item_body(values: Mapping[str, str], parent_id: str) -> dict[str, Any]:
    """Rejected where a number is none: the shop would make 1250 of "12,50" without an error."""
    body: dict[str, Any] = {}
    for name, text in values.items():
        if name in ("price", "sale_price", "weight") and text and not NUMBER.fullmatch(text):
            raise Rejected(f"“{text}” is no number the shop would understand, so nothing of this item was sent.")
        if name in WRITTEN_AS:
            body[WRITTEN_AS[name]] = text
    if "tax_class" in values:
        body["tax_class"] = "" if values["tax_class"] == "standard" else values["tax_class"]
    if "is_active" in values:
        hidden = "private" if parent_id else "draft"
        body["status"] = "publish" if values["is_active"] == "1" else hidden
    return body


def _customer_body(values: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if "name" in values:
        first, _, last = values["name"].rpartition(" ")
        body |= {"first_name": first.strip(), "last_name": last}
    if "email" in values:
        if values["email"].count("@") != 1:
            raise Rejected(f"“{values['email']}” is not an e-mail address, so nothing of this customer was sent.")
        body["email"] = values["email"]
    for name in ("billing", "shipping"):
        if name in values:
            given = json.loads(values[name]) if values[name] else {}
            # Company and phone of the billing address are fields of their own.
            body[name] = {
                key: given.get(key, "")
                for key in ADDRESS_FIELDS
                if name == "shipping" or key not in ("company", "phone")
            }
    own = {name: values[name] for name in ("company", "phone") if name in values}
    if own:
        body["billing"] = {**body.get("billing", {}), **own}
    return body


def _row_result(external_id: str, text: msgspec.Raw) -> RowResult:
    data = _decode(bytes(text))
    error = data.get("error") if isinstance(data, dict) else None
    if error:
        code, message = str(error.get("code", "")), str(error.get("message", ""))[:200]
        if code.endswith("_invalid_id"):
            return RowResult(external_id, error=NotFound("The cart does not have this record any more.", detail=code))
        return RowResult(external_id, error=Rejected(f"The cart refused the change: {message}", detail=code))
    return RowResult(external_id)


def _results(answer: Answer, levels: Sequence[StockLevel]) -> list[RowResult]:
    """One result a level. A batch is answered with 200 whatever became of its rows; each row tells for itself."""
    data = _decode(answer.content)
    rows = data.get("update", []) if isinstance(data, dict) else []
    if len(rows) != len(levels):
        raise broken_answer(LABEL, ValueError(f"{len(rows)} rows came back of {len(levels)}"))
    return [RowResult(level.external_id, error=_row_error(row, level)) for row, level in zip(rows, levels, strict=True)]


def _row_error(row: Mapping[str, Any], level: StockLevel) -> CartError | None:
    error = row.get("error")
    if error:
        code, message = str(error.get("code", "")), str(error.get("message", ""))[:200]
        if code.endswith("_invalid_id"):
            return NotFound("The cart does not have this item any more.", detail=code)
        return Rejected(f"The cart refused the quantity: {message}", detail=code)
    if row.get("manage_stock") is not True:
        return Rejected(NO_STOCK_KEPT)
    if str(row.get("id")) != level.external_id or money(row.get("stock_quantity") or 0) != level.quantity:
        return Rejected("The cart took the quantity but shows another one. A plug-in of the shop may change it.")
    return None


def _offset(at: datetime, zone: tzinfo, *, fold: int) -> timedelta:
    return at.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0)


def _decode(content: bytes) -> Any:
    try:
        return exact_decoder.decode(content)
    except msgspec.DecodeError as error:
        raise broken_answer(LABEL, error) from None


def _chunk_of(response: Answer) -> Chunk:
    try:
        texts = _rows_decoder.decode(response.content)
    except msgspec.DecodeError as error:
        raise broken_answer(LABEL, error) from None
    try:
        heads: Sequence[_Head | None] = _heads_decoder.decode(response.content)
    except msgspec.DecodeError:
        heads = [_head(text) for text in texts]
    rows = tuple(map(_raw_record, texts, heads))
    total = response.headers.get("X-WP-Total", "")
    # Past the last page WooCommerce says 0 for orders; a number below what it just sent is no number.
    return Chunk(rows=rows, total=int(total) if total.isdigit() and int(total) >= len(rows) and rows else None)


def _head(text: msgspec.Raw) -> _Head | None:
    try:
        return _head_decoder.decode(text)
    except msgspec.DecodeError:
        return None


def _raw_record(text: msgspec.Raw, head: _Head | None) -> RawRecord:
    """A row that nobody can read is a row all the same: it goes by what it is made of, and blocks no other."""
    body = bytes(text)
    digest = digest_of(body)
    if head is None:
        return RawRecord(f"unreadable-{digest.hex()}", None, digest, body)
    try:
        modified_at = _utc(head.date_modified_gmt)
    except ValueError:
        modified_at = None
    return RawRecord(str(head.id), modified_at, digest, body)


def _utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _timezone_name(index: Mapping[str, Any]) -> str:
    name = str(index.get("timezone_string") or "")
    if name:
        return name
    offset = Decimal(str(index.get("gmt_offset") or 0))
    minutes = int(offset * 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _order(data: dict[str, Any]) -> CartOrder:
    lines = [_item_line(line) for line in data["line_items"]]
    lines += [_other_line(SHIPPING_LINE, line, "method_title") for line in data.get("shipping_lines", ())]
    lines += [_other_line(FEE_LINE, line, "name") for line in data.get("fee_lines", ())]
    billing = _address(data.get("billing"))
    refunds = data.get("refunds") or ()
    return CartOrder(
        external_id=str(data["id"]),
        number=str(data.get("number") or data["id"]),
        parent_id=str(data.get("parent_id") or ""),
        status=data["status"],
        is_paid=data["status"] in WooCommerce.capabilities.paid_statuses or bool(data.get("date_paid_gmt")),
        is_cancelled=data["status"] in CANCELLED_STATUSES,
        placed_at=_required_utc(data["date_created_gmt"]),
        modified_at=_required_utc(data.get("date_modified_gmt") or data["date_created_gmt"]),
        currency=data["currency"],
        total=money(data["total"]),
        tax_total=money(data["total_tax"]),
        discount_total=money(data.get("discount_total", "0")),
        rounding_limit=_rounding_limit(data["total"], len(lines)),
        lines=tuple(lines),
        external_customer_id=str(data.get("customer_id") or ""),
        email=str((data.get("billing") or {}).get("email") or ""),
        billing=billing,
        shipping=_address(data.get("shipping")),
        refunds=tuple(Refund(str(row["id"]), abs(money(row["total"])), row.get("reason") or "") for row in refunds),
        payment_method=data.get("payment_method_title") or data.get("payment_method") or "",
        note=data.get("customer_note") or "",
    )


def _rounding_limit(total: str, lines: int) -> Decimal:
    """Taxes rounded on the whole order, or of several rates, leave each line off by at most half the smallest unit
    the shop prints (measured: 3 cents on 13 lines, 4 units on 13 lines where it prints no decimals)."""
    exponent = money(total).as_tuple().exponent
    unit = ONE.scaleb(exponent) if isinstance(exponent, int) else ONE
    return (unit * max(1, lines) / 2).quantize(unit, ROUND_UP)


def _item_line(line: dict[str, Any]) -> OrderLine:
    net = money(line["total"])
    return OrderLine(
        kind=ITEM_LINE,
        external_item_id=str(line.get("variation_id") or line.get("product_id") or ""),
        sku=str(line.get("sku") or ""),
        description=unescape(str(line.get("name") or "")),
        quantity=money(line["quantity"]),
        net=net,
        tax=money(line["total_tax"]),
        discount=money(line["subtotal"]) - net,
    )


def _other_line(kind: str, line: dict[str, Any], name: str) -> OrderLine:
    return OrderLine(
        kind=kind,
        external_item_id="",
        sku="",
        description=unescape(str(line.get(name) or "")),
        quantity=ONE,
        net=money(line["total"]),
        tax=money(line["total_tax"]),
    )


def _address(data: Mapping[str, Any] | None) -> Address:
    if not data:
        return Address()
    return Address(*(str(data.get(name) or "") for name in ADDRESS_FIELDS))


def _item(data: dict[str, Any]) -> CartItem:
    stock = data.get("stock_quantity")
    return CartItem(
        external_id=str(data["id"]),
        parent_id=str(data.get("parent_id") or ""),
        sku=str(data.get("sku") or ""),
        name=unescape(str(data.get("name") or "")),
        price=optional_money(data.get("regular_price") or data.get("price")),
        sale_price=optional_money(data.get("sale_price")),
        description=str(data.get("description") or ""),
        barcode=str(data.get("global_unique_id") or ""),
        weight=optional_money(data.get("weight")),
        tax_class=str(data.get("tax_class") or "standard"),
        # A variation may say "parent": then its parent keeps the stock.
        is_stock_managed=data.get("manage_stock") is True,
        is_active=data.get("status") == "publish",
        has_variations=data.get("type") == "variable",
        stock=None if stock is None else money(stock),
        modified_at=_utc(data.get("date_modified_gmt")),
    )


def _customer(data: dict[str, Any]) -> CartCustomer:
    billing = _address(data.get("billing"))
    return CartCustomer(
        external_id=str(data["id"]),
        email=str(data.get("email") or ""),
        first_name=str(data.get("first_name") or billing.first_name),
        last_name=str(data.get("last_name") or billing.last_name),
        company=billing.company,
        phone=billing.phone,
        billing=billing,
        shipping=_address(data.get("shipping")),
        modified_at=_utc(data.get("date_modified_gmt")),
    )


def _required_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
