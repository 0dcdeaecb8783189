"""What a document's page shows, as plain values for its template."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import F

from backoffice.admin import show
from backoffice.admin.tables import Column, Table
from backoffice.choices import DocumentState, DocumentType
from backoffice.models import Customer, Document, JournalEntry
from backoffice.text import money, plain_number
from backoffice.types import ZERO

LINE_COLUMNS = (
    Column("SKU"),
    Column("Description", is_wide=True),
    Column("Quantity", is_number=True),
    Column("Unit price", is_number=True),
    Column("Discount", is_number=True),
    Column("Net", is_number=True),
    Column("Tax", is_number=True),
)
POSTING_COLUMNS = (Column("Account", is_wide=True), Column("Debit", is_number=True), Column("Credit", is_number=True))
MOVEMENT_COLUMNS = (
    Column("Item", is_wide=True),
    Column("Reason"),
    Column("On hand", is_number=True),
    Column("Committed", is_number=True),
    Column("When"),
)

DOCUMENT_COLUMNS = (
    Column("Number"),
    Column("Type"),
    Column("State"),
    Column("Placed"),
    Column("Total", is_number=True),
)
DOCUMENTS_SHOWN = 10


def context(document: Document) -> dict[str, Any]:
    return {
        "document": document,
        "total": money(document.total, document.currency),
        "is_pending": document.state == DocumentState.PENDING,
        "is_cancelled": document.state == DocumentState.CANCELLED,
        "pending_sentence": f"PENDING touches nothing. When it is approved, {effect(document)}.",
        "no_entries": _why_nothing(document, "Nothing was posted"),
        "no_movements": _why_nothing(document, "No stock was moved"),
        "facts": _facts(document),
        "lines": line_table(document),
        "totals": _totals(document),
        "todos": _todos(document),
        "entries": entry_tables(document),
        "movements": movement_table(document),
        "billing": show.address_lines(document.billing),
        "shipping": show.address_lines(document.shipping),
        "source": _source(document),
        "exchange": [(key.replace("_", " "), value) for key, value in document.exchange.items()],
    }


def effect(document: Document) -> str:
    """What approving does to accounts and stock, as half a sentence."""
    if document.type == DocumentType.SALES_ORDER:
        return "its items are committed in stock; an order posts nothing to the accounts"
    return "it is posted to the accounts and its items leave the stock"


def line_table(document: Document) -> Table:
    rows = [
        (
            show.link(line.item, line.sku or line.item.sku) if line.item else line.sku or show.NOTHING,
            line.description or line.get_kind_display(),
            plain_number(line.quantity),
            plain_number(line.unit_price, 2),
            plain_number(line.discount, 2) if line.discount else show.NOTHING,
            plain_number(line.net, 2),
            plain_number(line.tax, 2),
        )
        for line in document.lines.select_related("item").order_by("position")
    ]
    return Table(LINE_COLUMNS, rows)


def entry_tables(document: Document) -> list[dict[str, Any]]:
    entries = document.entries.select_related("by").prefetch_related("lines__account").order_by("pk")
    return [
        {
            "title": entry.get_kind_display(),
            "made": show.by_whom(entry.at, entry.by),
            "table": posting_table(entry),
        }
        for entry in entries
    ]


def posting_table(entry: JournalEntry) -> Table:
    lines = list(entry.lines.all())
    currency = lines[0].currency if lines else ""
    rows = [(str(line.account), _side(line.debit), _side(line.credit)) for line in lines]
    sums = (sum((line.debit for line in lines), ZERO), sum((line.credit for line in lines), ZERO))
    return Table(POSTING_COLUMNS, rows, ("Sum", *(money(amount, currency) for amount in sums)))


def movement_table(document: Document) -> Table:
    rows = [
        (
            show.link(movement.item),
            movement.get_reason_display(),
            show.signed(movement.on_hand_change),
            show.signed(movement.committed_change),
            show.moment(movement.at),
        )
        for movement in document.movements.select_related("item").order_by("pk")
    ]
    return Table(MOVEMENT_COLUMNS, rows)


def latest_of(customer: Customer) -> Table:
    """The customer's latest documents, newest first."""
    rows = [
        (
            show.link(document, document.number),
            document.get_type_display(),
            show.badge(document.get_state_display(), document.tone),
            show.moment(document.placed_at),
            money(document.total, document.currency),
        )
        for document in customer.documents.order_by("-placed_at", "-id")[:DOCUMENTS_SHOWN]
    ]
    return Table(DOCUMENT_COLUMNS, rows)


def _todos(document: Document) -> list[dict[str, Any]]:
    """Open ones first."""
    return [
        {
            "pk": todo.pk,
            "text": todo.text,
            "noted": show.moment(todo.created_at),
            "done": show.by_whom(todo.done_at, todo.done_by) if todo.done_at else "",
        }
        for todo in document.todos.select_related("done_by").order_by(F("done_at").asc(nulls_first=True), "pk")
    ]


def _why_nothing(document: Document, what: str) -> str:
    if document.state == DocumentState.PENDING:
        return f"{what}: a PENDING document touches nothing."
    return f"{what}."


def _side(amount: Decimal) -> str:
    return plain_number(amount, 2) if amount else ""


def _totals(document: Document) -> Iterable[tuple[str, str]]:
    yield "Net", money(document.net_total, document.currency)
    if document.shipping_total:
        yield "of which shipping", money(document.shipping_total, document.currency)
    if document.discount_total:
        yield "Discount given", money(document.discount_total, document.currency)
    yield "Tax", money(document.tax_total, document.currency)


def _facts(document: Document) -> list[tuple[str, Any]]:
    facts = [
        ("Type", document.get_type_display()),
        ("Customer", show.link(document.customer)),
        ("Placed", show.moment(document.placed_at)),
        ("Imported" if document.source else "Made", show.moment(document.created_at)),
        ("Payment method", document.payment_method or show.NOTHING),
    ]
    for word, at, by in (
        ("Approved", document.approved_at, document.approved_by),
        ("Cancelled", document.cancelled_at, document.cancelled_by),
    ):
        if at:
            facts.append((word, show.by_whom(at, by)))
    return facts


def _source(document: Document) -> list[tuple[str, str]]:
    if not document.source:
        return []
    return [
        ("Order number", document.source_number or show.NOTHING),
        ("Source", document.source),
        ("Reference there", document.source_ref),
    ]
