"""Documents: made PENDING and set-wise, then approved or cancelled, each once.

A PENDING document posts nothing and moves no stock. Approving a Cash Sale or a Sales Invoice posts one balanced
entry and takes its items from stock. Approving a Sales Order commits the stock and posts nothing: an order is
not revenue. Cancelling what was approved writes the reverse of both; nothing posted is edited or deleted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from backoffice.choices import DocumentState, DocumentType
from backoffice.models import Document, DocumentLine
from backoffice.services import stock, todos
from backoffice.services.numbers import SERIES_OF_TYPE, reserve
from backoffice.services.states import approve, approve_many, cancel, cancel_many
from backoffice.types import AMOUNT_DECIMALS, NewDocument, NewLine
from cartsync import bulk

__all__ = ["approve", "approve_many", "cancel", "cancel_many", "create_documents"]

DOCUMENT_FIELDS = (
    "type", "number", "state", "customer", "currency", "total", "net_total", "tax_total", "shipping_total",
    "discount_total", "exchange", "placed_at", "created_at", "source", "source_ref", "source_number", "billing",
    "shipping", "payment_method", "note",
)  # fmt: skip
LINE_FIELDS = (
    "document", "position", "kind", "item", "sku", "description", "quantity", "unit_price", "net", "tax", "discount",
)  # fmt: skip


def create_documents(new: Sequence[NewDocument]) -> list[int]:
    """Ids in the same order; all or none, inside the caller's transaction.

    However many: one statement a type for the numbers, then one each for documents, lines and to-dos.
    IntegrityError for the whole set when a (source, source_ref) is there already.
    """
    assert connection.in_atomic_block, "create_documents belongs inside a transaction"
    if not new:
        return []
    now, numbers = timezone.now(), _numbers(new)
    rows = [_document(document, number, now) for document, number in zip(new, numbers, strict=True)]
    inserted = bulk.insert(Document, DOCUMENT_FIELDS, rows, returning=("number", "id"))
    id_of = {number: document_id for number, document_id in inserted}
    ids = [id_of[number] for number in numbers]
    lines = [
        _line(document_id, position, line)
        for document_id, document in zip(ids, new, strict=True)
        for position, line in enumerate(document.lines, start=1)
    ]
    bulk.insert(DocumentLine, LINE_FIELDS, lines)
    found = {document_id: document.todos for document_id, document in zip(ids, new, strict=True) if document.todos}
    if found:
        todos.add_todos(found)
    stock.announce(line.item_id for document in new for line in document.lines)
    return ids


def _numbers(new: Sequence[NewDocument]) -> list[str]:
    types = [document.type for document in new]
    # In one order everywhere, so that no two transactions wait for each other.
    blocks = {name: iter(reserve(SERIES_OF_TYPE[DocumentType(name)], types.count(name))) for name in sorted(set(types))}
    return [next(blocks[name]) for name in types]


def _document(new: NewDocument, number: str, now: datetime) -> tuple[Any, ...]:
    """The values of DOCUMENT_FIELDS."""
    return (
        str(new.type), number, DocumentState.PENDING.value, new.customer_id, new.currency, new.total, new.net_total,
        new.tax_total, new.shipping_total, new.discount_total, dict(new.exchange), new.placed_at, now, new.source,
        new.source_ref, new.source_number, new.billing.as_json(), new.shipping.as_json(), new.payment_method[:200],
        new.note,
    )  # fmt: skip


def _line(document_id: int, position: int, line: NewLine) -> tuple[Any, ...]:
    """The values of LINE_FIELDS."""
    unit_price = round(line.unit_price, AMOUNT_DECIMALS)
    return (
        document_id, position, str(line.kind), line.item_id, line.sku, line.description, line.quantity, unit_price,
        line.net, line.tax, line.discount,
    )  # fmt: skip
