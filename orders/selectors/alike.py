"""Values of thousands of rows, most of them alike: each is made once, and found again.

To make a UUID or a Decimal takes as long as to read the rest of a row.
"""

from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from django.db.models import CharField, F, Func

_FRACTION = Decimal("0.0001")


def as_read(column: str) -> Func:
    """Ask for a column as the driver reads it: for `key_of` and `number_of`."""
    return Func(F(column), template="%(expressions)s", output_field=CharField())


@lru_cache(maxsize=16_384)
def key_of(read: str | UUID) -> UUID:
    """Return a key; SQLite keeps it as text."""
    return read if isinstance(read, UUID) else UUID(read)


@lru_cache(maxsize=16_384)
def number_of(read: float | Decimal) -> Decimal:
    """Return a number of four decimals; SQLite keeps it as a binary fraction."""
    return Decimal(str(read)).quantize(_FRACTION)
