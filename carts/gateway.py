"""The only door to the back office. Everything the sync engine and its pages want of it passes here."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from operator import attrgetter

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.urls import reverse

from backoffice.models import Customer, Document, Item
from backoffice.services import customers, documents, items, stock, todos
from backoffice.signals import records_changed, stock_changed
from backoffice.text import normalise, normalise_email, normalise_sku
from backoffice.types import Address as OurAddress
from backoffice.types import NewCustomer, NewDocument, NewItem, NewLine, NewTodo
from carts import fields as texts
from carts.choices import Kind
from carts.models import Cart
from carts.records import Address, CartCustomer, CartItem, CartOrder, OrderLine

__all__ = ["NewCustomer", "NewDocument", "NewTodo", "normalise_email", "normalise_sku"]

SEARCH_LIMIT = 20
# How much two names must be alike (difflib's ratio) to be called near.
NEAR = 0.85
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


def create_group(sku: str, name: str) -> int:
    """Our item with this SKU, made if there is none; it stands for a product whose variations are the items sold."""
    return items.create_item(NewItem(sku=sku, name=name or sku, is_stock_keeping=False))


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


# For the mapping ------------------------------------------------------------------------------------


def key_text(kind: str, key: str) -> str:
    """A SKU or e-mail as it is compared."""
    return normalise_sku(key) if kind == Kind.ITEM else normalise_email(key)


def by_key(kind: str, keys: Collection[str]) -> dict[str, int]:
    """Ours by SKU or e-mail as it is compared; an e-mail that several of ours have names none."""
    wanted = {key_text(kind, key) for key in keys if key.strip()}
    if kind == Kind.ITEM:
        return items_by_sku(wanted)
    return {key: ids[0] for key, ids in customers_by_email(wanted).items() if len(ids) == 1}


def items_by_barcode(barcodes: Collection[str]) -> dict[str, int]:
    """One that several items have names none."""
    if not barcodes:
        return {}
    found: dict[str, list[int]] = {}
    for barcode, pk in Item.objects.filter(barcode__in=barcodes).values_list("barcode", "pk"):
        found.setdefault(barcode, []).append(pk)
    return {barcode: ids[0] for barcode, ids in found.items() if len(ids) == 1}


def near_name(kind: str, name: str) -> int | None:
    """The one of ours whose name is most like this one, if it is much alike; looked for among those that begin with the
    same word."""
    wanted = normalise(name)
    if not wanted:
        return None
    model = Item if kind == Kind.ITEM else Customer
    rows = model.objects.filter(name_key__startswith=wanted.split()[0]).values_list("pk", "name_key")[:200]
    likeness = {pk: SequenceMatcher(None, wanted, key).ratio() for pk, key in rows}
    best = max(likeness, key=lambda pk: likeness[pk], default=None)
    return best if best is not None and likeness[best] >= NEAR else None


def own_keys(kind: str, ids: Collection[int]) -> dict[int, str]:
    """SKUs of items, codes of customers."""
    if kind == Kind.ITEM:
        return dict(Item.objects.filter(pk__in=ids).values_list("pk", "sku"))
    return dict(Customer.objects.filter(pk__in=ids).values_list("pk", "code"))


def ids_of_own_keys(kind: str, keys: Collection[str]) -> dict[str, int]:
    """Ids by casefolded SKU or code; what names none of ours is left out."""
    if kind == Kind.ITEM:
        found = items_by_sku([normalise_sku(key) for key in keys])
        return {key.casefold(): found[normalise_sku(key)] for key in keys if normalise_sku(key) in found}
    codes = dict(Customer.objects.filter(code__in=[key.upper() for key in keys]).values_list("code", "pk"))
    return {key.casefold(): codes[key.upper()] for key in keys if key.upper() in codes}


# Stock ----------------------------------------------------------------------------------------------


def on_stock_changed(receiver: Callable[..., None]) -> None:
    """`receiver(item_ids=(...))` is called inside the transaction of every change of what can be sold."""
    stock_changed.connect(receiver, weak=False, dispatch_uid="carts")


def sellable(item_ids: Collection[int]) -> dict[int, tuple[str, Decimal]]:
    """Of each item that keeps stock: its SKU as it is compared, and on hand less committed and PENDING, which may be
    below zero."""
    return stock.sellable(item_ids)


# Items and customers as fields of texts (carts.fields) -----------------------------------------------


def on_records_changed(receiver: Callable[..., None]) -> None:
    """`receiver(kind=, ids=, deleted=)` is called inside the transaction of every change of an item or customer."""
    records_changed.connect(receiver, weak=False, dispatch_uid="carts")


class NotTaken(Exception):
    """The system did not take these values; the text says why, for staff."""


def values(kind: str, ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The fields of our items or customers; one that is gone is left out. A customer's e-mails come with all of them,
    one a line, the oldest first: which of them a cart means is for `beside` to say."""
    if kind == Kind.ITEM:
        return {row.pk: _item_values(row) for row in Item.objects.filter(pk__in=ids)}
    return {row.pk: _customer_values(row) for row in Customer.objects.filter(pk__in=ids).prefetch_related("emails")}


def beside(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Our values as beside one cart's customer: of our e-mails the one that the cart has, else our first. A customer
    without a name is named by the e-mail or company here, and is without one there."""
    emails = ours["email"].split("\n")
    stands_in = ours["name"] != theirs["name"] and ours["name"].lower() in (*emails, ours["company"].lower())
    email = theirs["email"] if theirs["email"] in emails else emails[0]
    return {**ours, "email": email, "name": "" if stands_in else ours["name"]}


@dataclass(frozen=True, slots=True)
class Label:
    """What one of ours is looked up by in a cart: SKU or first e-mail, "" where it has none."""

    key: str
    name: str
    is_variation: bool = False
    is_group: bool = False


def labels(kind: str, ids: Collection[int]) -> dict[int, Label]:
    """One that is gone is left out."""
    if kind == Kind.CUSTOMER:
        rows = Customer.objects.filter(pk__in=ids).prefetch_related("emails")
        return {row.pk: Label(_customer_values(row)["email"].split("\n")[0], str(row)) for row in rows}
    groups = set(Item.objects.filter(parent_id__in=ids).values_list("parent_id", flat=True))
    return {
        row.pk: Label(row.sku, str(row), row.parent_id is not None, row.pk in groups)
        for row in Item.objects.filter(pk__in=ids)
    }


def modified_at(kind: str, local_id: int) -> datetime | None:
    model = Item if kind == Kind.ITEM else Customer
    return model.objects.filter(pk=local_id).values_list("modified_at", flat=True).first()


def set_values(kind: str, local_id: int, new: Mapping[str, str], *, old_email: str = "") -> None:
    """Set fields of one of ours. NotTaken where the system refuses one, or where ours is gone."""
    try:
        if kind == Kind.ITEM:
            items.update_item(local_id, {name: _item_value(name, text) for name, text in new.items()})
        else:
            _set_customer(local_id, new, old_email)
    except ValidationError as error:
        raise NotTaken(" ".join(error.messages)) from None
    except ObjectDoesNotExist:
        raise NotTaken("Ours was deleted.") from None


def _item_values(row: Item) -> dict[str, str]:
    return {
        "name": row.name.strip(),
        "price": texts.number_text(row.price),
        "sale_price": texts.number_text(row.sale_price),
        "description": row.description.strip(),
        "barcode": row.barcode.strip(),
        "weight": texts.number_text(row.weight),
        "tax_class": row.tax_class or "standard",
        "is_active": texts.flag_text(row.is_active),
        "is_stock_keeping": texts.flag_text(row.is_stock_keeping),
    }


def _customer_values(row: Customer) -> dict[str, str]:
    emails = sorted(row.emails.all(), key=lambda each: each.pk)
    return {
        "name": row.name.strip(),
        "company": row.company.strip(),
        "email": "\n".join(each.email.strip().lower() for each in emails),
        "phone": row.phone.strip(),
        "billing": texts.billing_text(row.billing),
        "shipping": texts.address_text(row.shipping),
    }


def _item_value(name: str, text: str) -> object:
    if name in texts.NUMBERS:
        return Decimal(text) if text else None
    return text == "1" if name in texts.FLAGS else text


def _set_customer(customer_id: int, new: Mapping[str, str], old_email: str) -> None:
    kept = Customer.objects.get(pk=customer_id).billing
    plain: dict[str, object] = {name: text for name, text in new.items() if name in ("name", "company", "phone")}
    if "shipping" in new:
        plain["shipping"] = OurAddress(**texts.address_of(new["shipping"])).as_json()
    # Company and phone stand in the billing address too, and are fields of their own.
    billing = texts.address_of(new["billing"]) if "billing" in new else {**kept}
    billing |= {name: new.get(name, kept.get(name, "")) for name in texts.NOT_IN_BILLING}
    if billing != kept:
        plain["billing"] = OurAddress(**billing).as_json()
    customers.update_customer(customer_id, plain, (old_email, new["email"]) if "email" in new else None)


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


def page_of(kind: str, search: str, page: int, per_page: int, **narrowed: Iterable[int]) -> list[int]:
    """Ids of one page of our items or customers, newest first, and one more where there is a next page; narrowed
    `only` to some ids, or to those `without` them."""
    service = items if kind == Kind.ITEM else customers
    return service.page(search, page, per_page, **narrowed)
