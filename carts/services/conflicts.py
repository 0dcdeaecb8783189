"""Fields that both sides changed: what waits, and what a person says about it."""

from dataclasses import replace

from django.db import transaction
from django.db.models import QuerySet

from carts import gateway
from carts.choices import Kind
from carts.errors import Refused
from carts.models import Cart, Conflict, Record
from carts.services import marks, pairs
from carts.services.connections import adapter_for
from carts.services.held import stored_row
from carts.services.merging import Base, Merge

OURS, THEIRS = "ours", "theirs"


def waiting(cart: Cart | None = None) -> QuerySet[Conflict]:
    """Newest first."""
    conflicts = Conflict.objects.select_related("cart", "record").defer("record__payload", "record__base")
    return (conflicts if cart is None else conflicts.filter(cart=cart)).order_by("-noticed_at", "-id")


def resolve(conflict: Conflict, side: str) -> str:
    """Let the value of this side count. What is then no conflict any more goes the way of every change. The sentence
    for staff. Refused where there is nothing to decide any more."""
    with transaction.atomic():
        record = Record.objects.select_related("cart").select_for_update(of=("self",)).get(pk=conflict.record_id)
        ours = gateway.values(record.kind, [record.local_id or 0]).get(record.local_id or 0)
        if ours is None or not Conflict.objects.filter(pk=conflict.pk).exists():
            raise Refused("This was decided already, or the record is not linked any more; nothing was changed.")
        pair = pairs.pair_of(record.cart, adapter_for(record.cart), record, stored_row(record), ours)
        name = conflict.field
        # A side that is met again has not changed; so the other side's change is the only one.
        if side == OURS:
            base = Base({**pair.base.theirs, name: pair.theirs[name]}, pair.base.ours)
        else:
            base = Base(pair.base.theirs, {**pair.base.ours, name: pair.ours[name]})
        pair = replace(pair, base=base)
        # This field only: what else differs goes its own way.
        decided = Merge(take={name: pair.theirs[name]} if side == THEIRS else {})
        try:
            after = pairs.take(pair, decided.take)
        except gateway.NotTaken as error:
            raise Refused(
                f"The system does not take this value: {error} Change it in the shop, or keep ours."
            ) from None
        pairs.settle(pair, decided, after)
        sends = name in pair.way.sends
        if side == OURS and sends:
            assert record.local_id is not None
            marks.mark(pairs.PUSH_KIND[Kind(record.kind)], [record.local_id], cart_id=record.cart_id)
    if side == THEIRS:
        return "The cart's value counts, and stands here now."
    if not sends:
        return "Ours counts here. It is not sent to the cart, because updates to the cart are off for it."
    return (
        "Ours counts. It goes to the cart at once."
        if record.cart.is_running
        else ("Ours counts. It goes to the cart when the cart is started.")
    )
