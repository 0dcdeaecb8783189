"""The door for what carts tell us: no sign-in and no page's token, but an address nobody guesses and a signature."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from carts.services import webhooks


@csrf_exempt
@require_POST
def receive(request: HttpRequest, key: str) -> HttpResponse:
    """200 once it is stored; the shop sends again what was answered otherwise. Bodies are as large as Django takes."""
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return HttpResponse(status=webhooks.receive(key, headers, body).value)
