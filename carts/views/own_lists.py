"""The tabs of our own records: documents from this cart, our items and our customers with their links."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from carts.choices import Kind, RunKind
from carts.errors import CartError
from carts.forms import ListFilter
from carts.models import Cart
from carts.services import exporting, listing
from carts.views.cart_page import cart_tab
from carts.views.frame import page_number, panel, request_key, told

SEARCH_LABEL = {Kind.ITEM: "SKU, name or barcode", Kind.CUSTOMER: "Code, name or e-mail"}
TAB = {Kind.ITEM: "items", Kind.CUSTOMER: "customers"}


@panel
def orders(request: HttpRequest, pk: int) -> HttpResponse:
    cart, number = get_object_or_404(Cart, pk=pk), page_number(request)
    try:
        page, error = listing.imported_documents(cart, number), ""
    except CartError as failed:
        page, error = listing.OwnPage((), number, is_last=True), failed.sentence
    return cart_tab(request, cart, "orders", page=page, error=error)


@panel
def items(request: HttpRequest, pk: int) -> HttpResponse:
    return _own(request, pk, Kind.ITEM)


@panel
def customers(request: HttpRequest, pk: int) -> HttpResponse:
    return _own(request, pk, Kind.CUSTOMER)


def _own(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    cart, number = get_object_or_404(Cart, pk=pk), page_number(request)
    chosen = _filter(request, kind)
    search, state = chosen.chosen
    try:
        page, error = listing.our_records(cart, kind, search, number, state), ""
    except CartError as failed:
        page, error = listing.OwnPage((), number, is_last=True), failed.sentence
    return cart_tab(
        request,
        cart,
        TAB[kind],
        kind=kind,
        noun=f"{kind.label.lower()}s",
        page=page,
        filter=chosen,
        error=error,
        # The second step of selecting: everything that matches, not only this page.
        matching=len(listing.matching_ids(cart, kind, search, state)) if "all" in request.GET else 0,
    )


def _filter(request: HttpRequest, kind: Kind) -> ListFilter:
    return ListFilter(request.GET, listing.LINK_STATES, SEARCH_LABEL[kind])


@require_POST
@panel
def export_selected(request: HttpRequest, pk: int) -> HttpResponse:
    """Export the ticked rows, or with `matching` all that the filter in the address finds."""
    cart = get_object_or_404(Cart, pk=pk)
    kind = Kind.CUSTOMER if request.POST.get("kind") == Kind.CUSTOMER else Kind.ITEM
    ids = [int(each) for each in request.POST.getlist("ids") if each.isdecimal() and len(each) < 18]
    with told(request):
        if request.POST.get("matching"):
            ids = listing.matching_ids(cart, kind, *_filter(request, kind).chosen)
        key = request_key(request, cart, kind, ["export", *map(str, ids)])
        is_rehearsal = request.POST.get("then") == "rehearse"
        run = exporting.begin(
            cart,
            kind,
            ids,
            request.user.get_username(),
            f"{key[:40]}-rehearsal" if is_rehearsal else key,
            run_kind=RunKind.REHEARSAL_TO if is_rehearsal else RunKind.EXPORT,
        )
        return redirect("carts:run", run.pk)
    query = request.GET.copy()
    query.pop("all", None)
    return redirect(f"{reverse(f'carts:{TAB[kind]}', args=[pk])}?{query.urlencode()}")
