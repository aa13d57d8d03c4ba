"""Find everything that makes a ticket impossible, before anybody sizes or sends it."""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal

from strategies.domain.catalog import Structure, study
from strategies.domain.expiring import has_ended
from strategies.domain.legs import is_closing
from strategies.domain.symbols import OptionSymbol, is_option, parse_option
from strategies.domain.tickets import (
    OrderType,
    PriceEffect,
    Problem,
    Session,
    Strategy,
    Ticket,
)
from strategies.domain.ticks import on_tick, tick_for

MOST_CONTRACTS = 100_000
HIGHEST_PRICE = Decimal(1_000_000)

_LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


# Two of the pre-trade guards (orders/domain/guards.py) look at nothing but the ticket.
EXPIRED, CREDIT_OVER_WIDTH = "EXPIRED", "CREDIT_OVER_WIDTH"


def find_problems(
    ticket: Ticket, *, today: date, at: time | None = None, penny: bool | None = None
) -> tuple[Problem, ...]:
    """Return all independent reasons why a ticket cannot be traded; none means that it can.

    What is wrong with the legs hides only those rules that need to know the trade (price effect,
    tick, width), so no problem is the mere echo of another.

    Args:
        ticket: any content whatever; nothing in it makes this function raise.
        today, at: date and time at the exchange, see has_ended(); what has traded for the last time
            cannot be opened.
        penny: the chain's word on the penny programme, see tick_for().
    """
    structure, leg_problems = study(ticket.legs)
    known = structure if structure and structure.strategy is ticket.strategy else None
    return (
        *_of_strategy(ticket, structure),
        *leg_problems,
        *_of_ratios(ticket),
        *_of_openings(ticket, today, at),
        *_of_order_type(ticket),
        *_of_price_effect(ticket, known),
        *_of_limit(ticket, known, penny),
        *_of_stop(ticket, known, penny),
        *_of_contracts(ticket),
        *_of_session(ticket),
    )


def _of_strategy(ticket: Ticket, structure: Structure | None) -> Iterator[Problem]:
    if structure and structure.strategy is not ticket.strategy:
        yield Problem(
            "strategy",
            "strategy_mismatch",
            f"The legs make {structure.strategy}, not {ticket.strategy}. Change one or the other.",
        )


def _of_ratios(ticket: Ticket) -> Iterator[Problem]:
    """Refuse common ratios other than 1; study() has found those that differ."""
    if len({leg.ratio for leg in ticket.legs}) != 1 or ticket.legs[0].ratio == 1:
        return
    for index in range(len(ticket.legs)):
        text = "The ratio of every leg is 1. To trade more, ask for more contracts."
        yield Problem(f"legs[{index}].ratio", "not_one", text)


def _of_openings(ticket: Ticket, today: date, at: time | None) -> Iterator[Problem]:
    """Refuse options that must not be opened; each expiration and root is reported once."""
    expirations, roots = set[date](), set[str]()
    for index, option in _opened_options(ticket):
        field = f"legs[{index}].symbol"
        if has_ended(option, today=today, at=at) and option.expiration not in expirations:
            expirations.add(option.expiration)
            yield Problem(field, EXPIRED, _words_of_the_end(option.expiration, today))
        if option.root[-1].isdigit() and option.root not in roots:
            roots.add(option.root)
            text = (
                f"{option.root} is an adjusted option, which does not deliver 100 shares. "
                "Choose a standard one."
            )
            yield Problem(field, "nonstandard", text)


def _words_of_the_end(expiration: date, today: date) -> str:
    if expiration < today:
        return f"The option expired on {expiration:%m/%d/%Y}. Choose a later expiration."
    return "The option has traded for the last time. Choose a later expiration."


def _opened_options(ticket: Ticket) -> Iterator[tuple[int, OptionSymbol]]:
    for index, leg in enumerate(ticket.legs):
        if leg.instruction.is_for_options and leg.instruction.opens:
            try:
                yield index, parse_option(leg.symbol)
            except ValueError:  # study() has reported it
                continue


def _of_order_type(ticket: Ticket) -> Iterator[Problem]:
    if ticket.order_type in _STOPPED and len(ticket.legs) > 1:
        text = "Stop orders exist for shares and single options only. Use LIMIT or MARKET."
        yield Problem("order_type", "not_allowed", text)


def _of_price_effect(ticket: Ticket, known: Structure | None) -> Iterator[Problem]:
    effect = ticket.price_effect
    if len(ticket.legs) == 1:
        if effect is not None:
            text = "An order with one leg has no price effect. Leave it out."
            yield Problem("price_effect", "not_allowed", text)
    elif effect is None:
        if known and ticket.order_type is OrderType.LIMIT:
            text = f"Say which way the net price flows; these legs make a {known.price_effect}."
            yield Problem("price_effect", "missing", text)
    elif effect is PriceEffect.NET_ZERO:
        if ticket.order_type is OrderType.MARKET:
            text = "NET_ZERO is a price, which a MARKET order does not have. Use LIMIT."
            yield Problem("price_effect", "not_allowed", text)
    elif known and effect is not known.price_effect:
        text = f"These legs make a {known.price_effect}, not a {effect}. Change one or the other."
        yield Problem("price_effect", "contradicts_legs", text)


def _of_limit(ticket: Ticket, known: Structure | None, penny: bool | None) -> Iterator[Problem]:
    limit = ticket.limit
    if ticket.order_type not in _LIMITED:
        if limit is not None:
            text = f"A {ticket.order_type} order has no limit. Leave it out, or use LIMIT."
            yield Problem("limit", "not_allowed", text)
    elif _is_even(ticket):
        if limit:
            yield Problem("limit", "not_zero", "An even trade has no net price. Use 0 or none.")
    elif limit is None:
        text = f"A {ticket.order_type} order needs a limit. Enter a price."
        yield Problem("limit", "missing", text)
    else:
        yield from _of_price("limit", limit, known, penny)
        yield from _of_width(limit, known)


def _of_width(limit: Decimal, known: Structure | None) -> Iterator[Problem]:
    if known is None or known.width is None or not limit.is_finite():
        return
    if is_closing(known.legs) and known.price_effect is PriceEffect.NET_DEBIT:
        return  # getting out at the full width is a loss, and still a way out
    if known.width <= limit <= HIGHEST_PRICE:
        text = (
            f"The limit of {limit:.2f} must be below the width of {known.width:.2f}, the most that "
            "this trade can ever be worth. Enter a lower one."
        )
        is_credit = known.price_effect is PriceEffect.NET_CREDIT
        yield Problem("limit", CREDIT_OVER_WIDTH if is_credit else "beyond_width", text)


def _of_stop(ticket: Ticket, known: Structure | None, penny: bool | None) -> Iterator[Problem]:
    if ticket.order_type not in _STOPPED:
        if ticket.stop is not None:
            text = f"A {ticket.order_type} order has no stop. Leave it out, or use STOP."
            yield Problem("stop", "not_allowed", text)
    elif len(ticket.legs) > 1:  # the order type is what is wrong, see _of_order_type()
        return
    elif ticket.stop is not None:
        yield from _of_price("stop", ticket.stop, known, penny)
    else:
        text = f"A {ticket.order_type} order needs a stop. Enter the price that triggers it."
        yield Problem("stop", "missing", text)


def _of_price(
    field: str, price: Decimal, known: Structure | None, penny: bool | None
) -> Iterator[Problem]:
    """Judge one price; of several faults only the coarsest is worth telling."""
    if not price.is_finite():
        yield Problem(field, "not_finite", f"The {field} is no number. Enter a price in dollars.")
    elif price <= 0:
        text = f"The {field} must be above zero; the direction is not said by a sign."
        yield Problem(field, "not_positive", text)
    elif price > HIGHEST_PRICE:
        yield Problem(field, "too_large", f"The {field} is above {HIGHEST_PRICE:,}. Correct it.")
    elif known:
        symbols = [leg.symbol for leg in known.legs]
        tick = tick_for(known.strategy, symbols, price, penny=penny)
        decimals = -int(tick.as_tuple().exponent)
        if not on_tick(price, Decimal(1).scaleb(-decimals)):
            text = f"The {field} has too many decimals. Use at most {decimals}."
            yield Problem(field, "too_many_decimals", text)
        elif not on_tick(price, tick):
            yield Problem(field, "off_tick", f"The {field} must be a multiple of {tick}.")


def _of_contracts(ticket: Ticket) -> Iterator[Problem]:
    if not 1 <= ticket.contracts <= MOST_CONTRACTS:
        unit = "shares" if ticket.strategy is Strategy.EQUITY else "contracts"
        text = f"The number of {unit} must be a whole number from 1 to {MOST_CONTRACTS:,}."
        yield Problem("contracts", "out_of_range", text)


def _of_session(ticket: Ticket) -> Iterator[Problem]:
    if ticket.session is Session.NORMAL:
        return
    if any(leg.instruction.is_for_options or is_option(leg.symbol) for leg in ticket.legs):
        yield Problem("session", "not_allowed", "Options trade in the NORMAL session only.")
    elif ticket.order_type is not OrderType.LIMIT:
        text = f"The {ticket.session} session takes LIMIT orders only. Use LIMIT or NORMAL."
        yield Problem("session", "not_allowed", text)


def _is_even(ticket: Ticket) -> bool:
    return ticket.price_effect is PriceEffect.NET_ZERO and len(ticket.legs) > 1
