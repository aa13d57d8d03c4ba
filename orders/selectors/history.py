"""The history of broadcasts: narrowed, sorted, a page at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from urllib.parse import urlencode

from django.db.models import Count, Max

from accounts.selectors import our_accounts
from orders.selectors.ground import most_rows
from orders.selectors.history_query import HistoryFilters, in_order, narrowed
from orders.selectors.history_rows import HistoryRow, grid_places, history_rows
from orders.templatetags.desk import BETWEEN_TIPS

LONGEST_TEXT = 60
PAGE_ROWS = 100
# So many pages of new ones appear on top of an open page; then it is time to load it again.
_NEW_PAGES = 3

SORTS = ("id", "placed", "strategy", "average", "status")
NEWEST_FIRST = "-id"
# These begin with the largest.
_FALLING = frozenset({"id", "placed", "average"})


@dataclass(frozen=True, slots=True)
class HistoryWish:
    """What the reader wants to see.

    Args:
        given: what was typed into the filters, right or wrong, for the address.
        sort: a column, with a minus before it for descending.
        upto: the newest broadcast when the list was first shown: pages that are loaded later
            neither repeat nor pass over one because others were sent meanwhile.
        since_id: the oldest broadcast of the first page of an open page, which shows all from
            there on.
    """

    filters: HistoryFilters = field(default_factory=HistoryFilters)
    given: Mapping[str, str] = field(default_factory=dict)
    sort: str = NEWEST_FIRST
    page: int = 1
    upto: int | None = None
    since_id: int | None = None

    def query(self, **changes: object) -> str:
        """Return the same as the query of an address, without what goes without saying."""
        said = {**self.given, "sort": self.sort, "page": self.page, "upto": self.upto, **changes}
        usual = {"sort": NEWEST_FIRST, "page": 1}
        shown = {
            name: value
            for name, value in said.items()
            if value not in {None, ""} and value != usual.get(name)
        }
        return f"?{urlencode(shown)}" if shown else ""

    @property
    def address(self) -> str:
        """What stands in the address line: without the marks of an open page."""
        return self.query(upto=self.upto if self.page > 1 else None)


@dataclass(frozen=True, slots=True)
class Column:
    """One column that can be sorted by.

    Args:
        aria: what a screen reader is told: `ascending`, `descending`, `none`.
        then: the query that a click on it leads to.
    """

    aria: str
    then: str


@dataclass(frozen=True, slots=True)
class HistoryList:
    """One page of the history.

    Args:
        total: how many broadcasts are like that, on all pages.
        rows_a_page: how many stand on one.
        accounts: aliases in grid order, for the tips of the cells.
    """

    wish: HistoryWish
    rows: Sequence[HistoryRow]
    accounts: Sequence[str]
    total: int
    rows_a_page: int

    @property
    def pages(self) -> int:
        return max(ceil(self.total / self.rows_a_page), 1)

    @property
    def more(self) -> int:
        """How many come after those shown."""
        return max(self.total - (self.wish.page - 1) * self.rows_a_page - len(self.rows), 0)

    @property
    def next_query(self) -> str:
        return self.wish.query(page=self.wish.page + 1)

    @property
    def around(self) -> list[tuple[int, str]]:
        """The numbered pages, each with its query."""
        return [(page, self.wish.query(page=page) or "?") for page in range(1, self.pages + 1)]

    @property
    def account_names(self) -> str:
        """The aliases as static/js/m/tips.js reads them."""
        return BETWEEN_TIPS.join(name.replace(BETWEEN_TIPS, "/") for name in self.accounts)

    @property
    def file_query(self) -> str:
        """The query of the file that has all pages of this list."""
        return self.wish.query(page=1, upto=None)

    @property
    def accounts_file_query(self) -> str:
        """The same with a line per account order."""
        return self.wish.query(page=1, upto=None, per="accounts")

    @property
    def is_live(self) -> bool:
        """Whether an open page is to show what changes: newest first, and from the top."""
        return self.wish.sort == NEWEST_FIRST and self.wish.page == 1

    @property
    def live_query(self) -> str:
        """The query of the first page as it will be, down to the row that is now its last."""
        last = self.rows[-1].id if self.rows and self.more else 0
        return self.wish.query(upto=None, since_id=last)

    @property
    def sorts(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {name: self._column(name) for name in SORTS}

    def _column(self, name: str) -> Column:
        first = f"-{name}" if name in _FALLING else name
        is_now = self.wish.sort.removeprefix("-") == name
        is_down = self.wish.sort.startswith("-")
        other = name if is_down else f"-{name}"
        then = self.wish.query(sort=other if is_now else first, page=1, upto=None) or "?"
        return Column(("descending" if is_down else "ascending") if is_now else "none", then)


def list_history(wish: HistoryWish) -> HistoryList:
    """Return one page."""
    accounts = dict(our_accounts().values_list("position", "alias"))
    size = most_rows(PAGE_ROWS, len(accounts))
    matching = narrowed(wish.filters)
    if wish.upto is not None:
        matching = matching.filter(pk__lte=wish.upto)
    found = matching.aggregate(total=Count("pk"), newest=Max("pk"))
    last = max(ceil(found["total"] / size), 1)
    page = min(wish.page, last)
    shown = replace(wish, page=page, upto=wish.upto or found["newest"])
    ids = list(in_order(matching, wish.sort)[(page - 1) * size : page * size])
    rows = history_rows(ids, places=list(accounts))
    return HistoryList(shown, rows, list(accounts.values()), found["total"], size)


def rows_from(wish: HistoryWish) -> list[HistoryRow]:
    """Return the newest broadcasts down to `since_id`: the first page of a page that is open."""
    matching = narrowed(wish.filters).filter(pk__gte=wish.since_id or 0)
    places = grid_places()
    most = most_rows(PAGE_ROWS, len(places)) * (1 + _NEW_PAGES)
    return history_rows(list(in_order(matching, NEWEST_FIRST)[:most]), places=places)


def all_rows(wish: HistoryWish) -> Iterator[list[HistoryRow]]:
    """Return everything that is wanted, sorted, some at a time: what all pages show."""
    ids, places = list(in_order(narrowed(wish.filters), wish.sort)), grid_places()
    size = most_rows(PAGE_ROWS, len(places))
    for start in range(0, len(ids), size):
        yield history_rows(ids[start : start + size], places=places)
