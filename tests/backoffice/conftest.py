"""Records to try the system with. Everything is made through its own services."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from backoffice.models import Item
from backoffice.services import customers, documents, items
from backoffice.signals import records_changed, stock_changed
from backoffice.types import NewCustomer, NewDocument, NewItem, NewLine

PLACED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_line(item: Item | None = None, net: str = "10.00", tax: str = "2.00", **more) -> NewLine:
    values = {
        "kind": "item",
        "item_id": item.pk if item else None,
        "sku": item.sku if item else "",
        "description": item.name if item else "Something",
        "quantity": Decimal(1),
    }
    return NewLine(**(values | {"net": Decimal(net), "tax": Decimal(tax)} | more))


def a_document(customer_id: int, *lines: NewLine, **more) -> NewDocument:
    lines = lines or (a_line(),)
    values = {
        "type": "cash_sale",
        "currency": "EUR",
        "total": sum(line.net + line.tax for line in lines),
        "tax_total": sum(line.tax for line in lines),
        "placed_at": PLACED_AT,
    }
    return NewDocument(customer_id=customer_id, lines=lines, **(values | more))


def create(*new: NewDocument) -> list[int]:
    with transaction.atomic():
        return documents.create_documents(new)


@pytest.fixture(autouse=True)
def nobody_else_listens(monkeypatch) -> None:
    """Counted here are the statements of the system; who listens may look at something of its own now and then."""
    for signal in (stock_changed, records_changed):
        monkeypatch.setattr(signal, "receivers", [])
        signal.sender_receivers_cache.clear()


@pytest.fixture
def customer_id(db) -> int:
    (made,) = customers.create_customers([NewCustomer(name="Customer One", emails=("one@example.test",))])
    return made


@pytest.fixture
def item(db) -> Item:
    return Item.objects.get(pk=items.create_item(NewItem(sku="MUG-1", name="Mug", price=Decimal("10.00"))))


@pytest.fixture
def service(db) -> Item:
    """An item that keeps no stock."""
    new = NewItem(sku="WRAP", name="Gift wrapping", price=Decimal("3.00"), is_stock_keeping=False)
    return Item.objects.get(pk=items.create_item(new))
