"""What a desk lists: broadcasts that are open, that need the agent, or that ended today."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from orders.domain.lifecycle import TERMINAL, ParentStatus, Purpose, Status
from orders.selectors.deciding import earliest_proof
from orders.selectors.desk_facts import (
    OPEN_PARENTS,
    TOLD,
    DeskFacts,
    Kind,
    RowLeg,
    Share,
    desk_facts,
    desk_orders,
)
from orders.selectors.ground import DeskOrder, Ground
from orders.selectors.showing import ShownLadder, effect_words, words_of
from orders.templatetags.desk import (
    BETWEEN_TIPS,
    CANCELING,
    MOST_CELLS,
    NOT_PART,
    amount,
    price,
    status_words,
)
from strategies.domain.new_york import exchange_date

# More open ones than this are not listed, and the page says so: nobody looks through them.
MOST_OPEN = 100
MOST_DONE = 20

_RETRIED = frozenset({Status.FAILED_TO_PLACE, Status.REJECTED})
_PROBLEMS = TOLD - {Status.SKIPPED}


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
    """One broadcast as a desk shows it; prices are USD per unit.

    Args:
        set_id: the set that it is the bookmark of, or that it closes.
        codes: a status per account in grid order, with its words in `tips`; NOT_PART where the
            broadcast did not go.
        accounts: the aliases, in the same order.
        sought: what a filter looks in beside them, in lower case.
    """

    order: DeskOrder
    set_id: int | None
    legs: Sequence[RowLeg]
    codes: Sequence[str]
    tips: Sequence[str]
    accounts: Sequence[str]
    troubles: Sequence[Trouble]
    statuses: Mapping[str, int] = field(hash=False)
    average: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None
    sought: str

    @property
    def ladder(self) -> ShownLadder | None:
        return self.order.ladder

    @property
    def is_counting(self) -> bool:
        """Whether it shows how long something has lasted, or when something is due."""
        has_ages = any(trouble.unknown_since is not None for trouble in self.troubles)
        return has_ages or self.ladder is not None

    @property
    def account_names(self) -> str:
        """The aliases as static/js/m/tips.js reads them."""
        return BETWEEN_TIPS.join(name.replace(BETWEEN_TIPS, "/") for name in self.accounts)

    @property
    def pressing(self) -> int:
        """How many accounts wait for the machine's search or for the agent."""
        return sum(trouble.is_pressing for trouble in self.troubles)

    @property
    def is_at_work(self) -> bool:
        """Whether it may still fill somewhere: it can be canceled, or go on at another limit."""
        return any(status not in TERMINAL for status in self.statuses)

    @property
    def is_open(self) -> bool:
        """Whether something of it is to come."""
        return self.is_at_work or self.order.status in OPEN_PARENTS

    @property
    def needs_agent(self) -> bool:
        return self.order.status == ParentStatus.NEEDS_AGENT

    @property
    def is_problem(self) -> bool:
        """Whether it did not go as it should in an account."""
        return self.needs_agent or any(status in _PROBLEMS for status in self.statuses)

    @property
    def failed(self) -> int:
        """In how many accounts it can be retried; what an exit left has remedies of its own."""
        return 0 if self.is_exit else sum(self.statuses.get(one, 0) for one in _RETRIED)

    @property
    def is_exit(self) -> bool:
        return self.order.purpose == Purpose.CLOSE and self.set_id is not None

    @property
    def filled_accounts(self) -> int:
        return self.statuses.get(Status.FILLED, 0)

    @property
    def sent_accounts(self) -> int:
        return sum(self.statuses.values()) - self.statuses.get(Status.SKIPPED, 0)

    @property
    def filled(self) -> str:
        """How many accounts are filled, of those it was sent to: `31/45`."""
        return f"{self.filled_accounts}/{self.sent_accounts}"

    @property
    def effect(self) -> str:
        """What stands before the price: `CREDIT`, `LIMIT`; the order type where there is none."""
        return effect_words(self.order.order_type, self.order.price_effect)


def desk_rows(kind: Kind, *, today: date, ground: Ground | None = None) -> list[DeskRow]:
    """Return what is open, with what needs the agent first, then what ended today; newest first.

    Read are so many that there is one more open one than is listed, if there is any. The newest of
    all is among them, however old, unless that many are open and need the agent.

    Args:
        ground: of the whole page, where it shows more than these.
    """
    facts = desk_facts(ground or ground_of_orders(kind))
    rows = [_row(order, facts) for order in facts.orders]
    newest = max((row.order.id for row in rows), default=None)
    still_open = [row for row in rows if row.is_open]
    done = [row for row in rows if not row.is_open]
    of_today = [
        row
        for row in done
        if row.order.id == newest or exchange_date(row.order.clicked_at) == today
    ]
    return [*still_open, *of_today[:MOST_DONE]]


def ground_of_orders(kind: Kind) -> Ground:
    """Return what a list of these shares with other parts of its page."""
    orders = desk_orders(kind, most=MOST_OPEN + MOST_DONE, newest=MOST_DONE)
    return Ground(orders, has_averages=kind is not Kind.STOCKS)  # one leg: that of the row


def last_row(rows: Sequence[DeskRow]) -> DeskRow | None:
    """Return the broadcast sent last, wherever it stands in the list."""
    return max(rows, key=lambda row: row.order.id, default=None)


def _row(order: DeskOrder, facts: DeskFacts) -> DeskRow:
    shares, fills = facts.shares.get(order.id, {}), facts.fills.get(order.id, ())
    prices = [net_price for _, net_price in fills]
    told = [shares.get(place) for place in range(len(facts.aliases))]
    return DeskRow(
        order=order,
        set_id=order.bookmark_id or order.closes_id,
        legs=tuple(facts.legs.get(order.id, ())),
        codes=tuple([_code(share) for share in told]),
        tips=tuple([_tip(share) for share in told]) if len(told) <= MOST_CELLS else (),
        accounts=facts.aliases,
        troubles=tuple(_troubles(shares, facts.aliases)),
        statuses=Counter(share.status for share in shares.values()),
        average=_average(fills),
        lowest=min(prices, default=None),
        highest=max(prices, default=None),
        sought=f"#{order.id} {order.name} {order.underlying}".lower(),
    )


def _code(share: Share | None) -> str:
    if share is None:
        return NOT_PART
    if share.is_leaving:
        return CANCELING
    partly = share.status == Status.WORKING and share.filled > 0
    return ParentStatus.PARTIAL.value if partly else share.status


def _tip(share: Share | None) -> str:
    """Return the words of a cell: `Filled 2.35`, or `Rejected` with the reason."""
    if share is None:
        return "not part of this broadcast"
    said = status_words(_code(share))
    if share.filled and share.net_price is not None:
        of = "" if share.status == Status.FILLED else f" {amount(share.filled)} at"
        said += f"{of} {price(share.net_price)}"
    why = words_of(share) if share.status in TOLD or share.needs_agent else ""
    return f"{said}: {why}" if why else said


def _troubles(shares: Mapping[int, Share], aliases: Sequence[str]) -> list[Trouble]:
    """Return what needs words: the unknown ones first, of them those that ask the agent."""
    found = [
        _trouble(aliases[place], share)
        for place, share in sorted(shares.items())
        if place >= 0 and (share.status in TOLD or share.needs_agent)
    ]
    return sorted(found, key=lambda one: (one.unknown_since is None, not one.needs_agent))


def _trouble(alias: str, share: Share) -> Trouble:
    unknown_since = share.claimed_at if share.status == Status.UNKNOWN else None
    is_sought = unknown_since is not None and not share.needs_agent
    return Trouble(
        alias=alias,
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
