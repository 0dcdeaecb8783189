"""BigCommerce: v2 for orders, v3 for all else (facts and traps: docs/platforms/bigcommerce.md)."""

import base64
import hmac
import json
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Any, ClassVar, TypeGuard, TypeVar

import msgspec

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected, Unavailable
from carts.platforms.base import Allowance, Capabilities, Connection, CredentialField
from carts.platforms.bodies import broken_answer, digest_of, exact_decoder, money, reading
from carts.platforms.http import Answer, ShopSession, Speech, retry_after_seconds
from carts.platforms.paging import Following, Steps, all_at_once, stepped_pages
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
    WebhookHint,
    Window,
)

LABEL = "BigCommerce"
API = "https://api.bigcommerce.com/stores"
PER_PAGE = {ORDER: 100, ITEM: 250, CUSTOMER: 100}  # 250 is documented for products, nothing for the other two
PARTS_PER_PAGE = 50  # of an order's lines and refunds: what comes when nobody asks for more
# The most ids named in one request, so that its address stays below what proxies take.
IDS_AT_ONCE = 100
PRODUCTS_A_BATCH, VARIANTS_A_BATCH, CUSTOMERS_A_BATCH, STOCK_A_BATCH = 10, 50, 10, 2000
PATHS = {ORDER: "v2/orders", ITEM: "v3/catalog/products", CUSTOMER: "v3/customers"}
# What the adapter reads of a product. Others, such as view_count, would make it look changed at every visit.
PRODUCT_FIELDS = (
    "name", "sku", "description", "weight", "price", "sale_price", "tax_class_id", "inventory_level",
    "inventory_tracking", "is_visible", "upc", "date_modified", "base_variant_id",
)  # fmt: skip
# What of its product a variant's record holds.
OF_PRODUCT = ("id", "name", "weight", "price", "tax_class_id", "inventory_tracking", "is_visible", "date_modified")
ORDER_PARTS = {"include": "consignments.line_items,fees", "consignment_structure": "object"}
STATUSES = {
    0: "incomplete", 1: "pending", 2: "shipped", 3: "partially-shipped", 4: "refunded", 5: "cancelled", 6: "declined",
    7: "awaiting-payment", 8: "awaiting-pickup", 9: "awaiting-shipment", 10: "completed", 11: "awaiting-fulfillment",
    12: "manual-verification-required", 13: "disputed", 14: "partially-refunded",
}  # fmt: skip
STATUS_IDS = {slug: status_id for status_id, slug in STATUSES.items()}
ARCHIVED = "archived"
CANCELLED_STATUSES = frozenset({"refunded", "cancelled", "declined"})
PAID_WORDS = frozenset({"captured", "paid"})
# Network addresses of buyers, and keys to their baskets and payments: never kept.
UNKEPT_FIELDS = frozenset(
    {
        "ip_address", "ip_address_v6", "geoip_country", "geoip_country_iso2", "cart_id", "payment_provider_id",
        "credit_card_type", "registration_ip_address", "authentication",
    }
)  # fmt: skip
# By the beginning of a path: the scope it takes, and what stops working without it.
SCOPES = {
    "v2/orders": ("Orders", "orders cannot be read"),
    "v3/orders/payment_actions": ("Order transactions", "refunds cannot be read, so no order can"),
    "v3/catalog": ("Products", "items cannot be read or written"),
    "v3/customers": ("Customers", "customers cannot be read or written"),
    "v3/inventory/locations": ("Store locations", "the places of stock cannot be read, so no stock can be sent"),
    "v3/inventory": ("Store inventory", "stock cannot be read or sent"),
    "v2/store": ("Information and settings", "the shop's name, currency and time zone are not known"),
    "v3/hooks": ("the default scope", "the cart cannot tell us of changes by itself"),
}
NO_STOCK_KEPT = (
    "The cart keeps no stock for this item, or keeps it for the whole product and not for its variants, so the "
    "quantity went nowhere. Choose Track inventory for it in the shop's control panel and click Retry, or click Ignore."
)
ONE, ZERO, CENT = Decimal(1), Decimal(0), Decimal("0.01")
ITEM_LINE, SHIPPING_LINE, FEE_LINE, OTHER_LINE = "item", "shipping", "fee", "other"
PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?")
STORE_HASH = re.compile(r"https?://store-([a-z0-9]+)(?:-\d+)?\.mybigcommerce\.com.*|([a-z0-9]+)")
# Our own header on the webhooks we subscribe to, for shops whose client secret we are not told.
OWN_HEADER = "X-CartSync-Key"
TOPICS = {
    "store/order/created": ORDER,
    "store/order/updated": ORDER,
    "store/order/archived": ORDER,
    "store/order/refund/created": ORDER,
    "store/product/created": ITEM,
    "store/product/updated": ITEM,
    "store/product/deleted": ITEM,
    "store/sku/created": ITEM,
    "store/sku/updated": ITEM,
    "store/sku/deleted": ITEM,
    "store/customer/created": CUSTOMER,
    "store/customer/updated": CUSTOMER,
    "store/customer/deleted": CUSTOMER,
    "store/customer/address/created": CUSTOMER,
    "store/customer/address/updated": CUSTOMER,
    "store/customer/address/deleted": CUSTOMER,
}
PRODUCT_WRITTEN_AS = {
    "name": "name", "description": "description", "price": "price", "sale_price": "sale_price", "weight": "weight",
    "barcode": "upc",
}  # fmt: skip
NUMBERS = frozenset({"price", "sale_price", "weight"})
ADDRESS_KEYS = {
    "first_name": "first_name", "last_name": "last_name", "company": "company", "address_1": "address1",
    "address_2": "address2", "city": "city", "state": "state_or_province", "postcode": "postal_code",
    "country": "country_code", "phone": "phone",
}  # fmt: skip
ORDER_ADDRESS_KEYS = (
    "first_name", "last_name", "company", "street_1", "street_2", "city", "state", "zip", "country_iso2", "phone",
)  # fmt: skip
Row = TypeVar("Row")
Data = dict[str, Any]
Head = tuple[str, datetime | None]  # a row's id and when it was modified

# Numbers with a fraction become Decimal: no amount passes through float.
# One order of keys, so that a text composed of several answers is the same while they are.
_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reading by time goes on: with what was modified `since`, or, where more rows than a page holds share one
    `second`, behind the row `after` of that second (of customers: with page number `after`, as long as it holds `total`
    of them). `seen` are the rows of the last page, as (id, time)."""

    since: datetime | None
    second: datetime | None = None
    after: int = 0
    total: int | None = None
    seen: frozenset[Head] = frozenset()


class BigCommerce:
    label: ClassVar[str] = LABEL
    url_help: ClassVar[str] = (
        "The API path of the store, https://api.bigcommerce.com/stores/ and the store hash, as it is shown with the "
        "API account."
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        orders="Found by the time they were last modified; an order is here within one poll of being placed or edited.",
        items="Products are found by the time they were last modified; changes of a variant alone when all are read.",
        customers="Found by the time they were last modified; changes of an address alone when all are read.",
        cannot=(
            "Whether an edited variant or address counts as a change of its product or customer is not documented; "
            "what does not is found when all are compared.",
            "Orders are searched by their number or e-mail address only.",
            "The name of a variant, tax classes, and whether the shop keeps stock of an item, are not set in the cart.",
            "A variant is not created in the cart; create it in the shop's control panel with the same SKU.",
            "A customer without a first and a last name is not created in the cart.",
        ),
        order_statuses={
            "pending": "Pending",
            "awaiting-payment": "Awaiting Payment",
            "awaiting-fulfillment": "Awaiting Fulfillment",
            "awaiting-shipment": "Awaiting Shipment",
            "awaiting-pickup": "Awaiting Pickup",
            "partially-shipped": "Partially Shipped",
            "completed": "Completed",
            "shipped": "Shipped",
            "cancelled": "Cancelled",
            "declined": "Declined",
            "refunded": "Refunded",
            "disputed": "Disputed",
            "manual-verification-required": "Manual Verification Required",
            "partially-refunded": "Partially Refunded",
        },
        paid_statuses=(
            "awaiting-fulfillment",
            "awaiting-shipment",
            "awaiting-pickup",
            "partially-shipped",
            "completed",
            "shipped",
            "partially-refunded",
        ),
        # How late a row may appear with an older time is not documented; it covers a clock read carelessly, too.
        overlap_seconds=120,
        tells_changes=frozenset({ORDER, ITEM, CUSTOMER}),
        item_fields=frozenset({"name", "price", "sale_price", "description", "barcode", "weight", "is_active"}),
        variation_fields=frozenset({"price", "sale_price", "barcode", "weight", "is_active"}),
        customer_fields=frozenset({"name", "company", "email", "phone", "billing", "shipping"}),
        items_a_request=10,
        customers_a_request=10,
        has_locations=True,
        # Nothing tells when an adjustment is done; seconds, as the documentation has it.
        stock_settles_seconds=5.0,
        api_version="v3, and v2 for orders",
        webhook_topics=tuple(TOPICS),
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            "access_token", "Access token", "Shown once by the shop. Settings > API > Store-level API accounts."
        ),
        CredentialField(
            "client_secret",
            "Client secret",
            "Shown beside the access token. With it the shop's own signature of what it tells us is checked.",
            is_required=False,
        ),
    )

    def __init__(self, connection: Connection) -> None:
        self._root = _root_of(connection.url)
        token = connection.credentials.get("access_token", "").strip()
        self._client_secret = connection.credentials.get("client_secret", "").strip().encode()
        self._own_key = hmac.new(token.encode(), b"CartSync webhooks", sha256).hexdigest()
        self._budget = connection.budget
        self._location = connection.location
        # Stock is adjusted by one request at a time.
        self._stock_lock = Lock()
        self._session = ShopSession(
            ca_bundle=connection.ca_bundle,
            timeout_seconds=connection.timeout_seconds,
            speech=SPEECH,
            headers={"X-Auth-Token": token, "Content-Type": "application/json"},
        )

    def close(self) -> None:
        self._session.close()

    # Requests -------------------------------------------------------------------------------------

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None = None, body: Any = None) -> Answer:
        if not self._root:
            raise ConfigError(
                "This is not the API path of a BigCommerce store. Enter https://api.bigcommerce.com/stores/ and the "
                "store hash under Edit; nothing was sent."
            )
        self._budget.spend(1)
        data = None if body is None else _encoder.encode(body)
        try:
            answer = self._session.request(method, f"{self._root}/{path}", auth=None, params=params, data=data)
        except RateLimited as error:
            self._budget.refused(error.wait_seconds)
            raise
        except AuthError as error:
            raise _without_scope(path, error) from None
        except Rejected as error:
            raise _refused(error) from None
        allowance = _allowance(answer.headers)
        if allowance:
            self._budget.learn(allowance, spent=1, cost=1)
        return answer

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """A list that is empty comes as 204 without a body from v2."""
        answer = self._send("GET", path, params)
        return [] if answer.status_code == 204 else _decode(answer.content)

    def _counted(self, path: str, params: Mapping[str, Any]) -> tuple[list[Any], int | None]:
        """(the rows of one page of a list, how many all of it holds: v3 says so)."""
        data = self._get(path, params)
        rows = data.get("data") if isinstance(data, dict) else data
        if not isinstance(rows, list):
            raise broken_answer(LABEL, "no list")
        meta = data.get("meta") if isinstance(data, dict) else None
        pagination = meta.get("pagination") if isinstance(meta, dict) else None
        total = pagination.get("total") if isinstance(pagination, dict) else None
        return rows, total if isinstance(total, int) else None

    def _rows(self, path: str, params: Mapping[str, Any]) -> list[Any]:
        return self._counted(path, params)[0]

    def _sound_rows(self, path: str, params: Mapping[str, Any], *names: str) -> list[Data]:
        """The rows of one page, each with these ids."""
        rows = self._rows(path, params)
        if not all(isinstance(row, dict) and all(isinstance(row.get(name), int) for name in names) for row in rows):
            raise broken_answer(LABEL, f"a row without {', '.join(names)}")
        return rows

    def _all_rows(self, path: str, params: Mapping[str, Any], per_page: int, *names: str) -> list[Data]:
        rows: list[Data] = []
        for number in range(1, 10_000):
            page = self._sound_rows(path, {**params, "page": number, "limit": per_page}, *names)
            rows += page
            if len(page) < per_page:
                break
        return rows

    # Test Connection ------------------------------------------------------------------------------

    def check(self) -> ShopInfo:
        """Each scope is tried by reading; whether the token may write, by a batch of nothing."""
        missing: list[str] = []
        store = self._tried(missing, "v2/store", {})
        for path in ("v2/orders", "v3/orders/payment_actions/refunds", "v3/catalog/products", "v3/customers"):
            self._tried(missing, path, {"limit": 1})
        self._tried(missing, "v3/inventory/items", {"limit": 1})
        places = self._tried(missing, "v3/inventory/locations", {})
        unwritable = self._unwritable()
        if not self._root.lower().startswith("https://"):
            missing.append("The address is plain http: the token and customers travel readable. Use https.")
        zone = store.get("timezone")
        return ShopInfo(
            name=str(store.get("name") or ""),
            currency=str(store.get("currency") or ""),
            timezone=str(zone.get("name") or "") if isinstance(zone, dict) else "",
            version=self.capabilities.api_version,
            can_write=not unwritable,
            permissions=(
                f"Nothing can be sent without the scope {' and '.join(unwritable)} (modify)"
                if unwritable
                else "Read and write"
            ),
            address=str(store.get("secure_url") or store.get("domain") or ""),
            locations=tuple(
                Location(str(each["id"]), str(each.get("label") or each.get("code") or each["id"]))
                for each in _dicts(places.get("data"))
                if _has_id(each)
            ),
            warnings=tuple(missing),
        )

    def _unwritable(self) -> list[str]:
        """The scopes the token may not modify."""
        nothing: Data = {
            "v3/catalog/products": [],
            "v3/customers": [],
            "v3/inventory/adjustments/absolute": {"items": []},
        }
        return [_scope_of(path)[0] for path, body in nothing.items() if not self._may_write(path, body)]

    def _tried(self, missing: list[str], path: str, params: Mapping[str, Any]) -> Data:
        """What is there, {} for a list; a missing scope is written down."""
        try:
            found = self._get(path, params)
            return found if isinstance(found, dict) else {}
        except AuthError as error:
            if not error.detail.startswith("HTTP 403"):
                raise
            scope, stops = _scope_of(path)
            missing.append(f"The token lacks the scope {scope}: {stops}.")
            return {}
        except NotFound as error:
            raise ConfigError(
                "There is no store at this address. Check the store hash in Cart Connect URL, then click Test "
                "Connection.",
                detail=error.detail,
            ) from None

    def _may_write(self, path: str, nothing: Any) -> bool:
        """A batch of nothing changes nothing; a token without the scope is refused before anybody looks into it. How
        the shop answers one with it is not documented, and does not matter."""
        try:
            self._send("PUT", path, body=nothing)
        except AuthError:
            return False
        except (Rejected, NotFound, Unavailable):
            pass
        return True

    # Reading --------------------------------------------------------------------------------------

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        """Asked for anew by the time of the last row, page after page: rows that move while we read move to the end,
        and no page number hides one."""
        return stepped_pages(partial(self._changed, kind, window.since), _Place(window.since), window)

    def _changed(self, kind: str, since: datetime | None, place: _Place) -> Steps[_Place]:
        rows, total = yield partial(self._counted, PATHS[kind], _changed_params(kind, place))
        heads = [_head(row) for row in rows]
        following = _place_behind(kind, place, rows, heads, total)
        yield Following(following)
        records = (yield from self._whole(rows)) if kind == ORDER else [_record(kind, row) for row in rows]
        fresh = tuple(
            record
            for record, head in zip(records, heads, strict=True)
            if head not in place.seen and not (since and head[1] and head[1] < since)
        )
        return Page(fresh, None, following is None), following

    def _whole(self, rows: list[Any]) -> Generator[Callable[[], Any], Any, list[RawRecord]]:
        """Orders with what takes requests of its own."""
        ids = [row["id"] for row in rows if _has_id(row)]
        for row in rows:
            lines = _included_lines(row) if _has_id(row) else []
            if lines is None:
                lines = yield from self._parts(f"v2/orders/{row['id']}/products", {})
            if _has_id(row):
                row["lines"] = sorted(lines, key=lambda line: line["id"])
        refunds = []
        if ids:
            asked = {"order_id:in": ",".join(map(str, ids))}
            refunds = yield from self._parts("v3/orders/payment_actions/refunds", asked)
        return [_order_record(row, refunds) for row in rows]

    def _parts(self, path: str, params: Mapping[str, Any]) -> Generator[Callable[[], Any], Any, list[Any]]:
        parts: list[Any] = []
        number = 1
        while True:
            paged = {**params, "page": number, "limit": PARTS_PER_PAGE}
            page = yield partial(self._sound_rows, path, paged, "id", "order_id")
            parts += page
            if len(page) < PARTS_PER_PAGE:
                return parts
            number += 1

    def _orders(self, rows: list[Any]) -> tuple[RawRecord, ...]:
        return all_at_once(_as_page(self._whole(rows))).rows

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        if kind == ORDER:
            return self._orders_by_id(sorted({int(each) for each in external_ids if each.isdecimal()}))
        return list(self.read_records(kind, [ItemRef(each) for each in external_ids]).values())

    def _orders_by_id(self, ids: list[int]) -> list[RawRecord]:
        """No list takes several ids, but a range of them; whether it holds its ends is not said."""
        found: list[Any] = []
        left = ids
        while left:
            last = left[0] + PER_PAGE[ORDER] - 3
            params = {**ORDER_PARTS, "min_id": max(1, left[0] - 1), "max_id": last + 1, "sort": "id:asc"}
            rows = self._rows(PATHS[ORDER], {**params, "limit": PER_PAGE[ORDER]})
            found += [row for row in rows if _has_id(row) and row["id"] in left]
            left = [each for each in left if each > last]
        return list(self._orders(found))

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        found = self._products([_ids(parent_id)[0]])
        if not found:
            raise NotFound("The cart does not have this product any more.")
        return list(self._variants(found).values())

    def _products(self, ids: Iterable[int]) -> dict[int, Data]:
        """By product id; those that are gone are not among them."""
        found: dict[int, Data] = {}
        for some in _groups(sorted(set(ids)), IDS_AT_ONCE):
            params = {"id:in": ",".join(map(str, some)), "include_fields": ",".join(PRODUCT_FIELDS)}
            rows = self._sound_rows(PATHS[ITEM], {**params, "limit": PER_PAGE[ITEM]}, "id")
            found |= {row["id"]: row for row in rows}
        return found

    def _variants(self, products: Mapping[int, Data]) -> dict[int, RawRecord]:
        """Every variant of these products, by its id."""
        found: dict[int, RawRecord] = {}
        for some in _groups(sorted(products), IDS_AT_ONCE):
            asked = {"product_id:in": ",".join(map(str, some))}
            for row in self._all_rows("v3/catalog/variants", asked, PER_PAGE[ITEM], "id", "product_id"):
                if row["product_id"] in products:
                    found[row["id"]] = _variant_record(products[row["product_id"]], row)
        return found

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        if kind == CUSTOMER:
            return self._customers_by_id(refs)
        ids = {ref: _ids(ref.external_id) for ref in refs}
        products = self._products(product_id for product_id, _ in ids.values() if product_id)
        complex_ones = {
            ids[ref][0]: products[ids[ref][0]]
            for ref in refs
            if ids[ref][1] and ids[ref][0] in products and not products[ids[ref][0]].get("base_variant_id")
        }
        variants = self._variants(complex_ones) if complex_ones else {}
        found: dict[ItemRef, RawRecord] = {}
        for ref, (product_id, variant_id) in ids.items():
            product = products.get(product_id)
            if product is None:
                continue
            if variant_id in variants:
                found[ref] = variants[variant_id]
            elif not variant_id or variant_id == product.get("base_variant_id"):
                found[ref] = _record(ITEM, product)
        return found

    def _customers_by_id(self, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        found: dict[ItemRef, RawRecord] = {}
        by_id = {ref.external_id: ref for ref in refs if ref.external_id.isdecimal()}
        for some in _groups(list(by_id), IDS_AT_ONCE):
            params = {"id:in": ",".join(some), "include": "addresses", "limit": PER_PAGE[CUSTOMER]}
            rows = self._sound_rows(PATHS[CUSTOMER], params, "id")
            found |= {by_id[str(row["id"])]: _record(CUSTOMER, row) for row in rows if str(row["id"]) in by_id}
        return found

    def page_by_id(self, kind: str, position: str) -> Page:
        """Products behind the last id; customers by page, in the order they came, in which none moves."""
        number = int(position or (0 if kind == ITEM else 1))
        params: Data = {"limit": PER_PAGE[kind]}
        if kind == ITEM:
            params |= {"include_fields": ",".join(PRODUCT_FIELDS), "sort": "id", "direction": "asc"}
            params |= {"id:greater": number} if number else {}
        else:
            params |= {"include": "addresses", "sort": "date_created:asc", "page": number}
        rows = self._sound_rows(PATHS[kind], params, "id")
        is_last = len(rows) < PER_PAGE[kind]
        following = "" if is_last else str(rows[-1]["id"] if kind == ITEM else number + 1)
        return Page(tuple(_record(kind, row) for row in rows), None, is_last, following)

    def find(self, kind: str, key: str) -> list[RawRecord]:
        key = key.strip()
        if kind == CUSTOMER:
            params = {"email:in": key, "include": "addresses", "limit": PER_PAGE[CUSTOMER]}
            rows = self._sound_rows(PATHS[CUSTOMER], params, "id")
            return [_record(CUSTOMER, row) for row in rows if _same(row.get("email"), key)]
        # A product's own SKU and those of variants are two lists; a simple product is in both.
        rows = self._sound_rows(PATHS[ITEM], {"sku": key, "include_fields": ",".join(PRODUCT_FIELDS)}, "id")
        found = [_record(ITEM, row) for row in rows if _same(row.get("sku"), key)]
        variants = self._sound_rows("v3/catalog/variants", {"sku": key}, "id", "product_id")
        of_variants = [row for row in variants if _same(row.get("sku"), key) and row.get("option_values")]
        products = self._products(row["product_id"] for row in of_variants) if of_variants else {}
        return found + [
            _variant_record(products[row["product_id"]], row) for row in of_variants if row["product_id"] in products
        ]

    # Live lists -----------------------------------------------------------------------------------

    def listing(self, kind: str, listing: Listing) -> Page:
        number = int(listing.position or 1)
        paged = {"page": number, "limit": listing.per_page}
        if kind == ORDER:
            return self._listed_orders(listing, number, paged)
        params = {**paged, **_listed_params(kind, listing.search)}
        rows, total = self._counted(PATHS[kind], params)
        is_last = len(rows) < listing.per_page or total == number * listing.per_page
        records = tuple(_record(kind, row) for row in rows)
        return Page(records, total, is_last, "" if is_last else str(number + 1))

    def _listed_orders(self, listing: Listing, number: int, paged: Data) -> Page:
        filters = _order_filters(listing)
        if filters is None:
            return Page((), 0, True)
        wanted = [STATUS_IDS[slug] for slug in listing.status.split(",") if slug in STATUS_IDS]
        one = {"status_id": wanted[0]} if len(wanted) == 1 else {}
        rows = self._rows(PATHS[ORDER], {**ORDER_PARTS, **filters, **one, **paged, "sort": "date_created:desc"})
        counted = self._get("v2/orders/count", {**filters, **one})
        total = _count_of(counted, wanted)
        is_last = len(rows) < listing.per_page or (len(wanted) < 2 and total == number * listing.per_page)
        shown = [row for row in rows if not wanted or not _has_id(row) or row.get("status_id") in wanted]
        return Page(self._orders(shown), total, is_last, "" if is_last else str(number + 1))

    def admin_url(self, kind: str, external_id: str) -> str:
        panel = f"https://store-{self._root.rpartition('/')[2]}.mybigcommerce.com/manage"
        if kind == ORDER:
            return f"{panel}/orders/{external_id}"
        if kind == ITEM:
            return f"{panel}/products/edit/{_ids(external_id)[0]}"
        return f"{panel}/customers/{external_id}/edit"

    # Stock ----------------------------------------------------------------------------------------

    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        """What is on hand at our location. The catalogue shows another number, that of all places together."""
        ids = {ref: _ids(ref.external_id) for ref in refs}
        products = self._products(product_id for product_id, _ in ids.values() if product_id)
        kept = {ref: key for ref, key in ids.items() if _keeps_stock(products.get(key[0]), ref)}
        shown: dict[int, Decimal] = {}
        for some in _groups(sorted({variant_id for _, variant_id in kept.values()}), IDS_AT_ONCE):
            asked = {"variant_id:in": ",".join(map(str, some))}
            for row in self._all_rows(f"v3/inventory/locations/{self._place()}/items", asked, IDS_AT_ONCE):
                identity = row.get("identity")
                if isinstance(identity, dict) and isinstance(identity.get("variant_id"), int):
                    shown[identity["variant_id"]] = _on_hand(row)
        return {
            ref: shown.get(variant_id, ZERO) if ref in kept else None
            for ref, (product_id, variant_id) in ids.items()
            if product_id in products
        }

    def _place(self) -> str:
        if not self._location.isdecimal():
            raise ConfigError(
                "Which of the shop's locations keeps our stock is not known. Click Test Connection, then choose the "
                "Stock location under Edit."
            )
        return self._location

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        return _groups(refs, STOCK_A_BATCH)

    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        """Done some seconds after it is answered (see `stock_settles_seconds`). A batch that is refused is refused
        whole, so it is sent again in halves until the row that is wrong is alone."""
        place = int(self._place())
        with self._stock_lock:
            results = _apart(levels, partial(self._adjust, place), lambda level: level.external_id)
        refused = [
            ItemRef(level.external_id, level.parent_id)
            for level, result in zip(levels, results, strict=True)
            if result.error is not None
        ]
        shown = self.read_stock(refused) if refused else {}
        return [
            result if result.error is None else _told(result, ItemRef(level.external_id, level.parent_id), shown)
            for level, result in zip(levels, results, strict=True)
        ]

    def _adjust(self, place: int, levels: Sequence[StockLevel]) -> list[RowResult]:
        items = []
        for level in levels:
            product_id, variant_id = _ids(level.external_id)
            # A simple product keeps its stock itself, else each variant does.
            key = {"variant_id": variant_id} if level.parent_id else {"product_id": product_id}
            items.append({"location_id": place, **key, "quantity": int(level.quantity)})
        self._send("PUT", "v3/inventory/adjustments/absolute", body={"reason": "CartSync", "items": items})
        return [RowResult(level.external_id) for level in levels]

    # Items and customers --------------------------------------------------------------------------

    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        results: dict[ItemRef, RowResult] = {}
        able: dict[str, list[tuple[RecordChange, Data]]] = {"product": [], "variant": [], "customer": []}
        for change in changes:
            sort = "customer" if kind == CUSTOMER else "variant" if change.ref.parent_id else "product"
            try:
                able[sort].append((change, _written(sort, change)))
            except Rejected as error:
                results[change.ref] = RowResult(change.ref.external_id, error=error)
        for sort, path, size in (
            ("product", "v3/catalog/products", PRODUCTS_A_BATCH),
            ("variant", "v3/catalog/variants", VARIANTS_A_BATCH),
            ("customer", "v3/customers", CUSTOMERS_A_BATCH),
        ):
            for batch in _groups(able[sort], size):
                sent = _apart(batch, partial(self._put, path), lambda row: row[0].ref.external_id)
                results |= {change.ref: result for (change, _), result in zip(batch, sent, strict=True)}
        if kind == CUSTOMER:
            with_addresses = [change for change in changes if results[change.ref].error is None]
            results |= self._push_addresses([change for change in with_addresses if _address_changes(change)])
        return [results[change.ref] for change in changes]

    def _put(self, path: str, batch: Sequence[tuple[RecordChange, Data]]) -> list[RowResult]:
        rows = [body for _, body in batch if len(body) > 1]
        answer = _decode(self._send("PUT", path, body=rows).content) if rows else {}
        rows_back = answer.get("data") if isinstance(answer, dict) else None
        there = {row["id"]: row for row in rows_back or () if _has_id(row)}
        return [
            RowResult(change.ref.external_id, error=_row_error(body, there, answer) if len(body) > 1 else None)
            for change, body in batch
        ]

    def _push_addresses(self, changes: Sequence[RecordChange]) -> dict[ItemRef, RowResult]:
        """Customers are written without their addresses, which are records of their own: the first is the billing
        address, the second the shipping address."""
        results: dict[ItemRef, RowResult] = {}
        for some in _groups(changes, CUSTOMERS_A_BATCH):
            ids = ",".join(change.ref.external_id for change in some)
            known: dict[int, list[Data]] = {}
            asked = {"customer_id:in": ids}
            for row in self._all_rows("v3/customers/addresses", asked, PER_PAGE[CUSTOMER], "id", "customer_id"):
                known.setdefault(row["customer_id"], []).append(row)
            for change in some:
                theirs = sorted(known.get(int(change.ref.external_id), []), key=lambda row: row["id"])
                error: CartError | None = None
                try:
                    self._write_addresses(change, theirs)
                except (Rejected, NotFound) as refused:
                    error = refused
                results[change.ref] = RowResult(change.ref.external_id, error=error)
        return results

    def _write_addresses(self, change: RecordChange, theirs: Sequence[Data]) -> None:
        for place, given in _address_changes(change).items():
            old = theirs[place] if place < len(theirs) else None
            if old and given is None:
                self._send("DELETE", "v3/customers/addresses", {"id:in": old["id"]})
            elif old and given:
                self._send("PUT", "v3/customers/addresses", body=[{"id": old["id"], **given}])
            elif given:
                _check_address(given)
                customer = {"customer_id": int(change.ref.external_id)}
                self._send("POST", "v3/customers/addresses", body=[{**given, **customer}])

    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        if kind == CUSTOMER:
            body: Any = [_new_customer(key, values)]
        else:
            body = {"name": key, "type": "physical", "weight": ZERO, "price": ZERO, **_product_body(values), "sku": key}
        made = _decode(self._send("POST", PATHS[kind], body=body).content)
        data = made.get("data") if isinstance(made, dict) else None
        for row in data if isinstance(data, list) else [data]:
            if _has_id(row):
                for record in self.read_records(kind, [ItemRef(str(row["id"]))]).values():
                    return record
        raise Unavailable(
            "The shop made the record, but does not show it yet. The next try looks for it first, and takes it.",
            detail="not among what is read after POST",
        )

    # Webhooks -------------------------------------------------------------------------------------

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[WebhookHint, ...]:
        if not self._is_signed(headers, body):
            raise Rejected("This message does not carry the cart's signature, so it was not read.")
        try:
            told = json.loads(body)
            kind = TOPICS.get(str(told["scope"]))
            record = _named_record(told["data"]) if kind else 0
            delivery = str(told.get("hash") or headers.get("webhook-id", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Rejected("This message is not written the way BigCommerce writes it.", detail=str(error)) from None
        return (WebhookHint(delivery, kind, str(record)),) if kind else ()

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """By the shop's client secret where we have it, else by the key we gave it to send along."""
        if not self._client_secret:
            return hmac.compare_digest(headers.get(OWN_HEADER.lower(), "").encode(), self._own_key.encode())
        stamp = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode()
        given = [each.partition(",")[2] for each in headers.get("webhook-signature", "").split()]
        # The documentation leaves open whether the text in base64 or what it stands for is the key.
        keys = (self._client_secret, base64.b64encode(self._client_secret))
        expected = [base64.b64encode(hmac.new(key, stamp + body, sha256).digest()) for key in keys]
        return any(hmac.compare_digest(one.encode(), right) for one in given for right in expected)

    def keep_webhooks(self, address: str) -> tuple[str, ...]:
        standing: set[str] = set()
        for hook in self._hooks():
            is_here, own_key = hook.get("destination") == address, _own_key_of(hook)
            if is_here and own_key == self._own_key and hook.get("scope") in TOPICS and hook.get("is_active"):
                standing.add(hook["scope"])
            elif is_here or own_key:
                self._send("DELETE", f"v3/hooks/{hook['id']}")
        anew = tuple(topic for topic in TOPICS if topic not in standing)
        for topic in anew:
            body = {"scope": topic, "destination": address, "is_active": True, "headers": {OWN_HEADER: self._own_key}}
            self._send("POST", "v3/hooks", body=body)
        return anew

    def drop_webhooks(self, address: str) -> None:
        for hook in self._hooks():
            if hook.get("destination") == address:
                self._send("DELETE", f"v3/hooks/{hook['id']}")

    def _hooks(self) -> list[Data]:
        return self._all_rows("v3/hooks", {}, PARTS_PER_PAGE, "id")

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
        return _encoder.encode(_without(UNKEPT_FIELDS, exact_decoder.decode(body))).decode()


# The shop's words ---------------------------------------------------------------------------------


def _root_of(url: str) -> str:
    """The address before /v2 and /v3; "" where it is no store's."""
    url = url.strip().rstrip("/")
    named = STORE_HASH.fullmatch(url)
    if named:
        return f"{API}/{named[1] or named[2]}"
    path = re.fullmatch(r"(https?://[^?#]+/stores/[A-Za-z0-9]+)(/v[23])?", url)
    return path[1] if path else ""


def _is_json(answer: Answer) -> bool:
    return "json" in answer.headers.get("Content-Type", "") and answer.content[:1] in (b"{", b"[")


def _message_of(answer: Answer) -> str:
    """v3 says a title and errors by field, v2 a list of messages."""
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return f"HTTP {answer.status_code}"
    if isinstance(said, list):
        said = said[0] if said and isinstance(said[0], dict) else {}
    if not isinstance(said, dict):
        return f"HTTP {answer.status_code}"
    errors = said.get("errors")
    parts = [str(said.get("title") or said.get("message") or "")]
    parts += [str(text) for text in errors.values()] if isinstance(errors, dict) else []
    text = " ".join(part for part in dict.fromkeys(parts) if part)
    text = text[:300] or f"HTTP {answer.status_code}"
    return text if text.endswith(".") else f"{text}."


def _wait_seconds(answer: Answer) -> float | None:
    """The rest of the window. A 429 without the window's headers means that the platform is loaded."""
    reset = _number(answer.headers.get("X-Rate-Limit-Time-Reset-Ms"))
    return reset / 1000 if reset is not None else retry_after_seconds(answer.headers.get("Retry-After", ""))


SPEECH = Speech(accept="application/json", is_body=_is_json, message=_message_of, wait_seconds=_wait_seconds)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _allowance(headers: Mapping[str, str]) -> Allowance | None:
    limit, left = (
        _number(headers.get("X-Rate-Limit-Requests-Quota")),
        _number(headers.get("X-Rate-Limit-Requests-Left")),
    )
    reset = _number(headers.get("X-Rate-Limit-Time-Reset-Ms"))
    if limit is None or left is None or reset is None:
        return None
    return Allowance(limit=limit, left=left, reset_seconds=reset / 1000)


def _scope_of(path: str) -> tuple[str, str]:
    return next((told for start, told in SCOPES.items() if path.startswith(start)), ("for this", "this cannot be done"))


def _without_scope(path: str, error: AuthError) -> AuthError:
    if not error.detail.startswith("HTTP 403"):
        return AuthError(
            "The shop refused the access token. Check under Edit that it is whole, not revoked, and of this store; "
            "then click Test Connection. Nothing is read until then.",
            detail=error.detail,
        )
    scope, stops = _scope_of(path)
    return AuthError(
        f"The access token lacks the scope {scope} for this: {stops}. Scopes of a token cannot be changed: make a new "
        "API account with it, enter its token under Edit, then click Test Connection.",
        detail=error.detail,
    )


def _refused(error: Rejected) -> Rejected:
    if not error.detail.startswith("HTTP 409"):
        return error
    return Rejected(
        f"The shop has another record with this name, SKU or e-mail address ({error.sentence.partition(': ')[2]}) "
        "Both must be unique there, upper and lower case alike. Change one of the two, then click Retry.",
        detail=error.detail,
    )


def _decode(content: bytes) -> Any:
    try:
        return exact_decoder.decode(content)
    except msgspec.DecodeError as error:
        raise broken_answer(LABEL, str(error)) from None


def _named_record(data: Mapping[str, Any]) -> int:
    """A variant is told with its product, an address with its customer; both have an id of their own beside."""
    if data.get("type") == "sku":
        return int(data["sku"]["product_id"])
    return int(data["address"]["customer_id"] if "address" in data else data["id"])


def _own_key_of(hook: Mapping[str, Any]) -> str:
    """What a webhook sends along for us; "" where it is somebody else's."""
    headers = hook.get("headers")
    return str(headers.get(OWN_HEADER) or "") if isinstance(headers, dict) else ""


def _same(text: Any, key: str) -> bool:
    return str(text or "").strip().lower() == key.lower()


def _groups(rows: Sequence[Row], size: int) -> list[list[Row]]:
    return [list(rows[at : at + size]) for at in range(0, len(rows), size)]


def _apart(
    rows: Sequence[Row], send: Callable[[Sequence[Row]], list[RowResult]], id_of: Callable[[Row], str]
) -> list[RowResult]:
    """One result a row. Of a batch that is refused nothing was done: its halves are sent, until a refusal is of one
    row alone."""
    try:
        return send(rows)
    except (Rejected, NotFound) as error:
        if len(rows) == 1:
            return [RowResult(id_of(rows[0]), error=error)]
    middle = len(rows) // 2
    return _apart(rows[:middle], send, id_of) + _apart(rows[middle:], send, id_of)


def _told(result: RowResult, ref: ItemRef, shown: Mapping[ItemRef, Decimal | None]) -> RowResult:
    """Why a row of stock was refused: the item is gone, its stock is not kept, or what the shop says."""
    if ref not in shown:
        return RowResult(ref.external_id, error=NotFound("The cart does not have this item any more."))
    if shown[ref] is None:
        return RowResult(ref.external_id, error=Rejected(NO_STOCK_KEPT, detail=str(result.error)))
    return result


# Lists --------------------------------------------------------------------------------------------


def _changed_params(kind: str, place: _Place) -> Data:
    """A list from `place` on. Its start is asked for a second early: whether a filter holds its own second is not said.
    Times are whole and carry a zone: of a product's date alone the shop makes that day at this hour."""
    second = timedelta(seconds=1)
    since = place.second or place.since
    params: Data = {"limit": PER_PAGE[kind], **_LISTED[kind]}
    low, high = ("min_date_modified", "max_date_modified") if kind == ORDER else _V3_DATES
    if since is not None:
        params[low] = _time(since - second)
    if place.second is None:
        return params | _SORTED[kind]
    behind: Data = {
        ORDER: {"sort": "id:asc", "min_id": place.after},
        ITEM: {"sort": "id", "id:min": place.after},
        CUSTOMER: {**_SORTED[CUSTOMER], "page": place.after},
    }[kind]
    return params | {high: _time(place.second + 2 * second)} | behind


_V3_DATES = ("date_modified:min", "date_modified:max")
_LISTED: dict[str, Data] = {
    ORDER: ORDER_PARTS,
    ITEM: {"include_fields": ",".join(PRODUCT_FIELDS), "direction": "asc"},
    CUSTOMER: {"include": "addresses"},
}
_SORTED = {
    ORDER: {"sort": "date_modified:asc"},
    ITEM: {"sort": "date_modified"},
    CUSTOMER: {"sort": "date_modified:asc"},
}


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def _place_behind(
    kind: str, place: _Place, rows: Sequence[Any], heads: Sequence[Head], total: int | None
) -> _Place | None:
    is_full = len(rows) >= PER_PAGE[kind]
    seen = frozenset(heads)
    if place.second is not None:
        if kind == CUSTOMER and total != place.total and place.after > 1:
            # Somebody left this second, and those behind moved up: it is read from its beginning.
            return replace(place, after=1, seen=seen)
        if is_full:
            last_id = max((row["id"] for row in rows if _has_id(row)), default=place.after)
            return replace(place, after=place.after + 1 if kind == CUSTOMER else last_id, total=total, seen=seen)
        # Both ends were a second wider than what had to be read: from here on nothing is read twice.
        return _Place(place.second + timedelta(seconds=2), seen=seen)
    if not is_full:
        return None
    newest = max((modified_at for _, modified_at in heads if modified_at), default=None)
    if newest is None:
        raise broken_answer(LABEL, "no row of a full page tells when it was modified")
    if place.since is None or newest > place.since:
        return _Place(newest, seen=seen)
    return _Place(place.since, second=place.since, after=1 if kind == CUSTOMER else 0, seen=seen)


def _listed_params(kind: str, search: str) -> Data:
    if kind == ITEM:
        params = {"sort": "id", "direction": "desc", "include_fields": ",".join(PRODUCT_FIELDS)}
        return params | ({"keyword": search} if search else {})
    params = {"sort": "date_created:desc", "include": "addresses"}
    if not search:
        return params
    return params | ({"email:in": search} if "@" in search else {"name:like": search})


def _order_filters(listing: Listing) -> Data | None:
    """None: nothing can match, since orders are not searched by words."""
    filters: Data = {}
    if listing.placed_from:
        filters["min_date_created"] = _time(listing.placed_from)
    if listing.placed_before:
        filters["max_date_created"] = _time(listing.placed_before - timedelta(seconds=1))
    search = listing.search.strip()
    if search.isdecimal():
        filters |= {"min_id": int(search), "max_id": int(search)}
    elif "@" in search:
        filters["email"] = search
    elif search:
        return None
    return filters


def _count_of(counted: Any, wanted: Sequence[int]) -> int | None:
    if not isinstance(counted, dict):
        return None
    if len(wanted) > 1:
        return sum(int(row.get("count") or 0) for row in counted.get("statuses") or () if row.get("id") in wanted)
    return int(counted["count"]) if "count" in counted else None


def _as_page(work: Generator[Callable[[], Any], Any, list[RawRecord]]) -> Steps[None]:
    records = yield from work
    return Page(tuple(records), None, True), None


# Records ------------------------------------------------------------------------------------------


def _has_id(row: Any) -> TypeGuard[Data]:
    return isinstance(row, dict) and isinstance(row.get("id"), int)


def _ids(external_id: str) -> tuple[int, int]:
    """(product, variant) of an item's id: "77-123", of which 123 is the hidden variant of a product without options;
    "77" for a product that groups its variants. 0 where there is none."""
    product, _, variant = external_id.partition("-")
    if not product.isdecimal() or (variant and not variant.isdecimal()):
        return 0, 0
    return int(product), int(variant or 0)


def _item_id(product_id: Any, variant_id: Any) -> str:
    if not product_id:
        return ""
    return f"{product_id}-{variant_id}" if variant_id else str(product_id)


def _raw(external_id: str, modified: Any, value: Any) -> RawRecord:
    body = _encoder.encode(value)
    digest = digest_of(body)
    try:
        modified_at = _utc(modified)
    except ValueError:
        modified_at = None
    return RawRecord(external_id or f"unreadable-{digest.hex()}", modified_at, digest, body)


def _head(row: Any) -> Head:
    if not _has_id(row):
        return repr(row), None
    try:
        return str(row["id"]), _utc(row.get("date_modified"))
    except ValueError:
        return str(row["id"]), None


def _record(kind: str, row: Any) -> RawRecord:
    """A row that nobody can read is a row all the same: it goes by what it is made of, and blocks no other."""
    if not _has_id(row):
        return _raw("", None, row)
    external_id = _item_id(row["id"], row.get("base_variant_id")) if kind == ITEM else str(row["id"])
    return _raw(external_id, row.get("date_modified"), row)


def _variant_record(product: Data, variant: Data) -> RawRecord:
    of_product = {name: product.get(name) for name in OF_PRODUCT}
    return _raw(
        _item_id(product["id"], variant["id"]),
        product.get("date_modified"),
        {"product": of_product, "variant": variant},
    )


def _included_lines(row: Data) -> list[Data] | None:
    """The lines that came with the order; None where they are not all of them, or none came."""
    consignments = row.get("consignments")
    if not isinstance(consignments, dict):
        return None
    email = consignments.get("email")
    parts = [
        *_dicts(consignments.get("shipping")),
        *_dicts(consignments.get("pickups")),
        *_dicts(consignments.get("downloads")),
        *_dicts(email.get("gift_certificates") if isinstance(email, dict) else None),
    ]
    lines = [line for part in parts for line in _dicts(part.get("line_items"))]
    if not all(_has_id(line) and isinstance(line.get("quantity"), int) for line in lines):
        return None
    return lines if sum(line["quantity"] for line in lines) == row.get("items_total") else None


def _dicts(value: Any) -> list[Data]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _order_record(row: Any, refunds: Sequence[Data]) -> RawRecord:
    """One text of an order, its lines, where it goes and its refunds; links to what was read are left out."""
    if not _has_id(row):
        return _record(ORDER, row)
    consignments = row.get("consignments")
    shipping = _dicts(consignments.get("shipping")) if isinstance(consignments, dict) else []
    of_order = sorted((each for each in refunds if each["order_id"] == row["id"]), key=lambda each: each["id"])
    links = ("consignments", "products", "shipping_addresses", "coupons")
    whole = {
        **{name: value for name, value in row.items() if name not in links},
        "shipping": [{name: value for name, value in each.items() if name != "line_items"} for each in shipping],
        "refunds": of_order,
    }
    return _raw(str(row["id"]), row.get("date_modified"), whole)


def _without(names: frozenset[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(names, each) for name, each in value.items() if name not in names}
    return [_without(names, each) for each in value] if isinstance(value, list) else value


def _utc(text: Any) -> datetime | None:
    """v2 writes RFC 2822, v3 ISO 8601; both are UTC where they name no zone."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        at = parsedate_to_datetime(str(text))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _required_utc(text: Any) -> datetime:
    at = _utc(text)
    if at is None:
        raise ValueError("no time")
    return at


def _cost(data: Mapping[str, Any], name: str) -> Decimal:
    return money(data.get(name) or 0)


# Orders -------------------------------------------------------------------------------------------


def _order(data: Data) -> CartOrder:
    status = ARCHIVED if data.get("is_deleted") else STATUSES.get(data["status_id"], f"status-{data['status_id']}")
    total, lines = _lines_and_total(data)
    billing = data.get("billing_address") or {}
    paid = status in BigCommerce.capabilities.paid_statuses or data.get("payment_status") in PAID_WORDS
    return CartOrder(
        external_id=str(data["id"]),
        number=str(data["id"]),
        parent_id="",
        status=status,
        is_paid=paid,
        is_cancelled=status in CANCELLED_STATUSES,
        placed_at=_required_utc(data["date_created"]),
        modified_at=_required_utc(data.get("date_modified") or data["date_created"]),
        # Named for another thing than it is: the currency the buyer pays in.
        currency=data.get("default_currency_code") or data["currency_code"],
        total=total,
        tax_total=_cost(data, "total_tax"),
        discount_total=_cost(data, "discount_amount") + _cost(data, "coupon_discount"),
        rounding_limit=CENT * max(1, (len(lines) + 1) // 2),
        lines=lines,
        external_customer_id=str(data.get("customer_id") or ""),
        email=str(billing.get("email") or ""),
        billing=_order_address(billing),
        shipping=_order_address(next(iter(data.get("shipping") or ()), {})),
        refunds=tuple(_refund(each) for each in data.get("refunds") or ()),
        payment_method=str(data.get("payment_method") or ""),
        note=str(data.get("customer_message") or ""),
        exchange=_exchange(data),
    )


def _lines_and_total(data: Data) -> tuple[Decimal, tuple[OrderLine, ...]]:
    """What the buyer pays in money, and lines that add up to it.

    Whether a discount is in the lines already, and whether store credit and gift certificates are off the total
    already, is told by what comes nearest to adding up; where nothing does, the order is held for the difference."""
    total = _cost(data, "total_inc_tax")
    lines = [_item_line(line, bool(data.get("is_tax_inclusive_pricing"))) for line in data["lines"]]
    lines += _charges(data)
    credits = [
        _line(OTHER_LINE, text, -_cost(data, name), ZERO)
        for text, name in (("Store credit", "store_credit_amount"), ("Gift certificate", "gift_certificate_amount"))
        if _cost(data, name)
    ]
    discount, credit = _cost(data, "discount_amount") + _cost(data, "coupon_discount"), -_sum(credits)
    off = _sum(lines) - total
    loose, is_in_total = min(
        ((part, is_off) for part in (ZERO, discount) for is_off in (False, True)),
        key=lambda each: abs(off - each[0] - (credit if each[1] else ZERO)),
    )
    if loose:
        lines.append(_line(OTHER_LINE, "Discount", -loose, ZERO))
    return total if is_in_total else total - credit, tuple(lines + credits)


def _sum(lines: Iterable[OrderLine]) -> Decimal:
    return sum((line.net + line.tax for line in lines), ZERO)


def _item_line(line: Data, is_inclusive: bool) -> OrderLine:
    """The price side that is exact decides (`is_tax_inclusive_pricing`). With a discount the shop says what remains
    with tax, and the tax of it."""
    tax = _cost(line, "total_tax")
    full = _cost(line, "total_inc_tax") - tax if is_inclusive else _cost(line, "total_ex_tax")
    discounts = sum((_cost(each, "amount") for each in line.get("applied_discounts") or ()), ZERO)
    net = full
    if discounts:
        left = line.get("discounted_total_inc_tax")
        full = _cost(line, "total_ex_tax")
        net = full - discounts if left in (None, "") else money(left) - tax
    is_certificate = line.get("type") == "giftcertificate"
    return OrderLine(
        kind=OTHER_LINE if is_certificate else ITEM_LINE,
        external_item_id=_item_id(line.get("product_id"), line.get("variant_id")),
        sku=str(line.get("sku") or ""),
        description=str(line.get("name") or ""),
        quantity=money(line["quantity"]),
        net=net,
        tax=tax,
        discount=full - net,
    )


def _charges(data: Data) -> list[OrderLine]:
    """Shipping, handling, wrapping and fees, each a line where it costs something."""
    inclusive = bool(data.get("is_tax_inclusive_pricing"))
    methods = dict.fromkeys(str(each.get("shipping_method") or "") for each in data.get("shipping") or ())
    charges = [
        (SHIPPING_LINE, ", ".join(filter(None, methods)) or "Shipping", data, "shipping_cost"),
        (FEE_LINE, "Handling", data, "handling_cost"),
        (FEE_LINE, "Gift wrapping", data, "wrapping_cost"),
    ]
    fees = data.get("fees") if isinstance(data.get("fees"), list) else []
    charges += [(FEE_LINE, str(fee.get("display_name_customer") or "Fee"), fee, "cost") for fee in fees or ()]
    found = []
    for kind, text, source, name in charges:
        tax = _cost(source, f"{name}_tax")
        # A fee's price without tax may stand under a name of its own (seen in the documentation's examples).
        without = source.get(f"{name}_ex_tax", source.get(f"{name}_exc_tax"))
        net = _cost(source, f"{name}_inc_tax") - tax if inclusive or without is None else money(without or 0)
        if net or tax:
            found.append(_line(kind, text, net, tax))
    return found


def _line(kind: str, text: str, net: Decimal, tax: Decimal) -> OrderLine:
    return OrderLine(kind=kind, external_item_id="", sku="", description=text, quantity=ONE, net=net, tax=tax)


def _refund(data: Data) -> Refund:
    return Refund(str(data["id"]), abs(_cost(data, "total_amount")), str(data.get("reason") or ""))


def _exchange(data: Data) -> Data:
    """The currencies beside the one paid in; empty where all are the same."""
    paid = data.get("default_currency_code")
    store, shown = data.get("store_default_currency_code"), data.get("currency_code")
    found: Data = {}
    if store and store != paid:
        rate = data.get("store_default_to_transactional_exchange_rate")
        found |= {"store_currency": store, "store_to_transactional_rate": str(rate or "")}
    if shown and shown != paid:
        found |= {"display_currency": shown, "display_rate": str(data.get("currency_exchange_rate") or "")}
    return found


def _order_address(data: Mapping[str, Any]) -> Address:
    return Address(*(str(data.get(name) or "") for name in ORDER_ADDRESS_KEYS))


# Items --------------------------------------------------------------------------------------------


def _item(data: Data) -> CartItem:
    return _variant(data["product"], data["variant"]) if "variant" in data else _product(data)


def _product(data: Data) -> CartItem:
    base = data.get("base_variant_id")
    keeps = bool(base) and data.get("inventory_tracking") in ("product", "variant")
    return CartItem(
        external_id=_item_id(data["id"], base),
        parent_id="",
        sku=str(data.get("sku") or ""),
        name=str(data["name"]),
        price=money(data.get("price") or 0),
        sale_price=_sale_price(data.get("sale_price")),
        description=str(data.get("description") or ""),
        barcode=str(data.get("upc") or ""),
        weight=_weight(data.get("weight")),
        tax_class=_tax_class(data),
        is_stock_managed=keeps,
        is_active=data.get("is_visible") is True,
        has_variations=not base,
        stock=money(data.get("inventory_level") or 0) if keeps else None,
        modified_at=_utc(data.get("date_modified")),
    )


def _variant(product: Data, variant: Data) -> CartItem:
    """What a variant does not say of itself is its product's."""
    options = " / ".join(str(each.get("label") or "") for each in variant.get("option_values") or ())
    keeps = product.get("inventory_tracking") == "variant"
    price, weight = variant.get("price"), variant.get("weight")
    return CartItem(
        external_id=_item_id(product["id"], variant["id"]),
        parent_id=str(product["id"]),
        sku=str(variant.get("sku") or ""),
        name=f"{product['name']} - {options}" if options else str(product["name"]),
        price=money(product.get("price") or 0) if price is None else money(price),
        sale_price=_sale_price(variant.get("sale_price")),
        description="",
        barcode=str(variant.get("upc") or ""),
        weight=_weight(product.get("weight") if weight is None else weight),
        tax_class=_tax_class(product),
        is_stock_managed=keeps,
        is_active=product.get("is_visible") is True and not variant.get("purchasing_disabled"),
        has_variations=False,
        stock=money(variant.get("inventory_level") or 0) if keeps else None,
        modified_at=_utc(product.get("date_modified")),
    )


def _sale_price(value: Any) -> Decimal | None:
    """0 means that there is none."""
    return money(value) or None if value is not None else None


def _weight(value: Any) -> Decimal | None:
    return money(value) or None if value is not None else None


def _tax_class(product: Data) -> str:
    return str(product.get("tax_class_id") or "") or "standard"


def _keeps_stock(product: Data | None, ref: ItemRef) -> bool:
    """A product of several variants may keep one number for all of them: then none of them has its own."""
    if product is None or not _ids(ref.external_id)[1]:
        return False
    tracking = product.get("inventory_tracking")
    return tracking == "variant" or (tracking == "product" and bool(product.get("base_variant_id")))


def _on_hand(row: Data) -> Decimal:
    """What an adjustment sets: what can be sold and the safety stock. (Of the number on hand the documentation says
    both that it holds the safety stock and that it does not.)"""
    settings = row.get("settings") or {}
    try:
        return money(row.get("available_to_sell") or 0) + money(settings.get("safety_stock") or 0)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise broken_answer(LABEL, str(error)) from None


# Writing ------------------------------------------------------------------------------------------


def _written(sort: str, change: RecordChange) -> Data:
    """Its row of a batch. Rejected where the shop would not take it."""
    if sort == "customer":
        return {"id": int(change.ref.external_id), **_customer_body(change.values)}
    product_id, variant_id = _ids(change.ref.external_id)
    if sort == "variant":
        return {"id": variant_id, **_variant_body(change.values)}
    return {"id": product_id, **_product_body(change.values)}


def _values(values: Mapping[str, str], empty: Decimal | None) -> Data:
    body: Data = {}
    for name, text in values.items():
        if name in NUMBERS and text and not PLAIN_NUMBER.fullmatch(text):
            raise Rejected(f"“{text}” is no number the shop would understand, so nothing of this item was sent.")
        if name in PRODUCT_WRITTEN_AS:
            is_number = name in NUMBERS
            body[PRODUCT_WRITTEN_AS[name]] = (Decimal(text) if text else empty) if is_number else text
    return body


def _product_body(values: Mapping[str, str]) -> Data:
    body = _values(values, ZERO)
    if not body.get("name", "x"):
        raise Rejected("The shop takes no product without a name, so nothing of this item was sent.")
    if "is_active" in values:
        body["is_visible"] = values["is_active"] == "1"
    return body


def _variant_body(values: Mapping[str, str]) -> Data:
    """A price or weight that is empty is the product's."""
    body = _values({name: text for name, text in values.items() if name not in ("name", "description")}, None)
    if "is_active" in values:
        body["purchasing_disabled"] = values["is_active"] != "1"
    return body


def _row_error(sent: Data, there: Mapping[int, Data], answer: Any) -> CartError | None:
    """A batch is answered with 207 where some of it was not taken: what came back of each row tells."""
    row = there.get(sent["id"])
    said = _message_of(Answer(207, {}, _encoder.encode(answer))) if isinstance(answer, dict) else ""
    if row is None:
        return Rejected(f"The cart refused the change: {said}", detail="not among the rows of the answer")
    kept = [name for name, value in sent.items() if name in row and row[name] != value]
    if kept and (answer.get("errors") or answer.get("status") == 207):
        return Rejected(f"The cart took a part of the change only, not {', '.join(kept)}: {said}", detail="207")
    return None


def _customer_body(values: Mapping[str, str]) -> Data:
    body: Data = {}
    if "name" in values:
        first, _, last = values["name"].strip().rpartition(" ")
        if not first or not last:
            raise Rejected(
                f"The shop takes no customer without a first and a last name (“{values['name']}”), so nothing of this "
                "customer was sent. Write both names, or create the customer in the shop."
            )
        body |= {"first_name": first.strip(), "last_name": last}
    if "email" in values:
        if values["email"].count("@") != 1:
            raise Rejected(f"“{values['email']}” is not an e-mail address, so nothing of this customer was sent.")
        body["email"] = values["email"]
    return body | {name: values[name] for name in ("company", "phone") if name in values}


def _address_changes(change: RecordChange) -> dict[int, Data | None]:
    """By place, 0 for billing and 1 for shipping: what it is to be; None where it is to go."""
    found: dict[int, Data | None] = {}
    for place, name in enumerate(("billing", "shipping")):
        if name in change.values:
            found[place] = _address_body(change.values[name], is_billing=name == "billing")
    return found


def _address_body(text: str, *, is_billing: bool) -> Data | None:
    given = json.loads(text) if text else {}
    if not given:
        return None
    # Company and phone of the billing address are fields of the customer.
    names = [name for name in ADDRESS_KEYS if not (is_billing and name in ("company", "phone"))]
    return {ADDRESS_KEYS[name]: str(given.get(name, "")) for name in names}


def _check_address(given: Data) -> None:
    needed = {
        "first_name": "first name",
        "last_name": "last name",
        "address1": "street",
        "city": "city",
        "country_code": "country",
    }
    lacking = [word for name, word in needed.items() if not given.get(name)]
    if lacking:
        raise Rejected(f"The shop takes no address without {', '.join(lacking)}, so the address was not sent.")


def _new_customer(email: str, values: Mapping[str, str]) -> Data:
    """With its addresses, which the shop takes along here only; one without a name goes by the customer's."""
    body = {**_customer_body({"name": "", **values}), "email": email}
    addresses = []
    for name in ("billing", "shipping"):
        given = _address_body(values.get(name, ""), is_billing=name == "billing")
        if given:
            if not given["first_name"] and not given["last_name"]:
                given |= {each: body[each] for each in ("first_name", "last_name")}
            _check_address(given)
            addresses.append(given)
    return body | ({"addresses": addresses} if addresses else {})


def _customer(data: Data) -> CartCustomer:
    addresses = sorted(data.get("addresses") or (), key=lambda each: each["id"])
    places = [_customer_address(each) for each in addresses[:2]]
    places += [Address()] * (2 - len(places))
    return CartCustomer(
        external_id=str(data["id"]),
        email=str(data.get("email") or ""),
        first_name=str(data.get("first_name") or ""),
        last_name=str(data.get("last_name") or ""),
        company=str(data.get("company") or ""),
        phone=str(data.get("phone") or ""),
        billing=places[0],
        shipping=places[1],
        modified_at=_utc(data.get("date_modified")),
    )


def _customer_address(data: Mapping[str, Any]) -> Address:
    return Address(**{name: str(data.get(theirs) or "") for name, theirs in ADDRESS_KEYS.items()})
