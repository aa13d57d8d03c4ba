"""What a trade brings or costs per unit: at its limit, at the natural price, at the mid."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from strategies.domain.tickets import Leg, OrderType, PriceEffect, Ticket

# Bid and ask by symbol; None, or an ask of zero, where nobody bids or offers.
Market = Mapping[str, tuple[Decimal | None, Decimal | None]]


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
