"""Frozen values the services take: ids are int (ours), money is Decimal with its currency beside it, times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

ZERO, ONE = Decimal(0), Decimal(1)


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


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """`import_key` is unique: creating a second customer under it gives the first one back."""

    name: str
    company: str = ""
    phone: str = ""
    emails: tuple[str, ...] = ()
    billing: Address = Address()
    shipping: Address = Address()
    import_key: str | None = None


@dataclass(frozen=True, slots=True)
class NewItem:
    sku: str
    name: str
    description: str = ""
    price: Decimal = ZERO
    sale_price: Decimal | None = None
    tax_class: str = "standard"
    barcode: str = ""
    weight: Decimal | None = None
    is_stock_keeping: bool = True
    is_active: bool = True
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewLine:
    """`net` and `tax` are for the whole line after `discount`; `unit_price` is for showing."""

    kind: str
    description: str
    net: Decimal
    tax: Decimal
    item_id: int | None = None
    sku: str = ""
    quantity: Decimal = ONE
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class NewTodo:
    key: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be made PENDING. ValueError unless its lines add up to its total."""

    type: str
    customer_id: int
    currency: str
    total: Decimal
    lines: tuple[NewLine, ...]
    tax_total: Decimal = ZERO
    discount_total: Decimal = ZERO
    placed_at: datetime | None = None
    source: str = ""
    source_ref: str = ""
    source_number: str = ""
    billing: Address = Address()
    shipping: Address = Address()
    payment_method: str = ""
    note: str = ""
    exchange: Mapping[str, Any] = field(default_factory=dict)
    todos: tuple[NewTodo, ...] = ()

    def __post_init__(self) -> None:
        added = sum((line.net + line.tax for line in self.lines), ZERO)
        if added != self.total:
            raise ValueError(f"the lines of {self.source_ref or 'the document'} add up to {added}, not to {self.total}")


@dataclass(frozen=True, slots=True)
class StockChange:
    """Signed changes of one item. A sale is on_hand -2; committing an order is committed +2."""

    item_id: int
    on_hand: Decimal = ZERO
    committed: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Availability:
    """`pending`: on PENDING documents, which have moved nothing yet."""

    on_hand: Decimal = ZERO
    committed: Decimal = ZERO
    pending: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class FoundItem:
    id: int
    is_stock_keeping: bool
    is_active: bool
