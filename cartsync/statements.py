"""Statements written by hand, for where the ORM would take longer to write one than the database to answer it."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

FEW = 8


def cursor() -> CursorWrapper:
    """On PostgreSQL one that sends parameters beside the statement, and has a statement it meets again prepared there:
    Django's own writes the parameters into it, so that each is read and planned anew. For statements whose text stays
    the same from call to call."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    import psycopg

    connection.ensure_connection()
    beside = psycopg.Cursor(connection.connection)
    # As the ORM's own, so that the statement is logged and counted, and its errors are Django's.
    return connection.make_debug_cursor(beside) if connection.queries_logged else connection.make_cursor(beside)


def rows(sql: str, given: Sequence[Any]) -> list[Any]:
    with cursor() as asked:
        asked.execute(sql, given)
        return list(asked.fetchall())


def written(sql: str, given: Sequence[Any]) -> int:
    """How many rows the statement wrote."""
    with cursor() as asked:
        asked.execute(sql, given)
        return asked.rowcount


def among(column: str, values: Collection[Any]) -> tuple[str, list[Any]]:
    """The condition that a column has one of these values, and its parameters."""
    # Of a list in one parameter PostgreSQL reckons with ten values, and plans a look at one item for as many.
    if connection.vendor == "postgresql" and len(values) > FEW:
        return f"{column} = ANY(%s)", [list(values)]
    return f"{column} IN ({', '.join(['%s'] * len(values))})", list(values)


def listed(types: Sequence[str], values: Collection[Sequence[Any]]) -> tuple[str, list[Any]]:
    """These rows as something to select from, each column of the type named, and their parameters. At least one row."""
    if connection.vendor == "postgresql":
        columns = ", ".join(f"CAST(%s AS {each}[])" for each in types)
        return f"SELECT * FROM unnest({columns})", [list(column) for column in zip(*values, strict=True)]
    row = ", ".join(f"CAST(%s AS {each})" for each in types)
    return f"VALUES {', '.join([f'({row})'] * len(values))}", [value for row in values for value in row]


@cache  # to quote a name asks the connection of this thread for its rules, and an installation has one database
def table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


@cache
def columns(model: type[models.Model]) -> tuple[str, ...]:
    """Of the model's table, in the order of its fields, quoted."""
    return tuple(connection.ops.quote_name(field.column) for field in model._meta.concrete_fields)


def read(model: type[models.Model], values: Sequence[Any]) -> Any:
    """An instance of the model with what the database gave for `columns`."""
    fields = model._meta.concrete_fields
    made = [value(field, given) for field, given in zip(fields, values, strict=True)]
    return model.from_db(connection.alias, [field.attname for field in fields], made)


def value(field: "models.Field[Any, Any]", given: Any) -> Any:
    """What the database gave for this column, as the model has it."""
    if not _is_converted(field, connection.vendor):
        return given
    for convert in _converters(field):
        given = convert(given, field.get_col(field.model._meta.db_table), connection)
    return given


@cache
def _is_converted(field: "models.Field[Any, Any]", vendor: str) -> bool:
    return bool(_converters(field))


def _converters(field: "models.Field[Any, Any]") -> list[Any]:
    column = field.get_col(field.model._meta.db_table)
    return [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
