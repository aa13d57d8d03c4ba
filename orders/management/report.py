"""The report of a broadcast on a terminal, and the progress bar before it."""

from collections import Counter
from decimal import Decimal

from django.core.management.base import OutputWrapper

from orders.domain.lifecycle import TERMINAL
from orders.selectors.showing import Broadcast

_BAR_WIDTH = 30
_WORDS = {"FAILED_TO_PLACE": "failed to place"}


class Progress:
    """A bar that is drawn again and again on a terminal, and not at all elsewhere."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._draws = out.isatty()

    def show(self, broadcast: Broadcast) -> bool:
        """Draw how far it is; True when nothing more will change."""
        statuses = [share.status for share in broadcast.accounts]
        done = sum(status in TERMINAL for status in statuses)
        if self._draws:
            bar = "#" * (_BAR_WIDTH * done // max(len(statuses), 1))
            self._out.write(f"\r[{bar:<{_BAR_WIDTH}}] {done}/{len(statuses)}", ending="")
            self._out.flush()
        return done == len(statuses)

    def end(self) -> None:
        if self._draws:
            self._out.write("")


def write_report(out: OutputWrapper, broadcast: Broadcast | None, *, page: str | None) -> None:
    """Write broadcast time, counts per status, fills, and what needs a look."""
    if broadcast is None:
        return
    counts = Counter(share.status for share in broadcast.accounts)
    took = (
        "not all sent yet" if broadcast.broadcast_ms is None else f"{broadcast.broadcast_ms:.1f} ms"
    )
    out.write(f"Broadcast #{broadcast.id}  {broadcast.name} {broadcast.underlying}")
    out.write(f"  sent      {took} from the click to the last request")
    out.write(
        f"  accounts  {', '.join(f'{n} {_word(status)}' for status, n in counts.most_common())}"
    )
    prices = [share.net_price for share in broadcast.accounts if share.net_price is not None]
    if prices:
        mean = sum(prices, Decimal(0)) / len(prices)
        out.write(
            f"  fills     {len(prices)} at {mean:.2f} on average, "
            f"{min(prices):.2f} to {max(prices):.2f}"
        )
    for share in broadcast.accounts:
        if share.reason:
            out.write(f"  {share.alias}: {_word(share.status)}: {share.reason}")
    if page:
        out.write(f"  page      {page}/")


def _word(status: str) -> str:
    return _WORDS.get(status, status.lower())
