"""Decide whether an order fills now, at which net price, and what each leg pays of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from brokerage.paper.orders import STOP_TYPES, Order, OrderSpec
from strategies.domain.tickets import Strategy
from strategies.domain.ticks import tick_for

CENT = Decimal("0.01")


class Net(Protocol):
    """What one unit of some legs is worth; positive when the customer receives it."""

    @property
    def natural(self) -> Decimal: ...
    @property
    def mid(self) -> Decimal: ...


class Quote(Protocol):
    """One symbol's quote."""

    @property
    def bid(self) -> Decimal: ...
    @property
    def ask(self) -> Decimal: ...
    @property
    def mark(self) -> Decimal: ...
    @property
    def last(self) -> Decimal: ...


class Prices(Protocol):
    """What the market must tell to match orders."""

    def quote(self, symbol: str) -> Quote | None: ...
    def net(self, legs: Sequence[tuple[str, bool, int]]) -> Net: ...


@dataclass(frozen=True, slots=True)
class Fill:
    """A net price, positive when the customer receives it, and each leg's part of it."""

    net: Decimal
    leg_prices: tuple[Decimal, ...]


def find_fill(order: Order, prices: Prices) -> Fill | None:
    """Find the fill the market gives an order now; None if it must wait.

    A limit fills when it is at the mid or worse for the customer: at the mid rounded to the tick,
    but never worse than the limit. A market order fills at the natural price.
    """
    spec = order.spec
    if spec.order_type in STOP_TYPES and not (order.is_triggered or reaches_stop(spec, prices)):
        return None
    try:
        net = prices.net(spec.net_legs)
    except KeyError:  # an option that has expired
        return None
    limit = spec.signed_limit
    if limit is None:
        return at_price(spec, net.natural, prices)
    if limit > net.mid:
        return None
    return at_price(spec, max(limit, nearest_tick(spec, net.mid)), prices)


def reaches_stop(spec: OrderSpec, prices: Prices) -> bool:
    """Tell whether the last trade is at or beyond the stop price."""
    quote = prices.quote(spec.legs[0].symbol)
    if quote is None or spec.stop is None:
        return False
    return quote.last >= spec.stop if spec.legs[0].sign > 0 else quote.last <= spec.stop


def at_price(spec: OrderSpec, net: Decimal, prices: Prices) -> Fill:
    """Split a net price over the legs so that they add up to it exactly.

    Every leg gets its mark in cents; what is missing goes to the leg where it changes least.
    """
    marks = [_mark(leg.symbol, prices) for leg in spec.legs]
    whole = sum(
        (-leg.sign * leg.ratio * mark for leg, mark in zip(spec.legs, marks, strict=True)),
        start=Decimal(0),
    )
    index = min(range(len(marks)), key=lambda place: (spec.legs[place].ratio, -marks[place], place))
    leg = spec.legs[index]
    marks[index] += -leg.sign * (net - whole) / leg.ratio
    return Fill(net, tuple(marks))


def nearest_tick(spec: OrderSpec, price: Decimal) -> Decimal:
    """Round a signed price to the tick on which this order's prices lie."""
    tick = tick_of(spec, abs(price))
    return (price / tick).quantize(Decimal(1), rounding=ROUND_HALF_UP) * tick


def tick_of(spec: OrderSpec, price: Decimal, *, penny: bool | None = None) -> Decimal:
    """Return the step of this order's prices near a price."""
    return tick_for(_strategy(spec), [leg.symbol for leg in spec.legs], price, penny=penny)


def _strategy(spec: OrderSpec) -> Strategy:
    """Name the kind of order that decides the tick; every spread has the same."""
    if spec.is_spread:
        return Strategy.VERTICAL
    return Strategy.SINGLE_OPTION if spec.legs[0].is_option else Strategy.EQUITY


def _mark(symbol: str, prices: Prices) -> Decimal:
    quote = prices.quote(symbol)
    return quote.mark.quantize(CENT, rounding=ROUND_HALF_UP) if quote else Decimal(0)
