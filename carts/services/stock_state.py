"""What staff see of the stock that goes to a cart, and what they do about stock that did not go."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from carts.choices import Kind, PushKind, PushState, RecordState
from carts.errors import Refused
from carts.models import Cart, Outbox, Push, Record
from carts.services import marks


@dataclass(frozen=True, slots=True)
class StockState:
    """`linked`: items whose stock goes to the cart; `waiting` and `failed`: how many of them are on the way or not.
    Times are None for never."""

    sent_at: datetime | None
    compared_at: datetime | None
    linked: int
    waiting: int
    failed: int


def of_cart(cart: Cart) -> StockState | None:
    """None where the cart takes no stock."""
    if not cart.to_stock_updates:
        return None
    pushes = Push.objects.filter(cart=cart, kind=PushKind.STOCK)
    linked = Record.objects.filter(cart=cart, kind=Kind.ITEM, state=RecordState.IMPORTED, local_id__isnull=False)
    outbox = Outbox.objects.filter(cart=cart, kind=PushKind.STOCK).first()
    return StockState(
        sent_at=outbox.drained_at if outbox else None,
        compared_at=outbox.swept_at if outbox else None,
        linked=linked.count(),
        waiting=pushes.filter(state=PushState.WAITING).count(),
        failed=pushes.filter(state=PushState.FAILED).count(),
    )


def failed(cart: Cart | None = None) -> QuerySet[Push]:
    """Stock, items and customers that could not be sent, newest first."""
    pushes = Push.objects.filter(state=PushState.FAILED).select_related("cart")
    return (pushes if cart is None else pushes.filter(cart=cart)).order_by("-marked_at", "-id")


def outboxes_in_need(cart: Cart | None = None) -> QuerySet[Outbox]:
    """Those that no retry helps: a key, a URL or a setting has to be mended."""
    outboxes = Outbox.objects.filter(needs_person=True).select_related("cart")
    return outboxes if cart is None else outboxes.filter(cart=cart)


def retry(push: Push) -> None:
    """On its way again, as it is now."""
    kind = PushKind(push.kind)
    if kind != PushKind.STOCK:
        if not push.cart.is_running or not getattr(push.cart, marks.SWITCH[kind]):
            raise Refused("Changes go only to a RUNNING cart whose updates To Cart are on. Start it first, then Retry.")
        marks.mark(kind, [push.local_id], cart_id=push.cart_id)
        return
    if not push.cart.is_running or not push.cart.to_stock_updates:
        raise Refused("Stock goes only to a RUNNING cart with real-time stock updates. Start it first, then Retry.")
    Record.objects.filter(cart=push.cart, kind=Kind.ITEM, local_id=push.local_id).update(cart_stock=None)
    marks.mark_stock([push.local_id], cart_id=push.cart_id)


def ignore(push: Push) -> None:
    """Left as it is in the cart, until ours changes again."""
    removed, _ = Push.objects.filter(pk=push.pk, state=PushState.FAILED).delete()
    if not removed:
        raise Refused("This is on its way already; there is nothing to ignore.")
