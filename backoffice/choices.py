"""Every status of the system once: value, label, tone."""

from django.db.models import TextChoices


class DocumentType(TextChoices):
    CASH_SALE = "cash_sale", "Cash Sale"
    SALES_ORDER = "sales_order", "Sales Order"
    SALES_INVOICE = "sales_invoice", "Sales Invoice"


NUMBER_PREFIX = {DocumentType.CASH_SALE: "CS", DocumentType.SALES_ORDER: "SO", DocumentType.SALES_INVOICE: "SI"}


class DocumentState(TextChoices):
    PENDING = "pending", "PENDING"
    APPROVED = "approved", "APPROVED"
    CANCELLED = "cancelled", "CANCELLED"

    @property
    def tone(self) -> str:
        return {"pending": "warning", "approved": "success", "cancelled": ""}[self.value]


class LineKind(TextChoices):
    ITEM = "item", "Item"
    SHIPPING = "shipping", "Shipping"
    FEE = "fee", "Fee"
    ROUNDING = "rounding", "Rounding"
    OTHER = "other", "Other"


class MovementReason(TextChoices):
    ADJUSTMENT = "adjustment", "Adjustment"
    OPENING = "opening", "Opening stock"
    SALE = "sale", "Sale"
    COMMIT = "commit", "Committed"
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
    """The accounts the postings use, by their code in the chart."""

    RECEIVABLE = "1100", "Accounts receivable"
    CASH_CLEARING = "1200", "Cash clearing"
    SALES_TAX = "2200", "Sales tax payable"
    SALES = "4000", "Sales"
    SHIPPING = "4100", "Shipping income"
    FEES = "4200", "Fees"
    DISCOUNTS = "4900", "Discounts given"
    ROUNDING = "6900", "Rounding"
