"""What a ticket comes to: its payoff, its chances, who gets how much, and what all of it risks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from brokerage.schwab.replies import ChainRow
from orders.domain.allocation import Share
from orders.domain.requirements import requirement
from orders.selectors.guarding import Judged
from orders.selectors.offering import Offer, is_credit
from strategies.domain.catalog import Structure
from strategies.domain.legs import is_opening
from strategies.domain.payoff import Payoff, payoff, probability_of_profit
from strategies.domain.symbols import PutCall


@dataclass(frozen=True, slots=True)
class Figures:
    """A trade in numbers.

    Args:
        curve: of one account that gets the contracts typed; None without a price, and for what
            closes: that depends on what it was opened at.
        price: of the underlying; None if nobody says.
        chance: probability of profit, see probability_of_profit(); None if it cannot be told.
        sent, left_out: the accounts, as far as the ticket can be judged.
        at_risk, most: what all accounts together may lose and gain; None: without end, or unknown.
        power: buying power that all of them tie up; None where only the broker can tell.
    """

    curve: Payoff | None
    price: Decimal | None
    chance: Decimal | None
    sent: Sequence[Share] = ()
    left_out: Sequence[Share] = ()
    at_risk: Decimal | None = None
    most: Decimal | None = None
    power: Decimal | None = None

    @property
    def contracts(self) -> int:
        """Contracts over all accounts."""
        return sum(share.contracts for share in self.sent)

    @property
    def accounts(self) -> int:
        return len(self.sent) + len(self.left_out)


def figure(
    structure: Structure,
    *,
    limit: Decimal | None,
    contracts: int,
    offer: Offer,
    judged: Judged | None,
    today: date,
) -> Figures:
    """Work out the numbers of a trade at its limit, or at the natural price without one.

    Args:
        limit: positive, USD per unit, as it is typed.
        contracts: units of the strategy that the agent asked for.
        judged: the same trade with everybody's share; None while something is wrong with it.
    """
    price = offer.natural if limit is None else limit
    sent, left_out = (judged.sent, judged.left_out) if judged else ((), ())
    if price is None or not is_opening(structure.legs) or contracts < 1:
        return Figures(None, offer.price, None, sent, left_out)
    cash = price if is_credit(structure) else -price
    curve, one = (payoff(structure.legs, cash, contracts=n) for n in (contracts, 1))
    total = sum(share.contracts for share in sent)
    days = 0 if offer.expiration is None else (offer.expiration - today).days
    smile = _smile((offer.rows or {}).values(), offer.price)
    return Figures(
        curve=curve,
        price=offer.price,
        chance=probability_of_profit(curve, price=offer.price, smile=smile, days=days),
        sent=sent,
        left_out=left_out,
        at_risk=None if one.max_loss is None else -one.max_loss * total,
        most=None if one.max_gain is None else one.max_gain * total,
        power=_power(structure, cash, sent),
    )


def _power(structure: Structure, cash: Decimal, sent: Sequence[Share]) -> Decimal | None:
    """Return what all accounts together need, each as its type asks."""
    total = Decimal(0)
    for is_margin in (True, False):
        contracts = sum(share.contracts for share in sent if share.is_margin is is_margin)
        need = requirement(structure, cash, is_margin=is_margin) if contracts else Decimal(0)
        if need is None:
            return None
        total += need * contracts
    return total


def _smile(rows: Collection[ChainRow], price: Decimal | None) -> dict[Decimal, Decimal]:
    """Return implied volatilities by strike: of the side that is out of the money, if it has one.

    The other side's is as good in theory, but its quotes are wide.
    """
    found: dict[Decimal, Decimal] = {}
    for row in rows:
        is_outside = price is None or (row.strike < price) == (row.put_call == PutCall.PUT)
        if row.iv is not None and (is_outside or row.strike not in found):
            found[row.strike] = row.iv
    return found
