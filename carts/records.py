"""Frozen values both sides speak. Ids are str, money is Decimal with its currency beside it, times are aware UTC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from carts.errors import CartError

# What is as large as this is no amount but an accident, and no column takes it.
TOO_LARGE_AN_AMOUNT = Decimal(10) ** 12

ORDER, ITEM, CUSTOMER = "order", "item", "customer"


@dataclass(frozen=True, slots=True)
class Address:
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line as the shop charged it. `net` and `tax` are for the whole line, after discount; `discount` is net."""

    kind: str  # choices.LineKind
    external_item_id: str  # "" when the shop no longer knows the product
    sku: str
    description: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    discount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Refund:
    external_id: str
    amount: Decimal  # positive
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CartOrder:
    """An order whole. `total` is what the buyer owes, tax included; `rounding_limit` is the largest difference
    between `total` and the sum of the lines that the platform documents as rounding drift."""

    external_id: str
    number: str
    parent_id: str  # "" unless it is a part of another order
    status: str
    is_paid: bool
    is_cancelled: bool
    placed_at: datetime
    modified_at: datetime
    currency: str
    total: Decimal
    tax_total: Decimal
    discount_total: Decimal
    rounding_limit: Decimal
    lines: tuple[OrderLine, ...]
    external_customer_id: str  # "" for a guest
    email: str
    billing: Address
    shipping: Address
    refunds: tuple[Refund, ...] = ()
    payment_method: str = ""
    note: str = ""
    exchange: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CartCustomer:
    external_id: str
    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    billing: Address
    shipping: Address
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class CartItem:
    """A product without variations, or one variation. `stock` is None where the cart keeps none for it."""

    external_id: str
    parent_id: str  # "" unless a variation
    sku: str
    name: str
    price: Decimal | None
    sale_price: Decimal | None
    description: str
    barcode: str
    weight: Decimal | None
    tax_class: str
    is_stock_managed: bool
    is_active: bool
    has_variations: bool
    stock: Decimal | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """A quantity to be shown. `known`: what the cart is known to show, for platforms that compare before they set; None
    where we do not know."""

    external_id: str
    parent_id: str
    quantity: Decimal
    known: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ItemRef:
    """One record of the cart, for reading and writing it. `parent_id` is "" unless it is a variation."""

    external_id: str
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as it came. `body` is the shop's own text of this record (of several texts, where it takes several
    requests to read one); `digest` identifies its content."""

    external_id: str
    modified_at: datetime | None
    digest: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class RowResult:
    """How one row of a write ended. `error` is Rejected, NotFound or Stale, for this row only; None: done."""

    external_id: str
    error: CartError | None = None


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Fields to be set on one record of the cart: texts by name as carts.fields writes them."""

    ref: ItemRef
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """`total` is how many records the whole window holds as the shop counted them with this page, if it says.
    `next_position` is where a listing or a reading by id goes on, in the platform's own words; "" on the last page."""

    rows: tuple[RawRecord, ...]
    total: int | None
    is_last: bool
    next_position: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What to read. `since` is closed: a record modified exactly then is read. `None`: from the beginning.
    `before_request` is called in the reader's own thread before every request but the first; it raises to end the
    reading."""

    since: datetime | None = None
    requests_in_flight: int = 1
    before_request: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list tab asks the live cart for: one page, newest first, filtered by what the platform can. `position`
    is the `next_position` of the page before; "" for the first."""

    position: str = ""
    per_page: int = 50
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    status: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place where the shop keeps stock."""

    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """What a webhook says: this record of the cart wants to be read again. Nothing else of it is believed."""

    delivery_id: str
    kind: str  # ORDER, ITEM or CUSTOMER
    external_id: str


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """What Test Connection read. `permissions` and `warnings` are sentences for staff."""

    name: str
    currency: str
    timezone: str
    version: str
    can_write: bool
    permissions: str
    address: str = ""
    locations: tuple[Location, ...] = ()
    warnings: tuple[str, ...] = ()
