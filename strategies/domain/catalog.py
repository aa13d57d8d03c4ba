"""The trades we know: build their legs from strikes, and recognise them from legs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from strategies.domain.leg_mixtures import find_mixed_ratios, find_mixtures, find_wrong_count
from strategies.domain.legs import find_leg_problem, is_long
from strategies.domain.reversal import reverse_effect
from strategies.domain.symbols import OptionSymbol, PutCall, format_option, parse_option
from strategies.domain.tickets import Instruction, Leg, PriceEffect, Problem, Strategy

_BUY, _SELL = Instruction.BUY_TO_OPEN, Instruction.SELL_TO_OPEN
# Whether the put wing, put body, call body and call wing are bought to open.
_SHORT_CONDOR = (True, False, False, True)
_LONG_CONDOR = (False, True, True, False)


class ImpossibleTrade(ValueError):
    """Legs that make no trade we know.

    Args:
        problems: everything that is wrong with them, at least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


class VerticalKind(StrEnum):
    BULL_CALL = "BULL_CALL"
    BEAR_CALL = "BEAR_CALL"
    BULL_PUT = "BULL_PUT"
    BEAR_PUT = "BEAR_PUT"

    @property
    def put_call(self) -> PutCall:
        """Whether it is made of puts or calls."""
        return PutCall(self.name.partition("_")[2])

    @property
    def buys_lower(self) -> bool:
        """Whether its opening buys the lower strike: every bull does, with calls or puts."""
        return self.name.startswith("BULL")

    @property
    def price_effect(self) -> PriceEffect:
        """Which way money flows when it is opened: the lower call and the higher put cost more."""
        pays = self.buys_lower == (self.put_call is PutCall.CALL)
        return PriceEffect.NET_DEBIT if pays else PriceEffect.NET_CREDIT

    @property
    def label(self) -> str:
        """As agents say it: `Bull call`."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Structure:
    """A trade that was recognised.

    Args:
        name: as agents say it: `Bull call`, `Long iron condor`, `Put`, `Shares`.
        legs: in the usual order, lowest strike first and puts before calls.
        price_effect: what these legs imply, opening or closing; None for one leg.
        width: USD per unit between the strikes, the wider side's of a condor; None for one leg.
    """

    strategy: Strategy
    name: str
    legs: tuple[Leg, ...]
    price_effect: PriceEffect | None = None
    width: Decimal | None = None


def share_order(symbol: str, instruction: Instruction) -> Structure:
    """Build an order in shares, or raise ImpossibleTrade."""
    return _expect(Strategy.EQUITY, Leg(symbol, instruction))


def single_option(symbol: str, instruction: Instruction) -> Structure:
    """Build an order in one option, or raise ImpossibleTrade."""
    return _expect(Strategy.SINGLE_OPTION, Leg(symbol, instruction))


def vertical(
    kind: VerticalKind, *, root: str, expiration: date, lower: Decimal, upper: Decimal
) -> Structure:
    """Build the opening of a vertical.

    Raises:
        ImpossibleTrade: the strikes are not in order.
        InvalidSymbol: the root or a strike cannot be written as a symbol.
    """
    if not lower < upper:
        raise ImpossibleTrade([_strike_order("The lower strike must be below the upper one.")])
    instructions = (_BUY, _SELL) if kind.buys_lower else (_SELL, _BUY)
    return recognise(
        [
            Leg(_symbol(root, expiration, kind.put_call, strike), instruction)
            for strike, instruction in zip((lower, upper), instructions, strict=True)
        ]
    )


def iron_condor(
    *,
    root: str,
    expiration: date,
    put_wing: Decimal,
    put_body: Decimal,
    call_body: Decimal,
    call_wing: Decimal,
    short: bool = True,
) -> Structure:
    """Build the opening of an iron condor; a short one sells the bodies and takes a credit.

    Raises:
        ImpossibleTrade: the strikes are not in order.
        InvalidSymbol: the root or a strike cannot be written as a symbol.
    """
    if not put_wing < put_body <= call_body < call_wing:
        raise ImpossibleTrade([_CONDOR_ORDER])
    corners = (
        (PutCall.PUT, put_wing),
        (PutCall.PUT, put_body),
        (PutCall.CALL, call_body),
        (PutCall.CALL, call_wing),
    )
    pattern = _SHORT_CONDOR if short else _LONG_CONDOR
    return recognise(
        [
            Leg(_symbol(root, expiration, side, strike), _BUY if bought else _SELL)
            for (side, strike), bought in zip(corners, pattern, strict=True)
        ]
    )


def recognise(legs: Sequence[Leg]) -> Structure:
    """Recognise the trade that legs in any order make, be it opening or closing.

    Raises:
        ImpossibleTrade: they make none that we know; it says all that is wrong with them.
    """
    structure, problems = study(legs)
    if structure is None or problems:
        raise ImpossibleTrade(problems)
    return structure


def study(legs: Sequence[Leg]) -> tuple[Structure | None, tuple[Problem, ...]]:
    """Return what the legs make, if anything, and what is wrong with them.

    Ratios that differ are a problem, but do not hide the structure. Without a structure there is at
    least one problem.
    """
    return _study(tuple(legs))


@lru_cache(maxsize=256)  # a broadcast, a cancel or an exit asks for the same in every account
def _study(legs: tuple[Leg, ...]) -> tuple[Structure | None, tuple[Problem, ...]]:
    ratios = find_mixed_ratios(legs)
    faults = tuple(filter(None, (find_leg_problem(leg, i) for i, leg in enumerate(legs))))
    blocking = (*find_wrong_count(legs), *faults, *find_mixtures(legs, faults))
    if blocking:
        return None, blocking + ratios
    result = _recognise_shape(legs)
    if isinstance(result, Problem):
        return None, (result, *ratios)
    return result, ratios


def _recognise_shape(legs: Sequence[Leg]) -> Structure | Problem:
    """Name legs that are right by themselves and share root, expiration and direction."""
    if not legs[0].instruction.is_for_options:
        if len(legs) == 1:
            return Structure(Strategy.EQUITY, "Shares", tuple(legs))
        return _unknown("Shares are traded alone. Place one order for each ticker.")
    pairs = [(parse_option(leg.symbol), leg) for leg in legs]
    pairs.sort(key=lambda pair: (pair[0].put_call is PutCall.CALL, pair[0].strike))
    options, ordered = [option for option, _ in pairs], tuple(leg for _, leg in pairs)
    if len(legs) == 1:
        return Structure(Strategy.SINGLE_OPTION, options[0].put_call.capitalize(), ordered)
    if len(legs) == 2:
        return _recognise_vertical(options, ordered)
    return _recognise_condor(options, ordered)


def _recognise_vertical(
    options: Sequence[OptionSymbol], legs: tuple[Leg, ...]
) -> Structure | Problem:
    lower, upper = options
    if lower.put_call is not upper.put_call or is_long(legs[0]) == is_long(legs[1]):
        return _unknown("Two legs must be a vertical: buy one strike and sell another, same side.")
    kind = VerticalKind(f"{'BULL' if is_long(legs[0]) else 'BEAR'}_{lower.put_call}")
    effect = _effect(kind.price_effect, legs)
    return Structure(Strategy.VERTICAL, kind.label, legs, effect, upper.strike - lower.strike)


def _recognise_condor(
    options: Sequence[OptionSymbol], legs: tuple[Leg, ...]
) -> Structure | Problem:
    sides = [option.put_call for option in options]
    if sides != [PutCall.PUT, PutCall.PUT, PutCall.CALL, PutCall.CALL]:
        return _unknown(
            "These legs are no trade we know. An iron condor is two puts and two calls."
        )
    longs = tuple(is_long(leg) for leg in legs)
    if longs[0] == longs[1] or longs[2] == longs[3]:
        return _unknown("An iron condor buys one put and one call and sells one put and one call.")
    wing, body, call_body, call_wing = (option.strike for option in options)
    if longs not in {_SHORT_CONDOR, _LONG_CONDOR} or body > call_body:
        return _CONDOR_ORDER
    short = longs == _SHORT_CONDOR
    effect = _effect(PriceEffect.NET_CREDIT if short else PriceEffect.NET_DEBIT, legs)
    name = "Iron condor" if short else "Long iron condor"
    width = max(body - wing, call_wing - call_body)
    return Structure(Strategy.IRON_CONDOR, name, legs, effect, width)


def _effect(when_opened: PriceEffect, legs: Sequence[Leg]) -> PriceEffect | None:
    return when_opened if legs[0].instruction.opens else reverse_effect(when_opened)


def _expect(strategy: Strategy, leg: Leg) -> Structure:
    structure = recognise([leg])
    if structure.strategy is not strategy:
        text = f"This leg makes {structure.strategy}, not {strategy}. Choose another instruction."
        raise ImpossibleTrade([Problem("legs[0].instruction", "wrong_instruction", text)])
    return structure


def _symbol(root: str, expiration: date, put_call: PutCall, strike: Decimal) -> str:
    return format_option(root=root, expiration=expiration, put_call=put_call, strike=strike)


def _unknown(text: str) -> Problem:
    return Problem("legs", "unknown_shape", text)


def _strike_order(text: str) -> Problem:
    return Problem("legs", "strike_order", text)


_CONDOR_ORDER = _strike_order(
    "The strikes of an iron condor must rise: put wing < put body <= call body < call wing, "
    "both wings on one side of the trade and both bodies on the other."
)
