"""From PENDING to APPROVED or CANCELLED, each step once, whoever clicks at the same time."""

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NoReturn

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from backoffice.choices import DocumentState, DocumentType, LineKind, MovementReason
from backoffice.errors import AlreadyDone, BackofficeError, DocumentError
from backoffice.models import Document, DocumentLine, StockMovement
from backoffice.services import accounts, stock
from backoffice.types import Outcome, StockChange

log = logging.getLogger(__name__)

DOCUMENTS_PER_TRANSACTION = 100

By = User | None
Step = Callable[[Sequence[int], By], None]


def approve(document_id: int, by: By) -> Document:
    """The document as it is then. AlreadyDone when it is approved, DocumentError when it is cancelled or gone."""
    _approve_all([document_id], by)
    return Document.objects.get(pk=document_id)


def cancel(document_id: int, by: By) -> Document:
    """The document as it is then. AlreadyDone when it is cancelled, DocumentError when it is gone."""
    _cancel_all([document_id], by)
    return Document.objects.get(pk=document_id)


def approve_many(document_ids: Sequence[int], by: By) -> list[Outcome]:
    """One outcome each, in the same order; one that cannot be approved leaves the others alone."""
    return _each(document_ids, by, _approve_all)


def cancel_many(document_ids: Sequence[int], by: By) -> list[Outcome]:
    """One outcome each, in the same order; one that cannot be cancelled leaves the others alone."""
    return _each(document_ids, by, _cancel_all)


def _each(document_ids: Sequence[int], by: By, step: Step) -> list[Outcome]:
    """Many in one transaction, which is far quicker; where that is refused, each alone, to know which it was."""
    ids, outcomes = list(dict.fromkeys(document_ids)), []
    for start in range(0, len(ids), DOCUMENTS_PER_TRANSACTION):
        part = ids[start : start + DOCUMENTS_PER_TRANSACTION]
        try:
            step(part, by)
            outcomes += [Outcome(document_id, is_done=True) for document_id in part]
        except (BackofficeError, DatabaseError):
            outcomes += [_alone(document_id, by, step) for document_id in part]
    return outcomes


def _alone(document_id: int, by: By, step: Step) -> Outcome:
    try:
        step([document_id], by)
    except BackofficeError as error:
        return Outcome(document_id, False, was_done_before=isinstance(error, AlreadyDone), sentence=str(error))
    except DatabaseError:
        log.exception("Document %s could not be written", document_id)
        sentence = "The database refused the change, so nothing was changed. Try again; the log has the cause."
        return Outcome(document_id, False, sentence=sentence)
    return Outcome(document_id, is_done=True)


@transaction.atomic
def _approve_all(ids: Sequence[int], by: By) -> None:
    now = timezone.now()
    pending = Document.objects.filter(pk__in=ids, state=DocumentState.PENDING)
    if pending.update(state=DocumentState.APPROVED, approved_at=now, approved_by=by) != len(ids):
        _refuse(ids, DocumentState.APPROVED)
    documents = list(Document.objects.filter(pk__in=ids).order_by("pk").prefetch_related("lines"))
    accounts.post(documents, by, now)
    _move_stock(documents, by)


@transaction.atomic
def _cancel_all(ids: Sequence[int], by: By) -> None:
    """What was approved is claimed first: a document approved meanwhile is then missed by both and refused."""
    now = timezone.now()
    before = dict(Document.objects.filter(pk__in=ids).values_list("pk", "state"))
    claimed = 0
    for state in (DocumentState.PENDING, DocumentState.APPROVED):
        rows = Document.objects.filter(pk__in=[pk for pk in ids if before.get(pk) == state], state=state)
        claimed += rows.update(state=DocumentState.CANCELLED, cancelled_at=now, cancelled_by=by)
    if claimed != len(ids):
        _refuse(ids, DocumentState.CANCELLED)
    approved = [pk for pk in ids if before[pk] == DocumentState.APPROVED]
    accounts.reverse(approved, by, now)
    _return_stock(approved, by)
    # What was PENDING moved nothing, but its quantities are no longer spoken for.
    lines = DocumentLine.objects.filter(
        document_id__in=set(ids) - set(approved), kind=LineKind.ITEM, item__isnull=False
    )
    stock.announce(lines.values_list("item_id", flat=True))


def _move_stock(documents: Sequence[Document], by: By) -> None:
    """Lines without an item, or with one that keeps no stock, move nothing."""
    lines = (
        DocumentLine.objects.filter(document__in=documents, kind=LineKind.ITEM, item__is_stock_keeping=True)
        .order_by("document_id", "position")
        .values_list("document_id", "document__type", "item_id", "quantity")
    )
    changes = [(_change(kind, item_id, quantity), document_id) for document_id, kind, item_id, quantity in lines]
    stock.move_for(changes, by=by)


def _change(document_type: str, item_id: int, quantity: Decimal) -> StockChange:
    if document_type == DocumentType.SALES_ORDER:
        return StockChange(item_id, MovementReason.COMMIT, committed=quantity)
    return StockChange(item_id, MovementReason.SALE, on_hand=-quantity)


def _return_stock(document_ids: Sequence[int], by: By) -> None:
    """The reverse of what each moved, whatever became of its items since."""
    moved = StockMovement.objects.filter(document_id__in=document_ids).order_by("pk")
    changes = [
        (
            StockChange(
                movement.item_id,
                MovementReason.REVERSAL,
                on_hand=-movement.on_hand_change,
                committed=-movement.committed_change,
            ),
            movement.document_id,
        )
        for movement in moved
    ]
    stock.move_for(changes, by=by)


def _refuse(ids: Sequence[int], wanted: DocumentState) -> NoReturn:
    """Raise; the transaction is rolled back with it. Which of several was to blame is found out one by one."""
    if len(ids) > 1:
        raise DocumentError("One of the documents was not as expected, so none was changed.")
    document = Document.objects.select_related("approved_by", "cancelled_by").filter(pk=ids[0]).first()
    if document is None:
        raise DocumentError("The document is not there any more, so nothing was changed. Reload the list.")
    if document.state == wanted:
        raise AlreadyDone(f"{document} is already {_since(document)}. Nothing was changed; there is nothing to do.")
    if document.state == DocumentState.CANCELLED:
        raise DocumentError(
            f"{document} is {_since(document)}, so it was not approved. Nothing was changed. "
            "If the sale holds after all, make a new document for it."
        )
    raise DocumentError(
        f"{document} was changed by someone else at this moment, so nothing was changed now. Look at it again."
    )


def _since(document: Document) -> str:
    if document.state == DocumentState.CANCELLED:
        word, at, by = "cancelled", document.cancelled_at, document.cancelled_by
    else:
        word, at, by = "approved", document.approved_at, document.approved_by
    return f"{word}{f' by {by}' if by else ''} ({date_format(localtime(at), 'DATETIME_FORMAT')})"
