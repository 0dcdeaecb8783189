"""The plain way: the `woocommerce` client and a get_or_create loop, one order after the other.

It keeps no records, judges nothing and heeds no rule. One transaction an order, as a careful writer of such a loop
would have it, and no history of the customers, which an import does not write either. Nobody listens to what it saves:
a loop of this kind would know no carts to tell.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction
from django.test.utils import override_settings
from woocommerce import API

from backoffice.choices import DocumentType, LineKind
from backoffice.models import Customer, CustomerEmail, Document, DocumentLine, Item
from backoffice.signals import records_changed
from backoffice.text import normalise_email, normalise_sku
from bench.shop import CREDENTIALS

PER_PAGE = 100
TIMEOUT_SECONDS = 30


@contextmanager
def nobody_listens() -> Iterator[None]:
    kept, records_changed.receivers = records_changed.receivers, []
    try:
        yield
    finally:
        records_changed.receivers = kept


@nobody_listens()
@override_settings(SIMPLE_HISTORY_ENABLED=False)
def import_plainly(url: str, orders: int) -> None:
    """The oldest `orders` of the shop, which must be whole pages."""
    api = API(url, CREDENTIALS["consumer_key"], CREDENTIALS["consumer_secret"], timeout=TIMEOUT_SECONDS)
    for page in range(1, orders // PER_PAGE + 1):
        # With the keys among them: over plain HTTP this client sends its parameters twice, so its signature is void.
        params = CREDENTIALS | {"per_page": PER_PAGE, "page": page, "orderby": "modified", "order": "asc"}
        answer = api.get("orders", params=params)
        answer.raise_for_status()
        for order in answer.json():
            with transaction.atomic():
                _import(order)


def _import(order: dict) -> None:
    billing = order["billing"]
    customer, is_new = Customer.objects.get_or_create(
        import_key=normalise_email(billing["email"]),
        defaults={
            "code": f"P-{order['customer_id']}",
            "name": f"{billing['first_name']} {billing['last_name']}",
            "phone": billing["phone"],
            "billing": billing,
            "shipping": order["shipping"],
        },
    )
    if is_new:
        CustomerEmail.objects.get_or_create(customer=customer, email=billing["email"])
    document, is_new = Document.objects.get_or_create(
        source="plain",
        source_ref=str(order["id"]),
        defaults=_document(order, customer),
    )
    if is_new:
        _add_lines(document, order)


def _document(order: dict, customer: Customer) -> dict:
    total, tax = Decimal(order["total"]), Decimal(order["total_tax"])
    return {
        "type": DocumentType.SALES_ORDER,
        "number": f"P-{order['number']}",
        "source_number": order["number"],
        "customer": customer,
        "currency": order["currency"],
        "total": total,
        "net_total": total - tax,
        "tax_total": tax,
        "shipping_total": Decimal(order["shipping_total"]),
        "discount_total": Decimal(order["discount_total"]),
        "placed_at": datetime.fromisoformat(order["date_created_gmt"]).replace(tzinfo=UTC),
        "created_at": datetime.now(UTC),
        "billing": order["billing"],
        "shipping": order["shipping"],
        "payment_method": order["payment_method_title"],
        "note": order["customer_note"],
    }


def _add_lines(document: Document, order: dict) -> None:
    for position, line in enumerate(order["line_items"] + order["shipping_lines"], start=1):
        item = None
        if line.get("sku"):
            item, _ = Item.objects.get_or_create(
                sku_key=normalise_sku(line["sku"]), defaults={"sku": line["sku"], "name": line["name"]}
            )
        net, quantity = Decimal(line["total"]), Decimal(line.get("quantity", 1))
        DocumentLine.objects.create(
            document=document,
            position=position,
            kind=LineKind.ITEM if item else LineKind.SHIPPING,
            item=item,
            sku=line.get("sku") or "",
            description=line.get("name") or line.get("method_title") or "",
            quantity=quantity,
            unit_price=round(net / quantity, 8),
            net=net,
            tax=Decimal(line["total_tax"]),
            discount=Decimal(line.get("subtotal", line["total"])) - net,
        )
