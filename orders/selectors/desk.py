"""What the desk shows: the last broadcasts with a cell per account, and whom a ticket goes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.selectors import our_accounts
from orders.domain.lifecycle import TERMINAL, ParentStatus, Purpose, Status
from orders.selectors.controlling import sets_by_order
from orders.selectors.deciding import earliest_proof
from orders.selectors.showing import AccountShare, Broadcast, effect_words, pressing_broadcasts
from orders.templatetags.desk import NOT_PART, price, status_words

MOST_ROWS = 30

_RETRIED = frozenset({Status.FAILED_TO_PLACE, Status.REJECTED})
_PROBLEMS = frozenset({Status.FAILED_TO_PLACE, Status.REJECTED, Status.UNKNOWN, Status.SKIPPED})


@dataclass(frozen=True, slots=True)
class Cell:
    """One account in a broadcast's grid; the code NOT_PART keeps its place empty."""

    code: str
    tip: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An account whose order needs words: what happened, and why.

    Args:
        unknown_since: None unless it is UNKNOWN.
        proof_at: when the machine can have proved at the earliest that it was not placed; None once
            it asks the agent.
    """

    alias: str
    status: str
    words: str
    child_id: UUID | None = None
    needs_agent: bool = False
    unknown_since: datetime | None = None
    proof_at: datetime | None = None

    @property
    def is_pressing(self) -> bool:
        return self.needs_agent or self.unknown_since is not None


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One broadcast as the desk shows it; prices are USD per unit.

    Args:
        set_id: the set that it is the bookmark of, or that it closes.
    """

    broadcast: Broadcast
    set_id: int | None
    cells: Sequence[Cell]
    troubles: Sequence[Trouble]
    average: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None

    @property
    def pressing(self) -> int:
        """How many accounts wait for the machine's search or for the agent."""
        return sum(trouble.is_pressing for trouble in self.troubles)

    @property
    def is_at_work(self) -> bool:
        """Whether it may still fill somewhere: it can be canceled, or go on at another limit."""
        return any(share.status not in TERMINAL for share in self.broadcast.accounts)

    @property
    def has_failed(self) -> bool:
        """Whether it can be retried somewhere; what an exit left has remedies of its own."""
        return not self.is_exit and any(s.status in _RETRIED for s in self.broadcast.accounts)

    @property
    def is_exit(self) -> bool:
        return self.broadcast.purpose == Purpose.CLOSE and self.set_id is not None

    @property
    def filled(self) -> str:
        """How many accounts are filled, of those it was sent to: `31/45`."""
        return f"{self.broadcast.filled_accounts}/{self.broadcast.sent_accounts}"

    @property
    def effect(self) -> str:
        """What stands before the price: `CREDIT`, `LIMIT`; the order type where there is none."""
        return effect_words(self.broadcast.order_type, self.broadcast.price_effect)


def desk_rows(*, most: int = MOST_ROWS) -> list[DeskRow]:
    """Return those that need the agent, then the newest, in five queries whatever their number."""
    aliases = dict(our_accounts().values_list("pk", "alias"))
    shown = pressing_broadcasts(most=most)
    sets = sets_by_order([one.id for one in shown])
    return [_row(one, sets.get(one.id), aliases) for one in shown]


def last_row(rows: Sequence[DeskRow]) -> DeskRow | None:
    """Return the broadcast sent last, wherever it stands in the list."""
    return max(rows, key=lambda row: row.broadcast.id, default=None)


def _row(broadcast: Broadcast, set_id: int | None, aliases: Mapping[UUID, str]) -> DeskRow:
    shares = {share.id: share for share in broadcast.accounts}
    fills = [
        (share.filled, share.net_price)
        for share in broadcast.accounts
        if share.filled and share.net_price is not None
    ]
    prices = [net_price for _, net_price in fills]
    return DeskRow(
        broadcast=broadcast,
        set_id=set_id,
        cells=[_cell(alias, shares.get(pk)) for pk, alias in aliases.items()],
        troubles=_troubles(broadcast.accounts),
        average=_average(fills),
        lowest=min(prices, default=None),
        highest=max(prices, default=None),
    )


def _troubles(shares: Sequence[AccountShare]) -> list[Trouble]:
    """Return what needs words: the unknown ones first, of them those that ask the agent."""
    found = [_trouble(one) for one in shares if one.status in _PROBLEMS or one.needs_agent]
    return sorted(found, key=lambda one: (one.unknown_since is None, not one.needs_agent))


def _trouble(share: AccountShare) -> Trouble:
    unknown_since = share.claimed_at if share.status == Status.UNKNOWN else None
    is_sought = unknown_since is not None and not share.needs_agent
    return Trouble(
        alias=share.alias,
        status=share.status,
        words=words_of(share),
        child_id=share.child_id,
        needs_agent=share.needs_agent,
        unknown_since=unknown_since,
        proof_at=earliest_proof(unknown_since) if unknown_since and is_sought else None,
    )


def _average(fills: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the mean price, weighted by what is filled, to the cent."""
    if not fills:
        return None
    total = sum((quantity * net_price for quantity, net_price in fills), Decimal(0))
    return (total / sum(quantity for quantity, _ in fills)).quantize(Decimal("0.01"))


def _cell(alias: str, share: AccountShare | None) -> Cell:
    if share is None:
        return Cell(NOT_PART, f"{alias} — not part of this broadcast")
    partly = share.status == Status.WORKING and share.filled > 0
    code = ParentStatus.PARTIAL.value if partly else share.status
    words = status_words(code)
    if share.filled and share.net_price is not None:
        words += f" {share.filled.normalize():f} at {price(share.net_price)}"
    why = words_of(share) if share.status in _PROBLEMS or share.needs_agent else ""
    return Cell(code, f"{alias} — {words}{': ' + why if why else ''}")


def words_of(share: AccountShare) -> str:
    """Say why an account's order is where it is; the broker's own words for a rejection."""
    own = share.reason or share.reason_code.replace("_", " ").capitalize()
    return (share.broker_text or own) if share.status == Status.REJECTED else own
