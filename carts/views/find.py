"""Suggestions for a field that names one of our items or customers."""

from django.http import Http404, HttpRequest, HttpResponse

from carts.forms import SEARCH, option
from carts.views.frame import panel, partial


@panel
def find(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in SEARCH:
        raise Http404
    # The field sends what is typed under its own name.
    text = next(iter(request.GET.values()), "").strip()
    found = [option(ref) for ref in SEARCH[kind](text)] if text else []
    return partial(request, "carts/suggestions.html", found=found)
