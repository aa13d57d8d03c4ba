"""What the panes of one page stand on, read once for all of them: legs, accounts, exit steps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from django.db.models import DecimalField, F, OuterRef, Subquery, Sum

from accounts.models import Account
from accounts.selectors import our_accounts
from orders.models import AccountOrderLeg, ComplexOrder, OrderLeg, PlacedOrderSet
from orders.selectors.exit_steps import StepRow, read_steps


class Ground:
    """Broadcasts and sets that are shown together; each thing is read when it is first asked for.

    Args:
        orders: a query of broadcasts, or nothing where none are shown; `sets` likewise.
    """

    def __init__(
        self, orders: Iterable[ComplexOrder] = (), sets: Iterable[PlacedOrderSet] = ()
    ) -> None:
        self._orders = orders
        self._sets = sets

    @cached_property
    def orders(self) -> Sequence[ComplexOrder]:
        return list(self._orders)

    @cached_property
    def sets(self) -> Sequence[PlacedOrderSet]:
        return list(self._sets)

    @cached_property
    def accounts(self) -> Sequence[Account]:
        """All accounts in grid order, with what is shown of them here."""
        return list(our_accounts().only("alias", "last4", "positions_at", "position"))

    @cached_property
    def legs(self) -> Mapping[int, Sequence[OrderLeg]]:
        """The legs by broadcast; where broadcasts are shown each has its average fill."""
        ids = {*(order.pk for order in self.orders), *(one.order_id for one in self.sets)}
        rows = OrderLeg.objects.filter(order__in=ids)
        legs: dict[int, list[OrderLeg]] = defaultdict(list)
        for leg in rows.annotate(average=_average()) if self.orders else rows:
            legs[leg.order_id].append(leg)
        return legs

    @cached_property
    def steps(self) -> Sequence[StepRow]:
        """The exit steps of the sets and of the broadcasts that close some, oldest first."""
        exits = [order.pk for order in self.orders if order.closes_id is not None]
        sets = [one.pk for one in self.sets]
        return read_steps(set_ids=sets, order_ids=exits) if exits or sets else ()


def _average() -> Subquery:
    """Return, for an annotation of a leg, what it was filled at in all accounts: USD per share."""
    filled = AccountOrderLeg.objects.filter(
        child__order=OuterRef("order"), symbol=OuterRef("symbol"), filled__gt=0
    )
    cash, quantity = Sum(F("filled") * F("average_price")), Sum("filled")
    average = filled.order_by().values("child__order").annotate(value=cash / quantity)
    return Subquery(
        average.values("value"), output_field=DecimalField(max_digits=14, decimal_places=4)
    )
