"""Judge an exit before anything is written: its terms, its price, the guards."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.modes import ModeRule, strictest
from accounts.domain.words import Mode
from accounts.selectors import groups_of, our_accounts
from accounts.selectors.modes import mode_rules
from accounts.services.limits import read_limits
from orders.domain.allocation import Share, blocks
from orders.domain.errors import BadTicket, GuardRefused
from orders.domain.exits import MOST_PERCENT, ExitTerms, Pricing, part_of
from orders.domain.guards import Guard, Situation, find_refusals, settle
from orders.domain.lifecycle import Purpose, Reason
from orders.models import AccountOrder, ExitStep, PlacedOrderSet
from orders.selectors.chains import market_now
from orders.selectors.exit_pricing import exit_prices
from orders.selectors.filled import filled_of_sets, quantities_of
from orders.services.exits.situation import NOT_OVER
from strategies.domain.catalog import Structure, recognise
from strategies.domain.checks import find_problems
from strategies.domain.pricing import natural_cash
from strategies.domain.reversal import reverse_legs
from strategies.domain.tickets import Instruction, Leg, OrderType, Problem, Ticket

PRICE_AGE_S = 60
# What accounts have of a set, signed, by symbol.
Remaining = Mapping[UUID, Mapping[str, int]]
_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class SetNow:
    """A set as it is on record.

    Args:
        left: what of it accounts still have as far as we know: not what exits of it have closed,
            nor what an exit found gone otherwise.
        entering: accounts where its entry is not over, filled in part or not at all yet.
    """

    placed_set: PlacedOrderSet
    bought: Remaining
    left: Remaining
    entering: Collection[UUID]

    def meant(self, terms: ExitTerms) -> Remaining:
        """Return what is left in the accounts that the agent means, those that enter included."""
        wanted = terms.accounts
        known = {**dict.fromkeys(self.entering, _NOTHING), **self.left}
        return {pk: legs for pk, legs in known.items() if wanted is None or pk in wanted}


def read_set(placed_set: PlacedOrderSet) -> SetNow:
    """Read what is on record about a set."""
    return read_sets([placed_set])[placed_set.pk]


def read_sets(sets: Collection[PlacedOrderSet]) -> dict[int, SetNow]:
    """Read what is on record about sets, in three queries, by their numbers."""
    entries = {one.order_id for one in sets}
    filled = filled_of_sets(entries, {one.pk for one in sets})
    bought, closed = (quantities_of(one) for one in filled)
    gone = _gone_otherwise(sets)
    entering: dict[int, set[UUID]] = defaultdict(set)
    alive = AccountOrder.objects.filter(NOT_OVER, order__in=entries)
    for order_id, account_id in alive.values_list("order_id", "account_id"):
        entering[order_id].add(account_id)
    return {
        one.pk: _set_now(
            one,
            bought.get(one.order_id, {}),
            closed.get(one.pk, {}),
            gone[one.pk],
            entering[one.order_id],
        )
        for one in sets
    }


def plan_of(known: SetNow, account_id: UUID, percent: int) -> dict[str, int]:
    """Return what of a set is to be closed in an account, signed as the position that it is."""
    bought, left = known.bought.get(account_id, {}), known.left.get(account_id, {})
    return {symbol: part_of(bought[symbol], left[symbol], percent) for symbol in left}


_Bought = Mapping[UUID, Mapping[str, Decimal]]
_Gone = Mapping[tuple[UUID, str], int]


def _set_now(
    placed_set: PlacedOrderSet,
    bought: _Bought,
    closed: _Bought,
    gone: _Gone,
    entering: Collection[UUID],
) -> SetNow:
    whole = {pk: {s: int(n) for s, n in legs.items()} for pk, legs in bought.items()}
    left: dict[UUID, dict[str, int]] = {}
    for pk, legs in whole.items():
        less = closed.get(pk, {})
        rest = {s: n + int(less.get(s, 0)) - gone.get((pk, s), 0) for s, n in legs.items()}
        if any(rest[symbol] * legs[symbol] > 0 for symbol in legs):
            left[pk] = rest
    return SetNow(placed_set, whole, left, entering)


@dataclass(frozen=True, slots=True)
class Draft:
    """The closing ticket of a whole set, and what the agent overrode."""

    ticket: Ticket
    structure: Structure
    overridden: Sequence[Problem]


def draft_exit(known: SetNow, terms: ExitTerms, now: datetime) -> Draft:
    """Make the closing ticket at its price, and let the guards look at it."""
    entry = known.placed_set.order
    legs = reverse_legs(
        [Leg(leg.symbol, Instruction(leg.instruction), leg.ratio) for leg in entry.legs.all()]
    )
    structure = recognise(legs)
    is_market = terms.pricing == Pricing.MARKET
    ticket = Ticket(
        strategy=structure.strategy,
        legs=structure.legs,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        contracts=max(entry.contracts * terms.percent // MOST_PERCENT, 1),
        limit=None if is_market else _limit(structure.legs, terms),
        price_effect=structure.price_effect,
    )
    if problems := find_problems(ticket, today=now.date()):
        raise BadTicket(problems)
    overridden = _guard(ticket, structure, known, terms)
    return Draft(ticket, structure, overridden)


def _limit(legs: Sequence[Leg], terms: ExitTerms) -> Decimal:
    if terms.limit is not None:
        return terms.limit
    prices = exit_prices(legs)
    found = prices.natural if terms.pricing == Pricing.NATURAL else prices.mid
    if found is None:
        words = "There is no quote of every leg now. Enter the limit to close at."
        raise BadTicket([Problem("limit", "no_quote", words)])
    return found


def _guard(
    ticket: Ticket, structure: Structure, known: SetNow, terms: ExitTerms
) -> Sequence[Problem]:
    """Return what was overridden. Errors: GuardRefused; size and CLOSE_ONLY let exits pass."""
    natural = None
    if terms.pricing == Pricing.LIMIT:
        symbols = [leg.symbol for leg in ticket.legs]
        may_ask = Guard.PRICE_AWAY not in terms.confirm
        natural = natural_cash(
            ticket.legs, market_now(symbols, max_age_s=PRICE_AGE_S, may_ask=may_ask)
        )
    shares = _shares(known.meant(terms), known.placed_set.order.underlying)
    situation = Situation(ticket, structure, Purpose.CLOSE, shares, read_limits(), natural)
    # What the market says now is not far from itself, whoever asked it a moment later.
    found = [
        problem
        for problem in find_refusals(situation)
        if problem.code != Guard.PRICE_AWAY or terms.pricing == Pricing.LIMIT
    ]
    refused, overridden = settle(found, terms.confirm)
    if refused:
        raise GuardRefused(refused, overridden)
    return overridden


def _shares(meant: Remaining, underlying: str) -> list[Share]:
    rules = mode_rules()
    groups = groups_of(list(meant)) if rules else {}
    names = our_accounts().filter(pk__in=meant).values_list("pk", "alias")
    shares = []
    for pk, alias in names:
        rule = strictest(
            rules, account_id=str(pk), groups=groups.get(pk, frozenset()), underlying=underlying
        )
        stopped = rule if rule is not None and blocks(rule.mode, Purpose.CLOSE) else None
        shares.append(_share(pk, alias, meant[pk], stopped))
    return shares


def _share(pk: UUID, alias: str, legs: Mapping[str, int], stopped: ModeRule | None) -> Share:
    units = min((abs(quantity) for quantity in legs.values()), default=0)
    if stopped is None:
        return Share(pk, alias, units)
    code = Reason.FROZEN if stopped.mode == Mode.FROZEN else Reason.CLOSE_ONLY
    return Share(pk, alias, units, code, stopped.words)


def check_terms(known: SetNow, terms: ExitTerms) -> None:
    """Raise BadTicket for terms that contradict themselves or the set."""
    problems = []
    if not 1 <= terms.percent <= MOST_PERCENT:
        words = "The part to close must be between 1 and 100 percent."
        problems.append(Problem("percent", "out_of_range", words))
    if terms.pricing != Pricing.LIMIT and terms.limit is not None:
        words = f"An exit at {terms.pricing} has no limit. Leave it out, or use LIMIT."
        problems.append(Problem("limit", "not_allowed", words))
    if terms.pricing == Pricing.LIMIT and terms.limit is None:
        problems.append(Problem("limit", "missing", "Enter the limit to close at."))
    if unknown := set(terms.accounts or ()) - {*known.bought, *known.entering}:
        words = f"Account {min(map(str, unknown))} has nothing of this set. Leave it out."
        problems.append(Problem("accounts", "unknown_account", words))
    if terms.accounts is not None and not terms.accounts:
        problems.append(Problem("accounts", "no_accounts", "Choose at least one account."))
    if problems:
        raise BadTicket(problems)


def _gone_otherwise(sets: Collection[PlacedOrderSet]) -> dict[int, dict[tuple[UUID, str], int]]:
    flat = ExitStep.objects.filter(
        placed_order_set__in=[one.pk for one in sets], flat_at__isnull=False
    )
    gone: dict[int, dict[tuple[UUID, str], int]] = defaultdict(lambda: defaultdict(int))
    rows = flat.values_list("placed_order_set_id", "account_id", "residual")
    for set_id, account_id, residual in rows:
        for symbol, quantity in residual.items():
            gone[set_id][account_id, symbol] += quantity
    return gone
