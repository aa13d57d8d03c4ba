"""What a trade brings or costs per unit: at its limit, at the natural price, at the mid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from strategies.domain.catalog import Structure, recognise
from strategies.domain.tickets import Leg, OrderType, PriceEffect, Ticket
from strategies.domain.ticks import round_to_tick, tick_for

# Bid and ask by symbol; None, or an ask of zero, where nobody bids or offers.
Market = Mapping[str, tuple[Decimal | None, Decimal | None]]


@dataclass(frozen=True, slots=True)
class ExitPrices:
    """Limits to close one unit at: USD, positive and on tick; None while a leg has no quote.

    Args:
        price_effect: which way the net price flows; None for one leg.
    """

    price_effect: PriceEffect | None
    natural: Decimal | None
    mid: Decimal | None


def natural_cash(legs: Sequence[Leg], market: Market) -> Decimal | None:
    """Return what one unit brings now (negative: costs), USD; None if a leg has no price.

    What is sold gets the bid, what is bought pays the ask.
    """
    return _cash(legs, market, mid=False)


def mid_cash(legs: Sequence[Leg], market: Market) -> Decimal | None:
    """Return what one unit would bring half-way between bids and asks; None as above."""
    return _cash(legs, market, mid=True)


def limit_cash(ticket: Ticket) -> Decimal | None:
    """Return what one unit brings at its limit (negative: costs); None without a limit."""
    if ticket.price_effect is PriceEffect.NET_ZERO:
        return Decimal(0)
    return None if ticket.limit is None else signed(ticket.limit, ticket)


def expected_cash(ticket: Ticket, natural: Decimal | None) -> Decimal | None:
    """Return what one unit brings as far as anybody can tell: limit, stop, or else natural."""
    limit = limit_cash(ticket)
    if limit is not None:
        return limit
    return natural if ticket.stop is None else signed(ticket.stop, ticket)


def reference_cash(ticket: Ticket, natural: Decimal | None) -> Decimal | None:
    """Return the price that a limit is measured by.

    A stop limit rests until the market has come to its stop: that is the price it will meet.
    """
    if ticket.order_type is OrderType.STOP_LIMIT and ticket.stop is not None:
        return signed(ticket.stop, ticket)
    return natural


def exit_prices(legs: Sequence[Leg], market: Market) -> ExitPrices:
    """Return the limits that closing legs can be sent at now, rounded towards being filled.

    Where the market pays nothing for what is sold, or would even be paid, it is one tick.

    Errors: ImpossibleTrade.
    """
    structure = recognise(legs)
    return ExitPrices(
        price_effect=structure.price_effect,
        natural=_limit(structure, natural_cash(legs, market)),
        mid=_limit(structure, mid_cash(legs, market)),
    )


def _limit(structure: Structure, cash: Decimal | None) -> Decimal | None:
    if cash is None:
        return None
    effect, legs = structure.price_effect, structure.legs
    pays = legs[0].instruction.is_buy if effect is None else effect is PriceEffect.NET_DEBIT
    price = -cash if pays else cash
    tick = tick_for(structure.strategy, [leg.symbol for leg in legs], price)
    return max(round_to_tick(price, tick, up=pays), tick)


def signed(price: Decimal, ticket: Ticket) -> Decimal:
    """Return a positive price as cash: what comes in stays positive, what goes out is negative."""
    if ticket.price_effect is None:
        return -price if ticket.legs[0].instruction.is_buy else price
    return price if ticket.price_effect is PriceEffect.NET_CREDIT else -price


def _cash(legs: Sequence[Leg], market: Market, *, mid: bool) -> Decimal | None:
    total = Decimal(0)
    for leg in legs:
        bid, ask = market.get(leg.symbol, (None, None))
        if bid is None or not ask:
            return None
        is_buy = leg.instruction.is_buy
        price = (bid + ask) / 2 if mid else (ask if is_buy else bid)
        total += (-price if is_buy else price) * leg.ratio
    return total
