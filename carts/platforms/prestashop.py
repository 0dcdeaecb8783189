"""PrestaShop, the webservice of 1.7 to 9 (measured on 9.0.0; facts and traps: docs/platforms/prestashop.md).

What we keep of a record is composed of several answers: an order with its details, rules, slips, addresses and buyer,
an item with its stock. The text says by itself what is needed to read it: zone, currency, language, status.
"""

import json
import re
import secrets
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any, ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError, SubElement
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from requests.auth import HTTPBasicAuth

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected, Stale, Unavailable
from carts.platforms.base import Capabilities, Connection, CredentialField
from carts.platforms.bodies import NUMBER, broken_answer, digest_of, money, reading
from carts.platforms.http import DETAIL_LENGTH, Answer, ShopSession, Speech, retry_after_seconds
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

LABEL = "PrestaShop"
PER_PAGE = 100  # display=full loads one object a row: the shop's memory is the limit
PARTS_A_REQUEST = 1000
# Rows of one request are stored one by one without a transaction: few, so that little is in doubt after an error.
STOCK_ROWS_A_REQUEST = 40
# Some versions store this for all that is more, and answer with what they were sent.
MOST_IN_STOCK = Decimal(2**31 - 1)
PATHS = {ORDER: "orders", ITEM: "products", CUSTOMER: "customers"}
NODES = {
    "products": "product",
    "combinations": "combination",
    "customers": "customer",
    "addresses": "address",
    "stock_availables": "stock_available",
}
# The shop shows them to whoever may read customers and orders. They are taken out before anything else is done.
UNKEPT_FIELDS = frozenset(
    {"passwd", "secure_key", "reset_password_token", "reset_password_validity", "last_passwd_gen",
     "ip_registration_newsletter"}
)  # fmt: skip
# In a body that was read and is sent back whole, the shop refuses some of these and the others are its own affair.
READ_ONLY = {
    "products": frozenset(
        {"quantity", "manufacturer_name", "position_in_category", "type", "id_default_combination",
         "id_default_image", "new", "cache_default_attribute", "date_add", "date_upd", "associations"}
    ),
    "combinations": frozenset({"quantity", "associations"}),
    "customers": frozenset({"secure_key", "last_passwd_gen", "date_add", "date_upd", "associations"}),
    "addresses": frozenset({"date_add", "date_upd"}),
    "stock_availables": frozenset(),
}  # fmt: skip
SETTINGS = (
    "PS_SHOP_NAME", "PS_TIMEZONE", "PS_LANG_DEFAULT", "PS_CURRENCY_DEFAULT", "PS_STOCK_MANAGEMENT",
    "PS_HOME_CATEGORY", "PS_CUSTOMER_GROUP", "PS_OS_CANCELED", "PS_OS_REFUND", "PS_OS_ERROR",
)  # fmt: skip
# Which states mean that an order is off is a setting of the shop; no flag tells them from one that waits for money.
OFF_STATES = {"PS_OS_CANCELED": "cancelled", "PS_OS_REFUND": "refunded", "PS_OS_ERROR": "error"}
STATUSES = {
    "unpaid": "Not paid",
    "unpaid_shipped": "Shipped, not paid",
    "paid": "Paid",
    "shipped": "Paid and shipped",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "error": "Payment error",
}
# Read with each kind of record; a right that is missing stops that kind.
NEEDED = {
    "Orders": (
        "orders", "order_details", "order_cart_rules", "order_slip", "order_states", "customers", "addresses",
        "countries", "states", "currencies", "carriers", "configurations",
    ),
    "Items": ("products", "combinations", "product_option_values", "stock_availables", "configurations"),
    "Customers": ("customers", "addresses", "countries", "states", "configurations"),
}  # fmt: skip
# What is sent: "change" is PATCH, and PUT where the shop has none.
WRITTEN = {
    "stock": (("change", "stock_availables"),),
    "items": (("change", "products"), ("change", "combinations"), ("POST", "products"), ("GET", "languages")),
    "customers": (("change", "customers"), ("change", "addresses"), ("POST", "customers"), ("POST", "addresses")),
}
UNTIL_EVER = "9999-12-31 23:59:59"
# More than any clock change takes back, and how long before one its hour counts as double.
AROUND_A_CLOCK_CHANGE = timedelta(hours=3)
ERROR_CODE = re.compile(r"<code>(?:<!\[CDATA\[)?(\d+)")
ERROR_MESSAGE = re.compile(r"<message>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</message>", re.DOTALL)
SECRET_IN_XML = re.compile(rf"<({'|'.join(sorted(UNKEPT_FIELDS))})>.*?(?:</\1>|$)", re.DOTALL)
NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
MEANT_IN_FILTERS = re.compile(r"[\[\]|,%]")
SPECIAL_PRICES_APART = "Sale prices (specific prices) are not read and not set."
ITEM_LINE, SHIPPING_LINE, FEE_LINE = "item", "shipping", "fee"
ONE, CENT = Decimal(1), Decimal("0.01")
NO_NAME = "-"  # the shop wants a first name; ours may be a single word
Fields = Mapping[str, str | Mapping[str, str]]


def _is_xml(answer: Answer) -> bool:
    return answer.content.lstrip()[:5] == b"<?xml" and b"<prestashop" in answer.content[:300]


def _message(answer: Answer) -> str:
    found = ERROR_MESSAGE.search(answer.text)
    text = found.group(1).strip() if found else ""
    return _without_secrets(text)[:DETAIL_LENGTH] if text else f"HTTP {answer.status_code}"


SPEECH = Speech(
    accept="text/xml",
    is_body=_is_xml,
    message=_message,
    wait_seconds=lambda answer: retry_after_seconds(answer.headers.get("Retry-After", "")),
)


class PrestaShop:
    label: ClassVar[str] = LABEL
    url_help: ClassVar[str] = "The address of the shop itself, as a buyer opens it, without /api."
    capabilities: ClassVar[Capabilities] = Capabilities(
        orders="Found by the time they were last modified, and by their credit slips, which do not count as a change; "
        "an order is here within one poll.",
        items="Products are found by the time they were last modified, within one poll; combinations, stock and "
        "deleted ones when all are compared.",
        customers="Found by the time they or one of their addresses were last modified, within one poll; deleted ones "
        "when all are compared.",
        cannot=(
            "PrestaShop has no webhooks and counts no lists: pages are read until one is not full.",
            "Orders deleted in the shop are not reported by it.",
            "States are each shop's own. They are told apart by their flags (paid, shipped) and by the shop's settings "
            "for cancelled, refunded and payment error; a state of the shop's own for cancelled orders counts as Not "
            "paid.",
            "An edited address of a buyer changes under the order that uses it; what was imported stays as it was.",
            "References (SKUs) are neither unique nor required; doubled ones are shown under Problems.",
            "A buyer has an address book; the first address counts as the billing address, none as the shipping one.",
            SPECIAL_PRICES_APART,
            "Texts are read and set in the shop's default language.",
            "The tax rule of an item is not set; a new item gets that of the newest one in the shop.",
            "The name, description and state of a combination are its product's, and a combination is not created.",
            "Times of the hour that comes twice in autumn are taken for the first of the two.",
        ),
        order_statuses=STATUSES,
        paid_statuses=("paid", "shipped"),
        # Saved within one PHP request; the clock change is met where times are converted.
        overlap_seconds=120,
        tells_changes=frozenset({ORDER, ITEM, CUSTOMER}),
        item_fields=frozenset({"name", "price", "description", "barcode", "weight", "is_active"}),
        variation_fields=frozenset({"price", "barcode", "weight"}),
        customer_fields=frozenset({"name", "company", "email", "phone", "billing"}),
        items_a_request=1,
        customers_a_request=1,
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            "key", "Webservice key", "32 characters. Advanced Parameters > Webservice in the shop's admin."
        ),
        CredentialField(
            "admin_folder",
            "Admin folder",
            "The folder in the address of the shop's admin, for links to it. Optional.",
            is_secret=False,
            is_required=False,
        ),
    )

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url.rstrip("/").removesuffix("/api")
        self._key = connection.credentials.get("key", "").strip()
        self._admin = connection.credentials.get("admin_folder", "").strip("/ ")
        self._timezone = connection.timezone
        self._budget = connection.budget
        self._session = ShopSession(
            ca_bundle=connection.ca_bundle,
            timeout_seconds=connection.timeout_seconds,
            speech=SPEECH,
            headers={"Content-Type": "text/xml; charset=utf-8"},
        )

    def close(self) -> None:
        self._session.close()

    # Test Connection --------------------------------------------------------------------------------

    def check(self) -> ShopInfo:
        try:
            answer = self._send("GET", "")
        except NotFound as error:
            raise ConfigError(
                "There is no PrestaShop webservice at this address. Check the Cart Connect URL (the address of the "
                "shop's front page), and that friendly URLs or the server's rewrite rules reach /api; then click Test "
                "Connection.",
                detail=error.detail,
            ) from None
        index = _root(answer).find("api")
        if index is None:
            raise ConfigError("This address is not a PrestaShop webservice. Check the Cart Connect URL.")
        version = answer.headers.get("PSWS-Version", "")
        rights = {each.tag: {name for name, value in each.attrib.items() if value == "true"} for each in index}
        _check_reading(rights)
        look = _Look(self)
        settings = look.settings()
        self._rows("orders", {}, display="[id]", count=1)
        currency = look.records("currencies", [settings.get("PS_CURRENCY_DEFAULT", "")])
        unwritten = _unwritten(rights, _patches(answer))
        return ShopInfo(
            name=index.get("shopName", "") or settings.get("PS_SHOP_NAME", ""),
            currency=next((_text(row, "iso_code") for row in currency.values()), ""),
            timezone=settings.get("PS_TIMEZONE", ""),
            version=version,
            can_write="stock" not in unwritten,
            permissions="Read and write" if not unwritten else f"Reads all; cannot send {', '.join(unwritten)}",
            address=self._url,
            warnings=self._warnings(settings, unwritten),
        )

    def _warnings(self, settings: Mapping[str, str], unwritten: Mapping[str, str]) -> tuple[str, ...]:
        warnings = [f"The key may not {missing}, so {what} cannot be sent." for what, missing in unwritten.items()]
        if settings.get("PS_STOCK_MANAGEMENT", "1") == "0":
            warnings.append("The shop does not manage stock: quantities that are sent are stored but mean nothing.")
        if _zone_name(settings.get("PS_TIMEZONE", "")) != settings.get("PS_TIMEZONE"):
            warnings.append("The shop's time zone is not known, so its times are taken for UTC.")
        if not self._url.lower().startswith("https://"):
            warnings.append(
                "The address is plain http: orders and customers travel readable. Use https for a live shop."
            )
        return tuple(warnings)

    # Reading --------------------------------------------------------------------------------------

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        look = _Look(self, window.before_request)
        zone = look.zone()
        if window.since is not None and kind in (ORDER, CUSTOMER):
            yield from self._fetch_touched(kind, window.since, look)
        proven = _Proven(window.since, window.since)
        chunks = partial(self._chunk, kind, zone, proven)
        with closing(stitched_pages(chunks, window, PER_PAGE)) as pages:
            for page in pages:
                rows = self._composed(kind, [_own(row.body) for row in page.rows], look)
                if kind == ITEM and rows:
                    rows = self._dated(rows, page.rows, proven, look)
                yield Page(tuple(rows), None, page.is_last)

    def _chunk(self, kind: str, zone: tzinfo, proven: "_Proven", since: datetime | None, offset: int) -> Chunk:
        if kind == ITEM:
            # A list that begins anew does so at its beginning: it is filtered by one date and sorted by another.
            since = proven.asked
        filters = {} if since is None else {"date_upd": f"[{local_start(since, zone)},{UNTIL_EVER}]"}
        rows = self._rows(PATHS[kind], filters, sort="date_upd_ASC,id_ASC", offset=offset)
        return Chunk(tuple(_head(row, zone) for row in rows), None)

    def _dated(
        self, rows: list[RawRecord], heads: Sequence[RawRecord], proven: "_Proven", look: "_Look"
    ) -> list[RawRecord]:
        """Products are filtered by one table's date, sorted and shown by another's. A shown date counts as far as the
        filter agrees with it: some row of the page is found by it as well."""
        newest = max((row.modified_at for row in rows if row.modified_at), default=None)
        if newest is not None:
            filters = {
                "id": f"[{'|'.join(row.external_id for row in heads)}]",
                "date_upd": f"[{local_start(newest, look.zone())},{UNTIL_EVER}]",
            }
            look.before_request()
            if self._rows("products", filters, display="[id]", count=1):
                proven.since = max(newest, proven.since or newest)
        return [RawRecord(row.external_id, proven.of(row.modified_at), row.digest, row.body) for row in rows]

    def _fetch_touched(self, kind: str, since: datetime, look: "_Look") -> Generator[Page]:
        """Orders with a new credit slip and customers with a changed address: neither moves the record's own time.
        They come first, and as old as the window, so that the cursor is moved by nothing that is read out of turn."""
        resource, field_name = ("order_slip", "id_order") if kind == ORDER else ("addresses", "id_customer")
        filters = {"date_upd": f"[{local_start(since, look.zone())},{UNTIL_EVER}]"}
        parts = look.all(resource, filters, sort="date_upd_ASC,id_ASC", display=f"[id,{field_name}]")
        owners = [each for each in dict.fromkeys(_text(part, field_name) for part in parts) if each not in ("", "0")]
        for at in range(0, len(owners), PER_PAGE):
            elements = list(look.records(PATHS[kind], owners[at : at + PER_PAGE]).values())
            rows = self._composed(kind, elements, look)
            aged = (
                RawRecord(row.external_id, min(row.modified_at or since, since), row.digest, row.body) for row in rows
            )
            yield Page(tuple(aged), None, False)

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        return list(self._read(kind, external_ids, _Look(self)).values())

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        rows = self._read(kind, [ref.external_id for ref in refs], _Look(self))
        return {ref: rows[ref.external_id] for ref in refs if ref.external_id in rows}

    def _read(self, kind: str, external_ids: Sequence[str], look: "_Look") -> dict[str, RawRecord]:
        plain = [each for each in external_ids if each.isdecimal()]
        elements = list(look.records(PATHS[kind], plain).values()) if plain else []
        rows = self._composed(kind, elements, look)
        if kind == ITEM:
            pairs = [each.partition("-")[::2] for each in external_ids if re.fullmatch(r"\d+-\d+", each)]
            combinations = look.records("combinations", [own for _, own in pairs]) if pairs else {}
            fitting = [row for parent, own in pairs if (row := combinations.get(own)) is not None
                       and _text(row, "id_product") == parent]  # fmt: skip
            rows += self._combinations(fitting, look)
        return {row.external_id: row for row in rows}

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        look = _Look(self)
        if not look.records("products", [parent_id]):
            raise NotFound("The shop does not have this product any more.")
        return self._combinations(look.all("combinations", {"id_product": f"[{parent_id}]"}), look)

    def page_by_id(self, kind: str, position: str) -> Page:
        look = _Look(self)
        filters = {"id": f">[{position}]"} if position else {}
        elements = self._rows(PATHS[kind], filters)
        is_last = len(elements) < PER_PAGE
        return Page(
            tuple(self._composed(kind, elements, look)), None, is_last, "" if is_last else _text(elements[-1], "id")
        )

    def listing(self, kind: str, listing: Listing) -> Page:
        look = _Look(self)
        offset = int(listing.position or 0)
        filters = self._listing_filters(kind, listing, look)
        elements: list[Element] = []
        for search in self._searches(kind, listing.search, look):
            # One more than is shown tells whether there is more: the shop counts nothing.
            elements = self._rows(
                PATHS[kind], filters | search, sort="id_DESC", offset=offset, count=listing.per_page + 1
            )
            if elements:
                break
        is_last = len(elements) <= listing.per_page
        rows = self._composed(kind, elements[: listing.per_page], look)
        return Page(tuple(rows), None, is_last, "" if is_last else str(offset + listing.per_page))

    def _listing_filters(self, kind: str, listing: Listing, look: "_Look") -> dict[str, str]:
        # Every guest is a customer to the shop: a page could hold nobody else.
        filters = {"is_guest": "[0]", "deleted": "[0]"} if kind == CUSTOMER else {}
        if kind != CUSTOMER and (listing.placed_from or listing.placed_before):
            start = local_start(listing.placed_from, look.zone()) if listing.placed_from else "0001-01-01 00:00:00"
            # The interval is closed, what is asked for is open.
            before = listing.placed_before and listing.placed_before - timedelta(seconds=1)
            end = f"{before.astimezone(look.zone()):%Y-%m-%d %H:%M:%S}" if before else UNTIL_EVER
            filters["date_add"] = f"[{start},{end}]"
        if kind == ORDER and listing.status:
            wanted = listing.status.split(",")
            states = [each for each, status in look.statuses().items() if status in wanted]
            filters["current_state"] = f"[{'|'.join(states) or '0'}]"
        return filters

    def _searches(self, kind: str, text: str, look: "_Look") -> list[dict[str, str]]:
        """Filters to be tried one after the other: the shop searches one field at a time."""
        text = MEANT_IN_FILTERS.sub(" ", text).strip()
        if not text:
            return [{}]
        part = f"%[{text}]%"
        if kind == ITEM:
            return [{"reference": part}, {"name": part}]
        if kind == CUSTOMER:
            return [{"email": part}] if "@" in text else [{"lastname": part}, {"firstname": part}, {"email": part}]
        if "@" not in text:
            return [{"reference": part}, *([{"id": f"[{text}]"}] if text.isdecimal() else [])]
        buyers = look.all("customers", {"email": part}, display="[id]")[-PER_PAGE:]
        return [{"id_customer": f"[{'|'.join(_text(row, 'id') for row in buyers) or '0'}]"}]

    def find(self, kind: str, key: str) -> list[RawRecord]:
        look, key = _Look(self), key.strip()
        rows = self._with(look, PATHS[kind], "email" if kind == CUSTOMER else "reference", key)
        found = self._composed(kind, rows, look)
        if kind == ITEM:
            found += self._combinations(self._with(look, "combinations", "reference", key), look)
            return [row for row in found if self.parse_item(row.body).sku.strip().lower() == key.lower()]
        return [row for row in found if self.parse_customer(row.body).email.strip().lower() == key.lower()]

    def _with(self, look: "_Look", resource: str, name: str, key: str) -> list[Element]:
        """Rows whose field is the key, and some more where it holds signs that mean something in a filter."""
        plain = MEANT_IN_FILTERS.split(key)[0]
        if not key:
            return []
        return look.all(resource, {name: f"[{key}]" if plain == key else f"[{plain}]%"} if plain else {})

    def admin_url(self, kind: str, external_id: str) -> str:
        number = external_id.partition("-")[0]
        if not self._admin:
            return f"{self._url}/index.php?controller=product&id_product={number}" if kind == ITEM else self._url
        controller, name, action = {
            ORDER: ("AdminOrders", "id_order", "vieworder"),
            ITEM: ("AdminProducts", "id_product", "updateproduct"),
            CUSTOMER: ("AdminCustomers", "id_customer", "viewcustomer"),
        }[kind]
        return f"{self._url}/{self._admin}/index.php?controller={controller}&{name}={number}&{action}"

    # Composing: from what the shop answered to the text of one record ------------------------------------

    def _composed(self, kind: str, elements: Sequence[Element], look: "_Look") -> list[RawRecord]:
        if not elements:
            return []
        if kind == ORDER:
            return self._orders(elements, look)
        return self._products(elements, look) if kind == ITEM else self._customers(elements, look)

    def _orders(self, elements: Sequence[Element], look: "_Look") -> list[RawRecord]:
        ids = [_text(each, "id") for each in elements]
        parts = {
            name: look.parts(name, "id_order", ids) for name in ("order_details", "order_cart_rules", "order_slip")
        }
        named = ("id_address_invoice", "id_address_delivery")
        addresses = look.addresses([_text(each, name) for each in elements for name in named])
        buyers = look.records("customers", [_text(each, "id_customer") for each in elements])
        currencies = look.records("currencies", [_text(each, "id_currency") for each in elements])
        carriers = look.records("carriers", [_text(each, "id_carrier") for each in elements])
        statuses = look.statuses()
        rows = []
        for each, order_id in zip(elements, ids, strict=True):
            currency = currencies.get(_text(each, "id_currency"))
            facts = {
                "timezone": look.timezone(),
                "status": statuses.get(_text(each, "current_state"), "unpaid"),
                "currency": _text(currency, "iso_code"),
                "decimals": _text(currency, "precision") or "2",
                "carrier": _text(carriers.get(_text(each, "id_carrier")), "name"),
            }
            beside = {name: found.get(order_id, ()) for name, found in parts.items()}
            beside |= {name: [addresses[key]] for name in named if (key := _text(each, name)) in addresses}
            buyer = buyers.get(_text(each, "id_customer"))
            beside["buyer"] = [only(buyer, ("id", "email", "is_guest", "company"))] if buyer is not None else []
            rows.append(raw_record(each, facts, beside))
        return rows

    def _products(self, elements: Sequence[Element], look: "_Look") -> list[RawRecord]:
        stock = look.parts("stock_availables", "id_product", [_text(each, "id") for each in elements])
        facts = {"timezone": look.timezone(), "language": look.language()}
        rows = []
        for each in elements:
            own = [row for row in stock.get(_text(each, "id"), ()) if _text(row, "id_product_attribute") == "0"]
            rows.append(raw_record(each, facts, {"stock": own[:1]}))
        return rows

    def _combinations(self, elements: Sequence[Element], look: "_Look") -> list[RawRecord]:
        """Each with what it has of its product; one whose product is gone is left out."""
        if not elements:
            return []
        products = look.records("products", [_text(each, "id_product") for each in elements])
        stock = look.parts("stock_availables", "id_product", list(products))
        path = "associations/product_option_values/product_option_value"
        values = look.records(
            "product_option_values", [_text(row, "id") for each in elements for row in each.iterfind(path)]
        )
        facts = {"timezone": look.timezone(), "language": look.language()}
        kept = ("id", "name", "description", "price", "weight", "active", "id_tax_rules_group", "date_upd")
        rows = []
        for each in elements:
            product = products.get(_text(each, "id_product"))
            if product is None:
                continue
            own = [
                row
                for row in stock.get(_text(product, "id"), ())
                if _text(row, "id_product_attribute") == _text(each, "id")
            ]
            chosen = [
                only(values[key], ("id", "name")) for row in each.iterfind(path) if (key := _text(row, "id")) in values
            ]
            rows.append(raw_record(each, facts, {"stock": own[:1], "of": [only(product, kept)], "options": chosen}))
        return rows

    def _customers(self, elements: Sequence[Element], look: "_Look") -> list[RawRecord]:
        """Guests are no customers: each of their orders has one of its own. Who was deleted is still listed."""
        registered = [each for each in elements if "1" not in (_text(each, "is_guest"), _text(each, "deleted"))]
        books = look.parts("addresses", "id_customer", [_text(each, "id") for each in registered])
        first = {
            owner: next((row for row in rows if _text(row, "deleted") != "1"), None) for owner, rows in books.items()
        }
        with_country = look.addresses([_text(row, "id") for row in first.values() if row is not None])
        facts = {"timezone": look.timezone()}
        rows = []
        for each in registered:
            address = with_country.get(_text(first.get(_text(each, "id")), "id"))
            rows.append(raw_record(each, facts, {"billing": [address] if address is not None else []}))
        return rows

    # Requests -------------------------------------------------------------------------------------

    def _rows(
        self,
        resource: str,
        filters: Mapping[str, str],
        *,
        sort: str = "id_ASC",
        offset: int = 0,
        count: int = PER_PAGE,
        display: str = "full",
    ) -> list[Element]:
        return _listed(self._answer(resource, filters, sort=sort, offset=offset, count=count, display=display))

    def _answer(
        self, resource: str, filters: Mapping[str, str], *, sort: str, offset: int, count: int, display: str
    ) -> Answer:
        """Always sorted, without which the order is anybody's guess, always limited, and with dates allowed."""
        params = {f"filter[{name}]": text for name, text in filters.items()}
        params |= {"display": display, "date": "1", "sort": f"[{sort}]", "limit": f"{offset},{count}"}
        return self._send("GET", resource, params=params)

    def _send(self, method: str, path: str, **content: Any) -> Answer:
        url = f"{self._url}/api/{path}"
        self._budget.spend(1)
        try:
            return self._session.request(method, url, auth=HTTPBasicAuth(self._key, ""), **content)
        except CartError as error:
            if isinstance(error, RateLimited):
                self._budget.refused(error.wait_seconds)
            raise self._meant(error, method, path) from None

    def _meant(self, error: CartError, method: str, path: str) -> CartError:
        """What PrestaShop's code in the answer says beyond its status; nothing secret stays in the detail."""
        error.detail = _without_secrets(error.detail).replace(self._key or "\0", "***")
        codes = ERROR_CODE.findall(error.detail) or [""]
        known = next((_ERRORS[code] for code in codes if code in _ERRORS), None)
        return known(error, method, path.partition("/")[0]) if known else error

    # Stock ----------------------------------------------------------------------------------------

    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        _, rows = self._stock_rows([product_of(ref) for ref in refs])
        found: dict[ItemRef, Decimal | None] = {}
        for ref in refs:
            row = rows.get(_stock_key(ref))
            if row is not None:
                # Of a product with combinations it is their sum, and with warehouses theirs: none that can be set.
                is_own = not _is_sum(ref, rows) and _text(row, "depends_on_stock") != "1"
                found[ref] = money(_text(row, "quantity")) if is_own else None
        return found

    def _stock_rows(self, product_ids: Iterable[str]) -> tuple[bool, dict[tuple[str, str], Element]]:
        """(whether the shop takes PATCH, stock rows by product and combination)."""
        rows: dict[tuple[str, str], Element] = {}
        ids, patches = _ids(product_ids), False
        for at in range(0, len(ids), PER_PAGE):
            filters = {"id_product": f"[{'|'.join(ids[at : at + PER_PAGE])}]"}
            offset, fewer = 0, False
            while not fewer:
                answer = self._answer("stock_availables", filters, sort="id_ASC", offset=offset,
                                      count=PARTS_A_REQUEST, display="full")  # fmt: skip
                patches, listed = _patches(answer), _listed(answer)
                for row in listed:
                    rows.setdefault((_text(row, "id_product"), _text(row, "id_product_attribute")), row)
                offset, fewer = offset + len(listed), len(listed) < PARTS_A_REQUEST
        return patches, rows

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        """Products and combinations together: the rows of stock are one resource."""
        return [list(refs[at : at + STOCK_ROWS_A_REQUEST]) for at in range(0, len(refs), STOCK_ROWS_A_REQUEST)]

    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        """The rows are looked up first: they have ids of their own, and the shop cannot be told to make them."""
        refs = [ItemRef(level.external_id, level.parent_id) for level in levels]
        patches, rows = self._stock_rows([product_of(ref) for ref in refs])
        errors: dict[ItemRef, CartError | None] = {
            ref: _unfit(ref, level.quantity, rows) for ref, level in zip(refs, levels, strict=True)
        }
        wanted = {ref: level.quantity for ref, level in zip(refs, levels, strict=True) if errors[ref] is None}
        if wanted:
            errors |= self._set_stock(wanted, rows, patches)
        return [RowResult(ref.external_id, error=errors[ref]) for ref in refs]

    def _set_stock(
        self, wanted: Mapping[ItemRef, Decimal], rows: Mapping[tuple[str, str], Element], patches: bool
    ) -> dict[ItemRef, CartError | None]:
        """Set one after the other by the shop, which ends at the first it refuses: what is shown then tells."""
        body = Element("prestashop")
        for ref, quantity in wanted.items():
            row = rows[_stock_key(ref)]
            row = only(row, ("id", "quantity")) if patches else bare(row)
            _set(row, "quantity", str(int(quantity)))
            body.append(row)
        refusal: CartError | None = None
        try:
            answer = self._send("PATCH" if patches else "PUT", "stock_availables", data=_sent(body))
            shown = {_text(row, "id"): row for row in _root(answer).iterfind("stock_available")}
        except (Rejected, NotFound) as error:
            refusal = error
            shown = {_text(row, "id"): row for row in self._stock_rows(map(product_of, wanted))[1].values()}
        results: dict[ItemRef, CartError | None] = {}
        for ref, quantity in wanted.items():
            after = shown.get(_text(rows[_stock_key(ref)], "id"))
            if after is not None and money(_text(after, "quantity")) == quantity:
                results[ref] = None
                continue
            results[ref] = _not_set(after, refusal)
            # Only the first that was not set was refused; those behind it were never looked at.
            refusal = UNTRIED if refusal is not None else None
        return results

    # Items and customers --------------------------------------------------------------------------

    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        look = _Look(self)
        results = []
        for change in changes:
            try:
                if kind == CUSTOMER:
                    self._push_customer(change.ref.external_id, change.values, look)
                elif change.ref.parent_id:
                    self._push_combination(change, look)
                else:
                    fields = item_fields(change.values, look.language)
                    self._write("products", change.ref.external_id, fields, look.patches())
                results.append(RowResult(change.ref.external_id))
            except (Rejected, NotFound) as error:
                results.append(RowResult(change.ref.external_id, error=error))
        return results

    def _push_combination(self, change: RecordChange, look: "_Look") -> None:
        """The shop keeps what a combination costs and weighs beyond its product."""
        parent, _, own = change.ref.external_id.partition("-")
        fields = dict(item_fields(change.values, look.language))
        product = look.records("products", [parent]).get(parent)
        if product is None:
            raise NotFound("The cart does not have this product any more.")
        for name in ("price", "weight"):
            if name in fields:
                fields[name] = f"{money(str(fields[name])) - money(_text(product, name) or '0'):f}"
        self._write("combinations", own, fields, look.patches())

    def _push_customer(self, customer_id: str, values: Mapping[str, str], look: "_Look") -> None:
        fields = customer_fields(values)
        if fields:
            self._write("customers", customer_id, fields, look.patches())
        if not values.keys() & {"billing", "company", "phone"}:
            return
        book = look.all("addresses", {"id_customer": f"[{customer_id}]"})
        address = next((row for row in book if _text(row, "deleted") != "1"), None)
        fields = self._address_fields(values, look)
        if address is not None:
            self._write("addresses", _text(address, "id"), fields, look.patches())
        elif values.get("billing"):
            self._post("addresses", {"id_customer": customer_id, "alias": "Address", **_NEEDED_OF_ADDRESS, **fields})
        elif any(values.get(name) for name in ("company", "phone")):
            raise Rejected("This customer has no address in the cart to hold company and phone. Give them an address.")

    def _address_fields(self, values: Mapping[str, str], look: "_Look") -> dict[str, str]:
        given = json.loads(values["billing"]) if values.get("billing") else {}
        fields = {name: values[name] for name in ("company", "phone") if name in values}
        if not given:
            return fields
        fields |= {
            theirs: given.get(ours, "") for theirs, ours in ADDRESS_FIELDS.items() if theirs not in ("company", "phone")
        }
        fields["firstname"] = fields["firstname"] or NO_NAME
        country = next(iter(look.all("countries", {"iso_code": f"[{given.get('country', '') or '-'}]"})), None)
        if country is None:
            raise Rejected(
                f"The cart has no country “{given.get('country', '')}”. Add it there, or correct the address."
            )
        fields["id_country"] = _text(country, "id")
        if given.get("state"):
            places = look.all("states", {"iso_code": f"[{MEANT_IN_FILTERS.sub(' ', given['state'])}]"})
            fields["id_state"] = next(
                (_text(p, "id") for p in places if _text(p, "id_country") == _text(country, "id")), "0"
            )
        return fields

    def _write(self, resource: str, record_id: str, fields: Fields, patches: bool) -> None:
        """A few fields of one record. Without PATCH the shop empties what is not sent: it is read and sent whole."""
        if not fields:
            return
        path = f"{resource}/{record_id}"
        row = Element(NODES[resource])
        _set(row, "id", record_id)
        if not patches:
            row = self._whole(path, resource)
        for name, value in fields.items():
            _set(row, name, value)
        body = Element("prestashop")
        body.append(row)
        self._send("PATCH" if patches else "PUT", path, data=_sent(body))

    def _whole(self, path: str, resource: str) -> Element:
        found = _root(self._send("GET", path)).find(NODES[resource])
        if found is None:
            raise NotFound("The cart does not have this record any more.")
        # With the password's digest, which the shop wants to have back and nobody else sees.
        row = bare(found, unkept=READ_ONLY[resource])
        return row

    def _post(self, resource: str, fields: Fields, associations: Element | None = None) -> Element:
        body = Element("prestashop")
        row = SubElement(body, NODES[resource])
        for name, value in fields.items():
            _set(row, name, value)
        if associations is not None:
            row.append(associations)
        made = _root(self._send("POST", resource, data=_sent(body))).find(NODES[resource])
        if made is None:
            raise Unavailable("The shop did not say what it has made. The next try looks first.")
        return made

    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        try:
            return self._create(kind, key, values)
        except Unavailable:
            # The shop may answer with an error, or with a page, although the record was made.
            made = self.find(kind, key)
            if not made:
                raise
            return made[-1]

    def _create(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        look = _Look(self)
        if kind == CUSTOMER:
            needed = {"firstname": NO_NAME, "lastname": NO_NAME, "active": "1"}
            if group := look.settings().get("PS_CUSTOMER_GROUP"):
                needed["id_default_group"] = group
            fields = {**needed, **customer_fields(values), "email": key, "passwd": secrets.token_urlsafe(24)}
            made = self._post("customers", fields)
            if values.get("billing"):
                self._push_customer(
                    _text(made, "id"), {n: values[n] for n in ("billing", "company", "phone") if n in values}, look
                )
        else:
            made = self._post("products", self._new_product(key, values, look), _home(look.settings()))
        row = self._read(kind, [_text(made, "id")], _Look(self)).get(_text(made, "id"))
        if row is None:
            raise Unavailable("The shop made the record but does not show it. The next try looks first.")
        return row

    def _new_product(self, key: str, values: Mapping[str, str], look: "_Look") -> Fields:
        """All that a product needs to be sold: what a POST leaves out is nothing, not the default."""
        languages = [_text(row, "id") for row in look.all("languages", {})]
        newest = self._rows("products", {}, sort="id_DESC", count=1, display="[id,id_tax_rules_group]")
        name = values.get("name") or key
        fields: dict[str, str | Mapping[str, str]] = {
            "reference": key, "price": "0", "state": "1", "available_for_order": "1", "show_price": "1",
            "minimal_quantity": "1", "visibility": "both", "condition": "new",
            "id_tax_rules_group": next((_text(row, "id_tax_rules_group") for row in newest), "0"),
        }  # fmt: skip
        if category := look.settings().get("PS_HOME_CATEGORY"):
            fields["id_category_default"] = category
        fields |= item_fields(values, look.language)
        fields["name"] = dict.fromkeys(languages, name)
        fields["link_rewrite"] = dict.fromkeys(languages, re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "item")
        return fields

    # Mapping: pure functions of the record's text ---------------------------------------------------------

    def parse_order(self, body: bytes | str) -> CartOrder:
        with reading("order", LABEL):
            return _order(_safely(body))

    def parse_item(self, body: bytes | str) -> CartItem:
        with reading("item", LABEL):
            return _item(_safely(body))

    def parse_customer(self, body: bytes | str) -> CartCustomer:
        with reading("customer", LABEL):
            return _customer(_safely(body))

    def clean(self, body: bytes) -> str:
        return _serialised(bare(_safely(body))).decode()


@dataclass
class _Proven:
    """How new products are known to be by the filter's own date; `asked`: what the reading began at."""

    asked: datetime | None
    since: datetime | None

    def of(self, shown: datetime | None) -> datetime | None:
        """A product's time: no older than what was asked for, no newer than what is proven."""
        if self.since is None:
            return None
        return min(max(filter(None, (shown, self.asked)), default=self.since), self.since)


@dataclass
class _Look:
    """What is read beside the rows of one reading: each record once, for as long as that reading takes."""

    adapter: PrestaShop
    before_request: Callable[[], None] = lambda: None
    _found: dict[str, dict[str, Element]] = field(default_factory=dict)
    _settings: dict[str, str] | None = None
    _patches: bool = False

    def records(self, resource: str, ids: Iterable[str]) -> dict[str, Element]:
        """Those of the ids that the shop has, in their order."""
        wanted = _ids(ids)
        known = self._found.setdefault(resource, {})
        missing = [each for each in wanted if each not in known]
        for at in range(0, len(missing), PER_PAGE):
            filters = {"id": f"[{'|'.join(missing[at : at + PER_PAGE])}]"}
            known |= {_text(row, "id"): row for row in self.all(resource, filters)}
        return {each: known[each] for each in wanted if each in known}

    def parts(self, resource: str, owner: str, ids: Iterable[str]) -> dict[str, list[Element]]:
        """Records that belong to others, by those."""
        found: dict[str, list[Element]] = {}
        wanted = _ids(ids)
        for at in range(0, len(wanted), PER_PAGE):
            for row in self.all(resource, {owner: f"[{'|'.join(wanted[at : at + PER_PAGE])}]"}):
                found.setdefault(_text(row, owner), []).append(row)
                self._found.setdefault(resource, {})[_text(row, "id")] = row
        return found

    def all(
        self, resource: str, filters: Mapping[str, str], *, sort: str = "id_ASC", display: str = "full"
    ) -> list[Element]:
        rows: list[Element] = []
        while True:
            self.before_request()
            page = self.adapter._rows(
                resource, filters, sort=sort, offset=len(rows), count=PARTS_A_REQUEST, display=display
            )
            rows += page
            if len(page) < PARTS_A_REQUEST:
                return rows

    def addresses(self, ids: Iterable[str]) -> dict[str, Element]:
        """With the codes of country and state, which the shop keeps elsewhere."""
        found = self.records("addresses", ids)
        countries = self.records("countries", [_text(row, "id_country") for row in found.values()])
        states = self.records("states", [_text(row, "id_state") for row in found.values()])
        for row in found.values():
            row.set("country", _text(countries.get(_text(row, "id_country")), "iso_code"))
            row.set("state", _text(states.get(_text(row, "id_state")), "iso_code"))
        return found

    def settings(self) -> dict[str, str]:
        if self._settings is None:
            self.before_request()
            answer = self.adapter._answer(
                "configurations", {"name": f"[{'|'.join(SETTINGS)}]"}, sort="id_ASC", offset=0, count=PER_PAGE,
                display="full",
            )  # fmt: skip
            self._patches = _patches(answer)
            # A shop of several has rows of its own beside those that hold for all; the first holds for all.
            self._settings = {_text(row, "name"): _text(row, "value") for row in reversed(_listed(answer))}
        return self._settings

    def patches(self) -> bool:
        self.settings()
        return self._patches

    def language(self) -> str:
        return self.settings().get("PS_LANG_DEFAULT", "1")

    def timezone(self) -> str:
        return _zone_name(self.adapter._timezone or self.settings().get("PS_TIMEZONE", ""))

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone())

    def statuses(self) -> dict[str, str]:
        """Status by id of the shop's state."""
        if "order_states" not in self._found:
            self._found["order_states"] = {_text(row, "id"): row for row in self.all("order_states", {})}
        return statuses_of(list(self._found["order_states"].values()), self.settings())


def statuses_of(states: Sequence[Element], settings: Mapping[str, str]) -> dict[str, str]:
    """By the flags of a state; those for what is off are named by the shop's settings."""
    off = {settings[name]: status for name, status in OFF_STATES.items() if settings.get(name, "0") != "0"}
    by_flags = {("1", "1"): "shipped", ("1", "0"): "paid", ("0", "1"): "unpaid_shipped"}
    return {
        key: off.get(key) or by_flags.get((_text(state, "paid"), _text(state, "shipped")), "unpaid")
        for state in states
        if (key := _text(state, "id"))
    }


# Requests and answers ---------------------------------------------------------------------------------------


def local_start(since: datetime, zone: tzinfo) -> str:
    """A time as the shop's clock read it, or will read it if it is set back in the next hours: times after `since`
    then look older than it, so the start of the hour that comes twice counts."""
    offset = since.astimezone(zone).utcoffset() or timedelta(0)
    later = (since + AROUND_A_CLOCK_CHANGE).astimezone(zone).utcoffset() or timedelta(0)
    return f"{since.astimezone(UTC).replace(tzinfo=None) + min(offset, later):%Y-%m-%d %H:%M:%S}"


def _zone_name(name: str) -> str:
    """The zone, or UTC where there is none of that name."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def moment(text: str, zone: tzinfo) -> datetime | None:
    """The first of two where the shop's clock read this twice, so that nothing counts as newer than it is."""
    if not text or text.startswith("0000"):
        return None
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def _safely(body: bytes | str) -> Element:
    """XML that brings no entities and no document type along. Raises ParseError, DefusedXmlException, ValueError."""
    return fromstring(body, forbid_dtd=True)


def _root(answer: Answer) -> Element:
    """The answer's XML. What the shop keeps may hold signs that no XML has."""
    try:
        return _safely(NOT_IN_XML.sub(b"", answer.content.lstrip()))
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise broken_answer(LABEL, type(error).__name__) from None


def _listed(answer: Answer) -> list[Element]:
    """The records of a list; one that is empty is there all the same."""
    root = _root(answer)
    if len(root) != 1 or root[0].tag == "errors":
        raise broken_answer(LABEL, "no list")
    return list(root[0])


def _patches(answer: Answer) -> bool:
    """PATCH came with 8. A shop that does not say what it is gets what every version knows."""
    major = answer.headers.get("PSWS-Version", "").partition(".")[0]
    return major.isdigit() and int(major) >= 8


def _sent(body: Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + _serialised(body)


def _serialised(element: Element) -> bytes:
    return ElementTree.tostring(element, encoding="unicode").encode()


def _own(body: bytes) -> Element:
    """What we have written ourselves a moment ago, from an answer that was read safely."""
    return ElementTree.fromstring(body)


def _without_secrets(text: str) -> str:
    return SECRET_IN_XML.sub(r"<\1>***</\1>", text)


def _text(element: Element | None, name: str) -> str:
    return ((element.findtext(name) if element is not None else None) or "").strip()


def _ids(ids: Iterable[str]) -> list[str]:
    """Each once, without what means none. An empty list of ids would mean the whole shop."""
    return [each for each in dict.fromkeys(ids) if each.isdecimal() and each != "0"]


def _set(element: Element, name: str, value: str | Mapping[str, str]) -> None:
    """A field, or its texts by language; languages that are not given keep theirs."""
    found = element.find(name)
    if found is None:
        found = SubElement(element, name)
    if isinstance(value, str):
        found.text = value
        return
    for language, text in value.items():
        own = next((each for each in found.iterfind("language") if each.get("id") == language), None)
        if own is None:
            own = SubElement(found, "language", {"id": language})
        own.text = text


def bare(element: Element, unkept: frozenset[str] = UNKEPT_FIELDS) -> Element:
    """A copy without secrets, links and line breaks: the same content is the same text."""
    attributes = {name: text for name, text in element.attrib.items() if name in ("id", "country", "state")}
    if element.tag == "record":
        attributes = dict(element.attrib)
    copy = Element(element.tag, attributes)
    copy.extend(bare(each, unkept) for each in element if each.tag not in unkept)
    copy.text = None if len(element) else element.text
    return copy


def only(element: Element, names: Sequence[str]) -> Element:
    """A copy with these fields alone: what else changes of it is no change of who shows it."""
    copy = Element(element.tag)
    copy.extend(deepcopy(each) for each in element if each.tag in names)
    return copy


def raw_record(main: Element, facts: Mapping[str, str], beside: Mapping[str, Sequence[Element]]) -> RawRecord:
    """One record's text: the record itself, what belongs to it, and what it takes to read it."""
    root = Element("record", dict(facts))
    root.append(bare(main))
    for name, elements in beside.items():
        SubElement(root, name).extend(bare(each) for each in elements)
    head = _head(main, ZoneInfo(facts["timezone"]))
    body = _serialised(root)
    return RawRecord(head.external_id, head.modified_at, digest_of(body), body)


def _head(row: Element, zone: tzinfo) -> RawRecord:
    """Of a row that nobody can read: it goes by what it is made of, and blocks no other."""
    body = _serialised(row)
    number, parent = _text(row, "id"), _text(row, "id_product") if row.tag == "combination" else ""
    external_id = f"{parent}-{number}" if parent else number
    try:
        modified_at = moment(_text(row, "date_upd"), zone)
    except ValueError:
        modified_at = None
    return RawRecord(external_id or f"unreadable-{digest_of(body).hex()}", modified_at, b"", body)


# What the shop's error codes mean --------------------------------------------------------------------------


def _no_right(error: CartError, method: str, resource: str) -> CartError:
    return AuthError(
        f"The key may not do {method} on {resource}. Tick it for this key under Advanced Parameters > Webservice in "
        "the shop's admin, then click Test Connection.",
        detail=error.detail,
    )


def _no_key(error: CartError, *_: str) -> CartError:
    return AuthError(
        "The shop refused the key. Check under Edit that it is whole (32 characters), and in the shop's admin under "
        "Advanced Parameters > Webservice that it is enabled and has permissions; then click Test Connection.",
        detail=error.detail,
    )


def _not_seen(error: CartError, *_: str) -> CartError:
    if not isinstance(error, AuthError) or "HTTP 401" not in error.detail:
        return error
    return AuthError(
        "The shop saw no key. Check that one is entered under Edit; if it is, the shop's server drops it on the way "
        "(its host has to set CGIPassAuth On, or pass the Authorization header on). Then click Test Connection.",
        detail=error.detail,
    )


def _switched_off(error: CartError, *_: str) -> CartError:
    return ConfigError(
        "The shop's webservice is switched off. Switch it on under Advanced Parameters > Webservice in the shop's "
        "admin, then click Test Connection.",
        detail=error.detail,
    )


def _wrong_shop(error: CartError, *_: str) -> CartError:
    return AuthError(
        "The key does not belong to this shop of the several that share one admin. Tick the shop for the key under "
        "Advanced Parameters > Webservice, then click Test Connection.",
        detail=error.detail,
    )


def _taken(error: CartError, *_: str) -> CartError:
    said = ERROR_MESSAGE.search(error.detail)
    text = said.group(1) if said else "no reason given"
    return Rejected(f"The cart refused the change; another customer may have this e-mail: {text}", detail=error.detail)


_ERRORS: dict[str, Callable[..., CartError]] = {
    "": _not_seen,
    "16": _not_seen,
    "17": _not_seen,
    "18": _no_key,
    "20": _no_key,
    "21": _no_key,
    "22": _switched_off,
    "25": _no_right,
    "26": _no_right,
    "132": _wrong_shop,
    "140": _taken,
    "141": _taken,
}


def _check_reading(rights: Mapping[str, set[str]]) -> None:
    """Raises AuthError that names every right to read that is missing, and what does not work without it."""
    missing = {
        what: [each for each in resources if "get" not in rights.get(each, ())] for what, resources in NEEDED.items()
    }
    told = [f"{what}: {', '.join(resources)}" for what, resources in missing.items() if resources]
    if told:
        raise AuthError(
            f"The key may not read all that is needed ({'; '.join(told)}). Tick View (GET) for these under Advanced "
            "Parameters > Webservice in the shop's admin, then click Test Connection."
        )


def _unwritten(rights: Mapping[str, set[str]], patches: bool) -> dict[str, str]:
    """What cannot be sent with this key, and the rights that are missing for it."""
    change = "PATCH" if patches else "PUT"
    found = {}
    for what, needed in WRITTEN.items():
        named = [(change if method == "change" else method, resource) for method, resource in needed]
        missing = [f"{method} on {name}" for method, name in named if method.lower() not in rights.get(name, ())]
        if missing:
            found[what] = f"do {', '.join(missing)}"
    return found


# Stock ------------------------------------------------------------------------------------------------------

UNTRIED = Stale("Another quantity of the same request was refused, so this one was not set. It is tried again.")


def product_of(ref: ItemRef) -> str:
    return ref.parent_id or ref.external_id


def _stock_key(ref: ItemRef) -> tuple[str, str]:
    """(product, combination), as the rows of stock are known."""
    parent, _, own = ref.external_id.partition("-")
    return parent, own or "0"


def _is_sum(ref: ItemRef, rows: Mapping[tuple[str, str], Element]) -> bool:
    product, own = _stock_key(ref)
    return own == "0" and any(each == product and other != "0" for each, other in rows)


def _unfit(ref: ItemRef, quantity: Decimal, rows: Mapping[tuple[str, str], Element]) -> CartError | None:
    """Why a quantity is not sent at all."""
    row = rows.get(_stock_key(ref))
    if row is None:
        return NotFound("The cart does not have this item any more.")
    if abs(quantity) > MOST_IN_STOCK:
        return Rejected(f"The cart cannot show a quantity of {quantity}: {MOST_IN_STOCK} is the most.")
    if _is_sum(ref, rows):
        return Rejected(
            "This product has combinations, and the cart shows the sum of theirs: a quantity of its own would be "
            "overwritten. Link its combinations instead."
        )
    if _text(row, "depends_on_stock") == "1":
        return Rejected(
            "The cart takes this item's quantity from its warehouses (advanced stock management), so it cannot be set. "
            "Switch that off for the item in the shop's admin and click Retry."
        )
    return None


def _not_set(row: Element | None, refusal: CartError | None) -> CartError:
    if refusal is not None:
        return refusal
    if row is None:
        return NotFound("The cart does not have this item any more.")
    return Rejected("The cart took the quantity but shows another one. A module of the shop may change it.")


# What is sent -----------------------------------------------------------------------------------------------

ADDRESS_FIELDS = {
    "firstname": "first_name", "lastname": "last_name", "company": "company", "address1": "address_1",
    "address2": "address_2", "city": "city", "postcode": "postcode", "phone": "phone",
}  # fmt: skip
_NEEDED_OF_ADDRESS = {"firstname": NO_NAME, "lastname": NO_NAME, "address1": "", "city": ""}


def item_fields(values: Mapping[str, str], language: Callable[[], str]) -> dict[str, str | Mapping[str, str]]:
    """Rejected where a number is none: the shop would store 0 for some of them without an error."""
    fields: dict[str, str | Mapping[str, str]] = {}
    for name in ("price", "weight"):
        if name in values:
            text = values[name] or "0"
            if not NUMBER.fullmatch(text):
                raise Rejected(f"“{text}” is no number the shop would understand, so nothing of this item was sent.")
            fields[name] = text
    if "barcode" in values:
        fields["ean13"] = values["barcode"]
    if "is_active" in values:
        fields["active"] = "1" if values["is_active"] == "1" else "0"
    for name in ("name", "description"):
        if name in values:
            fields[name] = {language(): values[name]}
    return fields


def customer_fields(values: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    if "name" in values:
        first, _, last = values["name"].strip().rpartition(" ")
        fields |= {"firstname": first.strip() or NO_NAME, "lastname": last or NO_NAME}
    if "email" in values:
        if values["email"].count("@") != 1:
            raise Rejected(f"“{values['email']}” is not an e-mail address, so nothing of this customer was sent.")
        fields["email"] = values["email"]
    return fields


def _home(settings: Mapping[str, str]) -> Element | None:
    """The category every product is in; without one it is seen nowhere in the shop."""
    category = settings.get("PS_HOME_CATEGORY", "")
    if not category:
        return None
    associations = Element("associations")
    one = SubElement(SubElement(associations, "categories"), "category")
    _set(one, "id", category)
    return associations


# Mapping ----------------------------------------------------------------------------------------------------


def _main(root: Element, *names: str) -> tuple[Element, ZoneInfo]:
    """The record itself and its shop's zone. Raises ValueError where it is another kind of text."""
    found = next((each for each in root if each.tag in names), None)
    if root.tag != "record" or found is None or not _text(found, "id"):
        raise ValueError("not a record")
    return found, ZoneInfo(root.attrib["timezone"])


def _order(root: Element) -> CartOrder:
    order, zone = _main(root, "order")
    unit = ONE.scaleb(-int(root.attrib["decimals"]))
    lines = [_item_line(each, unit) for each in _details(root, order)]
    lines += [*_charges(root, order, unit), *_discounts(root, order, unit)]
    buyer = root.find("buyer/customer")
    total, net = money(_text(order, "total_paid")), money(_text(order, "total_paid_tax_excl"))
    placed_at = moment(_text(order, "date_add"), zone)
    if placed_at is None or not root.attrib["currency"]:
        raise ValueError("no date or no currency")
    status = root.attrib["status"]
    return CartOrder(
        external_id=_text(order, "id"),
        # Several orders of one checkout have the same reference.
        number=f"{_text(order, 'reference')} #{_text(order, 'id')}".strip(),
        parent_id="",
        status=status,
        is_paid=status in PrestaShop.capabilities.paid_statuses,
        is_cancelled=status in OFF_STATES.values(),
        placed_at=placed_at,
        modified_at=moment(_text(order, "date_upd"), zone) or placed_at,
        currency=root.attrib["currency"],
        total=_rounded(total, unit),
        tax_total=_rounded(total, unit) - _rounded(net, unit),
        discount_total=_rounded(money(_text(order, "total_discounts_tax_excl")), unit),
        rounding_limit=unit * max(2, len(lines)),
        lines=tuple(lines),
        external_customer_id="" if buyer is None or _text(buyer, "is_guest") == "1" else _text(buyer, "id"),
        email=_text(buyer, "email"),
        billing=_address(root.find("id_address_invoice/address")),
        shipping=_address(root.find("id_address_delivery/address")),
        refunds=tuple(_refund(each, unit) for each in root.iterfind("order_slip/order_slip")),
        payment_method=_text(order, "payment"),
        note=_text(order, "note") or _text(order, "gift_message"),
    )


def _details(root: Element, order: Element) -> list[Element]:
    """The order's own rows know no totals; they serve where the details are not to be had."""
    return root.findall("order_details/order_detail") or order.findall("associations/order_rows/order_row")


def _item_line(detail: Element, unit: Decimal) -> OrderLine:
    """As the line was charged before the order's discounts, which are lines of their own. Rounding a total of all
    (round_type 3) leaves more decimals in a line than the currency has."""
    quantity = money(_text(detail, "product_quantity"))
    gross, net = (
        money(_text(detail, f"total_price_{tax}") or _text(detail, f"unit_price_{tax}"))
        * (ONE if _text(detail, f"total_price_{tax}") else quantity)
        for tax in ("tax_incl", "tax_excl")
    )
    product, combination = _text(detail, "product_id"), _text(detail, "product_attribute_id")
    has_combination = combination not in ("", "0")
    return OrderLine(
        kind=ITEM_LINE,
        external_item_id=f"{product}-{combination}" if has_combination else product.removeprefix("0"),
        sku=_text(detail, "product_reference"),
        description=_text(detail, "product_name"),
        quantity=quantity,
        net=_rounded(net, unit),
        tax=_rounded(gross, unit) - _rounded(net, unit),
    )


def _charges(root: Element, order: Element, unit: Decimal) -> list[OrderLine]:
    carrier = root.attrib.get("carrier", "")
    lines = []
    for kind, name, text in ((SHIPPING_LINE, "shipping", carrier), (FEE_LINE, "wrapping", "")):
        gross, net = (money(_text(order, f"total_{name}_{tax}") or "0") for tax in ("tax_incl", "tax_excl"))
        if gross or net or text:
            lines.append(
                _other_line(kind, text or {"shipping": "Shipping", "wrapping": "Gift wrapping"}[name], gross, net, unit)
            )
    return lines


def _discounts(root: Element, order: Element, unit: Decimal) -> list[OrderLine]:
    """The rules unrounded as the shop keeps them; what they differ from its total discount is in the last one."""
    gross, net = (money(_text(order, f"total_discounts_{tax}") or "0") for tax in ("tax_incl", "tax_excl"))
    rules = [each for each in root.iterfind("order_cart_rules/order_cart_rule") if _text(each, "deleted") != "1"]
    lines = []
    for rule in rules[:-1]:
        value, value_net = (
            _rounded(money(_text(rule, "value")), unit),
            _rounded(money(_text(rule, "value_tax_excl")), unit),
        )
        lines.append(_other_line(FEE_LINE, _text(rule, "name"), -value, -value_net, unit))
        gross, net = gross - value, net - value_net
    if gross or net:
        lines.append(_other_line(FEE_LINE, _text(rules[-1], "name") if rules else "Discount", -gross, -net, unit))
    return lines


def _other_line(kind: str, text: str, gross: Decimal, net: Decimal, unit: Decimal) -> OrderLine:
    own = _rounded(net, unit)
    return OrderLine(kind, "", "", text, ONE, own, _rounded(gross, unit) - own)


def _refund(slip: Element, unit: Decimal) -> Refund:
    amount = sum((money(_text(slip, f"total_{name}_tax_incl") or "0") for name in ("products", "shipping")), Decimal(0))
    if not amount:
        amount = sum((money(_text(slip, name) or "0") for name in ("amount", "shipping_cost_amount")), Decimal(0))
    return Refund(_text(slip, "id"), _rounded(abs(amount), unit))


def _address(element: Element | None) -> Address:
    if element is None:
        return Address()
    found = {ours: _text(element, theirs) for theirs, ours in ADDRESS_FIELDS.items()}
    found["first_name"] = _name(found["first_name"])
    found["phone"] = found["phone"] or _text(element, "phone_mobile")
    return Address(**found, state=element.get("state", ""), country=element.get("country", ""))


def _name(text: str) -> str:
    return "" if text == NO_NAME else text


def _item(root: Element) -> CartItem:
    main, zone = _main(root, "product", "combination")
    is_combination = main.tag == "combination"
    product = main if not is_combination else root.find("of/product")
    if product is None:
        raise ValueError("a combination without its product")
    language = root.attrib["language"]
    name = _in_language(product, "name", language)
    options = [_in_language(each, "name", language) for each in root.iterfind("options/product_option_value")]
    own = main if is_combination else None
    parent_id = _text(main, "id_product") if is_combination else ""
    stock = root.find("stock/stock_available")
    if _text(stock, "depends_on_stock") == "1":
        stock = None
    return CartItem(
        external_id=f"{parent_id}-{_text(main, 'id')}" if is_combination else _text(main, "id"),
        parent_id=parent_id,
        sku=_text(main, "reference"),
        name=" - ".join([name, *([", ".join(options)] if options else [])]),
        # What a combination costs and weighs beyond its product is kept with it.
        price=money(_text(product, "price") or "0") + money(_text(own, "price") or "0"),
        sale_price=None,
        description=_in_language(product, "description", language),
        barcode=_text(main, "ean13"),
        # Zero is how the shop writes that none is known; taken for a weight, it would differ from ours for ever.
        weight=money(_text(product, "weight") or "0") + money(_text(own, "weight") or "0") or None,
        tax_class=_text(product, "id_tax_rules_group"),
        is_stock_managed=stock is not None,
        is_active=_text(product, "active") == "1",
        has_variations=main.find("associations/combinations/combination") is not None,
        stock=money(_text(stock, "quantity")) if stock is not None else None,
        modified_at=None if is_combination else moment(_text(main, "date_upd"), zone),
    )


def _in_language(element: Element, name: str, language: str) -> str:
    """Only one language is written without saying which."""
    texts = {each.get("id", ""): (each.text or "").strip() for each in element.iterfind(f"{name}/language")}
    if not texts:
        return _text(element, name)
    return texts.get(language) or next(filter(None, texts.values()), "")


def _customer(root: Element) -> CartCustomer:
    customer, zone = _main(root, "customer")
    address = _address(root.find("billing/address"))
    return CartCustomer(
        external_id=_text(customer, "id"),
        email=_text(customer, "email"),
        first_name=_name(_text(customer, "firstname")),
        last_name=_name(_text(customer, "lastname")),
        company=address.company or _text(customer, "company"),
        phone=address.phone,
        billing=address,
        shipping=Address(),
        modified_at=moment(_text(customer, "date_upd"), zone),
    )


def _rounded(amount: Decimal, unit: Decimal) -> Decimal:
    return amount.quantize(unit, ROUND_HALF_UP)
