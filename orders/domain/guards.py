"""The pre-trade guards: what is probably a mistake, and what the agent may send all the same."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from accounts.domain.limits import LimitName, Limits
from orders.domain.allocation import Share
from orders.domain.lifecycle import Purpose, Reason
from orders.domain.requirements import own_money, requirement
from strategies.domain.catalog import Structure
from strategies.domain.pricing import expected_cash, limit_cash, reference_cash
from strategies.domain.tickets import OrderType, Problem, Strategy, Ticket

MINUS = "\N{MINUS SIGN}"
MOST_NAMES = 3


class Guard(StrEnum):
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    MAX_CONTRACTS = "MAX_CONTRACTS"
    PRICE_AWAY = "PRICE_AWAY"
    NO_MARKET_MULTILEG = "NO_MARKET_MULTILEG"
    CREDIT_OVER_WIDTH = "CREDIT_OVER_WIDTH"
    BUYING_POWER = "BUYING_POWER"
    EXPIRED = "EXPIRED"
    MODE = "MODE"


OVERRIDABLE = frozenset(
    {Guard.DUPLICATE_ORDER, Guard.PRICE_AWAY, Guard.NO_MARKET_MULTILEG, Guard.BUYING_POWER}
)


@dataclass(frozen=True, slots=True)
class Situation:
    """A trade on its way out, and all that the guards look at.

    Args:
        natural: what one unit brings now (negative: costs), USD; None where nobody knows.
    """

    ticket: Ticket
    structure: Structure
    purpose: Purpose
    shares: Sequence[Share]
    limits: Limits
    natural: Decimal | None

    @property
    def sent(self) -> list[Share]:
        return [share for share in self.shares if share.reason_code is None]

    @property
    def is_exit(self) -> bool:
        return self.purpose == Purpose.CLOSE


def find_refusals(now: Situation) -> list[Problem]:
    """Return what every guard but those of find_problems() and DUPLICATE_ORDER objects to."""
    return [
        *_mode(now),
        *_size(now),
        *_order_type(now),
        *_price(now),
        *_buying_power(now),
    ]


def duplicates(found: Sequence[tuple[str, float]], window_s: int) -> Iterator[Problem]:
    """Object to accounts that have the same order already.

    Args:
        found: their aliases, and how many seconds ago that order was made.
    """
    if found:
        aliases = [alias for alias, _ in found]
        youngest = max(0, round(min(age for _, age in found)))
        yield _refusal(
            Guard.DUPLICATE_ORDER,
            "accounts",
            f"The same order was made {youngest} s ago in {_names(aliases)}; within {window_s} s "
            "that is taken for a mistake. Look at the list before you send it once more.",
            aliases,
        )


def most_per_account(ticket: Ticket, purpose: Purpose, limits: Limits) -> int | None:
    """Return the most that one account may get; exits have no such limit."""
    if purpose == Purpose.CLOSE:
        return None
    return int(limits[_sizes(ticket)[1]])


def settle(
    problems: Sequence[Problem], confirmed: Collection[str]
) -> tuple[list[Problem], list[Problem]]:
    """Return what stays refused, and what the agent's confirming has overridden."""
    overridden = [one for one in problems if one.is_overridable and one.code in confirmed]
    refused = [
        one
        if one.is_overridable or one.code not in confirmed
        else replace(one, message=f"{one.message} Confirming {one.code} does not help.")
        for one in problems
        if not (one.is_overridable and one.code in confirmed)
    ]
    return refused, overridden


def _mode(now: Situation) -> Iterator[Problem]:
    stopped = [one for one in now.shares if one.reason_code in {Reason.FROZEN, Reason.CLOSE_ONLY}]
    if stopped and not now.sent:
        reasons = " ".join(dict.fromkeys(share.reason for share in stopped))
        aliases = [share.alias for share in stopped]
        text = f"Nothing can be sent: {reasons} That stops {_names(aliases)}."
        yield _refusal(Guard.MODE, "accounts", text, aliases)


def _size(now: Situation) -> Iterator[Problem]:
    if now.is_exit:
        return
    per_order, per_account, per_broadcast = _sizes(now.ticket)
    unit = "shares" if now.ticket.strategy is Strategy.EQUITY else "contracts"
    total = sum(share.contracts for share in now.sent)
    over = [share for share in now.shares if share.reason_code == Reason.MAX_CONTRACTS]
    if now.ticket.contracts > now.limits[per_order]:
        yield _too_many(now, per_order, f"{now.ticket.contracts:,} {unit} on a ticket")
    elif over and not now.sent:
        most = max(share.contracts for share in over)
        words = f"{most:,} {unit} in an account, multiplier included"
        yield _too_many(now, per_account, words, [share.alias for share in over])
    if total > now.limits[per_broadcast]:
        words = f"{total:,} {unit} over all {len(now.sent)} accounts"
        yield _too_many(now, per_broadcast, words)


def _too_many(now: Situation, limit: LimitName, words: str, aliases: Sequence[str] = ()) -> Problem:
    text = f"{words} is more than {now.limits[limit]:,.0f}. Send fewer"
    text += f"; an admin may raise {limit}."
    return _refusal(Guard.MAX_CONTRACTS, "contracts", text, aliases)


def _sizes(ticket: Ticket) -> tuple[LimitName, LimitName, LimitName]:
    if ticket.strategy is Strategy.EQUITY:
        return (
            LimitName.MAX_SHARES_PER_ORDER,
            LimitName.MAX_SHARES_PER_ACCOUNT,
            LimitName.MAX_SHARES_PER_BROADCAST,
        )
    return (
        LimitName.MAX_CONTRACTS_PER_ORDER,
        LimitName.MAX_CONTRACTS_PER_ACCOUNT,
        LimitName.MAX_CONTRACTS_PER_BROADCAST,
    )


def _order_type(now: Situation) -> Iterator[Problem]:
    legs = len(now.ticket.legs)
    if now.ticket.order_type is OrderType.MARKET and legs > 1:
        text = f"A MARKET order with {legs} legs takes any price. Send a LIMIT order instead."
        yield _refusal(Guard.NO_MARKET_MULTILEG, "order_type", text)


def _price(now: Situation) -> Iterator[Problem]:
    asked = limit_cash(now.ticket)
    if asked is None:
        return
    reference = reference_cash(now.ticket, now.natural)
    if reference is None:
        text = (
            "There is no quote of every leg to compare the limit with. Look at the prices first, "
            "or send it if you know them."
        )
        yield _refusal(Guard.PRICE_AWAY, "limit", text)
        return
    worse = reference - asked
    percent = now.limits[LimitName.PRICE_AWAY_PERCENT]
    allowed = max(now.limits[LimitName.PRICE_AWAY_USD], abs(reference) * percent / 100)
    if worse > allowed:
        text = (
            f"The limit {_flow(now, asked)} is {worse:.2f} worse than the "
            f"{_reference(now)} {_flow(now, reference)}; {allowed:.2f} is allowed. Correct the "
            "limit, or send it if you mean it."
        )
        yield _refusal(Guard.PRICE_AWAY, "limit", text)


def _reference(now: Situation) -> str:
    return "stop" if now.ticket.order_type is OrderType.STOP_LIMIT else "natural price"


def _flow(now: Situation, cash: Decimal) -> str:
    """Write a price with its direction, where the order has one: `0.05 credit`."""
    if now.ticket.price_effect is None:
        return f"{abs(cash):.2f}"
    return f"{abs(cash):.2f} {'debit' if cash < 0 else 'credit'}"


def _buying_power(now: Situation) -> Iterator[Problem]:
    cash = expected_cash(now.ticket, now.natural)
    if now.is_exit or cash is None:
        return
    per_unit = {
        is_margin: requirement(now.structure, cash, is_margin=is_margin)
        for is_margin in {share.is_margin for share in now.sent}
    }
    short = []
    for share in now.sent:
        need, power = per_unit[share.is_margin], share.buying_power
        if need is None or power is None:
            continue
        has = own_money(power, is_margin=share.is_margin)
        if need * share.contracts > has:
            short.append((share.alias, need * share.contracts, has))
    if short:
        few = [f"{who} needs {_dollars(need)} and has {_dollars(has)}" for who, need, has in short]
        aliases = [who for who, _, _ in short]
        text = f"{_some(few)}. Send fewer, or leave them out; the broker may refuse them."
        yield _refusal(Guard.BUYING_POWER, "accounts", text, aliases)


def _refusal(guard: Guard, field: str, text: str, aliases: Sequence[str] = ()) -> Problem:
    return Problem(field, guard.value, text, guard in OVERRIDABLE, tuple(aliases))


def _dollars(value: Decimal) -> str:
    return f"{MINUS if value < 0 else ''}${abs(value):,.2f}"


def _names(aliases: Sequence[str]) -> str:
    return _some(aliases, " accounts")


def _some(words: Sequence[str], unit: str = "") -> str:
    """Write the first few, and how many more there are."""
    more = len(words) - MOST_NAMES
    few = ", ".join(words[:MOST_NAMES])
    return f"{few} and {more} more{unit}" if more > 0 else few
