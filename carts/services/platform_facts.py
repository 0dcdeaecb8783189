"""What each platform can report and accept, told from the adapters' own Capabilities and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from carts import fields
from carts.choices import Kind
from carts.models import Cart
from carts.platforms import REGISTRY
from carts.platforms.base import Capabilities

# So long before a platform switches off the version of its API that we speak, staff read of it.
NOTICE_DAYS = 90
MARKS = ("<!-- platforms: written by `make readme` -->", "<!-- platforms: end -->")


@dataclass(frozen=True, slots=True)
class Row:
    """One question and each platform's answer to it, in the order of the registry."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retirement:
    """The version of the API that is spoken, and what is to be said of its end: "" while that is far."""

    version: str
    day: date | None
    warning: str = ""


def labels() -> tuple[str, ...]:
    return tuple(adapter.label for adapter in REGISTRY.values())


def matrix() -> tuple[Row, ...]:
    every = [adapter.capabilities for adapter in REGISTRY.values()]
    return tuple(Row(question, tuple(answer(can) for can in every)) for question, answer in QUESTIONS)


def cells() -> list[tuple[str, list[tuple[str, str]]]]:
    """(question, [(platform, answer)]) for a table that falls apart into cards on a narrow screen."""
    return [(row.question, list(zip(labels(), row.answers, strict=True))) for row in matrix()]


def sentences() -> list[tuple[str, Capabilities]]:
    return [(adapter.label, adapter.capabilities) for adapter in REGISTRY.values()]


def retirement(can: Capabilities, today: date) -> Retirement:
    day = can.api_retires
    if day is None or today < day - timedelta(days=NOTICE_DAYS):
        return Retirement(can.api_version, day)
    if today >= day:
        left = f"retired on {day}. Requests may be refused or answered by another version"
    else:
        days = (day - today).days
        left = f"retires on {day}, in {days} {'day' if days == 1 else 'days'}. After that the cart may refuse us"
    return Retirement(
        can.api_version, day, f"The version {can.api_version} of the API that is spoken {left}: update CartSync."
    )


def _default(name: str) -> int:
    return int(getattr(Cart(), name))


def _found(kind: Kind) -> Callable[[Capabilities], str]:
    def answer(can: Capabilities) -> str:
        hours = _default("record_sweep_hours")
        if kind in can.tells_changes:
            poll = f"by when they changed, every {_default('poll_interval_seconds')} s"
            return poll if kind == Kind.ORDER else f"{poll}; all compared every {hours} h"
        return f"by comparing all, every {hours} h"

    return answer


def _can_set(kind: Kind, of: Callable[[Capabilities], frozenset[str]]) -> Callable[[Capabilities], str]:
    def answer(can: Capabilities) -> str:
        known = fields.LABELS[kind]
        missing = [label.lower() for name, label in known.items() if name not in of(can)]
        present = [label.lower() for name, label in known.items() if name in of(can)]
        if not present:
            return "nothing"
        if not missing:
            return "every field"
        return f"all but {', '.join(missing)}" if len(missing) < len(present) else ", ".join(present)

    return answer


def _webhooks(can: Capabilities) -> str:
    return f"yes, {len(can.webhook_topics)} topics" if can.webhook_topics else "no"


def _stock_places(can: Capabilities) -> str:
    return "one location of several, which staff choose" if can.has_locations else "one figure an item"


def _stock_done(can: Capabilities) -> str:
    seconds = can.stock_settles_seconds
    return f"read again {seconds:g} s later, until it is done" if seconds else "with the cart's answer"


def _overlap(can: Capabilities) -> str:
    return f"{can.overlap_seconds:,} s back"


def _api(can: Capabilities) -> str:
    if not can.api_version:
        return "no dated versions"
    return f"{can.api_version}, until {can.api_retires}" if can.api_retires else can.api_version


QUESTIONS: tuple[tuple[str, Callable[[Capabilities], str]], ...] = (
    ("Orders are found", _found(Kind.ORDER)),
    ("Orders the shop saved late are looked for", _overlap),
    ("Changed items are found", _found(Kind.ITEM)),
    ("Changed customers are found", _found(Kind.CUSTOMER)),
    ("Changes are told by webhook", _webhooks),
    ("Set on an item", _can_set(Kind.ITEM, lambda can: can.item_fields)),
    ("Set on a variation", _can_set(Kind.ITEM, lambda can: can.variation_fields)),
    ("Set on a customer", _can_set(Kind.CUSTOMER, lambda can: can.customer_fields)),
    ("Stock is kept as", _stock_places),
    ("A quantity sent counts as shown", _stock_done),
    ("Version of the API", _api),
)


def markdown() -> str:
    """The table of README.md, between its marks."""
    head = ["|  | " + " | ".join(labels()) + " |", "| --- |" + " --- |" * len(labels())]
    rows = [f"| {row.question} | " + " | ".join(row.answers) + " |" for row in matrix()]
    return "\n".join([MARKS[0], *head, *rows, MARKS[1]])


def with_table(text: str) -> str:
    """README.md with its table made anew. Raises ValueError where its marks are missing."""
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        raise ValueError("README.md has lost the marks between which the table of platforms stands.")
    return f"{before}{markdown()}{after}"
