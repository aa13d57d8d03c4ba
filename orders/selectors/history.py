"""The history of broadcasts: narrowed, sorted, a page at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from accounts.selectors import our_accounts
from orders.decorators import EXCHANGE_ZONE
from orders.domain.lifecycle import ParentStatus, Purpose, Status
from orders.models import AccountOrder, ComplexOrder, OrderLeg
from orders.selectors.desk_facts import Kind
from orders.selectors.history_rows import HistoryRow, history_rows
from orders.templatetags.desk import BETWEEN_TIPS, status_words
from strategies.domain.tickets import Strategy

LONGEST_TEXT = 60
PAGE_ROWS = 100
# A page of fewer broadcasts where there are so many accounts that it would take long to read.
_MOST_SHARES = 20_000
_LEAST_ROWS = 10
# So many new ones appear on top of an open page; then it is time to load it again.
MOST_NEW = 300
# How many are read at a time for a file.
_FILE_ROWS = 100

SORTS = ("id", "placed", "strategy", "average", "status")
NEWEST_FIRST = "-id"
# These begin with the largest.
_FALLING = frozenset({"id", "placed", "average"})


@dataclass(frozen=True, slots=True)
class HistoryFilters:
    """What the history is narrowed to.

    Args:
        since, until: days in New York, both included.
        overall: the status of the broadcast; `some`: of the order in one account at least.
        text: `#39`, a symbol, a name of a strategy, an account's alias or its last digits.
    """

    since: date | None = None
    until: date | None = None
    overall: ParentStatus | None = None
    some: Status | None = None
    strategy: Strategy | None = None
    kind: Kind | None = None
    purpose: Purpose | None = None
    text: str = ""


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
    """Return one page, in seven queries or eight, whatever its filters."""
    accounts = dict(our_accounts().values_list("position", "alias"))
    size = max(_LEAST_ROWS, min(PAGE_ROWS, _MOST_SHARES // max(len(accounts), 1)))
    matching = _narrowed(wish.filters)
    if wish.upto is not None:
        matching = matching.filter(pk__lte=wish.upto)
    found = matching.aggregate(total=Count("pk"), newest=Max("pk"))
    last = max(ceil(found["total"] / size), 1)
    page = min(wish.page, last)
    shown = replace(wish, page=page, upto=wish.upto or found["newest"])
    ids = list(_sorted(matching, wish.sort)[(page - 1) * size : page * size])
    rows = history_rows(ids, places=list(accounts))
    return HistoryList(shown, rows, list(accounts.values()), found["total"], size)


def rows_from(wish: HistoryWish) -> list[HistoryRow]:
    """Return the newest broadcasts down to `since_id`: the first page of a page that is open."""
    matching = _narrowed(wish.filters).filter(pk__gte=wish.since_id or 0)
    return history_rows(list(_sorted(matching, NEWEST_FIRST)[: PAGE_ROWS + MOST_NEW]))


def all_rows(wish: HistoryWish) -> Iterator[list[HistoryRow]]:
    """Return everything that is wanted, sorted, some at a time: what all pages show."""
    ids = list(_sorted(_narrowed(wish.filters), wish.sort))
    for start in range(0, len(ids), _FILE_ROWS):
        yield history_rows(ids[start : start + _FILE_ROWS])


def _narrowed(filters: HistoryFilters) -> QuerySet[ComplexOrder]:
    wanted: Mapping[str, Any] = {
        "clicked_at__gte": _midnight(filters.since),
        "clicked_at__lt": _midnight(filters.until and filters.until + timedelta(days=1)),
        "status": filters.overall,
        "strategy": filters.strategy,
        "purpose": filters.purpose,
    }
    rows = ComplexOrder.objects.filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    if filters.kind is not None:
        rows = rows.filter(filters.kind.orders)
    if filters.some is not None:
        children = AccountOrder.objects.filter(order=OuterRef("pk"), status=filters.some)
        rows = rows.filter(Exists(children))
    return rows.filter(_about(filters.text)) if filters.text else rows


def _about(text: str) -> Q:
    """Return the condition of a text: what it could be, it is sought as."""
    digits = text.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    numbered = Q(pk=number) if number is not None else Q(pk__in=())
    if text.startswith("#"):
        return numbered
    legs = OrderLeg.objects.filter(order=OuterRef("pk"), symbol__istartswith=text)
    named = Q(underlying__istartswith=text) | Q(name__icontains=text)
    found = numbered | named | Q(Exists(legs))
    of_account = Q(alias__icontains=text) | Q(last4=text)
    accounts = list(our_accounts().filter(of_account).values_list("pk", flat=True))
    if accounts:
        sent = AccountOrder.objects.filter(order=OuterRef("pk"), account__in=accounts)
        found |= Q(Exists(sent))
    return found


def _midnight(day: date | None) -> datetime | None:
    """Return when a day begins in New York."""
    return None if day is None else datetime.combine(day, time(), EXCHANGE_ZONE)


def _sorted(rows: QuerySet[ComplexOrder], sort: str) -> QuerySet[ComplexOrder, int]:
    """Return the numbers of broadcasts in the order wanted; what has no value comes last."""
    name, is_down = sort.removeprefix("-"), sort.startswith("-")
    if name == "average":
        rows = rows.alias(average=_average())
    elif name == "status":
        rows = rows.alias(place=_place_of_status())
    key = F(
        {"id": "pk", "placed": "clicked_at", "strategy": "name", "status": "place"}.get(name, name)
    )
    ordered = key.desc(nulls_last=True) if is_down else key.asc(nulls_last=True)
    if name in {"id", "placed", "strategy"}:  # never empty: so that an index serves
        ordered = key.desc() if is_down else key.asc()
    return rows.order_by(ordered, "-pk" if is_down else "pk").values_list("pk", flat=True)


def _average() -> Subquery:
    """Return the mean net price of a broadcast's fills."""
    filled = AccountOrder.objects.filter(
        order=OuterRef("pk"), filled__gt=0, net_price__isnull=False
    )
    mean = Sum(F("filled") * F("net_price")) / Sum("filled")
    return Subquery(
        filled.order_by().values("order").annotate(value=mean).values("value"),
        output_field=DecimalField(max_digits=14, decimal_places=4),
    )


def _place_of_status() -> Case:
    """Return where a status stands among the others, by the words that are shown."""
    by_words = sorted(ParentStatus, key=status_words)
    places = [When(status=one, then=Value(place)) for place, one in enumerate(by_words)]
    return Case(*places, output_field=IntegerField())
