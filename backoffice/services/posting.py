"""From a document to its postings and stock movements. Pure but for the rows it writes; documents decides when."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from backoffice.choices import AccountCode, DocumentType, EntryKind, LineKind, MovementReason
from backoffice.models import Account, Document, DocumentLine, JournalEntry, JournalLine
from backoffice.services import stock
from backoffice.types import ZERO, StockChange

INCOME_OF_LINE = {
    LineKind.ITEM: AccountCode.SALES,
    LineKind.SHIPPING: AccountCode.SHIPPING,
    LineKind.FEE: AccountCode.FEES,
    LineKind.ROUNDING: AccountCode.ROUNDING,
    LineKind.OTHER: AccountCode.SALES,
}


def balances(document: Document, lines: list[DocumentLine]) -> dict[str, Decimal]:
    """Signed amount by account code, debit positive; they add up to zero because the lines add up to the total."""
    amounts: dict[str, Decimal] = defaultdict(lambda: ZERO)
    debtor = AccountCode.CASH_CLEARING if document.type == DocumentType.CASH_SALE else AccountCode.RECEIVABLE
    amounts[debtor] += document.total
    for line in lines:
        # Sales before discount, with the discount against it, so that the accounts show both.
        amounts[INCOME_OF_LINE[LineKind(line.kind)]] -= line.net + line.discount
        amounts[AccountCode.DISCOUNTS] += line.discount
        amounts[AccountCode.SALES_TAX] -= line.tax
    return {code: amount for code, amount in amounts.items() if amount}


def post(document: Document, lines: list[DocumentLine], by: Any) -> None:
    """Cash Sale and Sales Invoice: one balanced entry and the goods out. Sales Order: the goods committed; an order
    is no revenue yet, so the accounts are not touched."""
    if document.type == DocumentType.SALES_ORDER:
        stock.move(_changes(lines, committed=1), MovementReason.COMMIT, document=document, by=by)
        return
    _write_entry(document, EntryKind.POSTING, balances(document, lines), by)
    stock.move(_changes(lines, on_hand=-1), MovementReason.SALE, document=document, by=by)


def reverse(document: Document, by: Any) -> None:
    """The opposite of what was posted and moved, read from the ledgers themselves."""
    posted = JournalEntry.objects.filter(document=document, kind=EntryKind.POSTING).first()
    if posted:
        amounts: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for line in posted.lines.select_related("account"):
            amounts[line.account.code] += line.credit - line.debit
        _write_entry(document, EntryKind.REVERSAL, amounts, by)
    changes = [
        StockChange(movement.item_id, on_hand=-movement.on_hand_change, committed=-movement.committed_change)
        for movement in document.movements.all()
    ]
    stock.move(changes, MovementReason.REVERSAL, document=document, by=by)


def _changes(lines: list[DocumentLine], *, on_hand: int = 0, committed: int = 0) -> list[StockChange]:
    return [
        StockChange(line.item_id, on_hand=line.quantity * on_hand, committed=line.quantity * committed)
        for line in lines
        if line.item_id is not None and line.item is not None and line.item.is_stock_keeping
    ]


def _write_entry(document: Document, kind: EntryKind, amounts: dict[str, Decimal], by: Any) -> None:
    if sum(amounts.values(), ZERO) != 0:
        raise ValueError(f"the {kind.label.lower()} of {document} is not in balance: {dict(amounts)}")
    entry = JournalEntry.objects.create(document=document, kind=kind, by=by)
    accounts = {account.code: account for account in Account.objects.filter(code__in=amounts)}
    JournalLine.objects.bulk_create(
        JournalLine(
            entry=entry,
            account=accounts[code],
            debit=max(amount, ZERO),
            credit=max(-amount, ZERO),
            currency=document.currency,
        )
        for code, amount in sorted(amounts.items())
        if amount
    )
