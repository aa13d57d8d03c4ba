"""When which login's orders are read again: every few seconds, or less often where it suffices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts.services.read_times import ORDERS, claim_reads, give_back
from orders.services.order_reads import Watched


@dataclass(slots=True)
class Rhythm:
    """What decides how often a login is read.

    An order that closes something and one that nobody has seen yet are read at full speed always.

    Args:
        streamed: logins whose changes the broker tells by itself; polls only make sure.
        is_open: whether orders can be filled at this time of day.
    """

    now: datetime
    streamed: Collection[UUID] = frozenset()
    is_open: bool = True
    claimed: dict[UUID, float] = field(default_factory=dict)

    def claim(self, watched: Sequence[Watched], *, but_not: Collection[UUID]) -> list[UUID]:
        """Take the logins of these orders that are due, those that wait longest first.

        Args:
            but_not: logins that have been asked and have not answered.
        """
        urgent = {order.login_id for order in watched if order.is_new or order.is_closing}
        periods = {
            order.login_id: self.period_s(order.login_id, is_urgent=order.login_id in urgent)
            for order in watched
            if order.login_id not in but_not
        }
        self.claimed = claim_reads(ORDERS, periods, now=self.now)
        return list(self.claimed)

    def give_back(self, login_ids: Collection[UUID]) -> None:
        """Let logins be due again that were not asked after all."""
        give_back(ORDERS, {pk: self.claimed[pk] for pk in login_ids if pk in self.claimed})

    def period_s(self, login_id: UUID, *, is_urgent: bool) -> float:
        """Return after how many seconds a login is due again."""
        if is_urgent:
            return float(settings.POLL_EVERY_S)
        if not self.is_open:
            return float(max(settings.POLL_CLOSED_S, settings.POLL_EVERY_S))
        return float(
            settings.POLL_STREAMED_S if login_id in self.streamed else settings.POLL_EVERY_S
        )
