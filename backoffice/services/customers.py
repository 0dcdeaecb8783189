"""Customers: found by e-mail, made by imports, searched by staff."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from backoffice.choices import Series
from backoffice.models import Customer, CustomerEmail
from backoffice.services.numbers import reserve
from backoffice.text import normalise, normalise_email
from backoffice.types import NewCustomer
from cartsync import bulk

MOST_FOUND = 1000  # a search that finds more is too wide to read anyway
MAX_LENGTHS = {"name": 250, "company": 250, "phone": 100}
CUSTOMER_FIELDS = (
    "code", "name", "name_key", "company", "phone", "billing", "shipping", "import_key", "created_at", "modified_at",
)  # fmt: skip
EMAIL_FIELDS = ("customer", "email_key", "email")


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
    # One statement cannot meet the same key twice: the first that has it is made.
    by_key: dict[str | int, NewCustomer] = {}
    keys = [customer.import_key or place for place, customer in enumerate(new)]
    for key, customer in zip(keys, new, strict=True):
        by_key.setdefault(key, customer)
    codes = reserve(Series.CUSTOMER, len(by_key))
    key_of_code = dict(zip(codes, by_key, strict=True))
    now = timezone.now()
    found = bulk.insert(
        Customer,
        CUSTOMER_FIELDS,
        [_row(customer, code, now) for code, customer in zip(codes, by_key.values(), strict=True)],
        unique=("import_key",),
        # Written anew with itself: only so do the ids of those that were there come back.
        update=("import_key",),
        returning=("import_key", "code", "id"),
    )
    id_of = {import_key or key_of_code[code]: customer_id for import_key, code, customer_id in found}
    ids = [id_of[key] for key in keys]
    emails: dict[tuple[int, str], str] = {}
    for customer_id, customer in zip(ids, new, strict=True):
        for email in customer.emails:
            emails.setdefault((customer_id, normalise_email(email)), email.strip())
    rows = [(*key, email) for key, email in emails.items()]
    bulk.insert(CustomerEmail, EMAIL_FIELDS, rows, unique=EMAIL_FIELDS[:2], update=EMAIL_FIELDS[:2])
    return ids


@transaction.atomic
def update_customer(customer_id: int, values: Mapping[str, Any], email: tuple[str, str] | None = None) -> None:
    """Set these fields, with history; `email` is (the one that is replaced or "", the new one). ValidationError where
    one cannot be set, ObjectDoesNotExist where the customer is gone."""
    customer = Customer.objects.get(pk=customer_id)
    for name, value in values.items():
        setattr(customer, name, value[: MAX_LENGTHS[name]] if name in MAX_LENGTHS else value)
    customer.clean_fields(exclude={field.name for field in Customer._meta.fields} - set(values))
    customer.save()
    if email:
        _replace_email(customer, *email)


def _replace_email(customer: Customer, old: str, new: str) -> None:
    known = {row.email_key: row for row in customer.emails.all()}
    if not new or normalise_email(new) in known:
        return
    row = known.get(normalise_email(old)) or CustomerEmail(customer=customer)
    row.email = new
    row.clean_fields(exclude={"email_key", "customer"})
    row.save()


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


def page(
    text: str, number: int, size: int, *, only: Iterable[int] | None = None, without: Iterable[int] = ()
) -> list[int]:
    """Ids of page `number` (from 1), newest first; one more than `size` when there is a next page. `only` and `without`
    narrow it to ids, or to what a queryset of ids finds."""
    rows = Customer.objects.order_by("-pk").values_list("pk", flat=True)
    if text.strip():
        rows = rows.filter(pk__in=search(text, MOST_FOUND))
    if only is not None:
        rows = rows.filter(pk__in=only)
    rows = rows.exclude(pk__in=without)
    start = (number - 1) * size
    return list(rows[start : start + size + 1])


def _row(new: NewCustomer, code: str, now: datetime) -> tuple[Any, ...]:
    """The values of CUSTOMER_FIELDS."""
    name = new.name[:250]
    return (
        code, name, normalise(name), new.company[:250], new.phone[:100], new.billing.as_json(), new.shipping.as_json(),
        new.import_key or None, now, now,
    )  # fmt: skip
