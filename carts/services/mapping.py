"""Which record of the cart is which of ours: linked, likely or doubled, and what staff do about it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from carts import gateway
from carts.choices import INFO, QUIET, WARN, Differs, Kind, Reason, RecordState
from carts.errors import CartError, Refused
from carts.models import Cart, Conflict, Record
from carts.platforms.base import CartAdapter
from carts.services import held, marks, records_import
from carts.services.connections import adapter_for

PER_PAGE = 50
# A search for what is suggested or doubled looks at so many records, the newest first.
MOST_LOOKED_AT = 20_000
LINKED, SUGGESTED, UNLINKED, DOUBLED, IGNORED, MISSING = (
    "linked", "suggested", "unlinked", "doubled", "ignored", "missing",
)  # fmt: skip
STATES = {
    SUGGESTED: "Suggested",
    UNLINKED: "Not linked",
    LINKED: "Linked",
    DOUBLED: "Doubled",
    IGNORED: "Ignored",
    MISSING: "Not in the cart any more",
}


@dataclass(frozen=True, slots=True)
class MappingRow:
    """`ours`: what it is linked with, or what is suggested because of `why`."""

    record: Record
    state_label: str
    tone: str
    admin_url: str
    ours: gateway.Ref | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class MappingPage:
    rows: tuple[MappingRow, ...]
    page: int
    is_last: bool


def records_of(cart: Cart, kind: Kind) -> QuerySet[Record]:
    """All that can be linked: the group of a product's variations cannot."""
    return Record.objects.filter(cart=cart, kind=kind).exclude(reason_code=Reason.GROUP)


def page_of(cart: Cart, kind: Kind, state: str = "", search: str = "", number: int = 1) -> MappingPage:
    """One page, newest first. `state` is one of STATES or ""."""
    records = _in_state(records_of(cart, kind), kind, state)
    if search:
        records = records.filter(Q(label__istartswith=search) | Q(name__icontains=search) | Q(external_id=search))
    start = (number - 1) * PER_PAGE
    found = list(records.select_related("cart").order_by("-pk")[start : start + PER_PAGE + 1])
    return MappingPage(tuple(_rows(cart, kind, found[:PER_PAGE])), number, is_last=len(found) <= PER_PAGE)


def _in_state(records: QuerySet[Record], kind: Kind, state: str) -> QuerySet[Record]:
    open_records = records.filter(local_id=None).exclude(state__in=(RecordState.IGNORED, RecordState.MISSING))
    if state == LINKED:
        return records.filter(local_id__isnull=False).exclude(state=RecordState.MISSING)
    if state == UNLINKED:
        return open_records
    if state == IGNORED:
        return records.filter(local_id=None, state=RecordState.IGNORED)
    if state == MISSING:
        return records.filter(state=RecordState.MISSING)
    if state == SUGGESTED:
        keys = dict(open_records.exclude(label="").order_by("-pk").values_list("pk", "label")[:MOST_LOOKED_AT])
        known = gateway.by_key(kind, set(keys.values()))
        return records.filter(pk__in=[pk for pk, key in keys.items() if gateway.key_text(kind, key) in known])
    if state == DOUBLED:
        return records.filter(pk__in=doubled(records))
    return records


def doubled(records: QuerySet[Record]) -> set[int]:
    """Ids of those that share SKU or e-mail with another of the cart, or are linked with the same of ours."""
    keyed = records.exclude(label="").exclude(state=RecordState.MISSING).annotate(key=Lower("label"))
    keys = keyed.order_by().values("key").annotate(number=Count("pk")).filter(number__gt=1).values("key")
    linked = records.filter(local_id__isnull=False, state=RecordState.IMPORTED)
    twice = linked.order_by().values("local_id").annotate(number=Count("pk")).filter(number__gt=1).values("local_id")
    found = set(keyed.filter(key__in=keys).values_list("pk", flat=True)[:MOST_LOOKED_AT])
    return found | set(linked.filter(local_id__in=twice).values_list("pk", flat=True)[:MOST_LOOKED_AT])


def _rows(cart: Cart, kind: Kind, records: Sequence[Record]) -> list[MappingRow]:
    adapter = adapter_for(cart)
    refs = REFS[kind]([record.local_id for record in records if record.local_id is not None])
    likely = suggestions(adapter, kind, [record for record in records if record.local_id is None])
    double = doubled(records_of(cart, kind).filter(Q(pk__in=[record.pk for record in records]) | _twins(records)))
    rows = []
    for record in records:
        url = adapter.admin_url(kind, record.parent_id or record.external_id)
        suggested, why = likely.get(record.pk, (None, ""))
        label, tone = _state(record, suggested is not None)
        if record.pk in double:
            why = " ".join(filter(None, [why, "Doubled: another of the cart has the same key, or the same of ours."]))
            tone = WARN
        rows.append(MappingRow(record, label, tone, url, refs.get(record.local_id or 0) or suggested, why))
    return rows


def _twins(records: Sequence[Record]) -> Q:
    labels = [record.label for record in records if record.label]
    return Q(label__in=labels) | Q(local_id__in=[record.local_id for record in records if record.local_id is not None])


def _state(record: Record, is_suggested: bool) -> tuple[str, str]:
    if record.state == RecordState.MISSING:
        return RecordState.MISSING.label, RecordState.MISSING.tone
    if record.local_id is not None:
        differs = Differs(record.differs)
        return differs.label, differs.tone
    if record.state == RecordState.IGNORED:
        return RecordState.IGNORED.label, QUIET
    return (STATES[SUGGESTED], INFO) if is_suggested else (STATES[UNLINKED], QUIET)


def suggestions(adapter: CartAdapter, kind: Kind, records: Sequence[Record]) -> dict[int, tuple[gateway.Ref, str]]:
    """By record: which of ours it may be, and why; the surest reason first."""
    looks = {record.pk: _look(adapter, kind, record) for record in records}
    by_key = gateway.by_key(kind, {look.key for look in looks.values() if look.key})
    by_barcode = gateway.items_by_barcode({look.barcode for look in looks.values() if look.barcode})
    ids: dict[int, tuple[int, str]] = {}
    for pk, look in looks.items():
        same_key = by_key.get(gateway.key_text(kind, look.key)) if look.key else None
        if same_key:
            ids[pk] = (same_key, "Same SKU" if kind == Kind.ITEM else "Same e-mail")
        elif look.barcode in by_barcode:
            ids[pk] = (by_barcode[look.barcode], "Same barcode")
        elif near := gateway.near_name(kind, look.name):
            ids[pk] = (near, "Near name")
    refs = REFS[kind]([local_id for local_id, _ in ids.values()])
    return {pk: (refs[local_id], why) for pk, (local_id, why) in ids.items() if local_id in refs}


@dataclass(frozen=True, slots=True)
class Look:
    key: str
    name: str
    barcode: str = ""


def _look(adapter: CartAdapter, kind: Kind, record: Record) -> Look:
    barcode = ""
    if kind == Kind.ITEM and record.payload:
        with suppress(CartError):  # a text nobody can read still has its SKU and name beside it
            barcode = adapter.parse_item(record.payload).barcode.strip()
    return Look(record.label, record.name, barcode)


REFS: dict[Kind, Callable[[list[int]], dict[int, gateway.Ref]]] = {
    Kind.ITEM: gateway.item_refs,
    Kind.CUSTOMER: gateway.customer_refs,
}


# What staff do ------------------------------------------------------------------------------------------


def link(record: Record, local_id: int) -> None:
    """From now on the two are one. Refused where that would be ambiguous, with the reason."""
    cart, kind = record.cart, Kind(record.kind)
    if not record.payload:
        raise Refused(f"{record} was never read from the cart. Click Read all from the cart first; nothing was linked.")
    if record.local_id == local_id and record.state == RecordState.IMPORTED:
        return
    others = Record.objects.filter(cart=cart, kind=kind, local_id=local_id, state=RecordState.IMPORTED)
    if (other := others.exclude(pk=record.pk).first()) is not None:
        raise Refused(f"{record} was not linked: {other} of the cart is linked with that one. Unlink it first.")
    if not REFS[kind]([local_id]):
        raise Refused(f"{record} was not linked: what was chosen was deleted here.")
    adapter = adapter_for(cart)
    with transaction.atomic():
        if record.local_id is not None:
            unlink(record)
        row = held.stored_row(record)
        records_import.save_link(cart, adapter, kind, row, local_id, record.label, record.name, record.parent_id)
        _after_link(cart, record, local_id)


def _after_link(cart: Cart, record: Record, local_id: int) -> None:
    if record.kind != Kind.ITEM:
        transaction.on_commit(partial(_release, cart, Reason.AMBIGUOUS_CUSTOMER, gateway.normalise_email(record.label)))
        return
    marks.mark_stock([local_id], cart_id=cart.pk)
    for key in (gateway.normalise_sku(record.label), f"product:{record.external_id}"):
        transaction.on_commit(partial(_release, cart, Reason.UNKNOWN_SKU, key))


def _release(cart: Cart, reason: Reason, key: str) -> None:
    if key:
        held.release(cart, reason, key)


def unlink(record: Record) -> None:
    """The two go their own ways; both stay as they are. What is on the way for the pair is dropped."""
    with transaction.atomic():
        Conflict.objects.filter(record=record).delete()
        record.local_id, record.base, record.differs, record.cart_stock = None, "", "", None
        if record.state == RecordState.IMPORTED:
            record.state = RecordState.SEEN
        record.changed_at = timezone.now()
        record.save(update_fields=["local_id", "base", "differs", "cart_stock", "state", "changed_at"])


def create(record: Record) -> None:
    """One of ours made of the cart's, or the one that is there with the same SKU or e-mail."""
    if record.local_id is not None:
        raise Refused(f"{record} is linked already; nothing was created.")
    if not record.payload:
        raise Refused(
            f"{record} was never read from the cart. Click Read all from the cart first; nothing was created."
        )
    adapter, kind = adapter_for(record.cart), Kind(record.kind)
    try:
        with transaction.atomic():
            records_import.link(record.cart, adapter, kind, held.stored_row(record), record.parent_id)
    except records_import.Undecided as error:
        raise Refused(f"{record}: {error.sentence}") from None
    except CartError as error:
        raise Refused(f"{record}: {error.sentence}") from None


def ignore(record: Record) -> None:
    """It is nothing of ours, and is not offered any more."""
    if record.local_id is not None:
        raise Refused(f"{record} is linked. Unlink it first, then ignore it.")
    Record.objects.filter(pk=record.pk).update(
        state=RecordState.IGNORED, reason_code=Reason.BY_STAFF, reason="A member of staff said Ignore.",
        changed_at=timezone.now(),
    )  # fmt: skip


def each(records: Sequence[Record], action: Callable[[Record], Any]) -> tuple[int, list[str]]:
    """(how many were done, why the others were not)."""
    done, refused = 0, []
    for record in records:
        try:
            action(record)
            done += 1
        except Refused as error:
            refused.append(error.sentence)
    return done, refused
