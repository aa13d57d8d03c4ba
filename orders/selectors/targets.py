"""What can be canceled, replaced, tried again or closed now, and in which accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet

from orders.domain.lifecycle import LIVE, Purpose, Status, any_of
from orders.models import AccountOrder
from orders.selectors.set_lines import SetLine, all_open_lines
from orders.selectors.showing import Broadcast, words_of
from orders.templatetags.desk import amount
from strategies.domain.tickets import Strategy
from strategies.domain.ticks import tick_for

RETRIED = frozenset({Status.FAILED_TO_PLACE.value, Status.REJECTED.value})
STAYS = "{} of {} filled already: that stays."
ON_ITS_WAY = "A cancel is on its way."
UNKNOWN = "Its outcome is unknown: canceled as soon as its number is known."


@dataclass(frozen=True, slots=True)
class Target:
    """One account that can be chosen.

    Args:
        key: the value of its box.
    """

    key: str
    account_id: UUID
    alias: str
    status: str
    contracts: int
    filled: Decimal
    note: str


def working_targets(rows: QuerySet[AccountOrder]) -> list[Target]:
    """Return the accounts of these orders, by their latest, in the order of the rows."""
    found = {row.account_id: _working(row) for row in rows.select_related("account")}
    return list(found.values())


def failed_targets(broadcast: Broadcast) -> list[Target]:
    """Return the accounts whose latest attempt failed; another attempt makes another key."""
    return [
        Target(
            key=str(share.child_id),
            account_id=share.id,
            alias=share.alias,
            status=share.status,
            contracts=share.contracts,
            filled=share.filled,
            note=words_of(share),
        )
        for share in broadcast.accounts
        if share.status in RETRIED
    ]


def tick_of(order: Broadcast) -> Decimal | None:
    """Return the step on which another limit near this one must lie; None without a limit."""
    if order.limit is None:
        return None
    return tick_for(Strategy(order.strategy), [leg.symbol for leg in order.legs], order.limit)


@dataclass(frozen=True, slots=True)
class EverythingThere:
    """What closing everything is about: opening orders that may fill, and sets not yet flat."""

    orders: int
    accounts: int
    sets: Sequence[SetLine]

    @property
    def contracts(self) -> int:
        return sum(line.held for line in self.sets)


def everything_there() -> EverythingThere:
    """Count what is out: orders that open and may fill, and what sets still hold."""
    live = AccountOrder.objects.filter(
        purpose=Purpose.OPEN,
        status__in=any_of(LIVE),
        account__login__environment=settings.ENVIRONMENT,
    )
    counts = live.aggregate(orders=Count("pk"), accounts=Count("account", distinct=True))
    return EverythingThere(counts["orders"], counts["accounts"], all_open_lines())


def _working(row: AccountOrder) -> Target:
    words = [
        STAYS.format(amount(row.filled), row.contracts) if row.filled else "",
        ON_ITS_WAY if row.cancel_asked_at is not None else "",
        UNKNOWN if row.status == Status.UNKNOWN else "",
    ]
    return Target(
        key=str(row.account_id),
        account_id=row.account_id,
        alias=row.account.alias,
        status=row.status,
        contracts=row.contracts,
        filled=row.filled,
        note=" ".join(one for one in words if one),
    )
