"""Items and customers picked by hand: matched first (link, SKU, e-mail), created only where there is no match."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from carts import fields, gateway
from carts.choices import Kind, Outcome, Reason, RecordState
from carts.errors import Rejected
from carts.models import Cart, Record, Run, RunItem
from carts.platforms.base import CartAdapter
from carts.records import CartItem, RawRecord
from carts.services import held, marks, merging


class Undecided(Exception):
    """This record needs a person; the text says why."""

    def __init__(self, code: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def import_rows(
    cart: Cart, run: Run, adapter: CartAdapter, rows: Sequence[RawRecord], guard: Callable[[], None]
) -> None:
    """Each record in a transaction of its own: one bad record blocks nothing."""
    for row in rows:
        # Asked for before the transaction: no request is under way while one is open.
        children = _children(adapter, row) if run.record_kind == Kind.ITEM else []
        with transaction.atomic():
            guard()
            if run.record_kind == Kind.ITEM:
                _import_item(cart, run, adapter, row, children)
            else:
                _import_customer(cart, run, adapter, row)


def _children(adapter: CartAdapter, row: RawRecord) -> list[RawRecord]:
    try:
        item = adapter.parse_item(row.body)
    except Rejected:
        return []
    return adapter.fetch_variations(item.external_id) if item.has_variations else []


def _import_item(cart: Cart, run: Run, adapter: CartAdapter, row: RawRecord, children: list[RawRecord]) -> None:
    """A product without variations is one item; with them, each variation is one and the product is their group."""
    try:
        item = adapter.parse_item(row.body)
        created = already = 0
        if children:
            remember(
                cart, adapter, Kind.ITEM, row, "", item.sku, item.name,
                state=RecordState.FILTERED, reason_code=Reason.GROUP,
            )  # fmt: skip
        for raw in children or [row]:
            one = adapter.parse_item(raw.body) if children else item
            existed, local_id = _link_item(cart, adapter, raw, one, item.external_id if children else "")
            created, already = created + (not existed), already + existed
            if not children:
                _tell(run, row, item.sku or item.name, Outcome.ALREADY if existed else Outcome.NEW, local_id=local_id)
    except (Undecided, Rejected) as error:
        code = error.code if isinstance(error, Undecided) else Reason.UNREADABLE
        _tell(run, row, row.external_id, Outcome.FAILED, error.sentence, code)
        return
    if children:
        text = f"{created} variations created, {already} there already."
        _tell(run, row, item.sku or item.name, Outcome.NEW if created else Outcome.ALREADY, text)


def link(cart: Cart, adapter: CartAdapter, kind: Kind, row: RawRecord, parent_id: str) -> tuple[bool, int, str]:
    """(whether ours was there before, its id, its label): matched, else created. Inside a transaction. Raises
    Undecided, Rejected."""
    if kind == Kind.ITEM:
        item = adapter.parse_item(row.body)
        existed, local_id = _link_item(cart, adapter, row, item, parent_id)
        return existed, local_id, item.sku or item.name
    return _link_customer(cart, adapter, row)


def _link_item(cart: Cart, adapter: CartAdapter, row: RawRecord, item: CartItem, parent_id: str) -> tuple[bool, int]:
    """(whether it was there before, its id). The link is kept, and orders held for the SKU are released after."""
    linked = _linked(cart, Kind.ITEM, row.external_id)
    key = gateway.normalise_sku(item.sku)
    if linked is None and not key:
        raise Undecided(
            Reason.UNKNOWN_SKU, f"“{item.name}” has no SKU in the shop. Give it one there, then import again."
        )
    local_id = linked or gateway.items_by_sku([key]).get(key)
    existed = local_id is not None
    if local_id is None:
        local_id = gateway.create_item(item, _group_of(cart, adapter, parent_id, key))
    save_link(cart, adapter, Kind.ITEM, row, local_id, item.sku, item.name, parent_id)
    marks.mark_stock([local_id], cart_id=cart.pk)
    if key:
        transaction.on_commit(lambda: held.release(cart, Reason.UNKNOWN_SKU, key))
    return existed, local_id


def _group_of(cart: Cart, adapter: CartAdapter, parent_id: str, key: str) -> int | None:
    """Our item that stands for the product a variation belongs to: by the product's SKU, made where there is none. A
    product without one, or with that of its variation, groups nothing."""
    product = Record.objects.filter(cart=cart, kind=Kind.ITEM, external_id=parent_id).exclude(payload="").first()
    if not parent_id or product is None:
        return None
    item = adapter.parse_item(product.payload)
    group_key = gateway.normalise_sku(item.sku)
    return gateway.create_group(item.sku, item.name) if group_key and group_key != key else None


def _import_customer(cart: Cart, run: Run, adapter: CartAdapter, row: RawRecord) -> None:
    try:
        existed, local_id, label = _link_customer(cart, adapter, row)
    except (Undecided, Rejected) as error:
        code = error.code if isinstance(error, Undecided) else Reason.UNREADABLE
        outcome = Outcome.HELD if isinstance(error, Undecided) else Outcome.FAILED
        _tell(run, row, row.external_id, outcome, error.sentence, code)
        return
    _tell(run, row, label, Outcome.ALREADY if existed else Outcome.NEW, local_id=local_id)


def _link_customer(cart: Cart, adapter: CartAdapter, row: RawRecord) -> tuple[bool, int, str]:
    customer = adapter.parse_customer(row.body)
    local_id = _linked(cart, Kind.CUSTOMER, row.external_id)
    key = gateway.normalise_email(customer.email)
    candidates = [] if local_id or not key else gateway.customers_by_email([key]).get(key, [])
    if len(candidates) > 1:
        sentence = f"{len(candidates)} customers have the e-mail address {customer.email}."
        raise Undecided(Reason.AMBIGUOUS_CUSTOMER, sentence)
    existed = bool(local_id or candidates)
    local_id = local_id or (candidates[0] if candidates else None)
    if local_id is None:
        local_id = gateway.create_customers([gateway.customer_of(cart, customer)])[0]
    name = f"{customer.first_name} {customer.last_name}".strip()
    save_link(cart, adapter, Kind.CUSTOMER, row, local_id, customer.email, name)
    return existed, local_id, customer.email or name


def _linked(cart: Cart, kind: Kind, external_id: str) -> int | None:
    rows = Record.objects.filter(cart=cart, kind=kind, external_id=external_id, local_id__isnull=False)
    return rows.values_list("local_id", flat=True).first()


def save_link(
    cart: Cart,
    adapter: CartAdapter,
    kind: Kind,
    row: RawRecord,
    local_id: int,
    label: str,
    name: str,
    parent_id: str = "",
) -> Record:
    """The two are one from now on; what they show today is what later changes are measured by."""
    if _linked(cart, kind, row.external_id) == local_id:
        # What the two show is brought together where changes are, not here.
        return Record.objects.get(cart=cart, kind=kind, external_id=row.external_id)
    theirs = fields.of_cart(adapter, kind, row.body)
    ours = gateway.values(kind, [local_id])[local_id]
    ours = gateway.beside(ours, theirs) if kind == Kind.CUSTOMER else ours
    base = merging.Base(theirs, ours).text()
    return remember(
        cart, adapter, kind, row, parent_id, label, name,
        state=RecordState.IMPORTED, local_id=local_id, base=base, differs="",
    )  # fmt: skip


def remember(
    cart: Cart, adapter: CartAdapter, kind: Kind, row: RawRecord, parent_id: str, label: str, name: str, **also: Any
) -> Record:
    """What was seen of one record of the cart; `also` are further fields of it."""
    now = timezone.now()
    if kind == Kind.ITEM and not parent_id:
        # A variation that came as a row of its own says itself whose it is.
        parent_id = adapter.parse_item(row.body).parent_id
    record, _ = Record.objects.update_or_create(
        cart=cart,
        kind=kind,
        external_id=row.external_id,
        defaults={
            "parent_id": parent_id,
            "label": label[:200],
            "name": name[:250],
            "reason": "",
            "reason_code": Reason.NONE,
            "digest": row.digest,
            "payload": adapter.clean(row.body),
            "modified_at": row.modified_at,
            "seen_at": now,
            "changed_at": now,
            **also,
        },
    )
    return record


def _tell(
    run: Run,
    row: RawRecord,
    label: str,
    outcome: Outcome,
    message: str = "",
    code: Reason = Reason.NONE,
    local_id: int | None = None,
) -> None:
    RunItem.objects.update_or_create(
        run=run,
        external_id=row.external_id,
        defaults={
            "label": label[:200],
            "outcome": outcome,
            "message": message,
            "reason_code": code,
            "local_id": local_id,
        },
    )
