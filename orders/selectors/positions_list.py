"""Narrow, sort and cut what the fleet holds, as the address of the page says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from math import ceil
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from orders.domain.bookmarks import NOTHING
from orders.selectors.external import count_external
from orders.selectors.positions import Held, HeldRow, Holding, by_symbol

PAGE_ROWS = 100
# An open page that has scrolled so far keeps no more than this up to date.
MOST_ROWS = 2000
LONGEST_TEXT = 60


class View(StrEnum):
    """Whether every account's positions are listed, or the sums over them."""

    ACCOUNTS = "accounts"
    SYMBOLS = "symbols"


_COLUMNS: dict[str, Callable[[HeldRow], Any]] = {
    "account": lambda row: row.place,
    "accounts": lambda row: row.accounts,
    "symbol": lambda row: (row.underlying, row.text),
    "kind": lambda row: row.kind,
    "quantity": lambda row: row.quantity,
    "average": lambda row: row.average,
    "mark": lambda row: row.mark,
    "value": lambda row: row.value,
    "gain": lambda row: row.gain,
    "sets": lambda row: row.sets[0].set_id if row.sets else None,
    "strange": lambda row: abs(row.strange),
}
_FIRST = {View.ACCOUNTS: "account", View.SYMBOLS: "symbol"}
# A click on these begins with the largest.
_FALLING = frozenset({"accounts", "quantity", "average", "mark", "value", "gain", "strange"})


@dataclass(frozen=True, slots=True)
class PositionsWish:
    """What the reader wants to see; anything he cannot mean counts as not said.

    Args:
        text: a symbol, an account, or a part of them; `#12` is a set.
        is_strange: only what no set explains.
        rows: how many of the sorted rows an open page shows, from the first of its page on.
    """

    view: View = View.ACCOUNTS
    text: str = ""
    account: UUID | None = None
    kind: Holding | None = None
    symbol: str = ""
    set_id: int | None = None
    is_strange: bool = False
    sort: str = ""
    page: int = 1
    rows: int = PAGE_ROWS

    @property
    def sorted_by(self) -> str:
        """The column, with a minus before it for descending."""
        return self.sort or _FIRST[self.view]

    @property
    def is_narrow(self) -> bool:
        """Whether something may be hidden by it."""
        wanted = (self.text, self.account, self.kind, self.symbol, self.set_id, self.is_strange)
        return any(wanted)

    def query(self, **changes: Any) -> str:
        """Return the same as the query of an address, without what goes without saying."""
        one = replace(self, **changes)
        said = {
            "view": one.view.value if one.view is not View.ACCOUNTS else "",
            "q": one.text,
            "account": one.account or "",
            "kind": one.kind or "",
            "symbol": one.symbol,
            "set": one.set_id or "",
            "strange": "1" if one.is_strange else "",
            "sort": one.sort,
            "page": one.page if one.page > 1 else "",
        }
        given = {name: value for name, value in said.items() if value}
        return f"?{urlencode(given)}" if given else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be sorted by: how it is sorted now, and what a click on it asks for."""

    name: str
    words: str
    is_number: bool
    aria: str
    then: str


@dataclass(frozen=True, slots=True)
class PositionsList:
    """What the page shows, with counts and sums of all that was wanted.

    Args:
        first: the place of the first row shown.
        total: rows that are wanted; `held` is how many there are in all.
        value, gain: USD over all rows wanted, as far as the broker said.
    """

    wish: PositionsWish
    rows: Sequence[HeldRow]
    columns: Sequence[Column]
    aliases: Mapping[UUID, str]
    first: int
    total: int
    held: int
    strange: int
    unread: int
    elsewhere: int
    value: Decimal
    gain: Decimal

    @property
    def pages(self) -> int:
        return max(ceil(self.total / PAGE_ROWS), 1)

    @property
    def more(self) -> int:
        """How many rows come after those shown."""
        return max(self.total - self.first - len(self.rows), 0)

    @property
    def next_page(self) -> int:
        return (self.first + len(self.rows)) // PAGE_ROWS + 1

    @property
    def around(self) -> list[tuple[int, str]]:
        """The numbered pages, each with its address."""
        return [(page, self.wish.query(page=page) or "?") for page in range(1, self.pages + 1)]

    @property
    def is_by_symbol(self) -> bool:
        return self.wish.view is View.SYMBOLS


def read_positions_wish(given: Mapping[str, str]) -> PositionsWish:
    """Return what the query of an address asks for."""
    view, kind = given.get("view", ""), given.get("kind", "")
    sort = given.get("sort", "")
    return PositionsWish(
        view=View(view) if view in set(View) else View.ACCOUNTS,
        text=given.get("q", "").strip()[:LONGEST_TEXT],
        account=_uuid(given.get("account", "")),
        kind=Holding(kind) if kind in set(Holding) else None,
        symbol=given.get("symbol", "")[:32],
        set_id=_number(given.get("set", "")),
        is_strange=given.get("strange") in {"1", "on"},
        sort=sort if sort.removeprefix("-") in _COLUMNS else "",
        page=max(_number(given.get("page", "")) or 1, 1),
        rows=min(max(_number(given.get("rows", "")) or PAGE_ROWS, PAGE_ROWS), MOST_ROWS),
    )


def list_positions(held: Held, wish: PositionsWish) -> PositionsList:
    """Return the page that is wanted."""
    wanted = [row for row in held.rows if _is_wanted(row, wish)]
    shown = sort_positions(wanted, wish)
    last = max(ceil(len(shown) / PAGE_ROWS), 1)
    first = (min(wish.page, last) - 1) * PAGE_ROWS
    return PositionsList(
        wish=replace(wish, page=min(wish.page, last)),
        rows=shown[first : first + wish.rows],
        columns=_columns(wish),
        aliases=held.aliases,
        first=first,
        total=len(shown),
        held=len(held.rows),
        strange=sum(row.is_strange for row in held.rows),
        unread=held.unread,
        elsewhere=count_external(),
        value=sum((row.value or NOTHING for row in wanted), NOTHING),
        gain=sum((row.gain or NOTHING for row in wanted), NOTHING),
    )


def wanted_positions(held: Held, wish: PositionsWish) -> list[HeldRow]:
    """Return everything that is wanted, sorted: what the page shows, whatever its page."""
    return sort_positions([row for row in held.rows if _is_wanted(row, wish)], wish)


def sort_positions(rows: Sequence[HeldRow], wish: PositionsWish) -> list[HeldRow]:
    """Add up if sums are wanted, and sort; what the broker does not say comes last."""
    found = by_symbol(rows) if wish.view is View.SYMBOLS else list(rows)
    name = wish.sorted_by
    key = _COLUMNS[name.removeprefix("-")]
    said = [row for row in found if key(row) is not None]
    unsaid = [row for row in found if key(row) is None]
    return [*sorted(said, key=key, reverse=name.startswith("-")), *unsaid]


def _is_wanted(row: HeldRow, wish: PositionsWish) -> bool:
    if wish.account is not None and row.account_id != wish.account:
        return False
    if wish.kind is not None and row.kind is not wish.kind:
        return False
    if wish.symbol and row.symbol != wish.symbol:
        return False
    if wish.set_id is not None and all(part.set_id != wish.set_id for part in row.sets):
        return False
    if wish.is_strange and not row.is_strange:
        return False
    return not wish.text or _has(row, wish.text.lower())


def _has(row: HeldRow, text: str) -> bool:
    if text.startswith("#"):
        return any(f"#{part.set_id}" == text for part in row.sets)
    return text in row.text.lower() or text in f"{row.underlying} {row.account} {row.mask}".lower()


def _columns(wish: PositionsWish) -> list[Column]:
    first = ("accounts", "Accounts") if wish.view is View.SYMBOLS else ("account", "Account")
    shown = [
        first,
        ("symbol", "Symbol"),
        ("quantity", "Quantity"),
        ("average", "Average"),
        ("mark", "Mark"),
        ("value", "Value"),
        ("gain", "Open P/L"),
        ("sets", "Explained by"),
        ("strange", "Not ours"),
    ]
    return [_column(name, words, wish.sorted_by) for name, words in shown]


def _column(name: str, words: str, sort: str) -> Column:
    begins = f"-{name}" if name in _FALLING else name
    other = name if begins.startswith("-") else f"-{name}"
    is_number = name not in {"account", "symbol", "sets"}
    if sort.removeprefix("-") != name:
        return Column(name, words, is_number, "none", begins)
    is_down = sort.startswith("-")
    then = other if sort == begins else begins
    return Column(name, words, is_number, "descending" if is_down else "ascending", then)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
