"""Problems over all carts: causes that one answer mends, and each held or failed record with Retry and Ignore."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from carts import fields, gateway
from carts.choices import Outcome, PushKind, Reason
from carts.errors import CartError, Refused
from carts.forms import OursField
from carts.models import Cart, Conflict, Push, Record, Run
from carts.services import conflicts, control, held, problems, stock_state
from carts.services.connections import adapter_for
from carts.views.frame import one_page, page_number, panel, render, told

CHOICES_SHOWN = 20
UNSENT_SHOWN = 100


@dataclass(slots=True)
class Cause:
    """A group with its sentence, and what may be answered to it."""

    group: problems.Group
    sentence: str
    customers: list[gateway.Ref] = field(default_factory=list)


@panel
def index(request: HttpRequest) -> HttpResponse:
    cart = _chosen_cart(request)
    number = page_number(request)
    rows, is_last = one_page(problems.open_problems(cart), number)
    return render(
        request,
        "carts/problems.html",
        "Problems",
        cart=cart,
        carts=Cart.objects.all(),
        rows=rows,
        number=number,
        is_last=is_last,
        causes=_causes(cart) if number == 1 else [],
        in_need=[*problems.feeds_in_need(cart), *stock_state.outboxes_in_need(cart)],
        unsent=_unsent(cart) if number == 1 else [],
        conflicts=_conflicts(cart) if number == 1 else [],
    )


def _unsent(cart: Cart | None) -> list[tuple[Push, gateway.Ref | None]]:
    pushes = list(stock_state.failed(cart)[:UNSENT_SHOWN])
    refs = {
        is_customer: find([push.local_id for push in pushes if (push.kind == PushKind.CUSTOMER) is is_customer])
        for is_customer, find in ((True, gateway.customer_refs), (False, gateway.item_refs))
    }
    return [(push, refs[push.kind == PushKind.CUSTOMER].get(push.local_id)) for push in pushes]


def _conflicts(cart: Cart | None) -> list[tuple[Conflict, str, str, str]]:
    """Each with its field's label and both values as a person reads them."""
    return [
        (
            each,
            fields.LABELS[each.record.kind].get(each.field, each.field),
            fields.shown(each.field, each.ours),
            fields.shown(each.field, each.theirs),
        )
        for each in conflicts.waiting(cart)[:UNSENT_SHOWN]
    ]


@require_POST
@panel
def conflict(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep ours, or take the cart's."""
    waiting = Conflict.objects.filter(pk=pk).first()
    if waiting is None:
        messages.success(request, "This was decided meanwhile.")
        return redirect(_back(request))
    side = request.POST.get("side")
    if side in (conflicts.OURS, conflicts.THEIRS):
        with told(request):
            messages.success(request, conflicts.resolve(waiting, side))
    return redirect(_back(request))


@require_POST
@panel
def unsent(request: HttpRequest, pk: int) -> HttpResponse:
    """Retry or Ignore stock that could not be sent."""
    push = Push.objects.filter(pk=pk).select_related("cart").first()
    if push is None:
        messages.success(request, "This quantity has been sent meanwhile.")
        return redirect(_back(request))
    with told(request):
        if request.POST.get("action") == "ignore":
            stock_state.ignore(push)
            messages.success(request, "Ignored: it is sent again when it changes again.")
        elif request.POST.get("action") == "retry":
            stock_state.retry(push)
            messages.success(request, "On its way again. If it cannot be sent, it comes back here.")
    return redirect(_back(request))


def _chosen_cart(request: HttpRequest) -> Cart | None:
    pk = request.GET.get("cart", "")
    return Cart.objects.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None


def _causes(cart: Cart | None) -> list[Cause]:
    groups = problems.groups(cart)
    emails = {group.key for group in groups if group.reason_code == Reason.AMBIGUOUS_CUSTOMER}
    candidates = gateway.customers_by_email(emails)
    refs = gateway.customer_refs([one for ids in candidates.values() for one in ids[:CHOICES_SHOWN]])
    causes = []
    for group in groups:
        ids = candidates.get(group.key, []) if group.reason_code == Reason.AMBIGUOUS_CUSTOMER else []
        customers = [refs[one] for one in ids if one in refs]
        causes.append(Cause(group, _sentence(group, len(ids)), customers))
    return causes


def _sentence(group: problems.Group, candidates: int) -> str:
    orders = f"{group.orders} order{'' if group.orders == 1 else 's'}"
    says = {
        Reason.UNKNOWN_SKU: f"SKU {group.label} is not among the items",
        Reason.AMBIGUOUS_CUSTOMER: f"{candidates} customers have the e-mail {group.label}",
        Reason.NO_EMAIL: f"{group.label or 'A guest'} left no e-mail address",
        Reason.CURRENCY: f"Orders in {group.label} are not imported",
    }
    return f"{says.get(Reason(group.reason_code), Reason(group.reason_code).label)}: {orders}"


@panel
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: the record as the shop sent it. POST: Retry or Ignore."""
    record = get_object_or_404(Record.objects.select_related("cart"), pk=pk)
    if request.method == "POST":
        with told(request):
            _act_on(request, record)
        return redirect(_back(request))
    try:
        shop_url = adapter_for(record.cart).admin_url(record.kind, record.external_id)
    except CartError:
        shop_url = ""
    return render(
        request,
        "carts/problem.html",
        str(record),
        record=record,
        cart=record.cart,
        zone=control.shop_zone(record.cart),
        shop_url=shop_url,
        waits_for=record.held_for.all(),
    )


def _act_on(request: HttpRequest, record: Record) -> None:
    by = request.user.get_username()
    if request.POST.get("action") == "ignore":
        held.ignore(record, by)
        messages.success(request, f"{record} is ignored. It can still be imported by hand.")
    elif request.POST.get("action") == "retry":
        run = held.retry(record, by)
        record.refresh_from_db()
        if run and run.counts.get(Outcome.NEW):
            messages.success(request, f"{record} was imported.")
        else:
            messages.warning(request, f"{record} is still {record.get_state_display().lower()}: {record.reason}")


@require_POST
@panel
def answer(request: HttpRequest) -> HttpResponse:
    """Mend one cause; every order it held is released at once."""
    cart = get_object_or_404(Cart, pk=request.POST.get("cart") or 0)
    act = ANSWERS.get(request.POST.get("action", ""))
    if act is None:
        return redirect(_back(request))
    try:
        with told(request):
            run = act(request, cart)
            _tell_release(request, run)
    except ValidationError as wrong:
        messages.error(request, f"Nothing was changed. {' '.join(wrong.messages)}")
    return redirect(_back(request))


def _tell_release(request: HttpRequest, run: Run | None) -> None:
    number = held.released(run)
    orders = f"{number} order{'' if number == 1 else 's'}"
    still = run.counts.get(Outcome.HELD, 0) if run else 0
    waiting = f" {still} still wait{'s' if still == 1 else ''} for something else." if still else ""
    messages.success(request, f"Remembered. {orders} imported.{waiting}")


def _map(request: HttpRequest, cart: Cart) -> Run | None:
    code = request.POST.get("reason_code", "")
    if code not in held.KIND_OF_ANSWER:
        raise Refused("This cause is not mended by choosing a record. Reload the page.")
    kind = held.KIND_OF_ANSWER[Reason(code)]
    local_id = OursField(kind, required=True).clean(request.POST.get("ours", ""))
    return held.answer(cart, code, request.POST.get("key", ""), local_id, request.user.get_username())


def _new_item(request: HttpRequest, cart: Cart) -> Run | None:
    return held.answer_with_new_item(cart, request.POST.get("key", ""), request.user.get_username())


def _stand_in(request: HttpRequest, cart: Cart) -> Run | None:
    return held.answer_with_stand_in(cart, request.POST.get("key", ""), request.user.get_username())


def _currency(request: HttpRequest, cart: Cart) -> Run | None:
    return held.accept_currency(cart, request.POST.get("key", ""), request.user.get_username())


ANSWERS: dict[str, Callable[[HttpRequest, Cart], Run | None]] = {
    "map": _map,
    "new_item": _new_item,
    "stand_in": _stand_in,
    "currency": _currency,
}


def _back(request: HttpRequest) -> str:
    """The list of problems, of the one cart if it was shown so."""
    cart: Any = request.GET.get("cart", "")
    return reverse("carts:problems") + (f"?cart={cart}" if cart.isdecimal() else "")
