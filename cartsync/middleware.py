import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

log = logging.getLogger("cartsync.requests")


def log_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """One line a request: method, path, status, milliseconds, user id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        response = get_response(request)
        # The path alone: the query string holds what staff searched for, e-mail addresses among it.
        log.info(
            "%s %s %s %d ms user=%s",
            request.method,
            request.path,
            response.status_code,
            (time.monotonic() - started) * 1000,
            getattr(getattr(request, "user", None), "pk", None) or "-",
        )
        return response

    return middleware
