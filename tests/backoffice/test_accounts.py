"""Every entry is in balance, whatever the shop's figures are."""

from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.choices import AccountCode, DocumentType, LineKind
from backoffice.errors import UnbalancedEntry
from backoffice.models import Account, Document, DocumentLine, JournalEntry, JournalLine
from backoffice.services import documents
from backoffice.services.accounts import postings_of
from tests.backoffice.conftest import a_document, a_line, create

amounts = st.decimals(min_value=-9999, max_value=9999, places=4)
lines = st.builds(
    lambda kind, net, tax, discount: a_line(None, str(net), str(tax), kind=kind, discount=discount),
    kind=st.sampled_from(LineKind.values),
    net=amounts,
    tax=amounts,
    discount=st.decimals(min_value=0, max_value=9999, places=4),
)
orders = st.lists(lines, min_size=1, max_size=6)
posted_types = st.sampled_from([DocumentType.CASH_SALE, DocumentType.SALES_INVOICE])


@given(document_type=posted_types, order=orders)
def test_debits_are_credits(document_type, order):
    new = a_document(1, *order, type=document_type)
    rows = [DocumentLine(kind=line.kind, net=line.net, tax=line.tax, discount=line.discount) for line in order]
    found = postings_of(Document(type=document_type, total=new.total, currency="EUR"), rows)

    assert sum(posting.debit for posting in found) == sum(posting.credit for posting in found)
    assert all((posting.debit > 0) != (posting.credit > 0) for posting in found)
    assert all(posting.debit >= 0 and posting.credit >= 0 for posting in found)
    owed = AccountCode.CASH_CLEARING if document_type == DocumentType.CASH_SALE else AccountCode.RECEIVABLE
    assert sum(posting.debit - posting.credit for posting in found if posting.code == owed) == new.total


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document_type=posted_types, order=orders)
def test_what_is_written_is_in_balance_and_cancelling_leaves_nothing(customer_id, document_type, order):
    (made,) = create(a_document(customer_id, *order, type=document_type))
    documents.approve(made, None)
    documents.cancel(made, None)
    for entry in JournalEntry.objects.filter(document=made).prefetch_related("lines"):
        assert sum(line.debit - line.credit for line in entry.lines.all()) == 0
    balances: Counter = Counter()
    posted = JournalLine.objects.filter(entry__document=made)
    for account, debit, credit in posted.values_list("account", "debit", "credit"):
        balances[account] += debit - credit
    assert not any(balances.values())


def test_lines_that_do_not_add_up_are_never_posted():
    document = Document(type="cash_sale", number="CS-1", total=Decimal("12.01"), currency="EUR")
    line = DocumentLine(kind="item", net=Decimal("10.00"), tax=Decimal("2.00"), discount=Decimal(0))
    with pytest.raises(UnbalancedEntry, match=r"0\.01 EUR out of balance, so nothing was posted"):
        postings_of(document, [line])


def test_postings_are_in_the_documents_currency(customer_id):
    (made,) = create(a_document(customer_id, currency="NOK", source_number="W-7"))
    documents.approve(made, None)
    assert set(JournalLine.objects.values_list("currency", "memo")) == {("NOK", "CS-000001 W-7")}


def test_a_document_is_posted_once_by_the_database(customer_id):
    (made,) = create(a_document(customer_id))
    document = documents.approve(made, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.create(document=document, kind="posting", at=document.approved_at)
    assert JournalEntry.objects.count() == 1


@pytest.mark.parametrize(("debit", "credit"), [(1, 1), (0, 0), (-1, 0), (0, -1)])
def test_a_line_is_a_debit_or_a_credit(customer_id, debit, credit):
    (made,) = create(a_document(customer_id))
    documents.approve(made, None)
    before = JournalLine.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalLine.objects.create(
            entry=JournalEntry.objects.get(), account=Account.objects.first(), debit=debit, credit=credit
        )
    assert JournalLine.objects.count() == before


CHART = [
    ("1000", "Cash clearing", "asset"),
    ("1100", "Accounts receivable", "asset"),
    ("2200", "Sales tax payable", "liability"),
    ("4000", "Sales", "income"),
    ("4100", "Shipping income", "income"),
    ("4900", "Discounts given", "expense"),
    ("6900", "Rounding", "expense"),
]


def test_the_chart_is_there_from_the_start(db):
    assert list(Account.objects.order_by("code").values_list("code", "name", "kind")) == CHART


@pytest.mark.django_db(transaction=True)
def test_a_flushed_database_has_the_chart_again_and_a_renamed_account_keeps_its_name():
    Account.objects.filter(code="4000").update(name="Web sales")
    call_command("migrate", verbosity=0)
    assert Account.objects.get(code="4000").name == "Web sales"
    call_command("flush", interactive=False, verbosity=0)
    assert list(Account.objects.order_by("code").values_list("code", "name", "kind")) == CHART
