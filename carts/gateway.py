"""The only door to the back office. Everything the sync engine and its pages want of it passes here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from operator import attrgetter

from django.urls import reverse

from backoffice.models import Customer, Document, Item
from backoffice.services import customers, documents, items, stock, todos
from backoffice.signals import stock_changed
from backoffice.text import normalise_email, normalise_sku
from backoffice.types import Address as OurAddress
from backoffice.types import NewCustomer, NewDocument, NewItem, NewLine, NewTodo
from carts.models import Cart
from carts.records import Address, CartCustomer, CartItem, CartOrder, OrderLine

__all__ = ["NewCustomer", "NewDocument", "NewTodo", "normalise_email", "normalise_sku"]

SEARCH_LIMIT = 20
# dataclasses.asdict copies every value deeply: a tenth of the time of an import.
_address_values = attrgetter(*(field.name for field in fields(OurAddress)))


@dataclass(frozen=True, slots=True)
class Ref:
    """One of our records as a page of the panel shows it."""

    id: int
    label: str
    url: str
    state: str = ""
    tone: str = ""
    detail: str = ""
    open_todos: int = 0


# Customers ------------------------------------------------------------------------------------------


def customers_by_email(email_keys: Collection[str]) -> dict[str, list[int]]:
    return customers.find_by_emails(email_keys) if email_keys else {}


def create_customers(new: Sequence[NewCustomer]) -> list[int]:
    """Ids in the same order. A customer that has the import key already is that customer."""
    return customers.create_customers(new)


def new_customer(name: str, email: str, billing: Address, shipping: Address, import_key: str) -> NewCustomer:
    return NewCustomer(
        name=name,
        company=billing.company,
        phone=billing.phone,
        emails=(email.strip(),) if email.strip() else (),
        billing=_address(billing),
        shipping=_address(shipping),
        import_key=import_key,
    )


def customer_of(cart: Cart, customer: CartCustomer) -> NewCustomer:
    """A cart's customer as a new one of ours, under the same import key an order of theirs would use."""
    name = f"{customer.first_name} {customer.last_name}".strip() or customer.company or customer.email
    key = normalise_email(customer.email) or f"{cart.source}:customer:{customer.external_id}"
    return new_customer(name, customer.email, customer.billing, customer.shipping, key)


def customer_refs(ids: Collection[int]) -> dict[int, Ref]:
    rows = Customer.objects.filter(pk__in=ids)
    return {
        row.pk: Ref(row.pk, f"{row.code} {row.name}", reverse("admin:backoffice_customer_change", args=[row.pk]))
        for row in rows
    }


def search_customers(text: str) -> list[Ref]:
    """At most 20 customers whose code, name or e-mail begins with the text."""
    return list(customer_refs(customers.search(text, SEARCH_LIMIT)).values())


# Items ----------------------------------------------------------------------------------------------


def items_by_sku(sku_keys: Collection[str]) -> dict[str, int]:
    return {key: found.id for key, found in items.find_by_skus(sku_keys).items()} if sku_keys else {}


def create_item(item: CartItem, parent_id: int | None = None) -> int:
    """The id of our item with this SKU, made if there is none. ValueError when the cart's item has no SKU."""
    return items.create_item(
        NewItem(
            sku=item.sku,
            name=item.name or item.sku,
            description=item.description,
            price=item.price or Decimal(0),
            sale_price=item.sale_price,
            tax_class=item.tax_class,
            barcode=item.barcode,
            weight=item.weight,
            is_stock_keeping=True,
            is_active=item.is_active,
            parent_id=parent_id,
        )
    )


def create_item_named(sku: str, name: str) -> int:
    return items.create_item(NewItem(sku=sku, name=name or sku))


def item_refs(ids: Collection[int]) -> dict[int, Ref]:
    rows = Item.objects.filter(pk__in=ids)
    return {
        row.pk: Ref(row.pk, f"{row.sku} {row.name}", reverse("admin:backoffice_item_change", args=[row.pk]))
        for row in rows
    }


def search_items(text: str) -> list[Ref]:
    """At most 20 items whose SKU, name or barcode begins with the text."""
    return list(item_refs(items.search(text, SEARCH_LIMIT)).values())


# Stock ----------------------------------------------------------------------------------------------


def on_stock_changed(receiver: Callable[..., None]) -> None:
    """`receiver(item_ids=(...))` is called inside the transaction of every change of what can be sold."""
    stock_changed.connect(receiver, weak=False, dispatch_uid="carts")


def sellable(item_ids: Collection[int]) -> dict[int, Decimal]:
    """On hand, less committed and PENDING, of each item that keeps stock; may be below zero."""
    kept = Item.objects.filter(pk__in=item_ids, is_stock_keeping=True).values_list("pk", flat=True)
    known = stock.availability(list(kept))
    return {item_id: each.on_hand - each.committed - each.pending for item_id, each in known.items()}


def sku_keys(item_ids: Collection[int]) -> dict[str, int]:
    """Item ids by the SKU as it is compared."""
    return dict(Item.objects.filter(pk__in=item_ids).values_list("sku_key", "pk"))


# Documents ------------------------------------------------------------------------------------------


def create_documents(new: Sequence[NewDocument]) -> list[int]:
    return documents.create_documents(new)


def new_document(
    cart: Cart,
    order: CartOrder,
    customer_id: int,
    lines: Sequence[OrderLine],
    item_ids: Sequence[int | None],
    new_todos: Sequence[NewTodo],
) -> NewDocument:
    """An order as a PENDING document of the type in Import Orders As; the shop's figures, none recomputed."""
    return NewDocument(
        type=cart.import_orders_as,
        customer_id=customer_id,
        source=cart.source,
        source_ref=order.external_id,
        source_number=order.number,
        currency=order.currency,
        total=order.total,
        tax_total=order.tax_total,
        discount_total=order.discount_total,
        placed_at=order.placed_at,
        billing=_address(order.billing),
        shipping=_address(order.shipping),
        payment_method=order.payment_method,
        note=order.note,
        exchange=dict(order.exchange),
        lines=tuple(_line(line, item_id) for line, item_id in zip(lines, item_ids, strict=True)),
        todos=tuple(new_todos),
    )


def _line(line: OrderLine, item_id: int | None) -> NewLine:
    return NewLine(
        kind=line.kind,
        item_id=item_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.net / line.quantity if line.quantity else line.net,
        net=line.net,
        tax=line.tax,
        discount=line.discount,
    )


def document_of(source: str, source_ref: str) -> int | None:
    return Document.objects.filter(source=source, source_ref=source_ref).values_list("pk", flat=True).first()


def add_todos(new: Mapping[int, Sequence[NewTodo]]) -> None:
    """To-dos by document id; one that is there already (same key) stays as it is."""
    if new:
        todos.add_todos(new)


def document_refs(ids: Collection[int]) -> dict[int, Ref]:
    open_todos = todos.count_open(ids)
    return {
        row.pk: Ref(
            id=row.pk,
            label=row.number,
            url=reverse("admin:backoffice_document_change", args=[row.pk]),
            state=row.get_state_display(),
            tone=row.tone,
            detail=row.get_type_display(),
            open_todos=open_todos.get(row.pk, 0),
        )
        for row in Document.objects.filter(pk__in=ids)
    }


def _address(address: Address) -> OurAddress:
    return OurAddress(*_address_values(address))


def page_of_items(search: str, page: int, per_page: int) -> list[Ref]:
    """One page of our items, newest first, and one more where there is a next page."""
    ids = items.page(search, page, per_page)
    refs = item_refs(ids)
    return [refs[item_id] for item_id in ids if item_id in refs]


def page_of_customers(search: str, page: int, per_page: int) -> list[Ref]:
    ids = customers.page(search, page, per_page)
    refs = customer_refs(ids)
    return [refs[customer_id] for customer_id in ids if customer_id in refs]
