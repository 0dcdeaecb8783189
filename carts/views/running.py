"""Start, Stop and the two rehearsals."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from carts.models import Cart
from carts.services import control, rehearsal, rehearsal_to
from carts.views.cart_page import cart_tab
from carts.views.frame import panel, told


@panel
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: what Start would do, to be confirmed. POST: do it."""
    cart = get_object_or_404(Cart, pk=pk)
    if request.method == "POST":
        with told(request):
            without = bool(request.POST.get("without_rehearsal"))
            control.start(cart, request.user.get_username(), without_rehearsal=without)
            messages.success(request, "Started. Orders arrive as PENDING documents from now on.")
            return redirect("carts:cart", pk)
        return redirect("carts:start", pk)
    if cart.is_running:
        messages.info(request, "This cart is RUNNING already.")
        return redirect("carts:cart", pk)
    return cart_tab(request, cart, "start", plan=control.start_plan(cart))


@require_POST
@panel
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    cart = get_object_or_404(Cart, pk=pk)
    with told(request):
        messages.success(request, control.stop(cart, request.user.get_username()))
    return redirect("carts:cart", pk)


@require_POST
@panel
def rehearse(request: HttpRequest, pk: int) -> HttpResponse:
    cart = get_object_or_404(Cart, pk=pk)
    with told(request):
        run = rehearsal.begin(cart, request.user.get_username(), request.POST.get("request_key", ""))
        return redirect("carts:run", run.pk)
    return redirect("carts:cart", pk)


@require_POST
@panel
def rehearse_to_cart(request: HttpRequest, pk: int) -> HttpResponse:
    cart = get_object_or_404(Cart, pk=pk)
    with told(request):
        run = rehearsal_to.begin(cart, request.user.get_username(), request.POST.get("request_key", ""))
        return redirect("carts:run", run.pk)
    return redirect("carts:cart", pk)
