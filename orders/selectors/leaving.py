"""What a trading mode leaves behind: orders that are out already, exits at work, ladders."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.domain.modes import ModeRule
from accounts.domain.words import ModeScope
from orders.domain.exits import AT_WORK
from orders.domain.lifecycle import UNRESOLVED, Status, any_of
from orders.models import AccountOrder, ExitStep, PriceLadder

_LIVE = [*any_of(UNRESOLVED), Status.WORKING.value]


@dataclass(frozen=True, slots=True)
class LeftOrder:
    """A broadcast with orders at the broker, in how many accounts.

    Args:
        working: the broker has them.
        under_way: they are being sent, or what became of them is unknown.
    """

    id: int
    name: str
    underlying: str
    purpose: str
    working: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Left:
    """What goes on although a mode is set: no mode takes back what is out already.

    Args:
        exits: accounts with an exit at work.
        ladders: broadcasts whose price still moves.
    """

    orders: Sequence[LeftOrder]
    exits: int
    ladders: int

    @property
    def working(self) -> int:
        return sum(order.working for order in self.orders)

    @property
    def under_way(self) -> int:
        return sum(order.under_way for order in self.orders)


def left_behind(rule: ModeRule) -> Left:
    """Return what is out of that which a mode covers, in three queries."""
    return Left(
        orders=_orders(rule),
        exits=_exits(rule).count(),
        ladders=running_ladders(rule).count(),
    )


def covered_orders(rule: ModeRule) -> QuerySet[AccountOrder]:
    """Return the account orders that a mode covers, whatever it says of them."""
    return AccountOrder.objects.filter(_covered(rule, "account", "order__underlying"))


def running_ladders(rule: ModeRule) -> QuerySet[PriceLadder]:
    """Return the ladders that run in anything that a mode covers: one moves all its accounts."""
    running = PriceLadder.objects.filter(stopped_at__isnull=True)
    if rule.scope in {ModeScope.FLEET, ModeScope.GATE}:
        return running
    live = covered_orders(rule).filter(status__in=[Status.READY.value, *_LIVE])
    return running.filter(order__in=live.values("order"))


def _orders(rule: ModeRule) -> list[LeftOrder]:
    live = covered_orders(rule).filter(status__in=_LIVE)
    rows = live.values_list("order_id", "order__name", "order__underlying", "order__purpose")
    counted = rows.annotate(
        working=Count("pk", filter=Q(status=Status.WORKING)),
        under_way=Count("pk", filter=~Q(status=Status.WORKING)),
    )
    return [LeftOrder(*row) for row in counted.order_by("-order_id")]


def _exits(rule: ModeRule) -> QuerySet[ExitStep]:
    at_work = ExitStep.objects.filter(closed_at__isnull=True, state__in=sorted(AT_WORK))
    return at_work.filter(_covered(rule, "account", "placed_order_set__order__underlying"))


def _covered(rule: ModeRule, account: str, underlying: str) -> Q:
    match rule.scope:
        case ModeScope.GROUP:
            return Q(**{f"{account}__groups__name": rule.target})
        case ModeScope.ACCOUNT:
            return Q(**{account: rule.target})
        case ModeScope.UNDERLYING:
            return Q(**{underlying: rule.target})
    return Q()
