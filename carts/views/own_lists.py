"""The tabs of our own records: documents from this cart, our items and our customers with their links."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from carts.errors import CartError
from carts.models import Cart
from carts.services import listing
from carts.views.cart_page import cart_tab
from carts.views.frame import page_number, panel


@panel
def orders(request: HttpRequest, pk: int) -> HttpResponse:
    return _own(request, pk, "orders", lambda cart, search, page: listing.imported_documents(cart, page))


@panel
def items(request: HttpRequest, pk: int) -> HttpResponse:
    return _own(request, pk, "items", listing.our_items)


@panel
def customers(request: HttpRequest, pk: int) -> HttpResponse:
    return _own(request, pk, "customers", listing.our_customers)


def _own(request: HttpRequest, pk: int, tab: str, read: Callable[[Cart, str, int], listing.OwnPage]) -> HttpResponse:
    cart, search = get_object_or_404(Cart, pk=pk), request.GET.get("search", "").strip()
    number = page_number(request)
    try:
        page, error = read(cart, search, number), ""
    except CartError as failed:
        page, error = listing.OwnPage((), number, is_last=True), failed.sentence
    return cart_tab(request, cart, tab, page=page, search=search, error=error)
