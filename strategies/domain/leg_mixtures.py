"""What is wrong with legs beside each other: how many, of which kinds, in which ratios."""

from collections.abc import Sequence

from strategies.domain.symbols import parse_option
from strategies.domain.tickets import Leg, Problem

MOST_LEGS = 4


def find_wrong_count(legs: Sequence[Leg]) -> tuple[Problem, ...]:
    """Return the problem of no legs, or of more than an order takes."""
    if not legs:
        return (Problem("legs", "missing", "The trade has no legs. Add at least one."),)
    if len(legs) > MOST_LEGS:
        text = f"The trade has {len(legs)} legs. Schwab takes at most {MOST_LEGS} in one order."
        return (Problem("legs", "too_many_legs", text),)
    return ()


def find_mixed_ratios(legs: Sequence[Leg]) -> tuple[Problem, ...]:
    """Return a problem for each leg whose ratio is not 1, where they differ."""
    if len({leg.ratio for leg in legs}) < 2:
        return ()
    text = "The legs have different ratios. Use ratio 1 for every leg."
    return tuple(
        Problem(f"legs[{index}].ratio", "mixed_ratios", text)
        for index, leg in enumerate(legs)
        if leg.ratio != 1
    )


def find_mixtures(legs: Sequence[Leg], faults: Sequence[Problem]) -> tuple[Problem, ...]:
    """Compare the legs that are right by themselves with each other."""
    faulty = {fault.field.partition(".")[0] for fault in faults}
    sound = [(i, leg) for i, leg in enumerate(legs) if f"legs[{i}]" not in faulty]
    problems = list(_find_duplicates(sound))
    if len({leg.instruction.is_for_options for _, leg in sound}) > 1:
        text = "Shares and options cannot be in one order. Place two orders."
        return (*problems, Problem("legs", "mixed_assets", text))
    if not all(leg.instruction.is_for_options for _, leg in sound):
        return tuple(problems)
    options = [parse_option(leg.symbol) for _, leg in sound]
    if len({option.root for option in options}) > 1:
        text = "The legs have different option roots. Choose all options from one chain."
        problems.append(Problem("legs", "mixed_roots", text))
    if len({option.expiration for option in options}) > 1:
        text = "The legs expire on different days. Choose one expiration for all."
        problems.append(Problem("legs", "mixed_expirations", text))
    if len({leg.instruction.opens for _, leg in sound}) > 1:
        text = "Some legs open and some close a position. Use either kind in one order."
        problems.append(Problem("legs", "mixed_opening_closing", text))
    return tuple(problems)


def _find_duplicates(legs: Sequence[tuple[int, Leg]]) -> tuple[Problem, ...]:
    symbols = [leg.symbol for _, leg in legs]
    text = "This symbol is in the order already. Every leg needs its own."
    return tuple(
        Problem(f"legs[{index}].symbol", "duplicate_leg", text)
        for place, (index, leg) in enumerate(legs)
        if leg.symbol in symbols[:place]
    )
