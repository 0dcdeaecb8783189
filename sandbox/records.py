"""What a shop of any platform keeps. Money is Decimal, times are aware UTC, quantities whole."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

ZERO = Decimal("0.00")


class Address(Struct, omit_defaults=True):
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class Customer(Struct, omit_defaults=True):
    id: int
    created: datetime
    email: str
    modified: datetime | None = None
    first_name: str = ""
    last_name: str = ""
    role: str = "customer"
    username: str = ""
    billing: Address = field(default_factory=Address)
    shipping: Address = field(default_factory=Address)
    is_paying: bool = False
    meta: list[dict[str, Any]] = field(default_factory=list)


class Product(Struct, omit_defaults=True):
    """A product or, with `parent_id`, a variation of one. Prices are the shop's strings, "" for none."""

    id: int
    created: datetime
    modified: datetime
    name: str
    kind: str = "simple"
    parent_id: int = 0
    sku: str = ""
    regular_price: str = ""
    sale_price: str = ""
    tax_class: str = ""
    status: str = "publish"
    manages_stock: bool = False
    stock: int | None = None
    stock_status: str = "instock"
    backorders: str = "no"
    option: str = ""
    children: list[int] = field(default_factory=list)
    total_sales: int = 0
    # Fields a platform lets one write and the shop only hands back: descriptions, weights and the like.
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def price(self) -> str:
        return self.sale_price or self.regular_price


class TaxShare(Struct, omit_defaults=True):
    """One rate's part of a line. `subtotal` is None where the platform has no price before discount."""

    rate_id: int
    total: Decimal
    subtotal: Decimal | None = None


class Line(Struct, omit_defaults=True):
    """`subtotal` is the price before discount, `total` what is charged; both for all pieces, without tax."""

    id: int
    name: str
    quantity: int
    # As it was when ordered, for platforms whose orders keep it.
    sku: str = ""
    product_id: int = 0
    variation_id: int = 0
    tax_class: str = ""
    subtotal: Decimal = ZERO
    subtotal_tax: Decimal = ZERO
    total: Decimal = ZERO
    total_tax: Decimal = ZERO
    taxes: list[TaxShare] = field(default_factory=list)
    stock_taken: int = 0
    restocked: int = 0


class Shipping(Struct, omit_defaults=True):
    id: int
    title: str
    total: Decimal
    method: str = "flat_rate"
    total_tax: Decimal = ZERO
    taxes: list[TaxShare] = field(default_factory=list)


class Fee(Struct, omit_defaults=True):
    id: int
    name: str
    total: Decimal
    is_taxable: bool = True
    tax_class: str = ""
    total_tax: Decimal = ZERO
    taxes: list[TaxShare] = field(default_factory=list)


class Coupon(Struct, omit_defaults=True):
    """`kind` is "percent" or "fixed"; `nominal` the percentage or the amount on the coupon."""

    id: int
    code: str
    kind: str
    nominal: Decimal
    discount: Decimal = ZERO
    discount_tax: Decimal = ZERO


class TaxLine(Struct, omit_defaults=True):
    id: int
    rate_id: int
    tax_total: Decimal
    shipping_tax_total: Decimal


class Refund(Struct, omit_defaults=True):
    """`amount` is positive and includes tax; its lines carry negative quantities and figures."""

    id: int
    order_id: int
    created: datetime
    amount: Decimal
    total_tax: Decimal = ZERO
    reason: str = ""
    lines: list[Line] = field(default_factory=list)
    refunded_lines: list[int] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)


class Order(Struct, omit_defaults=True):
    id: int
    key: str
    created: datetime
    modified: datetime
    currency: str
    status: str = "pending"
    status_before_trash: str = ""
    customer_id: int = 0
    billing: Address = field(default_factory=Address)
    shipping: Address = field(default_factory=Address)
    paid: datetime | None = None
    completed: datetime | None = None
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    note: str = ""
    created_via: str = "checkout"
    lines: list[Line] = field(default_factory=list)
    shipping_lines: list[Shipping] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    meta: list[dict[str, Any]] = field(default_factory=list)
    discount_total: Decimal = ZERO
    discount_tax: Decimal = ZERO
    shipping_total: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    cart_tax: Decimal = ZERO
    total_tax: Decimal = ZERO
    total: Decimal = ZERO
    # What one platform alone knows of an order.
    extra: dict[str, Any] = field(default_factory=dict)
