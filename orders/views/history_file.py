"""The history as a file for spreadsheets: written as it is read, however long it is."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, signed_in
from orders.forms.history import HistoryForm
from orders.selectors.history import all_rows
from orders.selectors.history_file import AccountLine, account_lines
from orders.selectors.history_rows import HistoryRow
from orders.views.tables import CSV, csv_text, streamed
from strategies.domain.legs import describe
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Instruction, Leg

BY_ACCOUNT = "accounts"
HEAD = (
    *("number", "placed_at", "strategy", "underlying", "purpose", "legs", "order_type"),
    *("price_effect", "limit", "contracts", "average", "lowest", "highest", "accounts_filled"),
    *("accounts_sent", "accounts", "status", "broadcast_ms"),
)
ACCOUNT_HEAD = (
    *("number", "placed_at", "strategy", "underlying", "purpose", "account", "mask", "attempt"),
    *("status", "reason", "contracts", "filled", "net_price", "broker_order_id"),
    *("sent_at", "answered_at"),
)


@require_safe
@signed_in
def history_csv(request: DeskRequest) -> StreamingHttpResponse:
    """Answer with everything that the page shows, on all its pages; `?per=accounts` by account."""
    wish = HistoryForm(request.GET.dict()).wish
    by_account = request.GET.get("per") == BY_ACCOUNT
    tables = _tables(all_rows(wish), by_account=by_account)
    name = (
        f"history{'-accounts' if by_account else ''}-{exchange_date(timezone.now()):%Y-%m-%d}.csv"
    )
    return streamed(request, tables, name=name, content_type=CSV)


def _tables(parts: Iterable[Sequence[HistoryRow]], *, by_account: bool) -> Iterator[str]:
    yield csv_text([ACCOUNT_HEAD if by_account else HEAD])
    for rows in parts:
        yield csv_text(_account_cells(rows) if by_account else map(_cells, rows))


def _cells(row: HistoryRow) -> tuple[Any, ...]:
    order, (filled, _, sent) = row.order, row.filled.partition("/")
    return (
        row.id,
        order.clicked_at,
        row.name,
        order.underlying,
        order.purpose,
        "; ".join(_leg_words(row)),
        order.order_type,
        order.price_effect,
        order.limit,
        order.contracts,
        row.average,
        row.lowest,
        row.highest,
        int(filled),
        int(sent),
        sum(row.statuses.values()),
        order.status,
        None if order.broadcast_ms is None else round(order.broadcast_ms, 1),
    )


def _leg_words(row: HistoryRow) -> Iterator[str]:
    for leg in row.legs:
        at = "" if leg.average is None else f" @ {leg.average}"
        yield describe(Leg(leg.symbol, Instruction(leg.instruction))) + at


def _account_cells(rows: Sequence[HistoryRow]) -> Iterator[tuple[Any, ...]]:
    lines = account_lines([row.id for row in rows])
    for row in rows:
        order = row.order
        of_order = (row.id, order.clicked_at, row.name, order.underlying, order.purpose)
        for line in lines.get(row.id, ()):
            yield (*of_order, *_line_cells(line))


def _line_cells(line: AccountLine) -> tuple[Any, ...]:
    return (line.alias, f"••••{line.last4}", *line[2:])
