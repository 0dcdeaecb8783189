"""Frozen values that services take. Money is Decimal in the document's currency, times are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from backoffice.choices import LineKind

AMOUNT_DECIMALS = 8  # more than any shop gives; models.fields stores as many
QUANTITY_DECIMALS = 4

ZERO = Decimal(0)


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

    def as_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """`import_key`: two imports of the same buyer at the same time end in one customer. `None`: no such guard."""

    name: str
    company: str = ""
    phone: str = ""
    emails: tuple[str, ...] = ()
    billing: Address = Address()
    shipping: Address = Address()
    import_key: str | None = None


@dataclass(frozen=True, slots=True)
class NewItem:
    """`tax_rate` is in percent."""

    sku: str
    name: str
    description: str = ""
    price: Decimal = ZERO
    sale_price: Decimal | None = None
    tax_rate: Decimal = ZERO
    tax_class: str = ""
    barcode: str = ""
    weight: Decimal | None = None
    is_stock_keeping: bool = True
    is_active: bool = True
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewTodo:
    """`key` names the event once per document, for instance "refund:12"."""

    key: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewLine:
    """`net` and `tax` are for the whole line, after discount; `discount` is net and positive.

    Raises ValueError for an amount or quantity with more decimals than are kept: nothing is rounded in silence.
    Only `unit_price`, which is there to be read, is rounded to what is kept.
    """

    kind: str  # choices.LineKind
    description: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO
    item_id: int | None = None
    sku: str = ""

    def __post_init__(self) -> None:
        for amount in (self.net, self.tax, self.discount):
            _check_decimals(amount, AMOUNT_DECIMALS)
        _check_decimals(self.quantity, QUANTITY_DECIMALS)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as the shop gave it. `total` is what the buyer owes, tax included.

    Raises ValueError when there are no lines, or when net and tax of all lines do not add up to `total`.
    """

    type: str  # choices.DocumentType
    customer_id: int
    currency: str  # ISO 4217
    total: Decimal
    placed_at: datetime
    lines: tuple[NewLine, ...]
    source: str = ""
    source_ref: str = ""
    source_number: str = ""
    tax_total: Decimal = ZERO
    discount_total: Decimal = ZERO
    billing: Address = Address()
    shipping: Address = Address()
    payment_method: str = ""
    note: str = ""
    exchange: Mapping[str, Any] = field(default_factory=dict)
    todos: tuple[NewTodo, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("A document needs at least one line.")
        total = sum(line.net + line.tax for line in self.lines)
        if total != self.total:
            raise ValueError(f"The lines add up to {total} {self.currency}, the total says {self.total}.")
        for amount in (self.total, self.tax_total, self.discount_total):
            _check_decimals(amount, AMOUNT_DECIMALS)

    @property
    def net_total(self) -> Decimal:
        return sum((line.net for line in self.lines), ZERO)

    @property
    def shipping_total(self) -> Decimal:
        return sum((line.net for line in self.lines if line.kind == LineKind.SHIPPING), ZERO)


@dataclass(frozen=True, slots=True)
class ItemLite:
    id: int
    is_stock_keeping: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class StockChange:
    """Quantities added to (below zero: taken from) what is on hand and what is committed."""

    item_id: int
    reason: str  # choices.MovementReason
    on_hand: Decimal = ZERO
    committed: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Availability:
    """`pending` is the sum of the quantities on item lines of PENDING documents."""

    on_hand: Decimal = ZERO
    committed: Decimal = ZERO
    pending: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document in a bulk approve or cancel. `sentence` is empty when it was done."""

    document_id: int
    is_done: bool
    was_done_before: bool = False
    sentence: str = ""


def _check_decimals(number: Decimal, decimals: int) -> None:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not a number.")
    if exponent < -decimals and number != round(number, decimals):
        raise ValueError(f"{number} has more than {decimals} decimals.")
