"""Searching documents: each way through an index of its own, then put together."""

from backoffice.models import Customer, CustomerEmail, Document
from backoffice.paging import SEARCHED_ROWS
from backoffice.text import normalise, normalise_email


def document_ids(text: str) -> list[int]:
    """Ids of documents whose number, order number, customer's name or customer's e-mail begins with the text.

    One query with OR over three tables would read them whole; these read a few pages of an index each. What one way
    finds too much of is cut off unsorted: sorted, PostgreSQL walks the index of that order through all it may not have.
    """
    by_number = Document.objects.filter(number__startswith=text.upper())
    # Shops' numbers keep their case: as typed, and as it is usually written.
    spellings = dict.fromkeys([text, text.upper()])
    by_source = [Document.objects.filter(source_number__startswith=spelling) for spelling in spellings]
    by_customer = Document.objects.filter(customer_id__in=_customer_ids(text)).order_by("-placed_at", "-id")
    found: dict[int, None] = {}
    for rows in (by_number, *by_source, by_customer):
        found |= dict.fromkeys(rows.values_list("pk", flat=True)[:SEARCHED_ROWS])
    return list(found)


def _customer_ids(text: str) -> list[int]:
    by_name = Customer.objects.filter(name_key__startswith=normalise(text))
    by_email = CustomerEmail.objects.filter(email_key__startswith=normalise_email(text))
    return [
        *by_name.values_list("pk", flat=True)[:SEARCHED_ROWS],
        *by_email.values_list("customer_id", flat=True)[:SEARCHED_ROWS],
    ]
