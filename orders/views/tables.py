"""Tables as files for spreadsheets."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from strategies.domain.new_york import exchange_date

CSV = "text/csv; charset=utf-8"
# A cell that begins so is a formula to a spreadsheet, whatever it was to us.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(
    name: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, now: datetime | None = None
) -> HttpResponse:
    """Answer with a table as a file; texts that a spreadsheet would work out stay texts.

    Args:
        name: of the file; the date at the exchange stands behind it.
    """
    day = f"-{exchange_date(now):%Y-%m-%d}" if now else ""
    return HttpResponse(
        csv_text([head, *rows]),
        content_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="tradeswim-{name}{day}.csv"'},
    )


def streamed(
    request: HttpRequest, pieces: Iterator[str], *, name: str, content_type: str
) -> StreamingHttpResponse:
    """Answer with a file that is written as it is read, however long it is."""
    is_async = hasattr(request, "scope")
    return StreamingHttpResponse(
        _awaited(pieces) if is_async else pieces,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="tradeswim-{name}"'},
    )


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Write rows of a table as text; texts that a spreadsheet would work out stay texts."""
    text = io.StringIO()
    csv.writer(text).writerows([[cell(value) for value in row] for row in rows])
    return text.getvalue()


async def _awaited(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Read each piece in the thread that the database belongs to."""
    while piece := await sync_to_async(_following)(pieces):
        yield piece


def _following(pieces: Iterator[str]) -> str:
    return next(pieces, "")


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
