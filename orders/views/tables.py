"""Tables as files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

from orders.decorators import exchange_date

# A cell that begins so is a formula to a spreadsheet, whatever it was to us.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(
    name: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, now: datetime | None = None
) -> HttpResponse:
    """Answer with a table as a file; texts that a spreadsheet would work out stay texts.

    Args:
        name: of the file; the date at the exchange stands behind it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([[cell(value) for value in row] for row in rows])
    day = f"-{exchange_date(now):%Y-%m-%d}" if now else ""
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="tradeswim-{name}{day}.csv"'},
    )


def cell(value: Any) -> Any:
    """Return a value as it stands in the file: numbers as they are, times in UTC."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case str() if value.startswith(FORMULAS):
            return f"'{value}"
    return value
