"""A linked pair, one of ours and one of the cart's: what may pass between them, what did, and where they differ.

Whoever has both sides at hand (an update from the cart, a sending to it, an import, an answer to a conflict) ends here,
so that what is known of a pair is written in one way.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from carts import fields, gateway
from carts.choices import CartStatus, Differs, Kind, Owner, PushKind, Reason, RecordState
from carts.errors import CartError, Rejected
from carts.models import Cart, Conflict, Record
from carts.platforms.base import CartAdapter
from carts.records import RawRecord
from carts.services import marks
from carts.services.connections import adapter_for, capabilities
from carts.services.merging import Base, Merge, Way, merge

# Called first inside every transaction, and before every request: raises StopRequested when the lease is gone.
Hold = Callable[[], None]
PUSH_KIND = {Kind.ITEM: PushKind.ITEM, Kind.CUSTOMER: PushKind.CUSTOMER}
TAKES = {Kind.ITEM: "from_item_updates", Kind.CUSTOMER: "from_customer_updates"}
SENDS = {Kind.ITEM: "to_item_updates", Kind.CUSTOMER: "to_customer_updates"}
# Whether stock is kept is a matter of the accounts here, and of the shop's admin there; only on request it follows.
OWNED_UNLESS_SAID = {"item.is_stock_keeping": "system"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides as they are now, and what may pass."""

    record: Record
    row: RawRecord
    theirs: fields.Values
    ours: fields.Values
    base: Base
    way: Way

    def merged(self) -> Merge:
        return merge(self.base, self.theirs, self.ours, self.way)


def pair_of(cart: Cart, adapter: CartAdapter, record: Record, row: RawRecord, ours: fields.Values) -> Pair:
    """Raises Rejected where the cart's text cannot be read. Of a pair that was linked before bases were kept, the text
    that was stored with the link is what the cart showed then."""
    theirs = fields.of_cart(adapter, record.kind, row.body)
    ours = gateway.beside(ours, theirs) if record.kind == Kind.CUSTOMER else ours
    try:
        then = fields.of_cart(adapter, record.kind, record.payload) if record.payload and not record.base else theirs
    except Rejected:
        then = theirs
    base = Base.of_text(record.base, then, ours)
    if record.kind == Kind.CUSTOMER and ours["email"] not in (theirs["email"], base.ours["email"]):
        # The address that both had is still among ours: then it is the one that counts.
        ours = {**ours, "email": _kept_email(record, base.ours["email"], ours["email"])}
    return Pair(record, row, theirs, ours, base, way_of(cart, record, row.modified_at))


def _kept_email(record: Record, before: str, now: str) -> str:
    every = gateway.values(Kind.CUSTOMER, [record.local_id or 0]).get(record.local_id or 0)
    return before if every and before in every["email"].split("\n") else now


def way_of(cart: Cart, record: Record, cart_modified_at: datetime | None = None) -> Way:
    kind = Kind(record.kind)
    owners = owners_of(cart, kind)
    newer = False
    if cart_modified_at is not None and "last" in owners.values():
        ours_at = gateway.modified_at(kind, record.local_id or 0)
        newer = ours_at is None or cart_modified_at > ours_at
    return Way(getattr(cart, TAKES[kind]), able(record) if getattr(cart, SENDS[kind]) else frozenset(), owners, newer)


def able(record: Record) -> frozenset[str]:
    """The fields that can be set in the cart."""
    return able_of(record.cart, Kind(record.kind), is_variation=bool(record.parent_id))


def able_of(cart: Cart, kind: Kind, *, is_variation: bool) -> frozenset[str]:
    can = capabilities(cart)
    if kind == Kind.CUSTOMER:
        return can.customer_fields
    return can.variation_fields if is_variation else can.item_fields


def owners_of(cart: Cart, kind: Kind) -> dict[str, str]:
    said = {**OWNED_UNLESS_SAID, **cart.field_owners}
    return {name.partition(".")[2]: owner for name, owner in said.items() if name.startswith(f"{kind.value}.")}


def take(pair: Pair, values: fields.Values) -> fields.Values:
    """Inside a transaction: set these of the cart's values here. Ours as they are then. Raises gateway.NotTaken."""
    record = pair.record
    if values:
        assert record.local_id is not None
        gateway.set_values(record.kind, record.local_id, values, old_email=pair.ours.get("email", ""))
    return {**pair.ours, **values}


def settle(pair: Pair, merged: Merge, ours: fields.Values, *, sent: Iterable[str] = ()) -> Pair:
    """Inside a transaction: remember what both sides show after what was taken and `sent`. The pair as it is then."""
    base = pair.base.met([*merged.equal, *merged.take, *sent], pair.theirs, ours)
    left = merge(base, pair.theirs, ours, pair.way)
    save_conflicts(pair.record, left)
    save(pair.record, pair.row, base, left.differs)
    return replace(pair, ours=ours, base=base)


def replace_row(pair: Pair, row: RawRecord, theirs: fields.Values) -> Pair:
    """The same pair after the cart answered with `row`."""
    return replace(pair, row=row, theirs=theirs)


def save(record: Record, row: RawRecord, base: Base, differs: str) -> None:
    now = timezone.now()
    adapter = adapter_for(record.cart)
    record.base, record.differs = base.text(), differs
    record.digest, record.modified_at = row.digest, row.modified_at
    record.payload = adapter.clean(row.body)
    record.label, record.name = names_of(adapter, record.kind, row)
    if record.state == RecordState.MISSING:
        record.state, record.reason, record.reason_code = RecordState.IMPORTED, "", Reason.NONE
    record.seen_at = record.changed_at = now
    record.save(
        update_fields=[
            "base", "differs", "digest", "modified_at", "payload", "label", "name", "state", "reason", "reason_code",
            "seen_at", "changed_at",
        ]
    )  # fmt: skip


def names_of(adapter: CartAdapter, kind: str, row: RawRecord) -> tuple[str, str]:
    """(label, name): the SKU or e-mail, and the name."""
    if kind == Kind.ITEM:
        item = adapter.parse_item(row.body)
        return item.sku[:200], item.name[:250]
    customer = adapter.parse_customer(row.body)
    return customer.email[:200], f"{customer.first_name} {customer.last_name}".strip()[:250]


def save_conflicts(record: Record, merged: Merge) -> None:
    Conflict.objects.filter(record=record).exclude(field__in=merged.conflicts).delete()
    for name, (ours, theirs) in merged.conflicts.items():
        Conflict.objects.update_or_create(
            record=record, field=name, defaults={"cart_id": record.cart_id, "ours": ours, "theirs": theirs}
        )


# When one of ours changes -----------------------------------------------------------------------------


def on_records_changed(kind: str, ids: Sequence[int], *, deleted: bool, **_: object) -> None:
    """Receiver of backoffice.signals.records_changed, inside its transaction."""
    linked = Record.objects.filter(kind=kind, local_id__in=ids)
    records = list(linked.select_related("cart"))
    if not records:
        return
    if deleted:
        Conflict.objects.filter(record__in=records).delete()
        # On purpose, so it is not created again by itself; Import selected brings it back.
        linked.update(
            local_id=None, state=RecordState.IGNORED, reason_code=Reason.DELETED_HERE, base="", differs="",
            reason="It was deleted here. Import it again where it is wanted.",
        )  # fmt: skip
        return
    ours = gateway.values(kind, ids)
    for record in records:
        try:
            note_ours(record, ours.get(record.local_id or 0))
        except CartError:
            # Credentials that cannot be read, say: saving an item is none of their business. Whoever sends will tell.
            record.differs = Differs.HERE
    running = {record.cart_id for record in records if record.cart.status == CartStatus.RUNNING and record.differs}
    for cart_id in sorted(running):
        marks.mark(PUSH_KIND[Kind(kind)], ids, cart_id=cart_id)


def note_ours(record: Record, ours: fields.Values | None) -> None:
    """Tell what differs now, without asking the cart."""
    if ours is None or not record.base or not record.payload:
        return
    adapter = adapter_for(record.cart)
    row = RawRecord(record.external_id, record.modified_at, bytes(record.digest), record.payload.encode())
    differs = pair_of(record.cart, adapter, record, row, ours).merged().differs
    if differs != record.differs:
        record.differs = Differs(differs)
        Record.objects.filter(pk=record.pk).update(differs=record.differs)


# Who owns what ----------------------------------------------------------------------------------------


def every_owner(cart: Cart) -> dict[str, str]:
    """Owners by "item.price" and so on, the usual ones too."""
    named: dict[str, str] = {}
    for kind, labels in fields.LABELS.items():
        owners = owners_of(cart, Kind(kind))
        named |= {f"{kind}.{name}": str(owners.get(name, Owner.ASK.value)) for name in labels}
    return named


def contradictions(cart: Cart) -> list[str]:
    """Owners that the switches do not let have their way, one sentence each."""
    told = []
    for kind, labels in fields.LABELS.items():
        takes, sends = getattr(cart, TAKES[Kind(kind)]), getattr(cart, SENDS[Kind(kind)])
        if not takes and not sends:
            continue
        for name, owner in owners_of(cart, Kind(kind)).items():
            what = f"{labels.get(name, name)} of {kind}s"
            if owner == Owner.CART and not takes:
                told.append(
                    f"{what} belongs to the cart, but updates From Cart are off: what changes there stays there."
                )
            if owner == Owner.SYSTEM and not sends and f"{kind}.{name}" in cart.field_owners:
                told.append(f"{what} belongs to the system, but updates To Cart are off: it is never sent.")
            if owner == Owner.LAST and not (takes and sends):
                told.append(
                    f"{what} goes to the last change, but only one direction is on: the other's stay where they are."
                )
    return told


def mark_unsent(cart: Cart) -> None:
    """What was changed here while nothing went to the cart: on its way with Start, or with the switch."""
    for kind, switch in SENDS.items():
        if getattr(cart, switch):
            changed = Record.objects.filter(cart=cart, kind=kind, state=RecordState.IMPORTED, local_id__isnull=False)
            ids = changed.filter(differs__in=(Differs.HERE, Differs.BOTH)).values_list("local_id", flat=True)
            marks.mark(PUSH_KIND[kind], [each for each in ids if each is not None], cart_id=cart.pk)
