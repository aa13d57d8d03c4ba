"""Decide whether an order fills now, at which net price, and what each leg pays of it."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from brokerage.paper.market import Market, NetQuote
from brokerage.paper.orders import STOP_TYPES, Order, OrderSpec
from strategies.domain.tickets import Strategy
from strategies.domain.ticks import tick_for

CENT = Decimal("0.01")


Combination = tuple[tuple[str, bool, int], ...]


class Nets:
    """What combinations of legs are worth right now; each is added up once."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._known: dict[Combination, NetQuote | None] = {}

    def of(self, legs: Combination) -> NetQuote | None:
        """Return what one unit is worth; None when a leg does not trade any more."""
        if legs not in self._known:
            try:
                self._known[legs] = self.market.net(legs)
            except KeyError:
                self._known[legs] = None
        return self._known[legs]


@dataclass(frozen=True, slots=True)
class Fill:
    """A net price, positive when the customer receives it, and each leg's part of it."""

    net: Decimal
    leg_prices: tuple[Decimal, ...]


def find_fill(order: Order, nets: Nets) -> Fill | None:
    """Find the fill the market gives an order now; None if it must wait.

    A limit fills when it is at the mid or worse for the customer: at the mid rounded to the tick,
    but never worse than the limit. A market order fills at the natural price.
    """
    spec, market = order.spec, nets.market
    if spec.order_type in STOP_TYPES and not (order.is_triggered or reaches_stop(spec, market)):
        return None
    net = nets.of(spec.net_legs)
    if net is None:
        return None
    limit = spec.signed_limit
    if limit is None:
        return at_price(spec, net.natural, market)
    if limit > net.mid:
        return None
    return at_price(spec, max(limit, nearest_tick(spec, net.mid)), market)


def reaches_stop(spec: OrderSpec, market: Market) -> bool:
    """Tell whether the last trade is at or beyond the stop price."""
    quote = market.quote(spec.legs[0].symbol)
    if quote is None or spec.stop is None:
        return False
    return quote.last >= spec.stop if spec.legs[0].sign > 0 else quote.last <= spec.stop


def at_price(spec: OrderSpec, net: Decimal, market: Market) -> Fill:
    """Split a net price over the legs so that they add up to it exactly.

    Every leg gets its mark in cents; what is missing goes to the leg where it changes least.
    """
    marks = [_mark(leg.symbol, market) for leg in spec.legs]
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


def _mark(symbol: str, market: Market) -> Decimal:
    quote = market.quote(symbol)
    return quote.mark.quantize(CENT, rounding=ROUND_HALF_UP) if quote else Decimal(0)
