"""A page of rows into a table of ours in one statement, whether they are there already or not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, models


def upsert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    unique: Sequence[str],
    update: Sequence[str],
) -> None:
    """Insert `rows`, each with a value for every field of `names`; where `unique` is taken, set `update` instead.

    bulk_create with update_conflicts does the same, but makes and prepares an instance a row, and most of the time
    of an import went there. No two of the rows may share their `unique` values. Errors as from the ORM.
    """
    if not rows:
        return
    quote = connection.ops.quote_name
    column_of = {name: model._meta.get_field(name).column for name in names}
    columns = ", ".join(map(quote, column_of.values()))
    conflict = ", ".join(quote(column_of[name]) for name in unique)
    changes = ", ".join(f"{quote(column_of[name])} = EXCLUDED.{quote(column_of[name])}" for name in update)
    table, on_conflict = quote(model._meta.db_table), f"ON CONFLICT ({conflict}) DO UPDATE SET {changes}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # All rows as one parameter: psycopg looks at each parameter in Python, COPY knows no conflicts.
            source = f"SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s)"
            objects = [dict(zip(column_of.values(), map(_to_json, row), strict=True)) for row in rows]
            cursor.execute(f"INSERT INTO {table} ({columns}) {source} {on_conflict}", [_text(objects)])
        else:
            places = ", ".join(["%s"] * len(names))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({places}) {on_conflict}"
            cursor.executemany(sql, [[_to_sqlite(value) for value in row] for row in rows])


def _text(objects: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(objects).decode()


def _to_json(value: Any) -> Any:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def _to_sqlite(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
