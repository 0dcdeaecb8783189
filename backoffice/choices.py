"""Every status once: value, label, tone. `tone` is a label type of the panel's badges."""

from django.db.models import TextChoices

GOOD, BAD, WARN, INFO, QUIET = "success", "danger", "warning", "info", ""


class DocumentType(TextChoices):
    CASH_SALE = "cash_sale", "Cash Sale"
    SALES_ORDER = "sales_order", "Sales Order"
    SALES_INVOICE = "sales_invoice", "Sales Invoice"


class DocumentState(TextChoices):
    PENDING = "pending", "PENDING"
    APPROVED = "approved", "APPROVED"
    CANCELLED = "cancelled", "CANCELLED"

    @property
    def tone(self) -> str:
        return _STATE_TONES[self]


_STATE_TONES = {
    DocumentState.PENDING: WARN,
    DocumentState.APPROVED: GOOD,
    DocumentState.CANCELLED: QUIET,
}


class LineKind(TextChoices):
    ITEM = "item", "Item"
    SHIPPING = "shipping", "Shipping"
    FEE = "fee", "Fee"
    ROUNDING = "rounding", "Rounding"
    OTHER = "other", "Other"


class MovementReason(TextChoices):
    OPENING = "opening", "Opening stock"
    ADJUSTMENT = "adjustment", "Adjustment"
    SALE = "sale", "Sale"
    COMMIT = "commit", "Committed to an order"
    REVERSAL = "reversal", "Reversal"


class EntryKind(TextChoices):
    POSTING = "posting", "Posting"
    REVERSAL = "reversal", "Reversal"


class AccountKind(TextChoices):
    ASSET = "asset", "Asset"
    LIABILITY = "liability", "Liability"
    INCOME = "income", "Income"
    EXPENSE = "expense", "Expense"


class AccountCode(TextChoices):
    """The accounts that postings use, by their code and name in the chart."""

    CASH_CLEARING = "1000", "Cash clearing"
    RECEIVABLE = "1100", "Accounts receivable"
    TAX_PAYABLE = "2200", "Sales tax payable"
    SALES = "4000", "Sales"
    SHIPPING = "4100", "Shipping income"
    DISCOUNTS = "4900", "Discounts given"
    ROUNDING = "6900", "Rounding"

    @property
    def kind(self) -> AccountKind:
        return _ACCOUNT_KINDS[self]


_ACCOUNT_KINDS = {
    AccountCode.CASH_CLEARING: AccountKind.ASSET,
    AccountCode.RECEIVABLE: AccountKind.ASSET,
    AccountCode.TAX_PAYABLE: AccountKind.LIABILITY,
    AccountCode.SALES: AccountKind.INCOME,
    AccountCode.SHIPPING: AccountKind.INCOME,
    AccountCode.DISCOUNTS: AccountKind.EXPENSE,
    AccountCode.ROUNDING: AccountKind.EXPENSE,
}


class Series(TextChoices):
    """Number series: the value is what stands before the number."""

    CASH_SALE = "CS", "Cash Sales"
    SALES_ORDER = "SO", "Sales Orders"
    SALES_INVOICE = "SI", "Sales Invoices"
    CUSTOMER = "CU", "Customers"
