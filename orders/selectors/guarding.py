"""Judge a trade by the pre-trade guards before anything is written: the same for every door."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Max

from accounts.domain.limits import LimitName, Limits
from accounts.services.limits import read_limits
from orders.domain.allocation import Share
from orders.domain.bodies import Body, body_of
from orders.domain.errors import BadTicket, NobodyToSendTo
from orders.domain.guards import (
    Guard,
    Situation,
    duplicates,
    find_refusals,
    most_per_account,
)
from orders.domain.lifecycle import Purpose, Status, any_of
from orders.models import AccountOrder
from orders.selectors import chains
from orders.selectors.choosing import AccountChoice, purpose_of, share_out
from strategies.domain.catalog import Structure, recognise
from strategies.domain.checks import find_problems
from strategies.domain.new_york import EASTERN
from strategies.domain.pricing import Market, natural_cash
from strategies.domain.tickets import OrderType, Problem, Ticket

PRICE_AGE_S = 60
# What a MARKET order will cost, compared with a buying power that is as old, may be older.
COST_AGE_S = 900

# An order in one of these never came to the broker, or was turned away by it.
_CAME_TO_NOTHING = (Status.FAILED_TO_PLACE, Status.SKIPPED, Status.REJECTED)


@dataclass(frozen=True, slots=True)
class Judged:
    """A trade with everybody's share, and what the guards object to.

    Args:
        bodies: what is sent, by contracts.
        problems: refusals, overridable ones too; those of DUPLICATE_ORDER are found later.
    """

    ticket: Ticket
    structure: Structure
    purpose: Purpose
    shares: Sequence[Share]
    bodies: Mapping[int, Body]
    limits: Limits
    problems: Sequence[Problem]

    @property
    def sent(self) -> list[Share]:
        return [share for share in self.shares if share.reason_code is None]

    @property
    def left_out(self) -> list[Share]:
        return [share for share in self.shares if share.reason_code is not None]

    @property
    def name(self) -> str:
        """What agents call the trade."""
        return self.structure.name

    @property
    def accounts(self) -> int:
        return len(self.shares)

    @property
    def contracts(self) -> int:
        """Contracts over all accounts."""
        return sum(share.contracts for share in self.sent)


def judge(
    ticket: Ticket,
    choice: AccountChoice,
    *,
    confirmed: Collection[str] = (),
    market: Market | None = None,
    now: datetime,
    today: date,
) -> Judged:
    """Share a trade out and look at it with every guard but DUPLICATE_ORDER.

    Args:
        confirmed: guards whose objections the agent knows; for them the broker is not asked.
        market: the prices to judge by, instead of those remembered or asked for.
        now, today: of the click; `today` is the date at the exchange.

    Errors: BadTicket, NobodyToSendTo.
    """
    problems = find_problems(ticket, today=today, at=_exchange_time(now))
    if problems:
        raise BadTicket(problems)
    purpose, limits = purpose_of(ticket), read_limits()
    most = most_per_account(ticket, purpose, limits)
    shares = share_out(ticket, choice, purpose, most=most)
    if not shares:
        words = "No account matches. Choose at least one."
        raise NobodyToSendTo([Problem("accounts", "no_accounts", words)])
    structure = recognise(ticket.legs)
    if market is None:
        natural = _natural(ticket, purpose, shares, confirmed)
    else:
        natural = natural_cash(ticket.legs, market)
    return _judged(Situation(ticket, structure, purpose, shares, limits, natural))


def _judged(one: Situation) -> Judged:
    contracts = {share.contracts for share in one.shares}
    return Judged(
        ticket=one.ticket,
        structure=one.structure,
        purpose=one.purpose,
        shares=one.shares,
        bodies={number: body_of(one.ticket, number) for number in contracts},
        limits=one.limits,
        problems=find_refusals(one),
    )


def find_duplicates(
    judged: Judged, *, now: datetime, confirmed: Collection[str] = ()
) -> list[Problem]:
    """Return the objection to accounts that got the same order a moment ago; exits get none.

    Args:
        confirmed: guards whose objections the agent knows; one account of many is named for them.
    """
    window_s = int(judged.limits[LimitName.DUPLICATE_WINDOW_S])
    if judged.purpose == Purpose.CLOSE or not window_s:
        return []
    wanted = {
        share.account_id: (share.alias, judged.bodies[share.contracts].fingerprint)
        for share in judged.sent
    }
    recent = AccountOrder.objects.filter(
        account__in=list(wanted),
        fingerprint__in={fingerprint for _, fingerprint in wanted.values()},
        created_at__gt=now - timedelta(seconds=window_s),
    ).exclude(status__in=any_of(_CAME_TO_NOTHING))
    if Guard.DUPLICATE_ORDER in confirmed:
        rows = recent.values_list("account_id", "fingerprint", "created_at")[:1]
    else:
        rows = recent.values_list("account_id", "fingerprint").annotate(Max("created_at"))
    made = {(account_id, fingerprint): at for account_id, fingerprint, at in rows}
    found = [
        (alias, (now - made[account_id, fingerprint]).total_seconds())
        for account_id, (alias, fingerprint) in wanted.items()
        if (account_id, fingerprint) in made
    ]
    return list(duplicates(found, window_s))


def _natural(
    ticket: Ticket, purpose: Purpose, shares: Sequence[Share], confirmed: Collection[str]
) -> Decimal | None:
    """Return what one unit brings now, if a guard wants to know; None where nobody knows."""
    match ticket.order_type:
        case OrderType.LIMIT:
            age_s, guard = PRICE_AGE_S, Guard.PRICE_AWAY
        case OrderType.MARKET if purpose == Purpose.OPEN and _has_known_power(shares):
            age_s, guard = COST_AGE_S, Guard.BUYING_POWER
        case _:
            return None
    symbols = [leg.symbol for leg in ticket.legs]
    may_ask = guard not in confirmed
    return natural_cash(ticket.legs, chains.market_now(symbols, max_age_s=age_s, may_ask=may_ask))


def _has_known_power(shares: Sequence[Share]) -> bool:
    return any(one.buying_power is not None for one in shares if one.reason_code is None)


def _exchange_time(now: datetime) -> time | None:
    """Return the time at the exchange; the paper broker's market is open round the clock."""
    return None if settings.IS_PAPER else now.astimezone(EASTERN).time()
