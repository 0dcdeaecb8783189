"""The list tabs: the live cart beside what we know of each row, and our own records beside their links."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone

from carts import gateway
from carts.choices import INFO, QUIET, Differs, Kind, Outcome, RecordState
from carts.errors import Rejected
from carts.models import Cart, Record
from carts.platforms.base import CartAdapter
from carts.records import CartOrder, Listing, RawRecord
from carts.services.connections import adapter_for
from carts.services.judging import Rules, judge

PER_PAGE = 50
MOST_EXPORTED = 100_000


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One record of the live cart. `local` is ours, where it is linked; `importable`: picking it would do something."""

    external_id: str
    label: str
    state_label: str
    tone: str
    admin_url: str
    name: str = ""
    email: str = ""
    status: str = ""
    placed_at: datetime | None = None
    total: Decimal | None = None
    currency: str = ""
    sku: str = ""
    price: Decimal | None = None
    stock: Decimal | None = None
    has_variations: bool = False
    reason: str = ""
    local: gateway.Ref | None = None
    importable: bool = True


@dataclass(frozen=True, slots=True)
class LivePage:
    rows: tuple[LiveRow, ...]
    total: int | None
    position: str
    next_position: str


@dataclass(frozen=True, slots=True)
class OwnRow:
    """One of our records, and the record of this cart it is linked with."""

    ref: gateway.Ref
    state_label: str
    tone: str
    external_id: str = ""
    admin_url: str = ""
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class OwnPage:
    rows: tuple[OwnRow, ...]
    page: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of the records of one page of the live cart. `variations`: how many are linked, by their parent."""

    cart: Cart
    adapter: CartAdapter
    records: Mapping[str, Record]
    refs: Mapping[int, gateway.Ref]
    variations: Mapping[str, int]

    def ref(self, record: Record | None) -> gateway.Ref | None:
        return self.refs.get(record.local_id) if record and record.local_id else None


def live_page(cart: Cart, kind: str, listing: Listing) -> LivePage:
    """Raises CartError when the cart does not answer."""
    adapter = adapter_for(cart)
    page = adapter.listing(kind, listing)
    records = {
        record.external_id: record
        for record in Record.objects.filter(
            cart=cart, kind=kind, external_id__in=[row.external_id for row in page.rows]
        ).defer("payload")
    }
    find_refs = {
        Kind.ORDER: gateway.document_refs,
        Kind.ITEM: gateway.item_refs,
        Kind.CUSTOMER: gateway.customer_refs,
    }[Kind(kind)]
    refs = find_refs([record.local_id for record in records.values() if record.local_id])
    make = {Kind.ORDER: _order_row, Kind.ITEM: _item_row, Kind.CUSTOMER: _customer_row}[Kind(kind)]
    known = Known(cart, adapter, records, refs, _linked_variations(cart, kind, page.rows))
    rows = tuple(make(known, row) for row in page.rows)
    return LivePage(rows, page.total, listing.position, page.next_position)


def _linked_variations(cart: Cart, kind: str, rows: Sequence[RawRecord]) -> dict[str, int]:
    if kind != Kind.ITEM:
        return {}
    parents = [row.external_id for row in rows]
    linked = Record.objects.filter(cart=cart, kind=Kind.ITEM, parent_id__in=parents, local_id__isnull=False)
    return dict(linked.order_by().values_list("parent_id").annotate(number=Count("id")))


def _order_row(known: Known, row: RawRecord) -> LiveRow:
    adapter, record = known.adapter, known.records.get(row.external_id)
    url = adapter.admin_url(Kind.ORDER, row.external_id)
    try:
        order = adapter.parse_order(row.body)
    except Rejected as error:
        return LiveRow(row.external_id, row.external_id, "Cannot be read", "danger", url, reason=error.sentence)
    state, tone, reason = _order_state(known.cart, order, record)
    return LiveRow(
        row.external_id,
        order.number,
        state,
        tone,
        url,
        name=order.billing.name or order.billing.company,
        email=order.email,
        status=adapter.capabilities.order_statuses.get(order.status, order.status),
        placed_at=order.placed_at,
        total=order.total,
        currency=order.currency,
        reason=reason,
        local=known.ref(record),
        importable=not (record and record.local_id),
    )


def _order_state(cart: Cart, order: CartOrder, record: Record | None) -> tuple[str, str, str]:
    """What we did with it; of an order we never saw, what its date and status say."""
    if record is not None and record.state != RecordState.FILTERED:
        state = RecordState(record.state)
        return state.label, state.tone, record.reason
    verdict = judge(order, Rules.of(cart), timezone.now())
    if verdict.outcome == Outcome.BEFORE_START:
        return Outcome.BEFORE_START.label, QUIET, ""
    if verdict.outcome == Outcome.FILTERED:
        return RecordState.FILTERED.label, QUIET, verdict.reason
    return RecordState.SEEN.label, INFO, ""


def _item_row(known: Known, row: RawRecord) -> LiveRow:
    adapter, record = known.adapter, known.records.get(row.external_id)
    url = adapter.admin_url(Kind.ITEM, row.external_id)
    try:
        item = adapter.parse_item(row.body)
    except Rejected as error:
        return LiveRow(row.external_id, row.external_id, "Cannot be read", "danger", url, reason=error.sentence)
    linked = known.ref(record)
    label, tone = ("Linked", "success") if linked else ("Not linked", INFO)
    if item.has_variations:
        count = known.variations.get(row.external_id, 0)
        label, tone = (f"{count} variations linked", "success") if count else ("Not linked", INFO)
    return LiveRow(
        row.external_id,
        item.sku or item.name,
        label,
        tone,
        url,
        name=item.name,
        sku=item.sku,
        price=item.price,
        currency=known.cart.shop_currency,
        stock=item.stock,
        status="Active" if item.is_active else "Not published",
        has_variations=item.has_variations,
        local=linked,
        importable=linked is None,
    )


def _customer_row(known: Known, row: RawRecord) -> LiveRow:
    adapter, record = known.adapter, known.records.get(row.external_id)
    url = adapter.admin_url(Kind.CUSTOMER, row.external_id)
    try:
        customer = adapter.parse_customer(row.body)
    except Rejected as error:
        return LiveRow(row.external_id, row.external_id, "Cannot be read", "danger", url, reason=error.sentence)
    linked = known.ref(record)
    name = f"{customer.first_name} {customer.last_name}".strip()
    return LiveRow(
        row.external_id,
        customer.email or name,
        "Linked" if linked else "Not linked",
        "success" if linked else INFO,
        url,
        name=name or customer.company,
        email=customer.email,
        local=linked,
        importable=linked is None,
    )


# Ours -------------------------------------------------------------------------------------------------


def imported_documents(cart: Cart, page: int = 1) -> OwnPage:
    """The Orders tab: documents imported from this cart, the newest order first."""
    records = Record.objects.filter(cart=cart, kind=Kind.ORDER, state=RecordState.IMPORTED).defer("payload")
    return _own_page(cart, records.order_by("-placed_at", "-id"), gateway.document_refs, page)


def _own_page(
    cart: Cart, records: QuerySet[Record], find_refs: Callable[[list[int]], dict[int, gateway.Ref]], page: int
) -> OwnPage:
    start = (page - 1) * PER_PAGE
    found: Sequence[Record] = list(records[start : start + PER_PAGE + 1])
    refs = find_refs([record.local_id for record in found if record.local_id])
    adapter = adapter_for(cart)
    rows = tuple(
        OwnRow(
            refs[record.local_id],
            refs[record.local_id].state,
            refs[record.local_id].tone,
            record.external_id,
            adapter.admin_url(record.kind, record.external_id),
            record,
        )
        for record in found[:PER_PAGE]
        if record.local_id in refs
    )
    return OwnPage(rows, page, is_last=len(found) <= PER_PAGE)


REFS = {Kind.ITEM: gateway.item_refs, Kind.CUSTOMER: gateway.customer_refs}
NOT_HERE, LINKED, MISSING = "unlinked", "linked", "missing"
# What the tabs of our own items and customers can be narrowed to.
LINK_STATES = {
    LINKED: "Linked",
    NOT_HERE: "Not in this cart",
    Differs.HERE.value: Differs.HERE.label,
    Differs.THERE.value: Differs.THERE.label,
    Differs.BOTH.value: Differs.BOTH.label,
    MISSING: RecordState.MISSING.label,
}


def our_records(cart: Cart, kind: Kind, search: str = "", page: int = 1, state: str = "") -> OwnPage:
    """Our items or customers beside their records in this cart; `state` is one of LINK_STATES or ""."""
    ids = gateway.page_of(kind, search, page, PER_PAGE, **_narrowed(cart, kind, state))
    refs = REFS[kind](ids[:PER_PAGE])
    linked = Record.objects.filter(cart=cart, kind=kind, local_id__in=list(refs)).defer("payload", "base")
    # One that was exported anew has its old record beside the new one.
    records = {record.local_id: record for record in sorted(linked, key=lambda each: each.state != RecordState.MISSING)}
    rows = tuple(_own_row(adapter_for(cart), refs[each], records.get(each)) for each in ids[:PER_PAGE] if each in refs)
    return OwnPage(rows, page, is_last=len(ids) <= PER_PAGE)


def matching_ids(cart: Cart, kind: Kind, search: str, state: str) -> list[int]:
    """The ids on all pages of `our_records`."""
    return gateway.page_of(kind, search, 1, MOST_EXPORTED, **_narrowed(cart, kind, state))[:MOST_EXPORTED]


def _narrowed(cart: Cart, kind: Kind, state: str) -> dict[str, Any]:
    records = Record.objects.filter(cart=cart, kind=kind, local_id__isnull=False)
    if state == NOT_HERE:
        return {"without": records.values("local_id")}
    if state == MISSING:
        return {"only": records.filter(state=RecordState.MISSING).values("local_id")}
    if state == LINKED:
        return {"only": records.filter(state=RecordState.IMPORTED).values("local_id")}
    if state in LINK_STATES:
        return {"only": records.filter(state=RecordState.IMPORTED, differs=state).values("local_id")}
    return {}


def _own_row(adapter: CartAdapter, ref: gateway.Ref, record: Record | None) -> OwnRow:
    if record is None:
        return OwnRow(ref, LINK_STATES[NOT_HERE], QUIET)
    if record.state == RecordState.MISSING:
        return OwnRow(ref, RecordState.MISSING.label, RecordState.MISSING.tone, record.external_id, record=record)
    differs = Differs(record.differs)
    url = adapter.admin_url(record.kind, record.parent_id or record.external_id)
    return OwnRow(ref, differs.label, differs.tone, record.external_id, url, record)
