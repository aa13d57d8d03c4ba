"""What the broker examines after it has taken an order: ticks, holdings, option level and funds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from brokerage.paper.books import Account
from brokerage.paper.fees import total_fee
from brokerage.paper.market import Market
from brokerage.paper.matching import tick_of
from brokerage.paper.orders import Order, OrderSpec
from brokerage.paper.requirements import NakedCall, available_funds
from strategies.domain.symbols import is_index, underlying_of
from strategies.domain.tickets import Instruction
from strategies.domain.ticks import on_tick

OFF_TICK_INDEX_SPREAD = "Spread orders for {} options must be priced in 5-cent increments."
OFF_TICK_OPTION = (
    "Enter the price in decimal form: Penny Pilot options $0.01 under $3; $0.05 over $3; "
    "& all other options $0.05 under $3; $0.10 over $3."
)
OFF_TICK = "Enter the price in increments of ${}."
STOP_SIDE = (
    "The stop price must be above the current ask for buy stop orders "
    "and below the bid for sell stop orders."
)
OVERSOLD = (
    "This order may result in an oversold/overbought position in your account. "
    "Please check your position quantity and open orders."
)
OPTION_LEVEL = "The account is not approved for this level of options trading."
FUNDS = "You do not have enough available cash/buying power for this order."
NO_SHORT_SALES = "Short sales are not allowed in a cash account."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the broker thinks of an order.

    Args:
        rejection: why it is rejected; None if it is accepted.
        need: available funds it ties up until it fills, USD.
    """

    rejection: str | None
    need: Decimal = Decimal(0)


def judge(
    account: Account, spec: OrderSpec, market: Market, *, instead_of: Order | None = None
) -> Verdict:
    """Decide whether an account may have this order.

    In the place of `instead_of`, what that order holds and reserves is free for this one.
    """
    rejection = _tick_problem(spec, market) or _stop_problem(spec, market)
    rejection = rejection or _holding_problem(account, spec, instead_of)
    return Verdict(rejection) if rejection else _judge_funds(account, spec, market, instead_of)


def free_funds(account: Account, market: Market) -> Decimal:
    """Return what the account may still commit: available funds less what working orders reserve.

    Raises:
        NakedCall: the account is short calls that nothing covers.
    """
    funds = available_funds(account.cash, _held(account), market, is_margin=account.is_margin)
    return funds - _reserved(account, None)


def _tick_problem(spec: OrderSpec, market: Market) -> str | None:
    for price in (spec.limit, spec.stop):
        if not price:
            continue
        tick = tick_of(spec, price, penny=_is_penny(spec, market))
        if not on_tick(price, tick):
            return _tick_words(spec, tick)
    return None


def _tick_words(spec: OrderSpec, tick: Decimal) -> str:
    underlying = underlying_of(spec.legs[0].symbol)
    if spec.is_spread and is_index(underlying):
        return OFF_TICK_INDEX_SPREAD.format(underlying)
    if spec.legs[0].is_option and not spec.is_spread:
        return OFF_TICK_OPTION
    return OFF_TICK.format(tick)


def _is_penny(spec: OrderSpec, market: Market) -> bool | None:
    """Ask the market whether a single option is in the penny programme."""
    if spec.is_spread or not spec.legs[0].is_option:
        return None
    symbol = spec.legs[0].symbol
    quoted = market.quotes_json([symbol]).get(symbol, {})
    found = quoted.get("reference", {}).get("isPennyPilot")
    return found if isinstance(found, bool) else None


def _stop_problem(spec: OrderSpec, market: Market) -> str | None:
    if spec.stop is None:
        return None
    quote = market.quote(spec.legs[0].symbol)
    if quote is None:
        return None
    is_right = spec.stop > quote.ask if spec.legs[0].sign > 0 else spec.stop < quote.bid
    return None if is_right else STOP_SIDE


def _holding_problem(account: Account, spec: OrderSpec, instead_of: Order | None) -> str | None:
    """Find a leg that closes more than is held, or opens against what is held."""
    if not account.is_margin and spec.legs[0].instruction is Instruction.SELL_SHORT:
        return NO_SHORT_SALES
    closing = _already_closing(account, instead_of)
    for leg in spec.legs:
        held = account.held(leg.symbol)
        if leg.instruction.opens:
            if held * leg.sign < 0:
                return OVERSOLD
        elif -held * leg.sign - closing[leg.symbol] < leg.quantity:
            return OVERSOLD
    return None


def _already_closing(account: Account, instead_of: Order | None) -> Counter[str]:
    """Count what working orders close, by symbol."""
    closing: Counter[str] = Counter()
    for order in account.open_orders():
        if order is instead_of:
            continue
        for leg in order.spec.legs:
            if not leg.instruction.opens:
                closing[leg.symbol] += leg.ratio * order.remaining
    return closing


def _judge_funds(
    account: Account, spec: OrderSpec, market: Market, instead_of: Order | None
) -> Verdict:
    """Compare what the order ties up, as if it had filled, with what is free."""
    held, is_margin = _held(account), account.is_margin
    try:
        before = available_funds(account.cash, held, market, is_margin=is_margin)
    except NakedCall:  # only by hand; it must be possible to get out again
        is_opening = any(leg.instruction.opens for leg in spec.legs)
        return Verdict(OPTION_LEVEL if is_opening else None)
    try:
        cash = account.cash + _cash_flow(spec, market)
        after = available_funds(cash, _held_after(held, spec), market, is_margin=is_margin)
    except NakedCall:
        return Verdict(OPTION_LEVEL)
    need = max(Decimal(0), before - after)
    # What ties up nothing is the way out of an account that is short of funds.
    if not need or need <= before - _reserved(account, instead_of):
        return Verdict(None, need)
    is_naked = spec.legs[0].instruction is Instruction.SELL_TO_OPEN and not spec.is_spread
    return Verdict(OPTION_LEVEL if is_naked else FUNDS)


def _held(account: Account) -> dict[str, int]:
    return {symbol: position.quantity for symbol, position in account.positions.items()}


def _held_after(held: Mapping[str, int], spec: OrderSpec) -> dict[str, int]:
    """Return the holdings once the order has filled."""
    result = dict(held)
    for leg in spec.legs:
        result[leg.symbol] = result.get(leg.symbol, 0) + leg.sign * leg.quantity
    return result


def _reserved(account: Account, except_for: Order | None) -> Decimal:
    """Return what working orders hold back."""
    working = (order for order in account.open_orders() if order is not except_for)
    return sum((order.open_reserve for order in working), start=Decimal(0))


def _cash_flow(spec: OrderSpec, market: Market) -> Decimal:
    """Return what an order brings if it fills at its price, less charges; negative if it costs."""
    price = expected_price(spec, market)
    return price * spec.units * spec.legs[0].multiplier - _expected_fees(spec, market)


def expected_price(spec: OrderSpec, market: Market) -> Decimal:
    """Return the net price to reckon with: the limit, the stop, or else the natural price."""
    if spec.signed_limit is not None:
        return spec.signed_limit
    if spec.stop is not None:
        return spec.stop * spec.direction
    return market.net(spec.net_legs).natural


def _expected_fees(spec: OrderSpec, market: Market) -> Decimal:
    """Return the charges to reckon with, USD."""
    total = Decimal(0)
    for leg in spec.legs:
        quote = market.quote(leg.symbol)
        price = quote.mark if quote else Decimal(0)
        total += total_fee(leg.symbol, price, is_option=leg.is_option) * leg.quantity
    return total
