"""Look with the guards at account orders that are to be sent again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from orders.domain.lifecycle import Reason
from orders.models import AccountOrder
from orders.selectors.choosing import AccountChoice
from orders.selectors.guarding import judge
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Problem, Ticket

# What keeps an account from sending now. How it is sized was fixed with its first order.
_STOPS = (Reason.INACTIVE, Reason.FROZEN, Reason.CLOSE_ONLY, Reason.LOGIN_REQUIRED)


@dataclass(slots=True)
class Rejudged:
    """What may be sent again.

    Args:
        allowed: the account orders whose accounts may send now.
        left_out: why the others may not, by alias.
        problems: what the guards object to, overridable or not; not that it was sent before.
    """

    allowed: list[AccountOrder] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def words(self) -> str:
        """Say who is left out and why, for the agent."""
        return " ".join(f"{alias}: {why}" for alias, why in self.left_out.items())


def rejudge(
    again: Sequence[tuple[AccountOrder, Ticket]], *, confirmed: Collection[str], now: datetime
) -> Rejudged:
    """Judge account orders by the tickets they are to be sent with, each shape once.

    Errors: BadTicket for a ticket that cannot be traded (any more).
    """
    result = Rejudged()
    shapes: dict[Ticket, list[AccountOrder]] = {}
    for child, ticket in again:
        shapes.setdefault(replace(ticket, contracts=1), []).append(child)
    for shape, children in shapes.items():
        most = max(ticket.contracts for child, ticket in again if child in children)
        ticket = replace(shape, contracts=most)
        choice = AccountChoice(ids=tuple(child.account_id for child in children))
        judged = judge(ticket, choice, confirmed=confirmed, now=now, today=exchange_date(now))
        stopped = {s.account_id: s for s in judged.shares if s.reason_code in _STOPS}
        result.left_out |= {share.alias: share.reason for share in stopped.values()}
        result.allowed += [child for child in children if child.account_id not in stopped]
        result.problems += judged.problems
    return result
