"""Documents: made PENDING, approved once, cancelled by posting the reverse."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.choices import NUMBER_PREFIX, DocumentState, DocumentType, LineKind
from backoffice.errors import BackofficeError, DocumentError
from backoffice.models import Document, DocumentLine, DocumentTodo
from backoffice.services import posting, series
from backoffice.types import ZERO, NewDocument, NewLine

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """`refused`: (document number, sentence) for each that could not be done."""

    done: int
    refused: tuple[tuple[str, str], ...]


def create_documents(new: Sequence[NewDocument]) -> list[int]:
    """Make PENDING documents; their ids in the same order. Runs in the caller's transaction, set-wise.

    IntegrityError for the whole set when a (source, source_ref) has a document already.
    """
    assert connection.in_atomic_block, "documents are created in the caller's transaction"
    now = timezone.now()
    numbers = {type_: iter(_numbers(type_, count)) for type_, count in Counter(d.type for d in new).items()}
    documents = [_document(document, next(numbers[document.type]), now) for document in new]
    Document.objects.bulk_create(documents)
    DocumentLine.objects.bulk_create(
        _line(document.pk, position, line)
        for document, source in zip(documents, new, strict=True)
        for position, line in enumerate(source.lines, 1)
    )
    todos = [
        DocumentTodo(document=document, key=todo.key, text=todo.text, details=dict(todo.details), created_at=now)
        for document, source in zip(documents, new, strict=True)
        for todo in source.todos
    ]
    if todos:
        DocumentTodo.objects.bulk_create(todos)
    return [document.pk for document in documents]


def _numbers(type_: str, count: int) -> Iterator[str]:
    prefix = NUMBER_PREFIX[DocumentType(type_)]
    return (f"{prefix}-{number:06}" for number in series.reserve(prefix, count))


def _document(new: NewDocument, number: str, now: Any) -> Document:
    return Document(
        type=new.type,
        number=number,
        customer_id=new.customer_id,
        currency=new.currency,
        total=new.total,
        net_total=sum((line.net for line in new.lines), ZERO),
        tax_total=new.tax_total,
        shipping_total=sum((line.net for line in new.lines if line.kind == LineKind.SHIPPING), ZERO),
        discount_total=new.discount_total,
        exchange=dict(new.exchange),
        placed_at=new.placed_at or now,
        source=new.source,
        source_ref=new.source_ref,
        source_number=new.source_number[:64],
        billing=asdict(new.billing),
        shipping=asdict(new.shipping),
        payment_method=new.payment_method[:200],
        note=new.note,
        created_at=now,
    )


def _line(document_id: int, position: int, line: NewLine) -> DocumentLine:
    return DocumentLine(
        document_id=document_id,
        position=position,
        kind=line.kind,
        item_id=line.item_id,
        sku=line.sku[:100],
        description=line.description,
        quantity=line.quantity,
        unit_price=round(line.unit_price, 4),
        net=line.net,
        tax=line.tax,
        discount=line.discount,
    )


# States ---------------------------------------------------------------------------------------------


@transaction.atomic
def approve(document_id: int, by: Any = None) -> Document:
    """Post and move stock, once. DocumentError when it is not PENDING (any more): then nothing is done."""
    claimed = Document.objects.filter(pk=document_id, state=DocumentState.PENDING).update(
        state=DocumentState.APPROVED, approved_at=timezone.now(), approved_by=by
    )
    document = _get(document_id)
    if not claimed:
        raise DocumentError(f"{document.number} is {document.state.upper()} already, so it was not approved again.")
    posting.post(document, list(document.lines.select_related("item")), by)
    return document


@transaction.atomic
def cancel(document_id: int, by: Any = None) -> Document:
    """A PENDING document just ends; of an APPROVED one the reverse is posted and its stock moves back."""
    changes: dict[str, Any] = {"state": DocumentState.CANCELLED, "cancelled_at": timezone.now(), "cancelled_by": by}
    documents = Document.objects.filter(pk=document_id)
    was_pending = documents.filter(state=DocumentState.PENDING).update(**changes)
    was_approved = 0 if was_pending else documents.filter(state=DocumentState.APPROVED).update(**changes)
    document = _get(document_id)
    if was_approved:
        posting.reverse(document, by)
    elif not was_pending:
        raise DocumentError(f"{document.number} is CANCELLED already, so it was not cancelled again.")
    return document


def approve_many(document_ids: Iterable[int], by: Any = None) -> BulkOutcome:
    """One by one, each in its own transaction: one that is refused holds up no other."""
    return _each(document_ids, approve, by)


def cancel_many(document_ids: Iterable[int], by: Any = None) -> BulkOutcome:
    return _each(document_ids, cancel, by)


def _each(document_ids: Iterable[int], act: Callable[[int, Any], Document], by: Any) -> BulkOutcome:
    done, refused = 0, []
    for document_id in document_ids:
        try:
            act(document_id, by)
            done += 1
        except BackofficeError as error:
            refused.append((str(document_id), error.sentence))
        except Exception:
            log.exception("Document %s failed in a bulk action", document_id)
            refused.append((str(document_id), "Something unexpected went wrong; the log has it. Nothing was changed."))
    return BulkOutcome(done, tuple(refused))


def _get(document_id: int) -> Document:
    try:
        return Document.objects.select_related("customer").get(pk=document_id)
    except Document.DoesNotExist:
        raise DocumentError("There is no such document. Go back to the list and open it from there.") from None
