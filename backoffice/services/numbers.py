"""Numbers that people read: one after the other, none twice, none left out."""

from django.db import connection

from backoffice.choices import DocumentType, Series
from backoffice.models import NumberSeries

SERIES_OF_TYPE = {
    DocumentType.CASH_SALE: Series.CASH_SALE,
    DocumentType.SALES_ORDER: Series.SALES_ORDER,
    DocumentType.SALES_INVOICE: Series.SALES_INVOICE,
}


def reserve(series: Series, count: int) -> list[str]:
    """The next `count` numbers, ascending, as text ("CS-000001"); one statement.

    Inside the caller's transaction: the row stays locked until it ends, so the block is used or given back whole.
    """
    assert connection.in_atomic_block, "numbers are reserved in the transaction that uses them"
    table = connection.ops.quote_name(NumberSeries._meta.db_table)
    with connection.cursor() as cursor:
        # The first call makes the series; the ORM's upsert can only set what it inserts, this one adds.
        cursor.execute(
            f"INSERT INTO {table} (name, next) VALUES (%s, %s) "
            f"ON CONFLICT (name) DO UPDATE SET next = {table}.next + %s RETURNING next",
            [series.value, count + 1, count],
        )
        (end,) = cursor.fetchone()
    return [f"{series.value}-{number:06}" for number in range(end - count, end)]
