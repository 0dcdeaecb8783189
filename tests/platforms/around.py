"""What a test does on the shop's side of the socket, at the very moment a request is there."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from sandbox.messages import Request, Response
from sandbox.testing import PracticeShop

Before = Callable[[Request], None]
After = Callable[[Request, Response], None]


class Around:
    """The practice shop's platform with something before and after each answer."""

    def __init__(self, platform, before: Before, after: After) -> None:
        self.platform, self._before, self._after = platform, before, after

    def handle(self, request: Request) -> Response:
        self._before(request)
        response = self.platform.handle(request)
        self._after(request, response)
        return response

    def refusal(self, status: int) -> Response:
        return self.platform.refusal(status)


def nothing(*_: object) -> None:
    pass


@contextmanager
def around(place: PracticeShop, *, before: Before = nothing, after: After = nothing) -> Iterator[None]:
    """Call these for every request that no fault keeps from the shop, in the thread that answers it."""
    usual = place.server.platform
    place.server.platform = Around(usual, before, after)
    try:
        yield
    finally:
        place.server.platform = usual


def at_request(number: int, action: Callable[[], None], match: str = r"/orders\?") -> Before:
    """A `before` that acts once, when the `number`th matching request (from 1) has arrived."""
    seen = 0

    def before(request: Request) -> None:
        nonlocal seen
        if re.search(match, request.target):
            seen += 1
            if seen == number:
                action()

    return before


def rewriting(bodies: dict[int, dict | bytes]) -> After:
    """An `after` that changes rows of a list, by id: fields over their own, or other bytes in their place."""

    def row(raw: msgspec.Raw) -> msgspec.Raw:
        record = msgspec.json.decode(raw)
        change = bodies.get(record["id"])
        if change is None:
            return raw
        return msgspec.Raw(change if isinstance(change, bytes) else msgspec.json.encode(record | change))

    def after(request: Request, response: Response) -> None:
        if response.status == 200 and response.body.startswith(b"[{"):
            rows = msgspec.json.decode(response.body, type=list[msgspec.Raw])
            response.body = msgspec.json.encode([row(raw) for raw in rows])

    return after
