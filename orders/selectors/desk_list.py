"""Narrow and sort what a desk lists, as the address of its page says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from orders.selectors.desk import MOST_DONE, MOST_OPEN, DeskRow, desk_rows, last_row
from orders.selectors.desk_facts import Kind
from orders.selectors.ground import Ground
from orders.templatetags.desk import NOT_PART, status_words


class Show(StrEnum):
    """Which of the listed broadcasts are shown."""

    ALL = "all"
    WORKING = "working"
    PROBLEMS = "problems"


_SHOWN: dict[Show, Callable[[DeskRow], bool]] = {
    Show.ALL: lambda row: True,
    Show.WORKING: lambda row: row.is_at_work,
    Show.PROBLEMS: lambda row: row.is_problem,
}
_SORTED: dict[str, Callable[[DeskRow], Any]] = {
    "id": lambda row: row.order.id,
    "strategy": lambda row: (row.order.name, row.order.id),
    "overall": lambda row: (status_words(row.order.status), row.order.id),
}
# Not only the newest first: above them what needs the agent.
FIRST = "-id"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader wants to see of the list; anything he cannot mean counts as not said.

    Args:
        sought: a symbol, a number, a strategy or an account's alias, or a part of them.
        sort: a column, with a minus before it for descending.
    """

    show: Show = Show.ALL
    sought: str = ""
    sort: str = FIRST

    @property
    def query(self) -> str:
        """The same as the query of an address, without what goes without saying."""
        said = {"show": self.show.value, "q": self.sought, "sort": self.sort}
        usual = {"show": Show.ALL.value, "q": "", "sort": FIRST}
        given = {name: value for name, value in said.items() if value != usual[name]}
        return f"?{urlencode(given)}" if given else ""

    @property
    def is_narrow(self) -> bool:
        """Whether something may be hidden by it."""
        return self.show is not Show.ALL or bool(self.sought)


@dataclass(frozen=True, slots=True)
class SortedBy:
    """One column that can be sorted by.

    Args:
        aria: what a screen reader is told: `ascending`, `descending`, `none`.
        then: the wish that a click on it is.
    """

    aria: str
    then: str


@dataclass(frozen=True, slots=True)
class DeskList:
    """What a desk shows: the rows that are wanted, and counts of all.

    Args:
        last: the broadcast sent last, whether or not it is shown.
        is_cut: whether more are open than are listed.
        is_full: whether more may have ended today than are listed.
    """

    wish: Wish
    rows: Sequence[DeskRow]
    last: DeskRow | None
    open: int
    problems: int
    is_cut: bool
    is_full: bool

    @property
    def shows(self) -> list[tuple[str, str]]:
        """What can be shown, each with its words."""
        return [(show.value, show.value.capitalize()) for show in Show]

    @property
    def account_names(self) -> str:
        """The accounts' aliases in grid order, for the tips of the cells."""
        return "" if self.last is None else self.last.account_names

    @property
    def sorts(self) -> Mapping[str, SortedBy]:
        """The columns by name."""
        return {name: _sorted_by(name, self.wish.sort) for name in _SORTED}


def read_wish(given: Mapping[str, str]) -> Wish:
    """Return what the query of an address asks for."""
    show, sort = given.get("show", ""), given.get("sort", "")
    return Wish(
        show=Show(show) if show in set(Show) else Show.ALL,
        sought=given.get("q", "").strip()[:60],
        sort=sort if sort.removeprefix("-") in _SORTED else FIRST,
    )


def list_desk(kind: Kind, wish: Wish, *, today: date, ground: Ground | None = None) -> DeskList:
    """Return what a desk shows."""
    rows = desk_rows(kind, today=today, ground=ground)
    still_open = sum(row.is_open for row in rows)
    listed = [*rows[: min(still_open, MOST_OPEN)], *rows[still_open:]]  # the open ones come first
    return DeskList(
        wish=wish,
        rows=_sort([row for row in listed if _is_wanted(row, wish)], wish.sort),
        last=last_row(rows),
        open=min(still_open, MOST_OPEN),
        problems=sum(row.is_problem for row in listed),
        is_cut=still_open > MOST_OPEN,
        is_full=len(rows) - still_open >= MOST_DONE,
    )


def _is_wanted(row: DeskRow, wish: Wish) -> bool:
    sought = wish.sought.lower()
    return _SHOWN[wish.show](row) and (not sought or sought in row.sought or _is_in(row, sought))


def _is_in(row: DeskRow, sought: str) -> bool:
    """Tell whether the broadcast went to an account of this name."""
    return any(
        code != NOT_PART and sought in alias.lower()
        for alias, code in zip(row.accounts, row.codes, strict=True)
    )


def _sort(rows: Sequence[DeskRow], sort: str) -> list[DeskRow]:
    if sort == FIRST:
        return list(rows)
    return sorted(rows, key=_SORTED[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _sorted_by(name: str, sort: str) -> SortedBy:
    """Say how a column is sorted now, and what a click on it asks for."""
    if sort.removeprefix("-") != name:
        return SortedBy("none", f"-{name}" if name == "id" else name)
    is_down = sort.startswith("-")
    return SortedBy("descending" if is_down else "ascending", name if is_down else f"-{name}")
