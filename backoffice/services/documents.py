"""Documents: made PENDING and set-wise, then approved or cancelled, each once.

A PENDING document posts nothing and moves no stock. Approving a Cash Sale or a Sales Invoice posts one balanced
entry and takes its items from stock. Approving a Sales Order commits the stock and posts nothing: an order is
not revenue. Cancelling what was approved writes the reverse of both; nothing posted is edited or deleted.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import connection
from django.utils import timezone

from backoffice.choices import DocumentType
from backoffice.models import Document, DocumentLine
from backoffice.services import stock, todos
from backoffice.services.numbers import SERIES_OF_TYPE, reserve
from backoffice.services.states import approve, approve_many, cancel, cancel_many
from backoffice.types import AMOUNT_DECIMALS, NewDocument

__all__ = ["approve", "approve_many", "cancel", "cancel_many", "create_documents"]


def create_documents(new: Sequence[NewDocument]) -> list[int]:
    """Ids in the same order; all or none, inside the caller's transaction.

    One statement a type for the numbers, then one each for documents, lines and to-dos (SQLite, which takes 999
    parameters, needs a few more). IntegrityError for the whole set when a (source, source_ref) is there already.
    """
    assert connection.in_atomic_block, "create_documents belongs inside a transaction"
    if not new:
        return []
    now = timezone.now()
    rows = [_document(document, number, now) for document, number in zip(new, _numbers(new), strict=True)]
    Document.objects.bulk_create(rows)
    DocumentLine.objects.bulk_create(
        line for row, document in zip(rows, new, strict=True) for line in _lines(row, document)
    )
    found = {row.pk: document.todos for row, document in zip(rows, new, strict=True) if document.todos}
    if found:
        todos.add_todos(found)
    stock.announce(line.item_id for document in new for line in document.lines)
    return [row.pk for row in rows]


def _numbers(new: Sequence[NewDocument]) -> list[str]:
    types = [document.type for document in new]
    # In one order everywhere, so that no two transactions wait for each other.
    blocks = {name: iter(reserve(SERIES_OF_TYPE[DocumentType(name)], types.count(name))) for name in sorted(set(types))}
    return [next(blocks[name]) for name in types]


def _document(new: NewDocument, number: str, now: datetime) -> Document:
    return Document(
        type=new.type,
        number=number,
        customer_id=new.customer_id,
        currency=new.currency,
        total=new.total,
        net_total=new.net_total,
        tax_total=new.tax_total,
        shipping_total=new.shipping_total,
        discount_total=new.discount_total,
        exchange=dict(new.exchange),
        placed_at=new.placed_at,
        created_at=now,
        source=new.source,
        source_ref=new.source_ref,
        source_number=new.source_number,
        billing=asdict(new.billing),
        shipping=asdict(new.shipping),
        payment_method=new.payment_method[:200],
        note=new.note,
    )


def _lines(row: Document, new: NewDocument) -> list[DocumentLine]:
    return [
        DocumentLine(
            document=row,
            position=position,
            kind=line.kind,
            item_id=line.item_id,
            sku=line.sku,
            description=line.description,
            quantity=line.quantity,
            unit_price=round(line.unit_price, AMOUNT_DECIMALS),
            net=line.net,
            tax=line.tax,
            discount=line.discount,
        )
        for position, line in enumerate(new.lines, start=1)
    ]
