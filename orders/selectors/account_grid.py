"""The grid of accounts: one page of them, filtered and sorted in the database, and their sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Lower

from accounts.domain.modes import ModeRule, strictest
from accounts.domain.words import ABLE, Mode
from accounts.models import Account
from accounts.selectors import groups_of, our_accounts
from accounts.selectors.modes import mode_rules

PER_PAGE = 100
LONGEST_SEARCH = 60
USUAL = "place"
# How a column's name in the address orders rows; an age rises while its time falls.
SORTS: Mapping[str, Any] = {
    "place": F("position"),
    "alias": Lower("alias"),
    "number": F("last4"),
    "login": Lower("login__label"),
    "kind": F("kind"),
    "value": F("value"),
    "cash": F("cash"),
    "power": F("buying_power"),
    "gain": F("value") - F("opening_value"),
    "age": F("balances_at"),
    "multiplier": F("multiplier"),
}
_BACKWARDS = {"age"}
_CENT = Decimal("0.01")
# The heads from left to right, with what they sort by and their classes.
HEADS = (
    ("Account", "alias", ""),
    ("Number", "number", "num fold"),
    ("Login", "login", "fold"),
    ("Token", "", ""),
    ("Groups", "", "fold"),
    ("Type", "kind", "fold"),
    ("Value", "value", "num"),
    ("Cash", "cash", "num fold"),
    ("Buying power", "power", "num fold"),
    ("Day P/L", "gain", "num"),
    ("Synced", "age", "num fold"),
    ("Mode", "", "fold"),
    ("×", "multiplier", "num fold"),
)
_COLUMNS = (
    *("pk", "alias", "last4", "is_active", "kind", "multiplier"),
    *("value", "cash", "buying_power", "opening_value", "balances_at"),
    *("login__label", "login__status", "login__status_reason"),
    *("login__token__access_expires_at", "login__token__refresh_expires_at"),
)


@dataclass(frozen=True, slots=True)
class GridQuery:
    """What the address of the grid asks for; words that make no sense count as not said."""

    search: str = ""
    sort: str = USUAL
    is_down: bool = False
    page: int = 1

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> "GridQuery":
        """Read `?q=…&sort=-value&page=2`."""
        sort = str(words.get("sort", USUAL))
        name = sort.removeprefix("-")
        page = str(words.get("page", "1"))
        return cls(
            search=" ".join(str(words.get("q", "")).replace("\0", "").split())[:LONGEST_SEARCH],
            sort=name if name in SORTS else USUAL,
            is_down=sort.startswith("-") and name in SORTS,
            page=max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 5 else 1,
        )

    def sorted_by(self, name: str) -> "GridQuery":
        """Return the same, sorted by a column: up first, and down when it is sorted so already."""
        is_down = name == self.sort and not self.is_down
        return replace(self, sort=name, is_down=is_down, page=1)

    def __str__(self) -> str:
        """Write it for an address, with its question mark; empty if it is what is usual."""
        sort = f"{'-' if self.is_down else ''}{self.sort}"
        words = {"q": self.search, "sort": sort, "page": self.page}
        usual = {"q": "", "sort": USUAL, "page": 1}
        said = {name: value for name, value in words.items() if value != usual[name]}
        return f"?{urlencode(said)}" if said else ""


@dataclass(frozen=True, slots=True)
class GridLine:
    """One account in the grid; balances in USD, None where the broker did not say.

    Args:
        access_ends_at: until when orders can be sent without fetching another token.
        connection_ends_at: until when the login can fetch tokens; then somebody must sign in.
    """

    id: UUID
    alias: str
    last4: str
    is_active: bool
    kind: str
    multiplier: Decimal
    value: Decimal | None
    cash: Decimal | None
    buying_power: Decimal | None
    opening_value: Decimal | None
    balances_at: datetime | None
    login: str
    login_status: str
    login_words: str
    access_ends_at: datetime | None
    connection_ends_at: datetime | None
    groups: Sequence[str]
    rule: ModeRule | None
    now: datetime

    @property
    def gain(self) -> Decimal | None:
        """Return what it gained since the broker's day began."""
        if self.value is None or self.opening_value is None:
            return None
        return self.value - self.opening_value

    @property
    def mode(self) -> Mode:
        return self.rule.mode if self.rule else Mode.OPEN

    @property
    def is_connected(self) -> bool:
        return self.login_status in ABLE

    @property
    def access_minutes(self) -> int | None:
        """Return how many whole minutes the access token lives; None without one."""
        if self.access_ends_at is None:
            return None
        return max((self.access_ends_at - self.now) // timedelta(minutes=1), 0)


@dataclass(frozen=True, slots=True)
class FleetTotals:
    """Sums over all accounts, in USD; None as long as the broker has said nothing.

    Args:
        known: accounts with a value to add up.
        oldest_at: when the account was read that was not read for longest.
        unread: accounts never read.
        logins_ok: logins that can be asked: one call each, under `keys` app keys.
    """

    accounts: int
    active: int
    known: int
    value: Decimal | None
    cash: Decimal | None
    buying_power: Decimal | None
    gain: Decimal | None
    oldest_at: datetime | None
    unread: int
    logins: int
    logins_ok: int
    keys: int

    @property
    def logins_out(self) -> int:
        return self.logins - self.logins_ok


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: where it leads to be sorted, if it can be, and how it is sorted now."""

    words: str
    classes: str
    link: str
    sort: str


@dataclass(frozen=True, slots=True)
class AccountGrid:
    """One page of the grid, in the wanted order; `found` accounts match the search."""

    query: GridQuery
    lines: Sequence[GridLine]
    found: int
    totals: FleetTotals

    @property
    def pages(self) -> Sequence[int]:
        return range(1, ceil(self.found / PER_PAGE) + 1)

    @property
    def heads(self) -> Sequence[Head]:
        """Return the columns' heads, from left to right."""
        return [self._head(*column) for column in HEADS]

    def _head(self, words: str, name: str, classes: str) -> Head:
        query = self.query
        way = "descending" if query.is_down else "ascending"
        link = (str(query.sorted_by(name)) or "?") if name else ""
        return Head(words, classes, link, way if name == query.sort else "none")

    @property
    def page_links(self) -> Sequence[tuple[int, str]]:
        """Return the pages with their addresses; none if there is only one."""
        if len(self.pages) < 2:
            return ()
        return [(page, str(replace(self.query, page=page)) or "?") for page in self.pages]


def account_grid(query: GridQuery, *, now: datetime) -> AccountGrid:
    """Return one page of the accounts, in at most five queries."""
    totals = fleet_totals()
    rows = _matching(query.search)
    found = rows.count() if query.search else totals.accounts
    page = min(query.page, max(ceil(found / PER_PAGE), 1))
    start = (page - 1) * PER_PAGE
    shown = list(_ordered(rows, query).values_list(*_COLUMNS)[start : start + PER_PAGE])
    return AccountGrid(replace(query, page=page), _lines(shown, now), found, totals)


def find_line(account_id: UUID, *, now: datetime) -> GridLine | None:
    """Return one account as the grid shows it."""
    lines = _lines(list(our_accounts().filter(pk=account_id).values_list(*_COLUMNS)), now)
    return lines[0] if lines else None


def fleet_totals() -> FleetTotals:
    """Return counts and sums over all accounts, in one query."""
    connected = Q(login__status__in=ABLE)
    found = our_accounts().aggregate(
        accounts=Count("pk"),
        active=Count("pk", filter=Q(is_active=True)),
        known=Count("value"),
        oldest_at=Min("balances_at"),
        unread=Count("pk", filter=Q(balances_at__isnull=True)),
        logins=Count("login", distinct=True),
        logins_ok=Count("login", distinct=True, filter=connected),
        keys=Count("login__app_key_index", distinct=True, filter=connected),
        gain=Sum(F("value") - F("opening_value")),
        # Last: what comes behind an aggregate of a column's name would mean the aggregate.
        cash=Sum("cash"),
        buying_power=Sum("buying_power"),
        value=Sum("value"),
    )
    return FleetTotals(**{name: _cents(figure) for name, figure in found.items()})


def _cents(figure: Any) -> Any:
    """Round sums: SQLite adds in binary."""
    return figure.quantize(_CENT) if isinstance(figure, Decimal) else figure


def _matching(search: str) -> QuerySet[Account]:
    """Return the accounts in whose name, number, login or groups every word is."""
    rows = our_accounts()
    for word in search.split():
        rows = rows.filter(
            Q(alias__icontains=word)
            | Q(last4__contains=word)
            | Q(login__label__icontains=word)
            | Q(kind__istartswith=word)
            | Q(pk__in=Account.objects.filter(groups__name__icontains=word).values("pk"))
        )
    return rows


def _ordered(rows: QuerySet[Account], query: GridQuery) -> QuerySet[Account]:
    """Sort; what the broker did not say comes last either way."""
    column, is_down = SORTS[query.sort], query.is_down != (query.sort in _BACKWARDS)
    order = column.desc(nulls_last=True) if is_down else column.asc(nulls_last=True)
    return rows.order_by(order, "position")


def _lines(rows: Sequence[tuple[Any, ...]], now: datetime) -> list[GridLine]:
    groups, rules = groups_of([row[0] for row in rows]), mode_rules()
    lines = []
    for row in rows:
        is_in = groups.get(row[0], frozenset())
        rule = strictest(rules, account_id=str(row[0]), groups=is_in, underlying="")
        lines.append(GridLine(*(*row, sorted(is_in), rule, now)))
    return lines
