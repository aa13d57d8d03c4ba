"""Placed order sets in a line each: sums over their accounts, for lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from orders.domain.exits import AT_WORK, ExitState
from orders.selectors.desk_facts import Kind
from orders.selectors.sets import SetAccount, SetRow, list_sets
from orders.selectors.showing import effect_words

MOST_FLAT = 50
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


def list_lines() -> tuple[list[SetLine], list[SetLine]]:
    """Return all sets that are not flat, and the newest of those that are; newest first."""
    still_open = list_sets(open_only=True)
    flat = list_sets(Q(flat_at__isnull=False), most=MOST_FLAT)
    return [SetLine(row) for row in still_open], [SetLine(row) for row in flat]


def open_lines(kind: Kind, *, most: int = MOST_IN_PANE) -> OpenSets:
    """Return the newest sets of a kind that are not flat, in seven queries."""
    rows = list_sets(kind.sets, open_only=True, most=most + 1)
    return OpenSets([SetLine(row) for row in rows[:most]], is_cut=len(rows) > most)


def may_be_exited(account: SetAccount) -> bool:
    """Tell whether an exit can be opened in an account of a set."""
    return not account.is_flat and account.state not in AT_WORK
