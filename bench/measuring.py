"""Stopwatch, alternation and medians; statements and writes counted."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

Seconds = list[float]


def seconds_of(work: Callable[[], object]) -> float:
    gc.collect()  # what an earlier side left behind is not this one's to clear away
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(sides: Mapping[str, Callable[[], float]], pairs: int) -> dict[str, Seconds]:
    """Every side once in each round, in turns the other way round: what slows the machine for a while slows all."""
    measured: dict[str, Seconds] = {name: [] for name in sides}
    for number in range(pairs):
        for name in list(sides) if number % 2 == 0 else list(reversed(sides)):
            measured[name].append(sides[name]())
    return measured


def ratio(over: Seconds, under: Seconds) -> float:
    """The median of the ratios of each round."""
    return median(a / b for a, b in zip(over, under, strict=True))


class Statements:
    """SQL statements sent, and those of them that write."""

    def __init__(self) -> None:
        self.all: list[str] = []

    @property
    def writes(self) -> list[str]:
        return [sql for sql in self.all if sql.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE")]

    def note(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        # psycopg sends its BEGIN and COMMIT unseen, so SQLite's, which Django sends, is not counted either.
        if not sql.startswith("BEGIN"):
            self.all.append(sql)
        return execute(sql, *arguments)


@contextmanager
def counted() -> Iterator[Statements]:
    """Through Django's own hook, which sees all but COPY; the import sends none."""
    from django.db import connection

    statements = Statements()
    with connection.execute_wrapper(statements.note):
        yield statements
