"""What each platform can report and accept, side by side."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from carts.services import platform_facts
from carts.views.frame import panel, render


@panel
def show(request: HttpRequest) -> HttpResponse:
    today = timezone.now().date()
    told = [(label, can, platform_facts.retirement(can, today).warning) for label, can in platform_facts.sentences()]
    labels = platform_facts.labels()
    return render(request, "carts/platforms.html", "Platforms", labels=labels, cells=platform_facts.cells(), told=told)
