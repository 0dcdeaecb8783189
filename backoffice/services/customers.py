"""Customers: found by e-mail, made by imports, searched by staff."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db import transaction

from backoffice.choices import Series
from backoffice.models import Customer, CustomerEmail
from backoffice.services.numbers import reserve
from backoffice.text import normalise, normalise_email
from backoffice.types import NewCustomer

MOST_FOUND = 1000  # a search that finds more is too wide to read anyway


def find_by_emails(emails: Collection[str]) -> dict[str, list[int]]:
    """Ids of the customers with each e-mail, ascending, by normalised e-mail. One nobody has is left out."""
    keys = {normalise_email(email) for email in emails}
    found = defaultdict(list)
    rows = CustomerEmail.objects.filter(email_key__in=keys).order_by("customer_id")
    for key, customer_id in rows.values_list("email_key", "customer_id"):
        found[key].append(customer_id)
    return dict(found)


@transaction.atomic(savepoint=False)
def create_customers(new: Sequence[NewCustomer]) -> list[int]:
    """Ids in the same order. One whose import key exists already, or comes twice, is that customer, unchanged."""
    if not new:
        return []
    rows = [_row(customer, code) for customer, code in zip(new, reserve(Series.CUSTOMER, len(new)), strict=True)]
    # One statement cannot meet the same key twice: the first that has it is made.
    by_key: dict[str, Customer] = {}
    for row in rows:
        by_key.setdefault(row.import_key or row.code, row)
    Customer.objects.bulk_create(
        by_key.values(),
        update_conflicts=True,
        unique_fields=["import_key"],
        # Written anew with itself: only so do the ids of those that were there come back.
        update_fields=["import_key"],
    )
    ids = [by_key[row.import_key or row.code].pk for row in rows]
    emails = [
        CustomerEmail(customer_id=customer_id, email=email.strip())
        for customer_id, customer in zip(ids, new, strict=True)
        for email in customer.emails
    ]
    for email in emails:
        email.set_keys()
    CustomerEmail.objects.bulk_create(emails, ignore_conflicts=True)
    return ids


def search(text: str, limit: int) -> list[int]:
    """Ids of at most `limit` customers whose code, name or e-mail begins with the text, each through an index."""
    text = text.strip()
    if not text:
        return []
    found: dict[int, None] = {}
    for rows in (
        Customer.objects.filter(code__startswith=text.upper()).values_list("pk", flat=True),
        CustomerEmail.objects.filter(email_key__startswith=normalise_email(text)).values_list("customer", flat=True),
        Customer.objects.filter(name_key__startswith=normalise(text)).values_list("pk", flat=True),
    ):
        found |= dict.fromkeys(rows[:limit])
    return list(found)[:limit]


def page(text: str, number: int, size: int) -> list[int]:
    """Ids of page `number` (from 1), newest first; one more than `size` when there is a next page."""
    rows = Customer.objects.order_by("-pk").values_list("pk", flat=True)
    if text.strip():
        rows = rows.filter(pk__in=search(text, MOST_FOUND))
    start = (number - 1) * size
    return list(rows[start : start + size + 1])


def _row(new: NewCustomer, code: str) -> Customer:
    row = Customer(
        code=code,
        name=new.name[:250],
        company=new.company[:250],
        phone=new.phone[:100],
        billing=new.billing.as_json(),
        shipping=new.shipping.as_json(),
        import_key=new.import_key or None,
    )
    row.set_keys()
    return row
