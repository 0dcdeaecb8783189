"""Searching documents: each way through an index of its own, then put together."""

from backoffice.models import Customer, CustomerEmail, Document
from backoffice.text import normalise, normalise_email

# What one way of searching finds at most: as many as the list can page through.
FOUND_DOCUMENTS = 1_000
FOUND_CUSTOMERS = 50


def document_ids(text: str) -> list[int]:
    """Ids of documents whose number, order number, customer's name or customer's e-mail begins with the text.

    One query with OR over three tables would read them whole; these read a few pages of an index each.
    """
    by_number = Document.objects.filter(number__startswith=text.upper()).order_by("-number")
    # Shops' numbers keep their case: as typed, and as it is usually written.
    spellings = dict.fromkeys([text, text.upper()])
    by_source = [Document.objects.filter(source_number__startswith=spelling) for spelling in spellings]
    by_customer = Document.objects.filter(customer_id__in=_customer_ids(text)).order_by("-placed_at", "-id")
    found: dict[int, None] = {}
    for rows in (by_number, *by_source, by_customer):
        found |= dict.fromkeys(rows.values_list("pk", flat=True)[:FOUND_DOCUMENTS])
    return list(found)


def _customer_ids(text: str) -> list[int]:
    by_name = Customer.objects.filter(name_key__startswith=normalise(text)).order_by("name_key")
    by_email = CustomerEmail.objects.filter(email_key__startswith=normalise_email(text)).order_by("email_key")
    return [
        *by_name.values_list("pk", flat=True)[:FOUND_CUSTOMERS],
        *by_email.values_list("customer_id", flat=True)[:FOUND_CUSTOMERS],
    ]
