"""What the panes of one page stand on, read once for all of them: legs, accounts, exit steps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.models import Account
from accounts.selectors import our_accounts
from orders.models import OrderLeg, PlacedOrderSet
from orders.selectors.exit_steps import StepRow, read_steps
from orders.selectors.filled import (
    Averages,
    FilledLegs,
    averages_in,
    averages_of,
    filled_of_sets,
)
from orders.selectors.showing import ShownLadder

# What a page reads at most of account orders, where there are many accounts, and fewer rows so.
MOST_SHARES = 20_000
LEAST_ROWS = 10


class DeskOrder(NamedTuple):
    """One broadcast by value, for a row is drawn anew only where it differs.

    Args:
        bookmark_id: the set that it is the bookmark of.
    """

    limit: Decimal | None
    id: int
    name: str
    underlying: str
    order_type: str
    price_effect: str
    stop: Decimal | None
    contracts: int
    duration: str
    session: str
    purpose: str
    status: str
    closes_id: int | None
    clicked_at: datetime
    broadcast_ms: float | None
    bookmark_id: int | None
    ladder: ShownLadder | None


def most_rows(usual: int, accounts: int) -> int:
    """Return how many broadcasts to so many accounts are read at a time: their shares are many."""
    return min(usual, max(LEAST_ROWS, MOST_SHARES // max(accounts, 1)))


class Ground:
    """Broadcasts and sets that are shown together; each thing is read when it is first asked for.

    Args:
        orders: a query of broadcasts, or nothing where none are shown; `sets` likewise.
        most_sets: how many sets are shown at most, of few accounts; one more tells of the rest.
        accounts: if they were read already.
        has_averages: whether the average fills of the legs are shown.
    """

    def __init__(
        self,
        orders: Iterable[DeskOrder] = (),
        sets: QuerySet[PlacedOrderSet] | Sequence[PlacedOrderSet] = (),
        *,
        most_sets: int | None = None,
        accounts: Sequence[Account] | None = None,
        has_averages: bool = True,
    ) -> None:
        self._orders = orders
        self._sets = sets
        self._most_sets = most_sets
        self._accounts = accounts
        self._has_averages = has_averages

    @cached_property
    def orders(self) -> Sequence[DeskOrder]:
        return list(self._orders)

    @cached_property
    def sets(self) -> Sequence[PlacedOrderSet]:
        most = self.most_sets
        return list(self._sets if most is None else self._sets[: most + 1])

    @cached_property
    def most_sets(self) -> int | None:
        """How many sets are shown at most; fewer where there are many accounts."""
        return None if self._most_sets is None else most_rows(self._most_sets, len(self.accounts))

    @cached_property
    def accounts(self) -> Sequence[Account]:
        """All accounts in grid order, with what is shown of them here."""
        if self._accounts is not None:
            return self._accounts
        return list(our_accounts().only("alias", "last4", "positions_at", "position"))

    @cached_property
    def legs(self) -> Mapping[int, Sequence[OrderLeg]]:
        """The legs by broadcast."""
        legs: dict[int, list[OrderLeg]] = defaultdict(list)
        for leg in OrderLeg.objects.filter(order__in=self._order_ids):
            legs[leg.order_id].append(leg)
        return legs

    @cached_property
    def filled(self) -> tuple[FilledLegs, FilledLegs]:
        """What the broadcasts have filled, and by set what its exits have."""
        return filled_of_sets(self._order_ids, [one.pk for one in self.sets])

    @cached_property
    def averages(self) -> Averages:
        """What the legs of the broadcasts were filled at in all accounts."""
        if not self._has_averages:
            return {}
        if self.sets:  # these need every fill: nothing has to be read once more
            return averages_in(self.filled[0])
        return averages_of(self._order_ids)

    @cached_property
    def _order_ids(self) -> set[int]:
        return {*(order.id for order in self.orders), *(one.order_id for one in self.sets)}

    @cached_property
    def steps(self) -> Sequence[StepRow]:
        """The exit steps of the sets and of the broadcasts that close some, oldest first."""
        exits = [order.id for order in self.orders if order.closes_id is not None]
        sets = [one.pk for one in self.sets]
        return read_steps(set_ids=sets, order_ids=exits) if exits or sets else ()
