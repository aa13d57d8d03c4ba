"""What the market offers for a ticket: expirations, strikes, and the prices of the trade now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from brokerage.errors import Refused
from brokerage.schwab.replies import ChainRow
from orders.domain.shapes import Shape
from orders.selectors import chains
from strategies.domain.catalog import ImpossibleTrade, Structure
from strategies.domain.symbols import InvalidSymbol, PutCall, is_index, quote_symbol
from strategies.domain.tickets import PriceEffect, Strategy
from strategies.domain.ticks import round_to_tick, tick_for

DAYS_AWAY = 7
SHORT_DELTA = Decimal("0.15")
WIDTH = Decimal(5)

Strikes = tuple[Decimal, ...]
_Places = Mapping[tuple[str, Decimal], ChainRow]
_Prices = Mapping[str, tuple[Decimal | None, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A trade as the market has it now.

    Args:
        expirations: listed days, nearest first; empty for shares.
        rows: the chain of `expiration`, by side and strike.
        strikes: as asked for, or picked; those without a row are not listed.
        mid, natural: USD per unit, on tick, positive; None if the strikes make no trade or a price
            is missing.
    """

    expirations: Sequence[date] = ()
    expiration: date | None = None
    root: str = ""
    rows: _Places | None = None
    strikes: Strikes = ()
    mid: Decimal | None = None
    natural: Decimal | None = None

    def row(self, side: PutCall, strike: Decimal) -> ChainRow | None:
        """Return the option of this strike, or None if it is not listed."""
        return (self.rows or {}).get((side, strike))

    def side(self, side: PutCall) -> list[ChainRow]:
        """Return all puts, or all calls, lowest strike first."""
        return [row for (its_side, _), row in (self.rows or {}).items() if its_side == side]


def make_offer(
    shape: Shape, *, expiration: date | None, strikes: Strikes | None, exactly: bool, today: date
) -> Offer:
    """Ask the broker for everything a ticket form shows.

    Args:
        expiration: taken if listed; else the first at least a week away.
        strikes: taken if all are listed, or if `exactly`; else picked around a delta of 0.15.

    Errors: InvalidSymbol; those of brokerage.errors.
    """
    if shape.strategy is Strategy.EQUITY:
        return _share_offer(shape)
    days = list(dict.fromkeys(one.expiration for one in chains.expirations(shape.underlying)))
    day = _choose_day(days, expiration, shape.underlying, today)
    rows = chains.chain(shape.underlying, day)
    if not rows:
        raise Refused(f"{shape.underlying} lists nothing for {day}.", status=404)
    places: _Places = {(row.put_call, row.strike): row for row in rows}
    chosen = _choose_strikes(shape, places, strikes, exactly=exactly)
    structure = _structure(shape, rows[0].root, day, chosen)
    prices: _Prices = {row.symbol: (row.bid, row.ask) for row in rows}
    return Offer(
        expirations=days,
        expiration=day,
        root=rows[0].root,
        rows=places,
        strikes=chosen,
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
        mid=_price(structure, prices, mid=True), natural=_price(structure, prices, mid=False)
    )


def _choose_day(days: Sequence[date], wanted: date | None, underlying: str, today: date) -> date:
    if wanted is not None and wanted in days:
        return wanted
    if not days:
        raise Refused(f"{underlying} has no options.", status=404)
    return next((day for day in days if (day - today).days >= DAYS_AWAY), days[-1])


def _choose_strikes(
    shape: Shape, places: _Places, wanted: Strikes | None, *, exactly: bool
) -> Strikes:
    if wanted and len(wanted) == len(shape.sides):
        listed = all(place in places for place in zip(shape.sides, wanted, strict=True))
        if exactly or listed:
            return wanted
    return _pick_strikes(shape, places)


def _pick_strikes(shape: Shape, places: _Places) -> Strikes:
    """Pick the strikes by delta, and the wings beside them; nothing where there are no deltas."""
    near = {side: _nearest(places, side) for side in shape.sides}
    put, call = near.get(PutCall.PUT), near.get(PutCall.CALL)
    puts: Strikes = ()
    calls: Strikes = ()
    if put is not None:
        puts = (_beside(places, PutCall.PUT, put, -WIDTH), put)
    if call is not None:
        calls = (call, _beside(places, PutCall.CALL, call, WIDTH))
    if shape.strategy is Strategy.SINGLE_OPTION:
        return puts[1:] + calls[:1]
    return puts + calls if len(puts + calls) == len(shape.sides) else ()


def _nearest(places: _Places, side: PutCall) -> Decimal | None:
    deltas = {
        row.strike: abs(abs(row.delta) - SHORT_DELTA)
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
    if not strikes:
        return None
    try:
        return shape.build(root=root, expiration=day, strikes=strikes)
    except (ImpossibleTrade, InvalidSymbol):
        return None


def _price(structure: Structure | None, prices: _Prices, *, mid: bool) -> Decimal | None:
    """Return what one unit gives or costs, on tick and never better for us than the market's."""
    if structure is None:
        return None
    total = Decimal(0)
    for leg in structure.legs:
        bid, ask = prices.get(leg.symbol, (None, None))
        if bid is None or ask is None:
            return None
        is_buy = leg.instruction.is_buy
        price = (bid + ask) / 2 if mid else (ask if is_buy else bid)
        total += -price if is_buy else price
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
