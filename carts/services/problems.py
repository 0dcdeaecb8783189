"""Problems: everything over all carts that needs a person, with what to do about it."""

from dataclasses import dataclass

from django.db.models import Count, Max, Min, QuerySet

from carts.choices import PROBLEM_STATES
from carts.models import Cart, Conflict, Feed, HeldFor, Record
from carts.services import stock_state

COUNT_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """One cause and how many orders wait for it."""

    cart: Cart
    reason_code: str
    key: str
    label: str
    orders: int


def open_problems(cart: Cart | None = None) -> QuerySet[Record]:
    """Held and failed records, newest first, without their payload."""
    records = Record.objects.filter(state__in=PROBLEM_STATES).select_related("cart").defer("payload")
    if cart is not None:
        records = records.filter(cart=cart)
    return records.order_by("-changed_at", "-id")


def count() -> int:
    """Problems, and feeds and outboxes that need a person; at most COUNT_LIMIT + 1 of a sort are counted."""
    records = Record.objects.filter(state__in=PROBLEM_STATES).order_by()
    unsent = stock_state.failed().order_by()[: COUNT_LIMIT + 1].count()
    unsent += Conflict.objects.order_by()[: COUNT_LIMIT + 1].count()
    in_need = Feed.objects.filter(needs_person=True).count() + stock_state.outboxes_in_need().count()
    return records[: COUNT_LIMIT + 1].count() + unsent + in_need


def groups(cart: Cart | None = None) -> list[Group]:
    """Causes that one answer mends, the one that holds the most orders first."""
    rows = HeldFor.objects.all() if cart is None else HeldFor.objects.filter(cart=cart)
    counted = rows.values("cart_id", "reason_code", "key").annotate(
        orders=Count("record_id", distinct=True), label=Max("label"), first=Min("id")
    )
    carts = Cart.objects.in_bulk()
    return [
        Group(carts[row["cart_id"]], row["reason_code"], row["key"], row["label"] or row["key"], row["orders"])
        for row in counted.order_by("-orders", "first")[:200]
    ]


def feeds_in_need(cart: Cart | None = None) -> QuerySet[Feed]:
    """Feeds that no retry helps: a key, a URL or a setting has to be mended."""
    feeds = Feed.objects.filter(needs_person=True).select_related("cart")
    return feeds if cart is None else feeds.filter(cart=cart)
