"""One request and one response, free of sockets and of platforms."""

from __future__ import annotations

import time
from datetime import datetime
from email.message import Message
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct, field

Headers = list[tuple[str, str]]
_SECRET_ARGUMENTS = ("consumer_key", "consumer_secret", "oauth_")
_SECRET_HEADERS = ("authorization", "cookie", "x-auth-token", "x-shopify-access-token")


class Request:
    """A received request. `target` is the path with its query as sent; `pairs` the decoded query."""

    def __init__(self, method: str, target: str, headers: Message, body: bytes, client: str) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.client = client
        parts = urlsplit(target)
        self.path = parts.path
        self.pairs = parse_qsl(parts.query, keep_blank_values=True)
        self.args = php_arguments(self.pairs)

    def json(self) -> Any:
        """The decoded body; None when there is none. Raises msgspec.DecodeError on anything but JSON."""
        return msgspec.json.decode(self.body) if self.body.strip() else None

    @property
    def is_local(self) -> bool:
        """Did somebody on this machine ask, and not a proxy for somebody else?"""
        is_forwarded = "X-Forwarded-For" in self.headers or "X-Forwarded-Proto" in self.headers
        return ip_address(self.client).is_loopback and not is_forwarded

    @property
    def is_https(self) -> bool:
        """Did a proxy that ends TLS forward this?"""
        return self.headers.get("X-Forwarded-Proto", "").lower() == "https"


def php_arguments(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Query arguments as PHP reads them: the last value wins, `name[]` gathers a list."""
    arguments: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("]") and "[" in name:
            gathered = arguments.setdefault(name[: name.index("[")], [])
            if isinstance(gathered, list):
                gathered.append(value)
        else:
            arguments[name] = value
    return arguments


class Response(Struct):
    """`listed` are the ids of a list's rows, and `listed_kind` their kind, for the fault that moves rows."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    listed: list[int] = field(default_factory=list)
    listed_kind: str = ""
    content_type: str = "application/json; charset=UTF-8"


def json_response(value: Any, status: int = 200, headers: Headers | None = None) -> Response:
    return Response(status, msgspec.json.encode(value), headers or [])


def html_response(page: str, status: int = 200, headers: Headers | None = None) -> Response:
    return Response(status, page.encode(), headers or [], content_type="text/html; charset=UTF-8")


class Received(Struct):
    """One line of the request log, without credentials. `status` 0: no answer was sent.

    `at` is of the shop's clock, in whole seconds; `done` is the machine's own time when the shop had done it, in
    seconds since 1970, whatever a test has set that clock to.
    """

    method: str
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: bytes
    status: int
    faults: list[str]
    at: datetime
    done: float

    def json(self) -> Any:
        """The request's body, decoded."""
        return msgspec.json.decode(self.body)


def received(request: Request, status: int, faults: list[str], at: datetime) -> Received:
    """The log line of a request."""
    query = {k: v for k, v in request.args.items() if not k.startswith(_SECRET_ARGUMENTS)}
    headers = {k: v for k, v in request.headers.items() if k.lower() not in _SECRET_HEADERS}
    return Received(request.method, request.path, query, headers, request.body, status, faults, at, time.time())
