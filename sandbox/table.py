"""One kind of record in memory: by id, sorted by time, and encoded as the platform shows it.

Each record is held twice, as the neutral struct and as the bytes the platform renders from it, so that a page
of a list is a join of bytes and 100,000 orders cost a reader no more than ten.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Key = tuple[datetime, int]


class Table(Generic[T]):
    """`render(record)` gives the body; `is_listed(record)` False keeps it out of the sorted indexes."""

    def __init__(self, kind: str, struct: type[T]) -> None:
        self.kind = kind
        self.struct = struct
        self.rows: dict[int, T] = {}
        self.version = 0
        self.by_created: list[Key] = []
        self.by_modified: list[Key] = []
        self.render: Callable[[T], bytes] = lambda record: b"{}"
        self._bodies: dict[int, bytes] = {}
        self._keys: dict[int, tuple[Key, Key]] = {}

    def load(self, records: Iterable[Any]) -> None:
        """Add many records at once, sorting the indexes a single time."""
        for record in records:
            self.rows[record.id] = record
            if self._is_listed(record):
                self._keys[record.id] = self._keys_of(record)
        self.by_created = sorted(keys[0] for keys in self._keys.values())
        self.by_modified = sorted(keys[1] for keys in self._keys.values())
        self.version += 1

    def render_all(self) -> None:
        """Encode every record, so that the first reader waits no longer than the next."""
        self._bodies = {record_id: self.render(record) for record_id, record in self.rows.items()}

    def put(self, record: Any) -> None:
        """Add or replace one record."""
        self._unindex(record.id)
        self.rows[record.id] = record
        if self._is_listed(record):
            keys = self._keys[record.id] = self._keys_of(record)
            insort(self.by_created, keys[0])
            insort(self.by_modified, keys[1])
        self.forget_body(record.id)

    def remove(self, record_id: int) -> None:
        self._unindex(record_id)
        del self.rows[record_id]
        self.forget_body(record_id)

    def forget_body(self, record_id: int) -> None:
        """The record's look depends on something else that changed: encode it anew when next asked for."""
        self._bodies.pop(record_id, None)
        self.version += 1

    def body(self, record_id: int) -> bytes:
        body = self._bodies.get(record_id)
        if body is None:
            body = self._bodies[record_id] = self.render(self.rows[record_id])
        return body

    @staticmethod
    def _is_listed(record: Any) -> bool:
        return getattr(record, "status", "") != "trash"

    @staticmethod
    def _keys_of(record: Any) -> tuple[Key, Key]:
        return (record.created, record.id), (record.modified or record.created, record.id)

    def _unindex(self, record_id: int) -> None:
        keys = self._keys.pop(record_id, None)
        if keys:
            del self.by_created[bisect_left(self.by_created, keys[0])]
            del self.by_modified[bisect_left(self.by_modified, keys[1])]
