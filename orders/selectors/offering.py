"""What the market offers for a ticket: expirations, strikes, and the prices of the trade now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from brokerage.errors import Refused
from brokerage.schwab.replies import ChainRow
from orders.domain.shapes import Shape
from orders.selectors import chains
from strategies.domain.catalog import ImpossibleTrade, Structure
from strategies.domain.pricing import Market, mid_cash, natural_cash
from strategies.domain.symbols import InvalidSymbol, PutCall, is_index, quote_symbol
from strategies.domain.tickets import PriceEffect, Strategy
from strategies.domain.ticks import round_to_tick, tick_for

Strikes = tuple[Decimal, ...]
_Places = Mapping[tuple[str, Decimal], ChainRow]


@dataclass(frozen=True, slots=True)
class Picking:
    """How what was left open is picked.

    Args:
        days: the expiration is the first one at least this far away.
        delta: of the strikes nearest to the market, without its sign.
        width: USD from there to the wings.
    """

    days: int = 7
    delta: Decimal = Decimal("0.15")
    width: Decimal = Decimal(5)


USUAL = Picking()


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
    """

    expirations: Sequence[date] = ()
    expiration: date | None = None
    root: str = ""
    rows: _Places | None = None
    strikes: Strikes = ()
    structure: Structure | None = None
    mid: Decimal | None = None
    natural: Decimal | None = None

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
) -> Offer:
    """Ask the broker for everything a ticket form shows.

    Args:
        expiration: taken if listed; else picked.
        strikes: taken if all are listed, or if `exactly`; else picked.

    Errors: InvalidSymbol; those of brokerage.errors.
    """
    if shape.strategy is Strategy.EQUITY:
        return _share_offer(shape)
    days = list(dict.fromkeys(one.expiration for one in chains.expirations(shape.underlying)))
    day = _choose_day(days, expiration, today + timedelta(days=picking.days), shape.underlying)
    rows = chains.chain(shape.underlying, day)
    if not rows:
        raise Refused(f"{shape.underlying} lists nothing for {day}.", status=404)
    places: _Places = {(row.put_call, row.strike): row for row in rows}
    is_taken = strikes is not None and (exactly or _all_listed(shape, places, strikes))
    chosen = strikes if strikes and is_taken else _pick_strikes(shape, places, picking)
    structure = _structure(shape, rows[0].root, day, chosen)
    prices: Market = {row.symbol: (row.bid, row.ask) for row in rows}
    return Offer(
        expirations=days,
        expiration=day,
        root=rows[0].root,
        rows=places,
        strikes=chosen,
        structure=structure,
        mid=_price(structure, prices, mid=True),
        natural=_price(structure, prices, mid=False),
    )


def _share_offer(shape: Shape) -> Offer:
    if is_index(shape.underlying):
        raise InvalidSymbol(
            f"{shape.underlying} is an index, which has no shares. Enter a ticker such as AAPL."
        )
    name = quote_symbol(shape.underlying)
    quote = chains.quotes([name]).by_symbol.get(name)
    if quote is None:
        raise Refused(f"The broker has no price for {shape.underlying}.", status=404)
    structure = shape.build_shares()
    prices = {shape.underlying: (quote.bid, quote.ask)}
    return Offer(
        structure=structure,
        mid=_price(structure, prices, mid=True),
        natural=_price(structure, prices, mid=False),
    )


def _choose_day(days: Sequence[date], wanted: date | None, first: date, underlying: str) -> date:
    if wanted is not None and wanted in days:
        return wanted
    if not days:
        raise Refused(f"{underlying} has no options.", status=404)
    return next((day for day in days if day >= first), days[-1])


def _all_listed(shape: Shape, places: _Places, strikes: Strikes) -> bool:
    return len(strikes) == len(shape.sides) and all(
        place in places for place in zip(shape.sides, strikes, strict=True)
    )


def _pick_strikes(shape: Shape, places: _Places, picking: Picking) -> Strikes:
    """Pick the strikes by delta, and the wings beside them; nothing where there are no deltas."""
    near = {side: _nearest(places, side, picking.delta) for side in shape.sides}
    put, call = near.get(PutCall.PUT), near.get(PutCall.CALL)
    puts: Strikes = ()
    calls: Strikes = ()
    if put is not None:
        puts = (_beside(places, PutCall.PUT, put, -picking.width), put)
    if call is not None:
        calls = (call, _beside(places, PutCall.CALL, call, picking.width))
    if shape.strategy is Strategy.SINGLE_OPTION:
        return puts[1:] + calls[:1]
    return puts + calls if len(puts + calls) == len(shape.sides) else ()


def _nearest(places: _Places, side: PutCall, delta: Decimal) -> Decimal | None:
    deltas = {
        row.strike: abs(abs(row.delta) - delta)
        for row in places.values()
        if row.put_call == side and row.delta is not None
    }
    return min(deltas, key=lambda strike: deltas[strike], default=None)


def _beside(places: _Places, side: PutCall, body: Decimal, step: Decimal) -> Decimal:
    """Return the listed strike nearest to one step from the body, on that side of it."""
    beyond = [
        strike
        for its_side, strike in places
        if its_side == side and (strike < body if step < 0 else strike > body)
    ]
    return min(beyond, key=lambda strike: abs(strike - body - step), default=body)


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
