"""The Dashboard: one card a cart, and the newest problems, runs and documents."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone

from carts import gateway
from carts.choices import PROBLEM_STATES, Kind, Outcome, RecordState, RunKind
from carts.models import Cart, Feed, Record, Run
from carts.services import control, problems, state
from carts.views.frame import may_act, may_look

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Card:
    cart: Cart
    state: state.State
    zone: tzinfo
    imported_today: int
    held: int
    polled_at: datetime | None


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's call-back for the first page."""
    context |= {"title": "Dashboard", "can_act": may_act(request), "can_look": may_look(request)}
    if may_look(request):
        cards = _cards()
        context |= {
            "cards": cards,
            "problems": problems.open_problems()[:SHOWN],
            "runs": Run.objects.select_related("cart").order_by("-id")[:SHOWN],
            "documents": _documents(),
        }
    return context


def _cards() -> list[Card]:
    carts = list(Cart.objects.all())
    states, today = state.states(carts), _imported_today(carts)
    polled = dict(Feed.objects.filter(kind=Kind.ORDER).values_list("cart_id", "polled_at"))
    rows = Record.objects.filter(state__in=PROBLEM_STATES).order_by().values_list("cart_id")
    held = dict(rows.annotate(number=Count("id")))
    return [
        Card(cart, states[cart.pk], control.shop_zone(cart), today[cart.pk], held.get(cart.pk, 0), polled.get(cart.pk))
        for cart in carts
    ]


def _imported_today(carts: list[Cart]) -> Counter[int]:
    """By cart, since midnight in its shop. Summed over the runs: there are few a day, however many orders."""
    now, counts = timezone.now(), Counter[int]()
    midnights = {cart.pk: _midnight(now, control.shop_zone(cart)) for cart in carts}
    recent = Run.objects.exclude(kind=RunKind.REHEARSAL).filter(
        record_kind=Kind.ORDER, created_at__gte=now - timedelta(days=2)
    )
    for cart_id, created_at, outcomes in recent.values_list("cart_id", "created_at", "counts"):
        if cart_id in midnights and created_at >= midnights[cart_id]:
            counts[cart_id] += outcomes.get(Outcome.NEW, 0)
    return counts


def _midnight(now: datetime, zone: tzinfo) -> datetime:
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _documents() -> list[tuple[Record, gateway.Ref]]:
    """The newest by when their orders were first seen, which is an index of its own."""
    newest = Record.objects.filter(kind=Kind.ORDER, state=RecordState.IMPORTED).select_related("cart").defer("payload")
    rows = list(newest.order_by("-id")[:SHOWN])
    refs = gateway.document_refs([row.local_id for row in rows])
    return [(row, refs[row.local_id]) for row in rows if row.local_id in refs]
