"""What the sidebar says of carts and problems. Asked for with every page."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape
from django.utils.text import Truncator

from carts.models import Cart
from carts.services import problems as open_problems
from carts.services import state

# A longer list is on the page Carts.
CARTS_SHOWN = 15
# What stands in one line beside its badge.
NAME_SHOWN = 18


def may_look(request: HttpRequest) -> bool:
    return request.user.has_perms(["carts.view_cart"]) or request.user.has_perm("carts.change_cart")


def is_list_of_carts(request: HttpRequest) -> bool:
    return request.path in (reverse("carts:list"), reverse("carts:add"))


def problems(request: HttpRequest) -> dict[str, Any]:
    """The count as a badge; no badge where there is none."""
    number = open_problems.count() if may_look(request) else 0
    if not number:
        return {}
    limit = open_problems.COUNT_LIMIT
    return {"badge": f"{limit}+" if number > limit else str(number), "badge_variant": "danger"}


def cart_entries(request: HttpRequest) -> list[dict[str, Any]]:
    """One line of the sidebar for each cart, its state as the badge."""
    carts = list(Cart.objects.all()[:CARTS_SHOWN]) if may_look(request) else []
    if not carts:
        return []
    states = state.states(carts)
    return [
        {
            # Unfold writes titles as they are.
            "title": escape(Truncator(cart.name).chars(NAME_SHOWN)),
            "icon": "subdirectory_arrow_right",
            "link": reverse("carts:cart", args=[cart.pk]),
            "badge": cart.get_status_display(),
            "badge_variant": states[cart.pk].tone or "primary",
        }
        for cart in carts
    ]
