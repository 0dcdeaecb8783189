"""Field owners: whose value counts, field by field."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from carts.forms import OwnersForm
from carts.models import Cart
from carts.services import control, pairs
from carts.views.cart_page import cart_tab
from carts.views.frame import panel, told


@panel
def show(request: HttpRequest, pk: int) -> HttpResponse:
    cart = get_object_or_404(Cart, pk=pk)
    form = OwnersForm(cart, request.POST if request.method == "POST" else None)
    if form.is_valid():
        with told(request):
            by, version = request.user.get_username(), form.cleaned_data["version"]
            control.save_cart(cart, {"field_owners": form.owners()}, {}, by, version)
            messages.success(request, "Saved.")
        return redirect("carts:owners", pk)
    return cart_tab(request, cart, "owners", form=form, contradictions=pairs.contradictions(cart))
