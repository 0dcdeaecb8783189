"""Double entry: what approving a document posts, and what cancelling it reverses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from backoffice.choices import AccountCode, DocumentType, EntryKind, LineKind
from backoffice.errors import UnbalancedEntry
from backoffice.models import Account, Document, DocumentLine, JournalEntry, JournalLine
from backoffice.types import ZERO

# What the buyer owes lands here. A Sales Order is missing: a promise to sell is not revenue.
DEBITED = {
    DocumentType.CASH_SALE: AccountCode.CASH_CLEARING,
    DocumentType.SALES_INVOICE: AccountCode.RECEIVABLE,
}
INCOME = {LineKind.SHIPPING: AccountCode.SHIPPING, LineKind.ROUNDING: AccountCode.ROUNDING}


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: exactly one of `debit` and `credit` is above zero."""

    code: AccountCode
    debit: Decimal = ZERO
    credit: Decimal = ZERO


def is_posted(document: Document) -> bool:
    return document.type in DEBITED


def postings_of(document: Document, lines: Iterable[DocumentLine]) -> list[Posting]:
    """The balanced entry of a Cash Sale or Sales Invoice, in the document's currency.

    Sales and shipping are credited before discount, the discount is debited apart. An amount below zero (a
    negative fee, rounding in the buyer's favour) goes to the other side; one of zero is left out.
    """
    credits: dict[AccountCode, Decimal] = {}
    for line in lines:
        account = INCOME.get(LineKind(line.kind), AccountCode.SALES)
        credits[account] = credits.get(account, ZERO) + line.net + line.discount
        credits[AccountCode.TAX_PAYABLE] = credits.get(AccountCode.TAX_PAYABLE, ZERO) + line.tax
        credits[AccountCode.DISCOUNTS] = credits.get(AccountCode.DISCOUNTS, ZERO) - line.discount
    credits[DEBITED[DocumentType(document.type)]] = -document.total
    postings = [
        Posting(code, credit=amount) if amount > 0 else Posting(code, debit=-amount)
        for code in AccountCode
        if (amount := credits.get(code, ZERO))
    ]
    _check_balance(document, [(posting.debit, posting.credit) for posting in postings])
    return postings


@transaction.atomic
def post(documents: Sequence[Document], by: User | None, at: datetime) -> None:
    """One entry for each Cash Sale and Sales Invoice, with `lines` prefetched. IntegrityError if one has an entry."""
    posted = [document for document in documents if is_posted(document)]
    if not posted:
        return
    account_ids = dict(Account.objects.values_list("code", "pk"))
    entries = [JournalEntry(document=document, kind=EntryKind.POSTING, at=at, by=by) for document in posted]
    JournalEntry.objects.bulk_create(entries)
    JournalLine.objects.bulk_create(
        JournalLine(
            entry=entry,
            account_id=account_ids[posting.code],
            debit=posting.debit,
            credit=posting.credit,
            currency=document.currency,
            memo=f"{document.number} {document.source_number}".strip(),
        )
        for entry, document in zip(entries, posted, strict=True)
        for posting in postings_of(document, document.lines.all())
    )


@transaction.atomic
def reverse(document_ids: Sequence[int], by: User | None, at: datetime) -> None:
    """For each posted entry one with debits and credits exchanged. IntegrityError if one is reversed already."""
    posted = list(
        JournalEntry.objects.filter(document_id__in=document_ids, kind=EntryKind.POSTING)
        .select_related("document")
        .prefetch_related("lines")
    )
    reversals = [JournalEntry(document=entry.document, kind=EntryKind.REVERSAL, at=at, by=by) for entry in posted]
    JournalEntry.objects.bulk_create(reversals)
    lines = []
    for entry, reversal in zip(posted, reversals, strict=True):
        _check_balance(entry.document, [(line.debit, line.credit) for line in entry.lines.all()])
        lines += [
            JournalLine(
                entry=reversal,
                account_id=line.account_id,
                debit=line.credit,
                credit=line.debit,
                currency=line.currency,
                memo=f"Reversal of {line.memo}"[:250],
            )
            for line in entry.lines.all()
        ]
    JournalLine.objects.bulk_create(lines)


def _check_balance(document: Document, sides: Iterable[tuple[Decimal, Decimal]]) -> None:
    difference = sum((debit - credit for debit, credit in sides), ZERO)
    if difference:
        raise UnbalancedEntry(
            f"{document} would be posted {difference} {document.currency} out of balance, so nothing was posted. "
            "Its lines and its total do not agree: cancel it and tell whoever looks after the system."
        )
