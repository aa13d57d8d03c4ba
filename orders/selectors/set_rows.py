"""A placed order set as pages and API show it: the order, and what each account has of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from orders.domain.bookmarks import NOTHING, Quantities, SetStatus
from orders.domain.exits import ExitState
from orders.models import OrderLeg
from strategies.domain.reversal import reverse_legs
from strategies.domain.tickets import Instruction, Leg


@dataclass(frozen=True, slots=True)
class SetOrder:
    """The broadcast that a set is the bookmark of."""

    id: int
    strategy: str
    name: str
    underlying: str
    expiration: date | None
    price_effect: str | None
    limit: Decimal | None
    contracts: int
    legs: Sequence[OrderLeg]

    @property
    def closing_legs(self) -> Sequence[Leg]:
        """The legs of one unit's exit."""
        return reverse_legs(
            [Leg(leg.symbol, Instruction(leg.instruction), leg.ratio) for leg in self.legs]
        )


class SetLeg(NamedTuple):
    """One leg in one account: what was filled, and what the broker reports, whoever it is for."""

    symbol: str
    bookmarked: Decimal
    held: Decimal | None


class SetAccount(NamedTuple):
    """One account's part of a set, in units of the strategy.

    Args:
        id: of the account.
        bookmarked: whole units that were filled.
        held: whole units of what no exit of the set has closed that the broker reported at
            `read_at`; None before its first report.
        residual: units that an exit still has to close, wholly or in part.
        filled: by symbol, in the order of the legs.
        reported: what the broker last said that the account holds; None before its first report.
        residual_by_leg: in the order of the legs, signed as the position that it is.
        state: of its latest exit step, `step_id`; empty before the first exit.
        entry_price: USD per unit, the average of all attempts; None while a leg has no fill.
    """

    id: UUID
    alias: str
    mask: str
    bookmarked: int
    held: int | None
    residual: int
    filled: Quantities
    reported: Quantities | None
    residual_by_leg: Mapping[str, int]
    state: str
    why: str
    step_id: int | None
    is_flat: bool
    read_at: datetime | None
    entry_price: Decimal | None

    @property
    def by_leg(self) -> list[SetLeg]:
        """In the order of the legs."""
        reported = self.reported
        return [
            SetLeg(symbol, quantity, None if reported is None else reported.get(symbol, NOTHING))
            for symbol, quantity in self.filled.items()
        ]


@dataclass(frozen=True, slots=True)
class SetExit:
    """The closing order at work."""

    id: int
    status: str
    broadcast_ms: float | None


@dataclass(frozen=True, slots=True)
class SetRow:
    """One placed order set, with an entry per account in which anything was filled.

    Args:
        sent_accounts: to how many accounts the broadcast was sent.
        elsewhere: orders made elsewhere that touched it.
    """

    id: int
    order: SetOrder
    created_at: datetime
    flat_at: datetime | None
    accounts: Sequence[SetAccount]
    sent_accounts: int
    elsewhere: int
    exit: SetExit | None

    @property
    def status(self) -> SetStatus:
        """How far the whole set has come."""
        if self.flat_at is not None:
            return SetStatus.FLAT
        if self.exit is not None:
            return SetStatus.CLOSING
        has_residual = any(account.state == ExitState.RESIDUAL for account in self.accounts)
        return SetStatus.RESIDUAL if has_residual else SetStatus.OPEN

    @property
    def accounts_total(self) -> int:
        return len(self.accounts)

    @property
    def flat_accounts(self) -> int:
        return sum(account.is_flat for account in self.accounts)
