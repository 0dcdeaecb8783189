"""The shop's own SQLite file, so that a restart keeps every order and every id."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

_TABLES = """
CREATE TABLE IF NOT EXISTS record (kind TEXT, id INTEGER, body BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""


class Store:
    """Records as MessagePack rows. `path` ":memory:" keeps nothing beyond the process. Callers hold a lock."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # WAL with NORMAL survives a killed process; only a power cut could lose the last moments.
        self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_TABLES}")

    def begin(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._database.execute("COMMIT")

    def put(self, kind: str, records: list[Any]) -> None:
        rows = [(kind, record.id, msgspec.msgpack.encode(record)) for record in records]
        self._database.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", rows)

    def remove(self, kind: str, record_id: int) -> None:
        self._database.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, record_id))

    def read(self, kind: str, struct: type) -> list[Any]:
        decoder = msgspec.msgpack.Decoder(struct)
        rows = self._database.execute("SELECT body FROM record WHERE kind = ? ORDER BY id", (kind,))
        return [decoder.decode(body) for (body,) in rows]

    def set_fact(self, name: str, value: Any) -> None:
        row = (name, msgspec.msgpack.encode(value))
        self._database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", row)

    def fact(self, name: str, default: Any) -> Any:
        row = self._database.execute("SELECT body FROM fact WHERE name = ?", (name,)).fetchone()
        return msgspec.msgpack.decode(row[0]) if row else default

    def close(self) -> None:
        self._database.close()
