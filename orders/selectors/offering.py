"""What the market offers for a ticket: expirations, strikes, and the prices of the trade now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from brokerage.errors import Refused
from brokerage.schwab.replies import ChainRow
from orders.domain.shapes import Shape
from orders.selectors import chains
from orders.selectors.chains import LIVE, Freshness
from orders.selectors.picking import (
    USUAL,
    Picking,
    Places,
    Strikes,
    all_listed,
    pick_strikes,
)
from strategies.domain.catalog import ImpossibleTrade, Structure
from strategies.domain.pricing import Market, mid_cash, natural_cash
from strategies.domain.symbols import InvalidSymbol, PutCall, is_index, quote_symbol
from strategies.domain.tickets import PriceEffect, Strategy
from strategies.domain.ticks import round_to_tick, tick_for

# How old the list of expirations may be where remembered prices do.
DAYS_AGE_S = 300

# Given the chain, returns the strikes that the agent means; None lets them be picked.
Choose = Callable[[Places], Strikes | None]


@dataclass(frozen=True, slots=True)
class Offer:
    """A trade as the market has it now.

    Args:
        expirations: listed days, nearest first; empty for shares.
        rows: the chain of `expiration`, by side and strike.
        strikes: as asked for, or picked; those without a row are not listed.
        structure: the trade that these make; None if they make none.
        mid, natural: USD per unit, on tick, positive; None if the strikes make no trade or a price
            is missing.
        market: bid and ask of everything listed.
        price: of the underlying; None if nobody says.
    """

    expirations: Sequence[date] = ()
    expiration: date | None = None
    root: str = ""
    rows: Places | None = None
    strikes: Strikes = ()
    structure: Structure | None = None
    mid: Decimal | None = None
    natural: Decimal | None = None
    market: Market = field(default_factory=dict)
    price: Decimal | None = None

    def row(self, side: PutCall, strike: Decimal) -> ChainRow | None:
        """Return the option of this strike, or None if it is not listed."""
        return (self.rows or {}).get((side, strike))

    def side(self, side: PutCall) -> list[ChainRow]:
        """Return all puts, or all calls, lowest strike first."""
        return [row for (its_side, _), row in (self.rows or {}).items() if its_side == side]


def make_offer(
    shape: Shape,
    *,
    expiration: date | None,
    strikes: Strikes | None,
    exactly: bool,
    today: date,
    picking: Picking = USUAL,
    fresh: Freshness = LIVE,
) -> Offer:
    """Ask the broker for everything a ticket form shows.

    Args:
        expiration: taken if listed; else picked.
        strikes: taken if all are listed, or if `exactly`; else picked.

    Errors: InvalidSymbol; NotRemembered; those of brokerage.errors.
    """

    def choose(places: Places) -> Strikes | None:
        is_taken = strikes is not None and (exactly or all_listed(shape, places, strikes))
        return strikes if is_taken else None

    return offer_of(
        shape, expiration=expiration, choose=choose, today=today, picking=picking, fresh=fresh
    )


def offer_of(
    shape: Shape,
    *,
    expiration: date | None,
    choose: Choose,
    today: date,
    picking: Picking = USUAL,
    fresh: Freshness = LIVE,
) -> Offer:
    """Do the same with strikes that depend on the chain."""
    if shape.strategy is Strategy.EQUITY:
        return _share_offer(shape, fresh)
    listed = chains.expirations(shape.underlying, fresh=_days_fresh(fresh))
    days = list(dict.fromkeys(one.expiration for one in listed))
    day = _choose_day(days, expiration, today + timedelta(days=picking.days), shape.underlying)
    now = chains.chain_now(shape.underlying, day, fresh=fresh)
    if not now.rows:
        raise Refused(f"{shape.underlying} lists nothing for {day}.", status=404)
    places: Places = {(row.put_call, row.strike): row for row in now.rows}
    chosen = choose(places) or pick_strikes(shape, places, picking)
    root = now.rows[0].root
    structure = _structure(shape, root, day, chosen)
    prices: Market = {row.symbol: (row.bid, row.ask) for row in now.rows}
    return Offer(
        expirations=days,
        expiration=day,
        root=root,
        rows=places,
        strikes=chosen,
        structure=structure,
        mid=_price(structure, prices, mid=True),
        natural=_price(structure, prices, mid=False),
        market=prices,
        price=now.price,
    )


def _days_fresh(fresh: Freshness) -> Freshness:
    """Let the list of days be older than prices: it changes once a day."""
    return replace(fresh, max_age_s=DAYS_AGE_S) if fresh.max_age_s else fresh


def _share_offer(shape: Shape, fresh: Freshness) -> Offer:
    if is_index(shape.underlying):
        raise InvalidSymbol(
            f"{shape.underlying} is an index, which has no shares. Enter a ticker such as AAPL."
        )
    market = chains.share_market(quote_symbol(shape.underlying), fresh=fresh)
    structure = shape.build_shares()
    prices: Market = {shape.underlying: market}
    mid = _price(structure, prices, mid=True)
    return Offer(
        structure=structure,
        mid=mid,
        natural=_price(structure, prices, mid=False),
        market=prices,
        price=mid,
    )


def _choose_day(days: Sequence[date], wanted: date | None, first: date, underlying: str) -> date:
    if wanted is not None and wanted in days:
        return wanted
    if not days:
        raise Refused(f"{underlying} has no options.", status=404)
    return next((day for day in days if day >= first), days[-1])


def _structure(shape: Shape, root: str, day: date, strikes: Strikes) -> Structure | None:
    if len(strikes) != len(shape.sides):
        return None
    try:
        return shape.build(root=root, expiration=day, strikes=strikes)
    except (ImpossibleTrade, InvalidSymbol):
        return None


def _price(structure: Structure | None, prices: Market, *, mid: bool) -> Decimal | None:
    """Return what one unit gives or costs, on tick and never better for us than the market's."""
    if structure is None:
        return None
    total = (mid_cash if mid else natural_cash)(structure.legs, prices)
    if total is None:
        return None
    gives = is_credit(structure)
    amount = total if gives else -total
    symbols = [leg.symbol for leg in structure.legs]
    tick = tick_for(structure.strategy, symbols, max(amount, Decimal("0.01")))
    return max(round_to_tick(amount, tick, up=not gives), tick)


def is_credit(structure: Structure) -> bool:
    """Tell whether the trade brings money in."""
    if structure.price_effect is None:
        return not structure.legs[0].instruction.is_buy
    return structure.price_effect is PriceEffect.NET_CREDIT
