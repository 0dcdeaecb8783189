"""All carts, each with its state."""

from django.http import HttpRequest, HttpResponse

from carts.models import Cart
from carts.services import control, state
from carts.views.frame import panel, render


@panel
def index(request: HttpRequest) -> HttpResponse:
    carts = list(Cart.objects.all())
    states = state.states(carts)
    rows = [(cart, states[cart.pk], control.shop_zone(cart)) for cart in carts]
    return render(request, "carts/list.html", "Carts", rows=rows)
