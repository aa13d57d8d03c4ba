"""Placed order sets in a line each: sums over their accounts, for lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from orders.domain.exits import AT_WORK, ExitState
from orders.models import PlacedOrderSet
from orders.selectors.desk import MOST_DONE, MOST_OPEN
from orders.selectors.desk_facts import Kind, desk_orders
from orders.selectors.ground import Ground, most_rows
from orders.selectors.set_rows import SetAccount, SetRow
from orders.selectors.sets import newest_sets, rows_of
from orders.selectors.showing import effect_words

MOST_FLAT = 50
# So many open ones are listed at once; the page has a way to all of them.
MOST_LISTED = 100
# A pane shows the newest; all of them have a page.
MOST_IN_PANE = 40
FLAT = "Flat at the broker."
EXITING = "An exit is at work in every account."


@dataclass(frozen=True, slots=True)
class SetLine:
    """A set in a line: sums over its accounts, in units of the strategy."""

    row: SetRow

    @property
    def effect(self) -> str:
        """What stands before the entry price: `CREDIT`; empty for one leg."""
        return effect_words("", self.row.order.price_effect)

    @property
    def entry(self) -> Decimal | None:
        """The mean entry price, weighted by what was filled, USD per unit."""
        priced = [
            (one.bookmarked, one.entry_price)
            for one in self.row.accounts
            if one.bookmarked and one.entry_price is not None
        ]
        if not priced:
            return None
        total = sum((units * price for units, price in priced), Decimal(0))
        return (total / sum(units for units, _ in priced)).quantize(Decimal("0.01"))

    @property
    def bookmarked(self) -> int:
        return sum(one.bookmarked for one in self.row.accounts)

    @property
    def held(self) -> int:
        return sum(one.held or 0 for one in self.row.accounts)

    @property
    def unread(self) -> int:
        """In how many accounts the broker has not yet said what is held."""
        return sum(one.held is None for one in self.row.accounts)

    @property
    def at_work(self) -> int:
        return sum(one.state in AT_WORK for one in self.row.accounts)

    @property
    def left(self) -> int:
        """In how many accounts something is left to the agent."""
        return sum(one.state == ExitState.RESIDUAL for one in self.row.accounts)

    @property
    def to_exit(self) -> int:
        """In how many accounts an exit can be opened."""
        return sum(may_be_exited(one) for one in self.row.accounts)

    @property
    def why_no_exit(self) -> str:
        """Why there is nothing that an exit could be opened for; empty if there is."""
        if self.row.flat_at is None and self.to_exit:
            return ""
        return EXITING if self.at_work else FLAT


@dataclass(frozen=True, slots=True)
class OpenSets:
    """The newest sets that are not flat, and whether there are more."""

    lines: Sequence[SetLine]
    is_cut: bool


def all_open_lines() -> list[SetLine]:
    """Return every set that is not flat, newest first."""
    return [SetLine(row) for row in rows_of(Ground(sets=newest_sets(open_only=True, most=None)))]


def list_lines(*, everything: bool) -> tuple[OpenSets, list[SetLine]]:
    """Return the sets that are not flat, all or the newest, and the newest flat ones."""
    accounts = Ground().accounts
    most, most_flat = (most_rows(one, len(accounts)) for one in (MOST_LISTED, MOST_FLAT))
    still_open = list(newest_sets(open_only=True, most=None if everything else most + 1))
    is_cut = not everything and len(still_open) > most
    flat = newest_sets(Q(flat_at__isnull=False), most=most_flat)
    wanted = still_open[:most] if is_cut else still_open
    ground = Ground(sets=[*wanted, *flat], accounts=accounts)
    lines = [SetLine(row) for row in rows_of(ground)]
    return (
        OpenSets([line for line in lines if line.row.flat_at is None], is_cut),
        [line for line in lines if line.row.flat_at is not None],
    )


def open_lines(kind: Kind, *, ground: Ground | None = None) -> OpenSets:
    """Return the newest sets of a kind that are not flat, in six queries.

    Args:
        ground: of the whole page, where it shows more than these.
    """
    ground = ground or Ground(sets=_newest_open(kind), most_sets=MOST_IN_PANE)
    rows, most = rows_of(ground), ground.most_sets
    is_cut = most is not None and len(rows) > most
    return OpenSets([SetLine(row) for row in rows[:most]], is_cut=is_cut)


def ground_of_desk(kind: Kind) -> Ground:
    """Return what the panes of a desk share: its broadcasts, and the sets in the pane."""
    orders = desk_orders(kind, most=MOST_OPEN + MOST_DONE, newest=MOST_DONE)
    return Ground(orders, _newest_open(kind), most_sets=MOST_IN_PANE)


def _newest_open(kind: Kind) -> QuerySet[PlacedOrderSet]:
    return newest_sets(kind.sets, open_only=True, most=None)


def may_be_exited(account: SetAccount) -> bool:
    """Tell whether an exit can be opened in an account of a set."""
    return not account.is_flat and account.state not in AT_WORK
