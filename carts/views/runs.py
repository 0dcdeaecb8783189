"""Runs: the list, one run with its progress, Stop and Retry."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from carts import gateway
from carts.choices import Kind, Outcome, RunKind, RunState, outcome_word
from carts.errors import CartError
from carts.models import Cart, Run, RunItem
from carts.services import control, exporting, runs, selection
from carts.services.connections import adapter_for
from carts.views.frame import one_page, page_number, panel, partial, render, told

LOG_LINES = 200
REFS = {Kind.ORDER: gateway.document_refs, Kind.ITEM: gateway.item_refs, Kind.CUSTOMER: gateway.customer_refs}
# Of these it may be worth trying again.
RETRIED = (Outcome.FAILED, Outcome.HELD, Outcome.PENDING)


@panel
def index(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "") for name in ("cart", "kind", "state")}
    found = Run.objects.select_related("cart").order_by("-id")
    if chosen["cart"].isdecimal():
        found = found.filter(cart=int(chosen["cart"]))
    if chosen["kind"] in RunKind.values:
        found = found.filter(kind=chosen["kind"])
    if chosen["state"] in RunState.values:
        found = found.filter(state=chosen["state"])
    number = page_number(request)
    rows, is_last = one_page(found, number)
    choices = {"carts": Cart.objects.all(), "kinds": RunKind, "states": RunState}
    return render(
        request, "carts/runs.html", "Runs", rows=rows, number=number, is_last=is_last, chosen=chosen, **choices
    )


@panel
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page, or for htmx what changes while the run works."""
    run = get_object_or_404(Run.objects.select_related("cart"), pk=pk)
    context = _progress(request, run)
    if request.headers.get("HX-Request"):
        return partial(request, "carts/run_progress.html", **context)
    return render(request, "carts/run.html", str(run), **context)


def _progress(request: HttpRequest, run: Run) -> dict[str, Any]:
    outcome = request.GET.get("outcome", "")
    items = run.items.order_by("id")
    if outcome in Outcome.values:
        items = items.filter(outcome=outcome)
    number = page_number(request)
    rows, is_last = one_page(items, number)
    log = list(run.log_lines.order_by("-id")[:LOG_LINES])
    return {
        "run": run,
        "cart": run.cart,
        "zone": control.shop_zone(run.cart),
        "counts": [
            (one, outcome_word(run.kind, one), run.counts[one]) for one in Outcome.values if run.counts.get(one)
        ],
        "rows": _with_links(run, rows),
        "number": number,
        "is_last": is_last,
        "outcome": outcome,
        "log": reversed(log),
        "left": run.counts.get(Outcome.PENDING, 0),
        "may_retry": run.kind in (RunKind.IMPORT, RunKind.EXPORT)
        and not run.is_active
        and any(run.counts.get(one) for one in RETRIED),
    }


def _with_links(run: Run, items: list[RunItem]) -> list[dict[str, Any]]:
    refs = REFS[Kind(run.record_kind)]([item.local_id for item in items if item.local_id])
    try:
        adapter = adapter_for(run.cart)
    except CartError:
        adapter = None
    return [
        {
            "item": item,
            "word": outcome_word(run.kind, item.outcome),
            "ref": refs.get(item.local_id),
            # An export's items are ours; the shop's are linked with them in the tab.
            "shop_url": adapter.admin_url(run.record_kind, item.external_id)
            if adapter and not run.parameters.get("picked")
            else "",
        }
        for item in items
    ]


@require_POST
@panel
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    with told(request):
        runs.stop(get_object_or_404(Run, pk=pk))
        messages.success(request, "Stopped. What is done stays done; import the rest again when you like.")
    return redirect("carts:run", pk)


@require_POST
@panel
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """A new run over what this one did not import."""
    run = get_object_or_404(Run.objects.select_related("cart"), pk=pk, kind__in=(RunKind.IMPORT, RunKind.EXPORT))
    left = run.items.filter(outcome__in=RETRIED).order_by("id")
    ids = list(left.values_list("external_id", flat=True))
    with told(request):
        by, key = request.user.get_username(), request.POST.get("request_key", "")
        if run.kind == RunKind.EXPORT:
            ours = [each for each in left.values_list("local_id", flat=True) if each is not None]
            return redirect("carts:run", exporting.begin(run.cart, Kind(run.record_kind), ours, by, key).pk)
        return redirect("carts:run", selection.begin(run.cart, run.record_kind, ids, by, key).pk)
    return redirect("carts:run", pk)
