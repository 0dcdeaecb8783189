"""What every page stands on: who may come in, the frame around it, errors as sentences."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from carts.errors import CartError, Refused
from carts.models import Cart

LOOK, ACT = "carts.view_cart", "carts.change_cart"
PER_PAGE = 50
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def may_act(request: HttpRequest) -> bool:
    return request.user.has_perm(ACT)


def may_look(request: HttpRequest) -> bool:
    return request.user.has_perm(LOOK) or may_act(request)


def panel(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Staff only. To look at a page takes the permission to view carts, to send one of its forms that to change."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        allowed = may_look if request.method in SAFE_METHODS else may_act
        if not allowed(request):
            return forbidden(request)
        return view(request, *args, **kwargs)

    return admin.site.admin_view(guarded)


def forbidden(request: HttpRequest) -> HttpResponse:
    return render(request, "carts/forbidden.html", "Not allowed", status=403)


def render(request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any) -> TemplateResponse:
    """A page of the panel. Templates find `can_act`: whether this person may change anything."""
    frame = {**admin.site.each_context(request), "title": title, "can_act": may_act(request)}
    return TemplateResponse(request, template, {**frame, **context}, status=status)


def partial(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """A piece of a page, for htmx."""
    return TemplateResponse(request, template, {"can_act": may_act(request), **context})


@contextmanager
def told(request: HttpRequest) -> Iterator[None]:
    """A refusal, or an error of the cart, ends the block and is shown on the next page."""
    try:
        yield
    except (Refused, CartError) as error:
        messages.error(request, error.sentence)


def page_number(request: HttpRequest) -> int:
    """The page asked for; the first where the address holds no sensible number."""
    text = request.GET.get("page", "")
    return int(text) if text.isdecimal() and 0 < len(text) < 8 and int(text) else 1


def one_page(rows: Any, number: int) -> tuple[list[Any], bool]:
    """One page of a query set and whether it is the last, without counting all of it."""
    start = (number - 1) * PER_PAGE
    found = list(rows[start : start + PER_PAGE + 1])
    return found[:PER_PAGE], len(found) <= PER_PAGE


def request_key(request: HttpRequest, cart: Cart, kind: str, wanted: list[str]) -> str:
    """The page's own key and what it asks for: the same click twice is one run, another selection is another."""
    key = request.POST.get("request_key") or uuid.uuid4().hex
    return hashlib.sha256("\n".join([key, str(cart.pk), kind, *sorted(wanted)]).encode()).hexdigest()
