"""Approve posts and moves stock once; Cancel reverses; nothing posted is edited."""

from decimal import Decimal

import pytest
from django.db import transaction

from backoffice.choices import DocumentState
from backoffice.errors import AlreadyDone, DocumentError
from backoffice.models import Document, DocumentLine, JournalEntry, JournalLine, StockMovement
from backoffice.services import documents, stock
from backoffice.types import Availability, StockChange
from tests.backoffice.conftest import PLACED_AT, a_document, a_line, create


def postings(document_id: int, kind: str = "posting") -> dict[str, tuple[str, str]]:
    """(debit, credit) by account, in cents."""
    lines = JournalLine.objects.filter(entry__document=document_id, entry__kind=kind).select_related("account")
    return {line.account.name: (f"{line.debit:.2f}", f"{line.credit:.2f}") for line in lines}


def movements(document_id: int) -> list[tuple]:
    rows = StockMovement.objects.filter(document=document_id).order_by("pk")
    return list(rows.values_list("item_id", "reason", "on_hand_change", "committed_change"))


@pytest.fixture
def sale(customer_id, item, service) -> dict:
    """Two mugs with a discount, gift wrapping, shipping, a negative fee and a cent of rounding: 30.51."""
    return {
        "customer_id": customer_id,
        "lines": (
            a_line(item, "18.00", "3.60", quantity=Decimal(2), discount=Decimal("2.00")),
            a_line(service, "3.00", "0.60"),
            a_line(None, "5.00", "1.00", kind="shipping", discount=Decimal("0.50")),
            a_line(None, "-0.60", "-0.10", kind="fee"),
            a_line(None, "0.01", "0.00", kind="rounding"),
        ),
    }


def make(sale: dict, **more) -> int:
    (made,) = create(a_document(sale["customer_id"], *sale["lines"], **more))
    return made


@pytest.mark.parametrize(
    ("document_type", "debited"), [("cash_sale", "Cash clearing"), ("sales_invoice", "Accounts receivable")]
)
def test_approving_a_sale_posts_it_and_takes_it_from_stock(sale, item, admin_user, document_type, debited):
    made = make(sale, type=document_type)
    document = documents.approve(made, admin_user)

    assert (document.state, document.approved_by) == (DocumentState.APPROVED, admin_user)
    assert postings(made) == {
        debited: ("30.51", "0.00"),
        "Sales": ("0.00", "22.40"),  # 18.00 + 2.00 + 3.00 - 0.60
        "Shipping income": ("0.00", "5.50"),
        "Sales tax payable": ("0.00", "5.10"),
        "Discounts given": ("2.50", "0.00"),
        "Rounding": ("0.00", "0.01"),
    }
    assert movements(made) == [(item.pk, "sale", Decimal(-2), Decimal(0))]
    assert stock.availability([item.pk]) == {item.pk: Availability(on_hand=Decimal(-2))}


def test_approving_an_order_commits_stock_and_posts_nothing(sale, item, admin_user):
    made = make(sale, type="sales_order")
    documents.approve(made, admin_user)
    assert movements(made) == [(item.pk, "commit", Decimal(0), Decimal(2))]
    assert JournalEntry.objects.count() == 0


def test_rounding_in_the_buyers_favour_is_debited(customer_id):
    lines = a_line(None, "10.00", "2.00"), a_line(None, "-0.01", "0", kind="rounding")
    (made,) = create(a_document(customer_id, *lines))
    documents.approve(made, None)
    assert postings(made)["Rounding"] == ("0.01", "0.00")


def test_a_free_order_is_approved_too(customer_id):
    (made,) = create(a_document(customer_id, a_line(None, "0", "0")))
    documents.approve(made, None)
    assert JournalEntry.objects.filter(document=made).count() == 1
    assert postings(made) == {}


def test_a_return_line_brings_its_item_back(customer_id, item):
    (made,) = create(a_document(customer_id, a_line(item, "-10.00", "-2.00", quantity=Decimal(-1))))
    documents.approve(made, None)
    assert movements(made) == [(item.pk, "sale", Decimal(1), Decimal(0))]
    assert postings(made) == {
        "Cash clearing": ("0.00", "12.00"),
        "Sales": ("10.00", "0.00"),
        "Sales tax payable": ("2.00", "0.00"),
    }


def test_approving_twice_posts_once(sale, admin_user):
    made = make(sale)
    documents.approve(made, admin_user)
    with pytest.raises(AlreadyDone, match=r"Cash Sale CS-000001 is already approved by admin \(.+\)\. Nothing was"):
        documents.approve(made, admin_user)
    assert (JournalEntry.objects.count(), StockMovement.objects.count()) == (1, 1)


def test_cancelling_a_pending_document_writes_nothing_else(sale, admin_user):
    made = make(sale)
    document = documents.cancel(made, admin_user)
    assert (document.state, document.cancelled_by, document.approved_at) == ("cancelled", admin_user, None)
    assert (JournalEntry.objects.count(), StockMovement.objects.count()) == (0, 0)


@pytest.mark.parametrize("document_type", ["cash_sale", "sales_invoice", "sales_order"])
def test_cancelling_an_approved_document_reverses_all_of_it(sale, item, admin_user, document_type):
    made = make(sale, type=document_type)
    documents.approve(made, admin_user)
    posted, lines = postings(made), list(DocumentLine.objects.values())
    documents.cancel(made, admin_user)

    assert Document.objects.get(pk=made).state == "cancelled"
    assert postings(made) == posted
    assert postings(made, "reversal") == {name: (credit, debit) for name, (debit, credit) in posted.items()}
    assert [row[1] for row in movements(made)][1:] == ["reversal"]
    assert stock.availability([item.pk]) == {item.pk: Availability()}
    assert list(DocumentLine.objects.values()) == lines


def test_a_reversal_returns_what_moved_whatever_became_of_the_item(sale, item):
    made = make(sale)
    documents.approve(made, None)
    item.is_stock_keeping = False
    item.save()
    documents.cancel(made, None)
    assert stock.availability([item.pk])[item.pk].on_hand == Decimal(0)


def test_a_cancelled_document_stays_cancelled(sale, admin_user):
    made = make(sale)
    documents.cancel(made, admin_user)
    with pytest.raises(DocumentError, match=r"is cancelled by admin .+ so it was not approved"):
        documents.approve(made, admin_user)
    with pytest.raises(AlreadyDone):
        documents.cancel(made, admin_user)
    assert Document.objects.get(pk=made).state == "cancelled"
    assert (JournalEntry.objects.count(), StockMovement.objects.count()) == (0, 0)


def test_a_document_that_is_gone_is_refused(db):
    with pytest.raises(DocumentError, match="not there any more"):
        documents.approve(4711, None)
    with pytest.raises(DocumentError, match="not there any more"):
        documents.cancel(4711, None)


def out_of_balance(customer_id: int) -> int:
    """A document that no service would make: its line says 10.00, its total 99.00."""
    zeros = dict.fromkeys(("net_total", "tax_total", "shipping_total", "discount_total"), 0)
    document = Document.objects.create(
        type="cash_sale", number="CS-X", customer_id=customer_id, currency="EUR", total=Decimal("99.00"),
        placed_at=PLACED_AT, created_at=PLACED_AT, **zeros,
    )  # fmt: skip
    DocumentLine.objects.create(
        document=document, position=1, kind="item", quantity=1, unit_price=10, net=10, tax=0, discount=0
    )
    return document.pk


def test_one_bad_document_of_many_leaves_the_others_alone(sale, item, admin_user):
    good = [make(sale) for _ in range(3)]
    approved = make(sale)
    documents.approve(approved, admin_user)
    bad = out_of_balance(sale["customer_id"])

    outcomes = documents.approve_many([good[0], approved, bad, good[1], 4711, good[2]], admin_user)

    assert [(outcome.is_done, outcome.was_done_before) for outcome in outcomes] == [
        (True, False),
        (False, True),
        (False, False),
        (True, False),
        (False, False),
        (True, False),
    ]
    assert "out of balance, so nothing was posted" in outcomes[2].sentence
    assert set(Document.objects.filter(pk__in=good).values_list("state", flat=True)) == {"approved"}
    assert Document.objects.get(pk=bad).state == "pending"
    assert JournalEntry.objects.count() == 4
    assert stock.availability([item.pk])[item.pk].on_hand == Decimal(-8)


def test_cancel_many_takes_pending_and_approved_together(sale, item, admin_user):
    pending, approved, cancelled = (make(sale) for _ in range(3))
    documents.approve(approved, admin_user)
    documents.cancel(cancelled, admin_user)
    outcomes = documents.cancel_many([pending, approved, cancelled], admin_user)
    assert [(outcome.is_done, outcome.was_done_before) for outcome in outcomes] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert set(Document.objects.values_list("state", flat=True)) == {"cancelled"}
    assert stock.availability([item.pk])[item.pk] == Availability()


def test_many_at_once_are_the_same_as_one_by_one(sale, item, admin_user, django_assert_max_num_queries):
    ids = [make(sale) for _ in range(40)]
    with django_assert_max_num_queries(25):
        assert all(outcome.is_done for outcome in documents.approve_many(ids, admin_user))
    assert {tuple(sorted(postings(made).items())) for made in ids} == {tuple(sorted(postings(ids[0]).items()))}
    assert [movements(made) for made in ids] == [[(item.pk, "sale", Decimal(-2), Decimal(0))]] * 40
    assert stock.availability([item.pk])[item.pk].on_hand == Decimal(-80)


def test_what_a_listener_to_stock_writes_goes_with_the_approval(sale, item):
    """An approval that fails after its stock moved leaves nothing."""
    made = make(sale)
    with pytest.raises(RuntimeError), transaction.atomic():
        documents.approve(made, None)
        stock.move([StockChange(item.pk, "adjustment", on_hand=Decimal(1))])
        raise RuntimeError("the caller's transaction failed")
    assert Document.objects.get(pk=made).state == "pending"
    assert (JournalEntry.objects.count(), StockMovement.objects.count()) == (0, 0)
    assert stock.availability([item.pk])[item.pk] == Availability(pending=Decimal(2))
