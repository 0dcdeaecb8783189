"""Customers: found by e-mail, made set-wise, one for an import key."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from django.db import transaction
from django.db.models import Q

from backoffice.models import Customer, CustomerEmail
from backoffice.services import series
from backoffice.text import normalise_email
from backoffice.types import NewCustomer


def find_by_emails(email_keys: Collection[str]) -> dict[str, list[int]]:
    """Customer ids by normalised address, oldest first; addresses nobody has are not among the keys."""
    found: dict[str, list[int]] = {}
    rows = CustomerEmail.objects.filter(email_key__in=email_keys).order_by("customer_id")
    for key, customer_id in rows.values_list("email_key", "customer_id"):
        found.setdefault(key, []).append(customer_id)
    return found


@transaction.atomic
def create_customers(new: Sequence[NewCustomer]) -> list[int]:
    """Ids in the same order. Where a customer with the import key is there already, it is that one."""
    if not new:
        return []
    numbers = series.reserve("customer", len(new))
    rows = [
        Customer(
            code=f"C-{number:06}",
            name=customer.name[:200],
            company=customer.company[:200],
            phone=customer.phone[:50],
            billing=asdict(customer.billing),
            shipping=asdict(customer.shipping),
            import_key=customer.import_key or None,
        )
        for number, customer in zip(numbers, new, strict=True)
    ]
    # Another import may be making the same customer: the conflict gives back the one that won.
    Customer.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["import_key"], update_fields=["import_key"]
    )
    emails = [
        CustomerEmail(customer_id=row.pk, email=email, email_key=normalise_email(email))
        for row, customer in zip(rows, new, strict=True)
        for email in customer.emails
    ]
    if emails:
        CustomerEmail.objects.bulk_create(emails, ignore_conflicts=True)
    return [row.pk for row in rows]


def search(text: str, limit: int) -> list[int]:
    """Ids of customers whose code, name or e-mail begins with the text."""
    text = text.strip()
    by_email = CustomerEmail.objects.filter(email_key__startswith=normalise_email(text)).values("customer_id")
    matching = Customer.objects.filter(Q(code__istartswith=text) | Q(name__istartswith=text) | Q(pk__in=by_email))
    return list(matching.values_list("pk", flat=True)[:limit])
