"""Draft a ticket from a wish: pick expiration, strikes and limit from the live chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from brokerage.errors import Refused
from brokerage.schwab.replies import ChainRow
from orders.domain.errors import BadTicket
from orders.selectors import chains
from strategies.domain.catalog import (
    Structure,
    VerticalKind,
    iron_condor,
    share_order,
    single_option,
    vertical,
)
from strategies.domain.legs import describe
from strategies.domain.symbols import quote_symbol
from strategies.domain.tickets import (
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Problem,
    Strategy,
    Ticket,
)
from strategies.domain.ticks import round_to_tick, tick_for


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator typed; empty parts are picked from the market.

    Args:
        days: the expiration is the first one at least this far away.
        delta: absolute delta of the short strikes, where no strikes are given.
        limit: a price, or `mid`, `natural`, `market`.
    """

    strategy: str
    underlying: str
    expiration: str | None
    days: int
    strikes: str | None
    delta: float
    width: int
    kind: str
    instruction: str | None
    right: str
    contracts: int
    limit: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket with a line for people."""

    ticket: Ticket
    words: str


@dataclass(frozen=True, slots=True)
class _Prices:
    """Bid and ask by symbol, USD per share."""

    sides: Mapping[str, tuple[Decimal, Decimal]]

    def net(self, legs: Sequence[Leg], *, mid: bool) -> Decimal:
        """Return what one unit gives (positive) or costs (negative), at mid or at natural."""
        total = Decimal(0)
        for leg in legs:
            bid, ask = self.sides[leg.symbol]
            is_buy = leg.instruction.is_buy
            price = (bid + ask) / 2 if mid else (ask if is_buy else bid)
            total += -price if is_buy else price
        return total


def draft_ticket(wish: Wish, *, today: date) -> Draft:
    """Build a ticket that says all that the wish left open.

    Errors: BadTicket, ImpossibleTrade, InvalidSymbol, ValueError; those of brokerage.errors.
    """
    if wish.strategy == Strategy.EQUITY:
        structure = share_order(wish.underlying, Instruction(wish.instruction or "BUY"))
        prices = _share_prices(wish.underlying)
    else:
        expiration = _expiration(wish, today)
        rows = chains.chain(wish.underlying, expiration)
        structure = _option_structure(wish, rows)
        prices = _Prices(
            {row.symbol: (row.bid or Decimal(0), row.ask or Decimal(0)) for row in rows}
        )
    return _priced(wish, structure, prices)


def _expiration(wish: Wish, today: date) -> date:
    if wish.expiration:
        return date.fromisoformat(wish.expiration)
    listed = [one.expiration for one in chains.expirations(wish.underlying)]
    far = [day for day in listed if (day - today).days >= wish.days]
    if not far:
        raise _bad("expiration", "no_expiration", f"{wish.underlying} lists none so far away.")
    return far[0]


def _share_prices(symbol: str) -> _Prices:
    name = quote_symbol(symbol)
    found = chains.quotes([name]).by_symbol.get(name)
    if found is None or found.bid is None or found.ask is None:
        raise Refused(f"The broker has no price for {symbol}.", status=404)
    return _Prices({symbol: (found.bid, found.ask)})


def _option_structure(wish: Wish, rows: Sequence[ChainRow]) -> Structure:
    strikes = [Decimal(text) for text in wish.strikes.split(",")] if wish.strikes else []
    by_place = {(row.put_call, row.strike): row for row in rows}
    if not rows:
        raise _bad("expiration", "no_chain", f"{wish.underlying} lists nothing for that day.")
    root = rows[0].root
    expiration = rows[0].expiration
    match wish.strategy:
        case Strategy.IRON_CONDOR:
            four = strikes or _condor_strikes(wish, rows)
            _need(four, 4)
            return iron_condor(
                root=root,
                expiration=expiration,
                put_wing=four[0],
                put_body=four[1],
                call_body=four[2],
                call_wing=four[3],
            )
        case Strategy.VERTICAL:
            kind = VerticalKind[wish.kind.upper().replace("-", "_")]
            two = strikes or _vertical_strikes(wish, kind, rows)
            _need(two, 2)
            return vertical(kind, root=root, expiration=expiration, lower=two[0], upper=two[1])
    one = strikes or [_nearest(rows, wish.right, wish.delta)]
    _need(one, 1)
    row = by_place.get((wish.right, one[0]))
    if row is None:
        raise _bad("strikes", "not_listed", f"There is no {wish.right} at {one[0]}.")
    return single_option(row.symbol, Instruction(wish.instruction or "BUY_TO_OPEN"))


def _condor_strikes(wish: Wish, rows: Sequence[ChainRow]) -> list[Decimal]:
    put = _nearest(rows, "PUT", wish.delta)
    call = _nearest(rows, "CALL", wish.delta)
    return [put - wish.width, put, call, call + wish.width]


def _vertical_strikes(wish: Wish, kind: VerticalKind, rows: Sequence[ChainRow]) -> list[Decimal]:
    near = _nearest(rows, kind.put_call, wish.delta)
    if kind in {VerticalKind.BULL_PUT, VerticalKind.BEAR_PUT}:
        return [near - wish.width, near]
    return [near, near + wish.width]


def _nearest(rows: Sequence[ChainRow], side: str, delta: float) -> Decimal:
    known = [row for row in rows if row.put_call == side and row.delta is not None]
    if not known:
        raise _bad("delta", "no_delta", "The chain has no deltas. Give the strikes.")
    return min(known, key=lambda row: abs(abs(float(row.delta or 0)) - delta)).strike


def _need(strikes: Sequence[Decimal], count: int) -> None:
    if len(strikes) != count:
        raise _bad("strikes", "wrong_number", f"This strategy has {count} strikes.")


def _priced(wish: Wish, structure: Structure, prices: _Prices) -> Draft:
    limit = None if wish.limit == "market" else _limit(wish, structure, prices)
    effect = structure.price_effect
    ticket = Ticket(
        strategy=structure.strategy,
        legs=structure.legs,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        contracts=wish.contracts,
        limit=limit,
        price_effect=effect if len(structure.legs) > 1 else None,
    )
    legs = " / ".join(describe(leg) for leg in structure.legs)
    price = "market" if limit is None else f"{effect or 'LIMIT'} {limit}".replace("NET_", "")
    return Draft(ticket, f"{structure.name}: {legs} ×{wish.contracts} {price}")


def _limit(wish: Wish, structure: Structure, prices: _Prices) -> Decimal:
    """Return the limit on tick, never better for us than what was asked for."""
    if wish.limit not in {"mid", "natural"}:
        try:
            return Decimal(wish.limit)
        except InvalidOperation:
            raise _bad("limit", "invalid", "Give a price, mid, natural or market.") from None
    missing = [leg.symbol for leg in structure.legs if leg.symbol not in prices.sides]
    if missing:
        raise _bad("strikes", "not_listed", f"{missing[0]} is not listed.")
    net = prices.net(structure.legs, mid=wish.limit == "mid")
    is_credit = net > 0
    tick = tick_for(structure.strategy, [leg.symbol for leg in structure.legs], abs(net))
    if structure.price_effect == PriceEffect.NET_CREDIT and not is_credit:
        return tick
    return max(round_to_tick(abs(net), tick, up=not is_credit), tick)


def _bad(field: str, code: str, message: str) -> BadTicket:
    return BadTicket([Problem(field, code, message)])
