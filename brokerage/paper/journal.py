"""The journal: what was asked of the paper broker, when it arrived and what became of it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

KEPT_ROWS = 10_000


@dataclass(slots=True)
class Row:
    """One request; the fields are those outside programs read.

    Args:
        at: Unix seconds at which the request's last byte was read.
        status: what was answered; None while nothing was, or the connection was dropped.
        placed: whether this request created an order.
    """

    seq: int
    at: float
    method: str
    path: str
    account: str | None
    status: int | None = None
    order_id: str | None = None
    placed: bool = False


class Journal:
    """The last rows, in memory only."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=KEPT_ROWS)
        self._last = 0

    def open(
        self, *, at: float, method: str, path: str, account: str | None, order_id: str | None
    ) -> Row:
        """Note a request as it arrives; the row is completed when it is answered."""
        self._last += 1
        row = Row(self._last, at, method, path, account, order_id=order_id)
        self._rows.append(row)
        return row

    def since(self, seq: int) -> list[dict[str, Any]]:
        """List the rows behind `seq`, oldest first."""
        return [asdict(row) for row in reversed(list(self._newer(seq)))]

    def clear(self) -> None:
        """Forget the rows; numbers go on, so that a reader's `since` stays right."""
        self._rows.clear()

    def _newer(self, seq: int) -> Iterator[Row]:
        for row in reversed(self._rows):
            if row.seq <= seq:
                return
            yield row
