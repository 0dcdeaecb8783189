"""The tabs of the live cart, and Import out of them."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from unfold import widgets

from carts.choices import Kind
from carts.errors import CartError
from carts.models import Cart
from carts.records import Listing
from carts.services import control, listing, selection
from carts.services.connections import capabilities
from carts.views.cart_page import cart_tab
from carts.views.frame import panel, request_key, told

TAB = {Kind.ORDER: "cart_orders", Kind.ITEM: "cart_items", Kind.CUSTOMER: "cart_customers"}
LONGEST_POSITION = 500
SEARCH_LABEL = {Kind.ORDER: "Number or e-mail", Kind.ITEM: "SKU or name", Kind.CUSTOMER: "Name or e-mail"}


class Filter(forms.Form):
    """What the address of a live list asks for; every part may be empty. Days are the shop's own."""

    date_from = forms.DateField(
        label="From", required=False, widget=widgets.UnfoldAdminTextInputWidget({"type": "date"})
    )
    date_to = forms.DateField(label="To", required=False, widget=widgets.UnfoldAdminTextInputWidget({"type": "date"}))
    status = forms.ChoiceField(label="Status", required=False, widget=widgets.UnfoldAdminSelectWidget)
    search = forms.CharField(
        required=False, max_length=200, widget=widgets.UnfoldAdminTextInputWidget({"type": "search"})
    )

    def __init__(self, data: Any, cart: Cart, kind: Kind) -> None:
        super().__init__(data)
        self.zone = control.shop_zone(cart)
        self.fields["search"].label = SEARCH_LABEL[kind]
        if kind == Kind.ORDER:
            statuses = capabilities(cart).order_statuses
            self.fields["status"].choices = [("", "Any status"), *statuses.items()]
        else:
            for name in ("date_from", "date_to", "status"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("date_from"), self.cleaned_data.get("date_to")
        if first and last and first > last:
            self.add_error("date_to", "It lies before the first day.")
        return self.cleaned_data

    def listing(self, position: str = "") -> Listing:
        chosen = self.cleaned_data
        last = chosen.get("date_to")
        return Listing(
            position=position,
            placed_from=self._midnight(chosen.get("date_from")),
            placed_before=self._midnight(last + timedelta(days=1) if last else None),
            status=chosen.get("status", ""),
            search=chosen.get("search", ""),
        )

    def _midnight(self, day: date | None) -> datetime | None:
        return datetime.combine(day, time(), tzinfo=self.zone) if day else None


@panel
def orders(request: HttpRequest, pk: int) -> HttpResponse:
    return _live(request, pk, Kind.ORDER)


@panel
def items(request: HttpRequest, pk: int) -> HttpResponse:
    return _live(request, pk, Kind.ITEM)


@panel
def customers(request: HttpRequest, pk: int) -> HttpResponse:
    return _live(request, pk, Kind.CUSTOMER)


def _live(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    cart = get_object_or_404(Cart, pk=pk)
    chosen = Filter(request.GET, cart, kind)
    page, error = None, ""
    if chosen.is_valid():
        try:
            page = listing.live_page(cart, kind, chosen.listing(request.GET.get("position", "")[:LONGEST_POSITION]))
        except CartError as failed:
            error = failed.sentence
    return cart_tab(
        request,
        cart,
        TAB[kind],
        kind=kind,
        noun=f"{kind.label.lower()}s",
        filter=chosen,
        page=page,
        error=error,
        # The second step of selecting: everything that matches, not only this page.
        all_matching=bool(page and "all" in request.GET),
    )


@require_POST
@panel
def import_selected(request: HttpRequest, pk: int) -> HttpResponse:
    """Import the ticked rows, or with `matching` all that the filter in the address finds."""
    cart = get_object_or_404(Cart, pk=pk)
    kind = Kind(request.POST["kind"]) if request.POST.get("kind") in Kind.values else Kind.ORDER
    by, ids = request.user.get_username(), request.POST.getlist("ids")
    chosen = Filter(request.GET, cart, kind)
    with told(request):
        if request.POST.get("matching") and chosen.is_valid():
            wanted = chosen.listing()
            run = selection.begin_matching(cart, kind, wanted, by, request_key(request, cart, kind, [repr(wanted)]))
        else:
            run = selection.begin(cart, kind, ids, by, request_key(request, cart, kind, ids))
        return redirect("carts:run", run.pk)
    query = request.GET.copy()
    query.pop("all", None)
    return redirect(f"{reverse(f'carts:{TAB[kind]}', args=[pk])}?{query.urlencode()}")
