"""Accounts that an exit may come upon: what is wished for, held, and being closed by others."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from orders.domain.exiting import Holdings
from strategies.domain.symbols import PutCall, format_option
from strategies.domain.tickets import Strategy

SHARES, LOT = "XYZ", 100
DAYS = [date(2026, 1, 16), date(2026, 2, 20), date(2026, 3, 20)]
STRIKES = {PutCall.PUT: ("90", "95"), PutCall.CALL: ("105", "110")}
CHAINS = {
    (day, side): [
        format_option(root=SHARES, expiration=day, put_call=side, strike=Decimal(strike))
        for strike in STRIKES[side]
    ]
    for day in DAYS
    for side in PutCall
}
SIDES, UNITS = st.sampled_from(PutCall), st.integers(1, 3)
TIMES = st.sampled_from([0, 1, 1, 2, -1])
BESIDE = st.sampled_from([0, 0, 0, 1, -1, -2])
SHARES_BESIDE = st.sampled_from([0, 0, -LOT, 50, LOT, 2 * LOT])

Positions = dict[str, int]


@st.composite
def wishes(draw, days: Sequence[date] = DAYS) -> Positions:
    """What is to be closed of a set of any strategy, rarely of every leg as much."""
    legs = _legs(draw(st.sampled_from(Strategy)), draw(st.sampled_from(days)), draw(SIDES))
    sign, units = draw(st.sampled_from([1, -1])), draw(UNITS)
    more = {symbol: draw(UNITS) for symbol in legs} if draw(st.booleans()) else {}
    one = LOT if SHARES in legs else 1
    return {symbol: sign * way * one * more.get(symbol, units) for symbol, way in legs.items()}


def _legs(strategy: Strategy, day: date, side: PutCall) -> Positions:
    """Return a set's legs, and which of them are on the same side of the trade."""
    puts, calls = CHAINS[day, PutCall.PUT], CHAINS[day, PutCall.CALL]
    match strategy:
        case Strategy.EQUITY:
            return {SHARES: 1}
        case Strategy.SINGLE_OPTION:
            return {CHAINS[day, side][0]: 1}
        case Strategy.VERTICAL:
            return {CHAINS[day, side][0]: 1, CHAINS[day, side][1]: -1}
        case Strategy.IRON_CONDOR:
            return {puts[0]: 1, puts[1]: -1, calls[0]: -1, calls[1]: 1}


@st.composite
def worlds(draw) -> Holdings:
    """Any positions, of the set or not, and any orders of others that may close some of them."""
    wanted = draw(wishes())
    side = draw(SIDES) if SHARES not in wanted else PutCall.CALL
    held = {CHAINS[day, side][-1]: draw(BESIDE) for day in DAYS}
    held |= {SHARES: draw(SHARES_BESIDE)}
    held |= {symbol: draw(TIMES) * wish for symbol, wish in wanted.items()}
    out = st.dictionaries(st.sampled_from(sorted(held)), st.integers(0, 3), max_size=2)
    return Holdings(wanted=wanted, held=held, closing=draw(out))


@st.composite
def plain_worlds(draw) -> Holdings:
    """One expiration only, no shares beside options, and nobody else who closes anything."""
    wanted = draw(wishes(DAYS[:1]))
    others = [symbol for side in PutCall for symbol in CHAINS[DAYS[0], side]]
    held = draw(st.dictionaries(st.sampled_from(others), st.integers(-2, 2), max_size=3))
    held = {} if SHARES in wanted else held
    held |= {symbol: draw(TIMES) * wish for symbol, wish in wanted.items()}
    return Holdings(wanted=wanted, held=held, closing={})


@st.composite
def remains(draw) -> Holdings:
    """Whatever others have left of what the set made, and nothing besides."""
    wanted = draw(wishes())
    held = {symbol: wish * draw(st.integers(0, 3)) // 3 for symbol, wish in wanted.items()}
    return Holdings(wanted=wanted, held=held, closing={})
