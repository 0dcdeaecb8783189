"""Magento 2 / Adobe Commerce, REST V1 (checked against 2.4.6; facts and traps: docs/platforms/magento.md)."""

import json
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial, wraps
from typing import Any, ClassVar, ParamSpec, TypeVar
from urllib.parse import quote

import msgspec
from requests import PreparedRequest
from requests.auth import AuthBase
from requests_oauthlib import OAuth1

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected, Unavailable
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
from carts.platforms.http import DETAIL_LENGTH, JSON, Answer, ShopSession
from carts.platforms.paging import Chunk, requeried_pages
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
    Location,
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

Part = TypeVar("Part")
LABEL = "Magento"
PER_PAGE = 100
# What a shop with input limits takes of an array at once, unless it was set otherwise.
LIMITED = 20
# Of an address in characters; web servers refuse from 8 kB on, and the signature and names come on top.
LONGEST_FILTER = 4000
ALTERNATIVE = 200  # what the names around one alternative take
# The place where a shop without sources keeps its stock, by a name no source has.
LEGACY = "cataloginventory"
ALL = "all"  # the scope of values that hold for every store view
PATHS = {ORDER: "orders", ITEM: "products", CUSTOMER: "customers/search"}
# What is sold by its own stock. The others are put together from these, and are no items of their own.
GROUPS = "configurable,grouped"
COMPOSITE = frozenset({"configurable", "grouped", "bundle"})
DEFAULT_STOCK = "1"  # kept in step with every write; other stocks sell from an index
DEFAULT_ATTRIBUTE_SET = 4  # "Default" for products, in every installation
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
PLACE = re.compile(r"%(\w+)")
# Keys that open an order to whoever holds them, and network addresses of buyers: never kept.
UNKEPT_FIELDS = ("protect_code", "remote_ip", "x_forwarded_for", "quote_id")
UNKEPT_CUSTOMER_FIELDS = ("confirmation", "rp_token", "password_hash")
# Of a payment only this: the rest is what payment modules put there, tokens among it.
KEPT_OF_PAYMENT = ("method", "amount_ordered", "amount_paid", "amount_refunded")
MEMO_FIELDS = "items[entity_id,increment_id,order_id,state,grand_total,base_grand_total,customer_note]"
CANCELLED_STATES = frozenset({"canceled", "closed"})
REFUNDED = 2  # the state of a credit memo that was not cancelled
ITEM_LINE, SHIPPING_LINE, FEE_LINE = "item", "shipping", "fee"
ONE, ZERO, CENT, NO_CENTS = Decimal(1), Decimal(0), Decimal("0.01"), Decimal("0.00")
ITEM_FIELDS = frozenset({"name", "price", "sale_price", "description", "weight", "is_active"})
NO_ROUTE = "does not match any route"
NO_STOCK_KEPT = (
    "The cart keeps no stock for this item: it is put together from others, or Manage Stock is off. Nothing was sent. "
    "Change that in the shop's admin and click Retry, or click Ignore."
)
Told = TypeVar("Told")
Given = ParamSpec("Given")
Filter = tuple[str, str, str]  # field, condition, value


class _Head(msgspec.Struct):
    """Orders have an entity_id, products and customers an id."""

    entity_id: int | None = None
    id: int | None = None
    updated_at: str | None = None
    total_refunded: float | None = None


class _List(msgspec.Struct):
    """`items` is null where `fields` is asked of an empty page."""

    items: list[msgspec.Raw] | None
    total_count: int | None = None


class _Memo(msgspec.Struct):
    entity_id: int
    order_id: int


_list_decoder = msgspec.json.Decoder(_List)
_head_decoder = msgspec.json.Decoder(_Head)
_memo_decoder = msgspec.json.Decoder(_Memo)


@dataclass(frozen=True, slots=True)
class _Stock:
    """How a shop with multi-source inventory stocks the website of our store view."""

    website: str
    stock_id: str
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Good:
    sku: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Level:
    """`shown` is what buyers can buy of our source; `reserved` what unshipped orders hold of it, which the source
    contains still."""

    shown: Decimal
    reserved: Decimal


def _understood(method: Callable[Given, Told]) -> Callable[Given, Told]:
    """An answer that is JSON, but not what Magento answers there, is a shop that is ill: told as such, never as a fault
    of ours."""

    @wraps(method)
    def reading(*args: Given.args, **kwargs: Given.kwargs) -> Told:
        try:
            return method(*args, **kwargs)
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration, InvalidOperation) as error:
            raise broken_answer(LABEL, error) from None

    return reading


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Magento:
    label: ClassVar[str] = "Magento 2 / Adobe Commerce"
    url_help: ClassVar[str] = "The shop's base URL, as a buyer opens it, without /rest."
    capabilities: ClassVar[Capabilities] = Capabilities(
        orders="Found by the time they were last modified; an order is here within one poll of being placed or edited.",
        items="Found by the time they were last modified, within one poll; deleted ones when all are compared.",
        customers="Found by the time they were last modified, within one poll; a change of an address alone when all "
        "are compared.",
        cannot=(
            "Stock that changes in the shop moves no time there, so it is found when all stock is compared.",
            "An address edited on an order, and a part of it shipped, do not count as a change in the shop.",
            "Prices changed there by base-price, special-price or tier-price imports are found when all are compared.",
            "Deleted items and customers are found when all are compared; orders cannot be deleted.",
            "Which sizes belong to one configurable product is not told: each is an item of its own SKU.",
            "Values are those of all store views; what one view shows instead is neither read nor written.",
            "Barcode, tax class and whether the shop keeps stock are not set in the cart.",
            "With a stock of its own whose index lags, units that buyers reserved are misjudged until all is compared.",
            "A customer needs a first and a last name, and an address a phone number.",
        ),
        order_statuses={
            "new": "New",
            "pending_payment": "Pending payment",
            "payment_review": "Payment review",
            "processing": "Processing",
            "holded": "On hold",
            "complete": "Complete",
            "closed": "Closed",
            "canceled": "Cancelled",
        },
        paid_statuses=("processing", "complete"),
        # Rows committed late carry an older time; two minutes is far above what a checkout's transaction takes.
        overlap_seconds=120,
        tells_changes=frozenset({ORDER, ITEM, CUSTOMER}),
        item_fields=ITEM_FIELDS,
        variation_fields=ITEM_FIELDS,
        customer_fields=frozenset({"name", "company", "email", "phone", "billing", "shipping"}),
        has_locations=True,
        items_a_request=1,
        customers_a_request=1,
        api_version="V1",
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            "store_code",
            "Store view code",
            "Stores > All Stores. Empty means default. Its website's customers and stock are used.",
            is_secret=False,
            is_required=False,
        ),
        CredentialField(
            "consumer_key",
            "Consumer key",
            "System > Integrations. Leave the key, secret and token secret empty to use the access token alone, where "
            "the shop allows that.",
            is_required=False,
        ),
        CredentialField("consumer_secret", "Consumer secret", is_required=False),
        CredentialField("access_token", "Access token"),
        CredentialField("access_token_secret", "Access token secret", is_required=False),
        CredentialField(
            "admin_path",
            "Admin path",
            "What follows the base URL in the address of the shop's admin; empty means admin.",
            is_secret=False,
            is_required=False,
        ),
    )

    def __init__(self, connection: Connection) -> None:
        given = {name: value.strip() for name, value in connection.credentials.items()}
        self._url = connection.url.rstrip("/")
        self._scope = given.get("store_code") or "default"
        self._admin = (given.get("admin_path") or "admin").strip("/")
        self._location = connection.location or "default"
        self._budget = connection.budget
        key, secret, token, token_secret = (given.get(name, "") for name in SIGNING)
        # Where nothing is there to sign with, the token is sent alone, which a shop takes if it was set to.
        self._is_signed = bool(key or secret or token_secret)
        self._is_whole = bool(token and (not self._is_signed or (key and secret and token_secret)))
        self._auth = _signature(key, secret, token, token_secret) if self._is_signed else _Bearer(token)
        self._session = ShopSession(
            ca_bundle=connection.ca_bundle, timeout_seconds=connection.timeout_seconds, speech=SPEECH
        )
        # How the shop stocks, once it was asked; None inside: it has no sources.
        self._stock_known: tuple[_Stock | None] | None = (None,) if connection.location == LEGACY else None

    def close(self) -> None:
        self._session.close()

    # Reading --------------------------------------------------------------------------------------

    @_understood
    def check(self) -> ShopInfo:
        if not self._is_whole:
            raise ConfigError(
                "Enter the consumer key, its secret, the access token and its secret, or the access token alone. "
                "Nothing was sent."
            )
        config = self._store_config()
        views = {row["code"]: str(row["name"]) for row in self._get("store/storeViews")}
        denied = [name for name, path in PROBES.items() if not self._may_read(path)]
        if "orders" in denied:
            raise AuthError(
                "The key is right, but the integration may not read orders. Tick Sales, Catalog, Customers and Stores "
                "for it under System > Integrations > API, then click Test Connection."
            )
        self._stock_known = None  # looked at anew
        stock = None if "stock" in denied else self._stock()
        locations = self._locations(stock, denied)
        able = ", ".join(name for name in PROBES if name not in denied)
        way = "signed with OAuth 1.0a" if self._is_signed else "by the access token alone"
        lacking = f"; not {', '.join(denied)}" if denied else ""
        return ShopInfo(
            name=views.get(config["code"]) or config["code"],
            currency=str(config["base_currency_code"]),
            timezone=str(config["timezone"]),
            version=f"REST V1, {_stock_named(stock, denied)}",
            can_write=not {"items", "customers", "stock"} & set(denied),
            permissions=f"Requests go {way}; the integration may use {able}{lacking}",
            address=str(config.get("base_url", "")),
            locations=locations,
            warnings=tuple(self._warnings(config, stock, locations)),
        )

    def _warnings(
        self, config: Mapping[str, Any], stock: _Stock | None, locations: Sequence[Location]
    ) -> Generator[str]:
        if self._location not in ("default", LEGACY, *(each.external_id for each in locations)):
            yield f"The stock location {self._location} is not among the shop's sources. Choose one under Edit."
        if stock is not None and stock.stock_id != DEFAULT_STOCK:
            yield (
                "This website sells from a stock of its own. Keep its index on Update on Save in the shop (System > "
                "Index Management): with an index that lags, reserved units are misjudged."
            )
        currency, shown = config["base_currency_code"], config["default_display_currency_code"]
        if currency != shown:
            yield f"Prices are kept in {currency}; buyers see {shown}, and orders are in what they chose."
        if not self._url.lower().startswith("https://"):
            yield "The address is plain http: orders and customers travel readable. Use https for a live shop."

    def _locations(self, stock: _Stock | None, denied: Sequence[str]) -> tuple[Location, ...]:
        """None where we may not look: a shop with sources must not be taken for one without."""
        if stock is None:
            return () if "stock" in denied else (Location(LEGACY, "Catalog inventory"),)
        rows = self._get("inventory/sources", _criteria())["items"] or []
        return tuple(Location(row["source_code"], row["name"]) for row in rows if row.get("enabled", True))

    def _may_read(self, path: str) -> bool:
        """Magento's permissions do not tell reading from writing."""
        try:
            self._get(path, _criteria(size=1) | {"fields": "total_count"})
        except AuthError:
            return False
        except NotFound:
            return True  # a shop without sources: its stock items go with the products
        return True

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        with closing(requeried_pages(partial(self._chunk, kind), window, PER_PAGE)) as pages:
            for page in pages:
                yield self._composed(kind, page, window.before_request)

    def _chunk(self, kind: str, since: datetime | None, behind: str) -> Chunk:
        groups = _kept(kind)
        if since is not None:
            groups.append([("updated_at", "eq" if behind else "gteq", _stamp(since))])
        if behind:
            groups.append([("entity_id", "gt", behind)])
        return self._list(kind, _criteria(groups, (("updated_at", "ASC"), ("entity_id", "ASC")), PER_PAGE))

    def _composed(self, kind: str, page: Page, before: Callable[[], None] = lambda: None) -> Page:
        """Orders that had money back are shown with their credit memos, which are lists of their own."""
        refunded = [row.external_id for row in page.rows if kind == ORDER and _is_refunded(row)]
        if not refunded:
            return page
        before()
        memos: dict[str, list[msgspec.Raw]] = {}
        criteria = _criteria([[("order_id", "in", ",".join(refunded))]], (("entity_id", "ASC"),))
        for text in self._rows("creditmemos", criteria | {"fields": f"{MEMO_FIELDS},total_count"}):
            memos.setdefault(str(_decode(text, _memo_decoder).order_id), []).append(text)
        return replace(page, rows=tuple(_with_memos(row, memos.get(row.external_id)) for row in page.rows))

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        ids = [external_id for external_id in external_ids if external_id.isdecimal()]
        if not ids:
            return []
        chunk = self._list(kind, _criteria([[("entity_id", "in", ",".join(ids))]], (("entity_id", "ASC"),), PER_PAGE))
        return list(self._composed(kind, Page(chunk.rows, chunk.total, True)).rows)

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        """None: the sizes of a configurable product are rows of their own."""
        return []

    def listing(self, kind: str, listing: Listing) -> Page:
        groups = _kept(kind)
        if listing.placed_from is not None:
            groups.append([("created_at", "gteq", _stamp(listing.placed_from))])
        if listing.placed_before is not None:
            groups.append([("created_at", "lt", _stamp(listing.placed_before))])
        if listing.status and kind == ORDER:
            groups.append([("state", "in", listing.status)])
        if listing.search:
            groups.append([(field, "like", f"%{listing.search}%") for field in SEARCHED[kind]])
        number = int(listing.position or 1)
        sorts = (("created_at", "DESC"), ("entity_id", "DESC"))
        chunk = self._list(kind, _criteria(groups, sorts, listing.per_page, number))
        # Behind the end an old shop shows its last page again; only the count tells.
        is_last = chunk.total is None or number * listing.per_page >= chunk.total
        page = Page(chunk.rows, chunk.total, is_last, "" if is_last else str(number + 1))
        return self._composed(kind, page)

    def admin_url(self, kind: str, external_id: str) -> str:
        path = {ORDER: "sales/order/view/order_id", ITEM: "catalog/product/edit/id", CUSTOMER: "customer/index/edit/id"}
        return f"{self._url}/{self._admin}/{path[kind]}/{external_id}/"

    # Requests -------------------------------------------------------------------------------------

    def _send(self, method: str, scope: str, path: str, query: Mapping[str, str], body: Any = None) -> Answer:
        asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
        self._budget.spend(1)
        try:
            return self._session.request(
                method,
                f"{self._url}/rest/{scope}/V1/{path}{'?' if asked else ''}{asked}",
                auth=self._auth,
                data=None if body is None else exact_encoder.encode(body),
                headers=None if body is None else {"Content-Type": "application/json"},
            )
        except RateLimited as error:
            self._budget.refused(error.wait_seconds)
            raise
        except AuthError as error:
            raise self._refused(error) from None
        except Rejected as error:
            if "oauth_timestamp" in error.sentence:
                raise ConfigError(
                    "The shop refused the signature for its time: this server's clock or the shop's is wrong by "
                    "minutes. Set it right, then click Test Connection.",
                    detail=error.detail,
                ) from None
            raise

    def _refused(self, error: AuthError) -> AuthError:
        """Magento says the same to a stranger and to an integration that lacks a permission."""
        lacking = re.search(r"access ([\w:]+)", error.sentence)
        if lacking is None:
            return error
        bearer = "" if self._is_signed else (
            " If the shop was never set to take the access token alone (Stores > Configuration > Services > OAuth), "
            "enter the consumer key and all three secrets."
        )  # fmt: skip
        return AuthError(
            f"The shop lets this integration not use {lacking[1]}. Tick it under System > Integrations > API, and "
            f"check under Edit that the integration is active and its keys are whole.{bearer} Then click Test "
            "Connection.",
            detail=error.detail,
        )

    def _get(self, path: str, query: Mapping[str, str] | None = None, scope: str = "") -> Any:
        return _decode(self._send("GET", scope or self._scope, path, query or {}).content)

    def _optional(self, path: str) -> Any:
        try:
            return self._get(path)
        except (AuthError, NotFound):
            return []

    def _list(self, kind: str, criteria: Mapping[str, str]) -> Chunk:
        try:
            answer = self._send("GET", ALL if kind == ITEM else self._scope, PATHS[kind], criteria)
        except NotFound as error:
            raise _no_api(error) from None
        found = _decode(answer.content, _list_decoder)
        return Chunk(tuple(map(_raw_record, found.items or ())), found.total_count)

    def _rows(self, path: str, criteria: Mapping[str, str], scope: str = "") -> list[msgspec.Raw]:
        """Every row of a short list, page by page as far as its count goes."""
        rows: list[msgspec.Raw] = []
        for number in range(1, 1000):
            paging = {"searchCriteria[pageSize]": str(PER_PAGE), "searchCriteria[currentPage]": str(number)}
            answer = self._send("GET", scope or self._scope, path, {**criteria, **paging})
            found = _decode(answer.content, _list_decoder)
            rows += found.items or ()
            if not found.items or len(rows) >= (found.total_count or 0):
                break
        return rows

    def _store_config(self) -> dict[str, Any]:
        """Of the store view that was entered. It is asked for at `all`: an unknown view's code has no route."""
        try:
            configs = self._get("store/storeConfigs", scope=ALL)
        except (NotFound, Unavailable) as error:
            if isinstance(error, Unavailable) and not error.detail.startswith("HTTP 200"):
                raise
            raise _no_api(error) from None
        known = [row["code"] for row in configs]
        config = next((row for row in configs if row["code"] == self._scope or self._scope == ALL), None)
        if config is None:
            raise ConfigError(
                f"The shop has no store view {self._scope}; it has {', '.join(known)}. Correct the store view code "
                "under Edit, then click Test Connection."
            )
        return dict(config)

    # Stock ----------------------------------------------------------------------------------------

    @_understood
    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        """What buyers can buy of it at our source: the units that unshipped orders hold are gone from it already."""
        shown: dict[ItemRef, Decimal | None] = {}
        for batch in _parts(refs, PER_PAGE):
            goods = self._goods(batch)
            levels = self._levels([good.sku for good in goods.values() if good.kind not in COMPOSITE])
            for ref, good in goods.items():
                level = levels.get(good.sku.lower())
                shown[ref] = level.shown if level else None
        return shown

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        """A hundred, or one by one where the shop has no sources."""
        return _parts(refs, 1 if self._stock_known == (None,) else PER_PAGE)

    @_understood
    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        """What the source holds is set to what buyers may buy and what is reserved. Looked up first: the shop takes
        quantities of unknown SKUs and of products that keep none without a word."""
        goods = self._goods([ItemRef(level.external_id, level.parent_id) for level in levels])
        there = self._levels([good.sku for good in goods.values() if good.kind not in COMPOSITE])
        results: dict[str, RowResult] = {}
        rows: list[tuple[StockLevel, _Good, Decimal]] = []
        for level in levels:
            good = goods.get(ItemRef(level.external_id, level.parent_id))
            now = there.get(good.sku.lower()) if good else None
            if good is None:
                gone = NotFound("The cart does not have this item any more.")
                results[level.external_id] = RowResult(level.external_id, gone)
            elif now is None:
                results[level.external_id] = RowResult(level.external_id, Rejected(NO_STOCK_KEPT))
            else:
                rows.append((level, good, level.quantity + now.reserved))
        send = self._set_legacy if self._stock() is None else self._set_sources
        results |= {result.external_id: result for result in (send(rows) if rows else ())}
        return [results[level.external_id] for level in levels]

    def _set_sources(self, rows: Sequence[tuple[StockLevel, _Good, Decimal]]) -> list[RowResult]:
        """All rows or none. What is over a shop's limit was not looked at, so it is sent again in smaller parts."""
        items = [
            {
                "sku": good.sku,
                "source_code": self._location,
                "quantity": quantity,
                # The quantity alone turns nothing off or on.
                "status": 1 if quantity > 0 else 0,
            }
            for _, good, quantity in rows
        ]
        try:
            self._send("POST", self._scope, "inventory/source-items", {}, {"sourceItems": items})
        except Rejected as error:
            if len(rows) > LIMITED and "maximum" in error.sentence.lower():
                return [result for part in _parts(rows, LIMITED) for result in self._set_sources(part)]
            return [RowResult(level.external_id, error) for level, _, _ in rows]
        return [RowResult(level.external_id) for level, _, _ in rows]

    def _set_legacy(self, rows: Sequence[tuple[StockLevel, _Good, Decimal]]) -> list[RowResult]:
        return [self._set_one_legacy(level.external_id, good.sku, quantity) for level, good, quantity in rows]

    def _set_one_legacy(self, external_id: str, sku: str, quantity: Decimal) -> RowResult:
        item = {"stockItem": {"qty": quantity, "is_in_stock": quantity > 0}}
        try:
            self._send("PUT", self._scope, f"products/{quote(sku, safe='')}/stockItems/{external_id}", {}, item)
        except (Rejected, NotFound) as error:
            return RowResult(external_id, error=_by_path(error, sku))
        return RowResult(external_id)

    def _goods(self, refs: Sequence[ItemRef]) -> dict[ItemRef, _Good]:
        """SKU and kind of each; one that is gone is left out."""
        by_id = {ref.external_id: ref for ref in refs if ref.external_id.isdecimal()}
        if not by_id:
            return {}
        criteria = _criteria([[("entity_id", "in", ",".join(by_id))]]) | {"fields": "items[id,sku,type_id],total_count"}
        rows = [_decode(text) for text in self._rows("products", criteria, scope=ALL)]
        return {by_id[str(row["id"])]: _Good(str(row["sku"]), str(row["type_id"])) for row in rows}

    def _levels(self, skus: Sequence[str]) -> dict[str, _Level]:
        """By SKU in lower case; one that keeps no stock is left out."""
        if not skus:
            return {}
        stock = self._stock()
        if stock is None:
            found = {sku: self._legacy_quantity(sku) for sku in skus}
            return {sku.lower(): _Level(quantity, ZERO) for sku, quantity in found.items() if quantity is not None}
        rows = self._rows_of_skus("inventory/source-items", skus, "source_item_id")
        salable = self._salable(stock, skus)
        levels = {}
        for sku, quantity in salable.items():
            mine = [row for row in rows if row["sku"].lower() == sku and row["source_code"] in stock.sources]
            active = sum((money(row["quantity"]) for row in mine if row["status"] == 1), ZERO)
            reserved = max(ZERO, active - quantity)
            ours = [row for row in mine if row["source_code"] == self._location]
            # What is set out of stock counts as none; a source that was sold below zero shows it, and is set right.
            there = (
                money(row["quantity"]) if row["status"] == 1 else min(ZERO, money(row["quantity"])) for row in ours
            )
            levels[sku] = _Level(sum(there, ZERO) - reserved, reserved)
        return levels

    def _salable(self, stock: _Stock, skus: Sequence[str]) -> dict[str, Decimal]:
        """What can be bought, of many at once where the shop has that; one by one what is not among them."""
        found: dict[str, Decimal] = {}
        asked = {sku.lower(): sku for sku in skus}
        rows: list[Any] = []
        with suppress(NotFound, Rejected, AuthError):
            path = f"inventory/export-stock-salable-qty/website/{quote(stock.website, safe='')}"
            rows = self._rows_of_skus(path, skus)
        for row in rows:
            sku = asked.pop(str(row["sku"]).lower(), None)
            if sku is not None and row.get("qty") is not None:
                found[sku.lower()] = money(row["qty"])
        for key, sku in asked.items():
            try:
                path = f"inventory/get-product-salable-quantity/{quote(sku, safe='')}/{stock.stock_id}"
                found[key] = money(self._get(path))
            except (NotFound, Rejected):
                continue
        return found

    def _rows_of_skus(self, path: str, skus: Sequence[str], sort: str = "") -> list[Any]:
        """In as many requests as keep each address shorter than web servers allow."""
        portions: list[list[str]] = [[]]
        left = LONGEST_FILTER
        for sku in skus:
            length = len(quote(sku, safe="")) + (ALTERNATIVE if "," in sku else 3)
            if length > left and portions[-1]:
                portions.append([])
                left = LONGEST_FILTER
            portions[-1].append(sku)
            left -= length
        return [_decode(text) for portion in portions for text in self._rows(path, _of_skus(portion, sort))]

    def _legacy_quantity(self, sku: str) -> Decimal | None:
        try:
            item = self._get(f"stockItems/{quote(sku, safe='')}")
        except (NotFound, Rejected):
            return None
        # What was set out of stock is not sold, whatever its quantity.
        sold = money(item["qty"] or 0) if item.get("is_in_stock") else ZERO
        return sold if item.get("manage_stock") else None

    def _stock(self) -> _Stock | None:
        """Asked for once: it changes with the shop's set-up only. None: the shop has no sources."""
        if self._stock_known is None:
            self._stock_known = (self._read_stock_setup(),)
        return self._stock_known[0]

    def _read_stock_setup(self) -> _Stock | None:
        modules = self._optional("modules")
        if modules and "Magento_InventoryApi" not in modules:
            return None
        website_id = self._store_config()["website_id"]
        website = next(str(row["code"]) for row in self._get("store/websites") if row["id"] == website_id)
        try:
            stock_id = str(self._get(f"inventory/stock-resolver/website/{quote(website, safe='')}")["stock_id"])
        except NotFound as error:
            if NO_ROUTE in error.detail:
                return None
            raise ConfigError(
                f"The website {website} sells from no stock. Assign it to one in the shop (Stores > "
                "Inventory > Stocks)."
            ) from None
        links = self._get("inventory/stock-source-links", _criteria([[("stock_id", "eq", stock_id)]]))["items"] or []
        return _Stock(website, stock_id, frozenset(str(row["source_code"]) for row in links))

    # Items and customers --------------------------------------------------------------------------

    def page_by_id(self, kind: str, position: str) -> Page:
        groups = _kept(kind) + ([[("entity_id", "gt", position)]] if position else [])
        chunk = self._list(kind, _criteria(groups, (("entity_id", "ASC"),), PER_PAGE))
        is_last = len(chunk.rows) < PER_PAGE or chunk.total == len(chunk.rows)
        return Page(
            chunk.rows, None if position else chunk.total, is_last, "" if is_last else chunk.rows[-1].external_id
        )

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        found: dict[ItemRef, RawRecord] = {}
        for batch in _parts(refs, PER_PAGE):
            by_id = {ref.external_id: ref for ref in batch}
            found |= {
                by_id[row.external_id]: row for row in self.fetch_many(kind, list(by_id)) if row.external_id in by_id
            }
        return found

    def find(self, kind: str, key: str) -> list[RawRecord]:
        return self._find(kind, key, _kept(kind))

    def _find(self, kind: str, key: str, kept: list[list[Filter]]) -> list[RawRecord]:
        field = "email" if kind == CUSTOMER else "sku"
        criteria = _criteria([*kept, [(field, "eq", key.strip())]], (("entity_id", "ASC"),), PER_PAGE)
        rows = self._list(kind, criteria).rows
        wanted = key.strip().lower()
        if kind == CUSTOMER:
            return [row for row in rows if self.parse_customer(row.body).email.strip().lower() == wanted]
        return [row for row in rows if self.parse_item(row.body).sku.strip().lower() == wanted]

    @_understood
    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        if kind == CUSTOMER:
            return [self._push_one(change, self._put_customer) for change in changes]
        goods = self._goods([change.ref for change in changes])
        return [self._push_one(change, partial(self._save_item, goods)) for change in changes]

    def _push_one(self, change: RecordChange, send: Callable[[RecordChange], None]) -> RowResult:
        try:
            send(change)
        except (NotFound, Rejected) as error:
            return RowResult(change.ref.external_id, error)
        return RowResult(change.ref.external_id)

    def _save_item(self, goods: Mapping[ItemRef, _Good], change: RecordChange) -> None:
        """By POST, which saves by SKU: in a path, a SKU with a slash is for many web servers no SKU at all."""
        good = goods.get(change.ref)
        if good is None:
            raise NotFound("The cart does not have this item any more.")
        body = {"product": {"sku": good.sku, **_item_body(change.values)}}
        saved = _decode(self._send("POST", ALL, "products", {}, body).content)
        if str(saved.get("id")) != change.ref.external_id:
            raise Rejected(
                f"The shop saved {good.sku} as another item; its SKU was changed meanwhile. Look at it there."
            )

    def _put_customer(self, change: RecordChange) -> None:
        """Read, merged and sent whole: what is not sent, the shop drops."""
        path = f"customers/{quote(change.ref.external_id, safe='')}"
        customer = self._get(path)
        if str(customer["id"]) != change.ref.external_id:
            raise ValueError(f"customer {customer['id']}")  # nothing is merged into half an answer
        self._send("PUT", self._scope, path, {}, {"customer": self._merged(customer, change.values)})

    def _merged(self, customer: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
        merged = {**customer, **_customer_names(values)}
        book = [dict(each) for each in customer.get("addresses") or ()]
        for kind in ("billing", "shipping"):
            given = _given_address(values, kind)
            if given is not None:
                self._set_address(book, kind, given, merged)
        # No address is without a phone number here; one that was given none has the customer's.
        phone = next((each["telephone"] for each in book if each.get("telephone")), "")
        book = [{**each, "telephone": each.get("telephone") or phone} for each in book]
        return {**merged, "addresses": book}

    def _set_address(self, book: list[dict[str, Any]], kind: str, given: dict[str, str], owner: dict[str, Any]) -> None:
        """Into the default address of this kind; one that both kinds share is parted, so that the other stays."""
        flag, other = f"default_{kind}", "default_shipping" if kind == "billing" else "default_billing"
        entry = next((each for each in book if each.get(flag)), None)
        if entry is not None and entry.get(other):
            entry.pop(flag)
            entry = {name: value for name, value in entry.items() if name not in ("id", other)} | {flag: True}
            book.append(entry)
        if entry is not None and not any(given.values()):
            book.remove(entry)
            owner.pop(flag, None)
            return
        if entry is None:
            if not any(given.values()):
                return
            entry = {"firstname": owner["firstname"], "lastname": owner["lastname"], flag: True}
            book.append(entry)
        owner.pop(flag, None)  # the address itself says it, and a new one has no id yet
        entry |= _address_body(given, entry)
        if "state" in given or "country" in given:
            entry |= self._region(given, entry)

    def _region(self, given: Mapping[str, str], entry: Mapping[str, Any]) -> dict[str, Any]:
        """Magento knows the regions of many countries by number; there the text alone is refused or lost."""
        state, country = given.get("state", ""), str(entry.get("country_id") or "")
        known = entry.get("region") or {}
        if state and state in (known.get("region_code"), known.get("region")) and "country" not in given:
            return {}
        regions: list[dict[str, Any]] = []
        if state and country:
            with suppress(NotFound):  # no such country here; the shop says so itself when it is written
                regions = self._get(f"directory/countries/{quote(country, safe='')}").get("available_regions") or []
        named = (row for row in regions if state.lower() in (str(row["code"]).lower(), str(row["name"]).lower()))
        row = next(named, None)
        number = int(row["id"]) if row else 0
        code, name = (row["code"], row["name"]) if row else (state, state)
        return {"region": {"region_code": code, "region": name, "region_id": number}, "region_id": number}

    @_understood
    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        """Looked for once more: a SKU that is there already would be overwritten without an error."""
        if kind == CUSTOMER:
            config = self._store_config()
            new_buyer = {"email": key, "website_id": config["website_id"], "store_id": config["id"]}
            body: dict[str, Any] = {"customer": self._merged(new_buyer, {**values, "email": key})}
            saved = _decode(self._send("POST", self._scope, "customers", {}, body).content)
        else:
            if self._find(ITEM, key, []):
                raise Rejected(
                    f"The shop has a product {key} already, so nothing was sent. Link it instead, or where it only "
                    "groups others, choose another SKU."
                )
            new = {"attribute_set_id": DEFAULT_ATTRIBUTE_SET, "type_id": "simple", "visibility": 4, "price": ZERO}
            body = {"product": {"sku": key, **new, **_item_body(values)}}
            saved = _decode(self._send("POST", ALL, "products", {}, body).content)
        # As the lists show it, so that it does not look changed when one is read next.
        rows = self.fetch_many(kind, [str(saved["id"])])
        if not rows:
            raise Unavailable("The shop made the record but does not show it yet. The next try looks for it first.")
        return rows[0]

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
        data = _decode(body)
        for name in (*UNKEPT_FIELDS, *UNKEPT_CUSTOMER_FIELDS):
            data.pop(name, None)
        if isinstance(data.get("payment"), dict):
            data["payment"] = {name: data["payment"][name] for name in KEPT_OF_PAYMENT if name in data["payment"]}
        extension = data.get("extension_attributes")
        if isinstance(extension, dict) and "payment_additional_info" in extension:
            told = [each for each in extension["payment_additional_info"] or () if each.get("key") == "method_title"]
            data["extension_attributes"] = {**extension, "payment_additional_info": told}
        return exact_encoder.encode(data).decode()


SIGNING = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
# What Test Connection tries; the first criterion of each list is one row, of which nothing but the count is read.
PROBES = {
    "orders": "orders",
    "items": "products",
    "customers": "customers/search",
    "refunds": "creditmemos",
    "stock": "inventory/source-items",
}
SEARCHED = {ORDER: ("increment_id", "customer_email"), ITEM: ("sku", "name"), CUSTOMER: ("email",)}


def _stock_named(stock: _Stock | None, denied: Sequence[str]) -> str:
    if "stock" in denied:
        return "stock not readable"
    return "multi-source inventory" if stock else "legacy stock"


def _signature(key: str, secret: str, token: str, token_secret: str) -> OAuth1:
    return OAuth1(
        key,
        client_secret=secret,
        resource_owner_key=token,
        resource_owner_secret=token_secret,
        signature_method="HMAC-SHA256",
    )


def _parts(rows: Sequence[Part], size: int) -> list[list[Part]]:
    return [list(rows[at : at + size]) for at in range(0, len(rows), size)]


def _kept(kind: str) -> list[list[Filter]]:
    """Of products those that are sold: what only groups others is no item, and its sizes are rows of their own."""
    return [[("type_id", "nin", GROUPS)]] if kind == ITEM else []


def _criteria(
    groups: Iterable[Sequence[Filter]] = (),
    sorts: Sequence[tuple[str, str]] = (),
    size: int = PER_PAGE,
    page: int = 1,
) -> dict[str, str]:
    """Filters of a group are alternatives, groups are conditions."""
    asked: dict[str, str] = {}
    for g, group in enumerate(groups):
        for f, (field, condition, value) in enumerate(group):
            place = f"searchCriteria[filterGroups][{g}][filters][{f}]"
            asked |= {f"{place}[field]": field, f"{place}[conditionType]": condition, f"{place}[value]": value}
    for s, (field, direction) in enumerate(sorts):
        place = f"searchCriteria[sortOrders][{s}]"
        asked |= {f"{place}[field]": field, f"{place}[direction]": direction}
    return asked | {"searchCriteria[pageSize]": str(size), "searchCriteria[currentPage]": str(page)}


def _of_skus(skus: Sequence[str], sort: str = "") -> dict[str, str]:
    """`in` parts its value at commas, so a SKU that has one is an alternative of its own."""
    plain = [sku for sku in skus if "," not in sku]
    group: list[Filter] = [("sku", "in", ",".join(plain))] if plain else []
    group += [("sku", "eq", sku) for sku in skus if "," in sku]
    return _criteria([group], ((sort, "ASC"),) if sort else ())


def _stamp(at: datetime) -> str:
    """Checked before it is sent: the shop ignores a zone, and lets what is no date match everything."""
    text = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if at.tzinfo is None or not STAMP.fullmatch(text):
        raise ConfigError(
            "The time to read from cannot be said to this shop. Set the date under Edit anew.", detail=text
        )
    return text


def _no_api(error: CartError) -> ConfigError:
    return ConfigError(
        "There is no Magento REST API at this address. Check the Cart Connect URL (the shop's base URL, without /rest) "
        "and the store view code under Edit; then click Test Connection.",
        detail=error.detail,
    )


def _by_path(error: CartError, sku: str) -> CartError:
    """Many web servers refuse a path with a slash in a SKU before Magento sees it; that item is not gone."""
    is_gone = isinstance(error, NotFound) and "SKU" in error.detail
    if isinstance(error, NotFound) and not is_gone:
        return Rejected(
            f"The shop's web server does not let the SKU {sku} through. Have encoded slashes allowed there, or change "
            "the SKU, then click Retry.",
            detail=error.detail,
        )
    return error


def _item_body(values: Mapping[str, str]) -> dict[str, Any]:
    """Rejected where a number is none, or a price is taken away: the shop would make something else of it."""
    for name in ("price", "sale_price", "weight"):
        if values.get(name) and not NUMBER.fullmatch(values[name]):
            raise Rejected(
                f"“{values[name]}” is no number the shop would understand, so nothing of this item was sent."
            )
    body: dict[str, Any] = {}
    if "name" in values:
        body["name"] = values["name"]
    if "price" in values:
        if not values["price"]:
            raise Rejected("An item of this shop needs a price, so nothing of it was sent.")
        body["price"] = Decimal(values["price"])
    if "weight" in values:
        body["weight"] = Decimal(values["weight"]) if values["weight"] else None
    if "is_active" in values:
        body["status"] = 1 if values["is_active"] == "1" else 2
    own = {"sale_price": "special_price", "description": "description"}
    attributes = [{"attribute_code": own[name], "value": values[name]} for name in own if name in values]
    return body | ({"custom_attributes": attributes} if attributes else {})


def _customer_names(values: Mapping[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    if "name" in values:
        first, _, last = values["name"].strip().rpartition(" ")
        if not first:
            raise Rejected(
                f"The shop needs a first and a last name; “{values['name']}” is one word, so nothing of this customer "
                "was sent."
            )
        names = {"firstname": first.strip(), "lastname": last}
    if "email" in values:
        if values["email"].count("@") != 1:
            raise Rejected(f"“{values['email']}” is not an e-mail address, so nothing of this customer was sent.")
        names["email"] = values["email"]
    return names


def _given_address(values: Mapping[str, str], kind: str) -> dict[str, str] | None:
    """What is to be set of one address; None for nothing. Company and phone of billing are fields of their own."""
    given: dict[str, str] | None = None
    if kind in values:
        told = json.loads(values[kind]) if values[kind] else {}
        own = ("company", "phone") if kind == "billing" else ()
        given = {name: told.get(name, "") for name in Address.__slots__ if name not in own}
    if kind == "billing":
        own_values = {name: values[name] for name in ("company", "phone") if name in values}
        given = {**(given or {}), **own_values} if own_values or given is not None else None
    return given


def _address_body(given: Mapping[str, str], entry: Mapping[str, Any]) -> dict[str, Any]:
    names = {"first_name": "firstname", "last_name": "lastname", "company": "company", "phone": "telephone"}
    names |= {"city": "city", "postcode": "postcode", "country": "country_id"}
    body: dict[str, Any] = {theirs: given[ours] for ours, theirs in names.items() if ours in given}
    for name in ("firstname", "lastname"):
        body[name] = body.get(name) or entry.get(name)
    if "address_1" in given or "address_2" in given:
        body["street"] = [line for line in (given.get("address_1"), given.get("address_2")) if line]
    return body


# What came ------------------------------------------------------------------------------------------


def _message(answer: Answer) -> str:
    """Magento's own sentence, with what belongs in its places: `%1` by order, `%name` by name."""
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return f"HTTP {answer.status_code}"
    return _interpolated(body)[:DETAIL_LENGTH] if isinstance(body, dict) else f"HTTP {answer.status_code}"


def _interpolated(body: Mapping[str, Any]) -> str:
    given = body.get("parameters") or {}
    named = {str(at): value for at, value in enumerate(given, 1)} if isinstance(given, list) else given
    return PLACE.sub(lambda place: str(named.get(place[1], place[0])), str(body.get("message") or ""))


def _is_json(answer: Answer) -> bool:
    """A number alone is an answer too."""
    return "json" in answer.headers.get("Content-Type", "") and not answer.content.lstrip().startswith(b"<")


SPEECH = replace(JSON, is_body=_is_json, message=_message)


def _decode(content: bytes | msgspec.Raw, decoder: "msgspec.json.Decoder[Any]" = exact_decoder) -> Any:
    try:
        return decoder.decode(content)
    except msgspec.DecodeError as error:
        raise broken_answer(LABEL, error) from None


def _raw_record(text: msgspec.Raw) -> RawRecord:
    """A row that nobody can read is a row all the same: it goes by what it is made of, and blocks no other."""
    body = bytes(text)
    digest = digest_of(body)
    try:
        head = _head_decoder.decode(body)
        modified_at = _utc(head.updated_at)
    except (msgspec.DecodeError, ValueError):
        return RawRecord(f"unreadable-{digest.hex()}", None, digest, body)
    number = head.id if head.entity_id is None else head.entity_id
    return RawRecord(f"unreadable-{digest.hex()}" if number is None else str(number), modified_at, digest, body)


def _is_refunded(row: RawRecord) -> bool:
    try:
        return bool(_head_decoder.decode(row.body).total_refunded)
    except msgspec.DecodeError:
        return False


def _with_memos(row: RawRecord, memos: list[msgspec.Raw] | None) -> RawRecord:
    """The order's own text with its credit memos at the end, in the order of their ids."""
    if not memos:
        return row
    memos = sorted(memos, key=lambda text: int(_decode(text, _memo_decoder).entity_id))
    body = row.body.rstrip()[:-1] + b',"creditmemos":[' + b",".join(bytes(text) for text in memos) + b"]}"
    return replace(row, body=body, digest=digest_of(body))


def _utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _order(data: dict[str, Any]) -> CartOrder:
    state = data.get("state") or data["status"]
    lines = [*_goods_lines(data["items"]), *_shipping_line(data)]
    discount = -money(data.get("discount_amount") or 0) - money(data.get("discount_tax_compensation_amount") or 0)
    discount -= money(data.get("shipping_discount_tax_compensation_amount") or 0)
    total = money(data["grand_total"])
    is_cancelled = state in CANCELLED_STATES
    # An order that was edited is cancelled, and another takes its place: that one is the order.
    successor = data.get("relation_child_id") if state == "canceled" else None
    return CartOrder(
        external_id=str(data["entity_id"]),
        number=str(data.get("increment_id") or data["entity_id"]),
        parent_id=str(successor or ""),
        status=state,
        is_paid=state != "canceled" and money(data.get("total_due", total) or 0) <= 0,
        is_cancelled=is_cancelled,
        placed_at=_required_utc(data["created_at"]),
        modified_at=_required_utc(data.get("updated_at") or data["created_at"]),
        currency=data["order_currency_code"],
        total=total,
        tax_total=money(data.get("tax_amount") or 0),
        discount_total=discount,
        # A bundle's row and the sum of its parts may be a cent apart, in either direction, for each of them.
        rounding_limit=CENT * max(1, len(lines)) / 2,
        lines=tuple(lines),
        external_customer_id=str(data.get("customer_id") or ""),
        email=str(data.get("customer_email") or ""),
        billing=_address(data.get("billing_address")),
        shipping=_address(_shipping_address(data)),
        refunds=_refunds(data),
        payment_method=_payment_method(data),
        note=_note(data),
        exchange=_exchange(data),
    )


def _goods_lines(items: Sequence[dict[str, Any]]) -> list[OrderLine]:
    """What is sold in parts comes as a parent with its parts behind it; each amount and each piece is taken once."""
    parts: dict[Any, list[dict[str, Any]]] = {}
    for item in items:
        if item.get("parent_item_id"):
            parts.setdefault(item["parent_item_id"], []).append(item)
    lines: list[OrderLine] = []
    for item in items:
        if not item.get("parent_item_id"):
            lines += _with_parts(item, parts.pop(item["item_id"], []))
    if parts:
        raise ValueError(f"parts without their parent: {sorted(map(str, parts))}")
    return lines


def _with_parts(item: dict[str, Any], parts: Sequence[dict[str, Any]]) -> list[OrderLine]:
    fees = [fee for each in (item, *parts) for fee in _fixed_taxes(each)]
    if not parts:
        return [_item_line(item), *fees]
    if item["product_type"] == "configurable":
        # The parent carries the amounts, its part says which size it is.
        chosen = {**item, "product_id": parts[0]["product_id"], "name": parts[0].get("name") or item.get("name")}
        return [_item_line(chosen), *fees]
    if any(_gross(part) for part in parts):
        # The price of a bundle is the sum of its parts, which carry the discounts too.
        return [*map(_item_line, parts), *fees]
    # The bundle has a price of its own. Its parts cost nothing, but they leave the shelf.
    discounts = {name: sum((_amount(each, name) for each in (item, *parts)), ZERO) for name in DISCOUNTS}
    return [_item_line({**item, **discounts}, _gross(item)), *map(_item_line, parts), *fees]


DISCOUNTS = ("discount_amount", "discount_tax_compensation_amount")


def _amount(item: Mapping[str, Any], name: str) -> Decimal:
    return money(item.get(name) or 0)


def _gross(item: Mapping[str, Any]) -> Decimal:
    """Before discount, without tax. `row_total` is no help: it is net of the discount already, and never below zero."""
    if item.get("row_total_incl_tax") is None:
        return _amount(item, "row_total") + _amount(item, "discount_amount")
    tax = _amount(item, "tax_amount") + _amount(item, "discount_tax_compensation_amount")
    return _amount(item, "row_total_incl_tax") - tax + _amount(item, "discount_amount")


def _item_line(item: Mapping[str, Any], gross: Decimal | None = None) -> OrderLine:
    """The discount takes tax with it where prices include tax; the compensation gives that back."""
    discount = _amount(item, "discount_amount") - _amount(item, "discount_tax_compensation_amount")
    return OrderLine(
        kind=ITEM_LINE,
        external_item_id=str(item.get("product_id") or ""),
        sku=str(item.get("sku") or ""),
        description=str(item.get("name") or ""),
        quantity=money(item["qty_ordered"]),
        net=(_gross(item) if gross is None else gross) - discount,
        tax=_amount(item, "tax_amount"),
        discount=discount,
    )


def _fixed_taxes(item: Mapping[str, Any]) -> list[OrderLine]:
    """Fixed product taxes (WEEE) stand beside the row, not in it."""
    applied = item.get("weee_tax_applied") or "[]"
    return [
        _other_line(
            FEE_LINE,
            str(each.get("title") or "Fixed product tax"),
            _amount(each, "row_amount"),
            money(each.get("row_amount_incl_tax", each.get("row_amount")) or 0) - _amount(each, "row_amount"),
        )
        for each in (exact_decoder.decode(applied) if isinstance(applied, str) else applied)
    ]


def _shipping_line(data: Mapping[str, Any]) -> list[OrderLine]:
    amount, tax = _amount(data, "shipping_amount"), _amount(data, "shipping_tax_amount")
    if data.get("is_virtual") and not amount and not tax:
        return []
    discount = _amount(data, "shipping_discount_amount") - _amount(data, "shipping_discount_tax_compensation_amount")
    line = _other_line(SHIPPING_LINE, str(data.get("shipping_description") or "Shipping"), amount - discount, tax)
    return [replace(line, discount=discount)]


def _other_line(kind: str, description: str, net: Decimal, tax: Decimal) -> OrderLine:
    return OrderLine(kind, "", "", description, ONE, net, tax)


def _refunds(data: Mapping[str, Any]) -> tuple[Refund, ...]:
    memos = [each for each in data.get("creditmemos") or () if each.get("state", REFUNDED) == REFUNDED]
    return tuple(
        # A number says 1 where 1.00 is meant; "+ 0.00" shows it so, and keeps further decimals.
        Refund(str(each["entity_id"]), money(each["grand_total"]) + NO_CENTS, str(each.get("customer_note") or ""))
        for each in memos
    )


def _payment_method(data: Mapping[str, Any]) -> str:
    told = (data.get("extension_attributes") or {}).get("payment_additional_info") or ()
    title = next((each.get("value") for each in told if each.get("key") == "method_title"), None)
    return str(title or (data.get("payment") or {}).get("method") or "")


def _note(data: Mapping[str, Any]) -> str:
    parts = [str(data.get("customer_note") or "")]
    if data.get("relation_parent_real_id"):
        parts.append(f"It replaces order {data['relation_parent_real_id']}, which was edited in the shop.")
    if data.get("relation_child_real_id"):
        parts.append(f"It was edited in the shop; order {data['relation_child_real_id']} replaces it.")
    return "\n".join(part for part in parts if part)


def _exchange(data: Mapping[str, Any]) -> dict[str, str]:
    """The shop's own figures in its base currency, where the buyer paid in another."""
    if not data.get("base_currency_code") or data["base_currency_code"] == data["order_currency_code"]:
        return {}
    names = {"base_total": "base_grand_total", "base_tax": "base_tax_amount", "rate": "base_to_order_rate"}
    figures = {ours: f"{money(data[theirs]):f}" for ours, theirs in names.items() if data.get(theirs) is not None}
    return {"base_currency": str(data["base_currency_code"]), **figures}


def _shipping_address(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """There is no field of its own; an order with nothing to ship has none."""
    assignments = (data.get("extension_attributes") or {}).get("shipping_assignments") or [{}]
    return (assignments[0].get("shipping") or {}).get("address")


def _address(data: Mapping[str, Any] | None) -> Address:
    """Of an order, where the region is text, or of a customer, where it is an object."""
    if not data:
        return Address()
    region = data.get("region")
    code = region.get("region_code") or region.get("region") if isinstance(region, dict) else None
    street = [str(line) for line in data.get("street") or ()]
    return Address(
        first_name=str(data.get("firstname") or ""),
        last_name=str(data.get("lastname") or ""),
        company=str(data.get("company") or ""),
        address_1=street[0] if street else "",
        address_2=", ".join(street[1:]),
        city=str(data.get("city") or ""),
        state=str(code or data.get("region_code") or ("" if isinstance(region, dict) else region) or ""),
        postcode=str(data.get("postcode") or ""),
        country=str(data.get("country_id") or ""),
        phone=str(data.get("telephone") or ""),
    )


def _item(data: dict[str, Any]) -> CartItem:
    own = {each["attribute_code"]: each.get("value") for each in data.get("custom_attributes") or ()}
    stock = (data.get("extension_attributes") or {}).get("stock_item") or {}
    kind = data["type_id"]
    return CartItem(
        external_id=str(data["id"]),
        parent_id="",
        sku=str(data["sku"]),
        name=str(data.get("name") or ""),
        price=optional_money(data.get("price")),
        sale_price=optional_money(own.get("special_price")),
        description=str(own.get("description") or ""),
        barcode="",
        weight=optional_money(data.get("weight")),
        tax_class=str(own.get("tax_class_id") or ""),
        # Lists do not show the stock item; what is sold by its own stock keeps it unless that says otherwise.
        is_stock_managed=kind not in COMPOSITE and bool(stock.get("manage_stock", True)),
        is_active=data.get("status") == 1,
        has_variations=False,
        stock=optional_money(stock.get("qty")),
        modified_at=_utc(data.get("updated_at")),
    )


def _customer(data: dict[str, Any]) -> CartCustomer:
    book = data.get("addresses") or ()
    billing = _address(next((each for each in book if each.get("default_billing")), None))
    return CartCustomer(
        external_id=str(data["id"]),
        email=str(data.get("email") or ""),
        first_name=str(data.get("firstname") or ""),
        last_name=str(data.get("lastname") or ""),
        company=billing.company,
        phone=billing.phone,
        billing=billing,
        shipping=_address(next((each for each in book if each.get("default_shipping")), None)),
        modified_at=_utc(data.get("updated_at")),
    )


def _required_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
