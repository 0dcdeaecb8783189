"""The interface every platform implements, and what each declares about itself. Plain values in, dataclasses out."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import ClassVar, Protocol

from carts.records import (
    CartCustomer,
    CartItem,
    CartOrder,
    ItemRef,
    Listing,
    Page,
    RawRecord,
    RecordChange,
    RowResult,
    ShopInfo,
    StockLevel,
    WebhookHint,
    Window,
)


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One field of a platform's credentials; the cart's form is built from these."""

    name: str
    label: str
    help_text: str = ""
    is_secret: bool = True
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can report and accept, in sentences staff read on the cart's page."""

    orders: str
    items: str
    customers: str
    cannot: tuple[str, ...]
    # status value -> label, in the order the shop's own admin shows them
    order_statuses: Mapping[str, str]
    paid_statuses: tuple[str, ...]
    # A poll reads again what was modified this long before the newest order it has stored.
    overlap_seconds: int
    # Kinds of record that the shop can name by when they changed; all others are found by reading all of them.
    tells_changes: frozenset[str]
    # The fields (carts.fields) that can be set in the cart: of an item, of a variation, of a customer.
    item_fields: frozenset[str]
    variation_fields: frozenset[str]
    customer_fields: frozenset[str]
    # Stock is kept by location, and staff say which one is ours (Cart.stock_location, Connection.location).
    has_locations: bool = False
    # The cart answers a stock write before it is done: so long after it, it is read whether it was. 0: it is done.
    stock_settles_seconds: float = 0.0
    # So many are written with one request; no more are handed over at once, so that Stop waits for one request and not
    # for a hundred.
    items_a_request: int = 100
    customers_a_request: int = 100
    # The version of the API that is spoken, and the day the platform switches it off; "" and None where it has none.
    api_version: str = ""
    api_retires: date | None = None
    # What the platform tells by webhook, in its own words; empty where we use none. The adapter is then WebhookAdapter.
    webhook_topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a cart said of our budget with an answer. Units are the platform's own: points, or requests.

    `limit` is the most there can be and `left` what is there now. It comes back `restore_per_second`, or all at once
    `reset_seconds` from now where the platform counts by windows."""

    limit: float
    left: float
    restore_per_second: float = 0.0
    reset_seconds: float | None = None


class Budget(Protocol):
    """One cart's allowance, shared by all workers of this installation. An adapter spends before each request and tells
    what it learned from each answer; waiting is done in here."""

    def spend(self, cost: float) -> None:
        """Return when the cart allows so much, and count it as spent. RateLimited where that would take too long."""
        ...

    def learn(self, allowance: Allowance, *, spent: float, cost: float) -> None:
        """After an answer: what the cart says is left, what we had counted for this request and what it really cost."""
        ...

    def refused(self, wait_seconds: float | None) -> None:
        """The cart refused a request as too many: nobody spends for so long (None: as long as seems wise)."""
        ...


class NoBudget:
    """For carts that set no limit, and for tests."""

    def spend(self, cost: float) -> None: ...

    def learn(self, allowance: Allowance, *, spent: float, cost: float) -> None: ...

    def refused(self, wait_seconds: float | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """All an adapter needs to reach one shop. `ca_bundle`: path of a PEM file, or "" for the usual authorities;
    `timezone`: the shop's, as Test Connection read it, or ""; `location`: where the cart keeps our stock, or ""."""

    url: str
    credentials: Mapping[str, str]
    ca_bundle: str = ""
    timezone: str = ""
    location: str = ""
    timeout_seconds: float = 30.0
    budget: Budget = field(default_factory=NoBudget)


class CartAdapter(Protocol):
    """One connected shop. Every method raises CartError and nothing else; none retries or keeps state."""

    label: ClassVar[str]
    url_help: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    credential_fields: ClassVar[tuple[CredentialField, ...]]

    def __init__(self, connection: Connection) -> None: ...

    def check(self) -> ShopInfo:
        """Read the shop's name, currency, time zone, version and what the key may do; write nothing."""
        ...

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        """Records modified in the window, oldest first, as pages; reads ahead while the caller works on a page.
        Closing the iterator ends it: no further request is begun."""
        ...

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        """At most 100 records by id; ids the shop does not have are simply not among them."""
        ...

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        """Every variation of one product."""
        ...

    def listing(self, kind: str, listing: Listing) -> Page:
        """One page of the live shop, newest first; its `total` counts all that match."""
        ...

    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        """What the cart shows of each; None where it keeps no stock for it. One that is gone is left out."""
        ...

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        """The refs in groups, each of which one `push_stock` sends with a single request. Pure."""
        ...

    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        """Set the quantities of one batch, absolutely. One result a row, in order; never sent twice in here."""
        ...

    def page_by_id(self, kind: str, position: str) -> Page:
        """One page of all items or customers by id, products with variations among them. `position` is "" at the
        beginning, then the `next_position` of the page before; it stays good for days, or leads to the beginning."""
        ...

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        """These items or customers as they are now; one that is gone is left out."""
        ...

    def find(self, kind: str, key: str) -> list[RawRecord]:
        """Items with exactly this SKU, variations too, or customers with this e-mail; without regard to case."""
        ...

    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        """Set fields of items or customers, nothing else of them. One result a row, in order; never sent twice."""
        ...

    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        """Make an item with this SKU, or a customer with this e-mail. The caller has looked first: what an earlier
        try made is found. Rejected where the shop refuses it."""
        ...

    def parse_order(self, body: bytes | str) -> CartOrder:
        """Pure. Rejected when the body is not an order this platform writes."""
        ...

    def parse_item(self, body: bytes | str) -> CartItem: ...

    def parse_customer(self, body: bytes | str) -> CartCustomer: ...

    def clean(self, body: bytes) -> str:
        """The record's text as it may be kept: without keys and network addresses of buyers."""
        ...

    def admin_url(self, kind: str, external_id: str) -> str:
        """Where staff of the shop see this record."""
        ...

    def close(self) -> None: ...


class WebhookAdapter(CartAdapter, Protocol):
    """A platform that tells us of changes by webhook. What it tells is a hint of what to read again, nothing more."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[WebhookHint, ...]:
        """Pure. `body` is raw, header names are lower case. Rejected where the signature is not the cart's; empty
        where it tells of nothing we keep."""
        ...

    def keep_webhooks(self, address: str) -> tuple[str, ...]:
        """See to it that the cart tells `address` all of `capabilities.webhook_topics`, and nothing of ours elsewhere.
        Topics that had to be subscribed anew."""
        ...

    def drop_webhooks(self, address: str) -> None:
        """The cart tells `address` nothing more."""
        ...
