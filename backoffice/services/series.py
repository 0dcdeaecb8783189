"""Numbers without gaps or doubles: a block is reserved in the caller's transaction."""

from django.db import connection

from backoffice.models import NumberSeries


def reserve(name: str, count: int) -> range:
    """`count` numbers nobody else gets. One statement: the row stays locked until the caller's transaction ends."""
    assert connection.in_atomic_block, "numbers are reserved in the transaction that uses them"
    table = connection.ops.quote_name(NumberSeries._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (name, next) VALUES (%s, %s) "
            f"ON CONFLICT (name) DO UPDATE SET next = {table}.next + %s RETURNING next",
            [name, count + 1, count],
        )
        after = cursor.fetchone()[0]
    return range(after - count, after)
