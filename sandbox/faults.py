"""The fault switch: which request goes wrong, and how."""

from __future__ import annotations

import re
from threading import Lock
from typing import Any

from msgspec import Struct, convert

from sandbox.messages import Request

# What each kind does; the order is the order on the help page of the running shop.
KINDS = {
    "latency": "answer `seconds` late",
    "401": "refuse the credentials",
    "429": "refuse as too many, with Retry-After when `retry_after` is given",
    "500": "fail as a broken plugin does",
    "timeout": "send nothing for `seconds`, then close",
    "reset": "reset the connection instead of answering",
    "truncated": "send half the body under the whole body's Content-Length, then close",
    "html200": "answer 200 with a page of HTML",
    "html503": "answer 503 with a page of HTML",
    "redirect": "answer 301 to `to`",
    "same_second": "place `count` orders in one second, half before and half after the list was read",
    "late_commit": "after the list was read, let `count` orders appear whose times lie `seconds` back",
    "rows_move": "after the list was read, edit `count` of its rows so that they leave their place",
}


class Fault(Struct):
    """One switched-on fault.

    It strikes requests whose path contains the regular expression `match`, whose body contains `body`, and whose
    `method` and `page` agree (empty and 0: any), after `after` of them have passed, for `times` of them (0: always).
    `processed` True lets timeout and reset do the work first and lose only the answer.
    """

    kind: str
    match: str = ""
    body: str = ""
    method: str = ""
    page: int = 0
    times: int = 1
    after: int = 0
    seconds: float = 1.0
    retry_after: int | None = None
    count: int = 3
    to: str = ""
    processed: bool = False
    struck: int = 0

    def strikes(self, request: Request) -> bool:
        """Does this request fit, leaving counters aside?"""
        if self.method and self.method != request.method:
            return False
        if self.page and str(self.page) != str(request.args.get("page", "1")):
            return False
        if self.body and not re.search(self.body.encode(), request.body):
            return False
        return re.search(self.match, request.target) is not None


class Faults:
    """The faults switched on now. Safe to use from any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, kind: str, **options: Any) -> Fault:
        """Switch a fault on; options are the fields of Fault. Raises ValueError on an unknown kind or option."""
        fault = make({"kind": kind, **options})
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def active(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def take(self, request: Request) -> list[Fault]:
        """The faults that strike this request; counts them off."""
        asked = [parse_header(value) for value in request.headers.get_all("X-Practice-Fault", [])]
        with self._lock:
            for fault in list(self._faults):
                if not fault.strikes(request):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.struck += 1
                asked.append(fault)
                if fault.times and fault.struck >= fault.times:
                    self._faults.remove(fault)
        return asked


def make(options: dict[str, Any]) -> Fault:
    """A Fault from plain values; text is turned into numbers. Raises ValueError when it makes no sense."""
    unknown = set(options) - set(Fault.__struct_fields__)
    if options.get("kind") not in KINDS or unknown:
        raise ValueError(f"No such fault: {options}. Kinds: {', '.join(KINDS)}.")
    return convert(options, Fault, strict=False)


def parse_header(value: str) -> Fault:
    """`kind` or `kind;name=value;...`, as the X-Practice-Fault header carries it."""
    kind, *rest = (part.strip() for part in value.split(";"))
    return make({"kind": kind, **dict(part.split("=", 1) for part in rest if part)})
