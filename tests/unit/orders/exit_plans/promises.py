"""What a planner of exits promises, each promise worked out in another way than the planner does it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from orders.domain.exiting import ClosingOrder, Holdings, Refusal
from strategies.domain.symbols import PutCall
from tests.unit.orders.exit_plans.worlds import (
    CHAINS,
    DAYS,
    LOT,
    SHARES,
    Positions,
    plain_worlds,
    remains,
    worlds,
)

MOST_ROUNDS = 30

Planner = Callable[[Holdings], ClosingOrder | Refusal | None]


class Broken(AssertionError):
    """A plan broke a promise."""


def promise(is_kept: bool, words: str) -> None:
    if not is_kept:
        raise Broken(words)


def naked(held: Mapping[str, int]) -> int:
    """Count the short options that nothing covers: a long that expires no earlier, or 100 shares."""
    return sum(max(_uncovered(held, side) - _lots(held, side), 0) for side in PutCall)


def _uncovered(held: Mapping[str, int], side: PutCall) -> int:
    spare = bare = 0
    for day in sorted(DAYS, reverse=True):  # from the last day on: a long covers what ends before
        nets = [held.get(symbol, 0) for symbol in CHAINS[day, side]]
        spare += sum(max(net, 0) for net in nets)
        shorts = sum(max(-net, 0) for net in nets)
        bare += max(shorts - spare, 0)
        spare = max(spare - shorts, 0)
    return bare


def _lots(held: Mapping[str, int], side: PutCall) -> int:
    return max(held.get(SHARES, 0), 0) // LOT if side is PutCall.CALL else 0


def filled(held: Mapping[str, int], order: ClosingOrder, units: int) -> Positions:
    """Return the positions after so many units of an order."""
    result = Counter(held)
    for leg in order.legs:
        result[leg.symbol] += (1 if leg.instruction.is_buy else -1) * leg.ratio * units
    return dict(result)


def without(held: Mapping[str, int], closing: Mapping[str, int], *, longs_only: bool) -> Positions:
    """Return the positions after others have closed what they are closing."""
    result = dict(held)
    for symbol, count in closing.items():
        quantity = held.get(symbol, 0)
        if quantity > 0:
            result[symbol] = max(quantity - count, 0)
        elif not longs_only:
            result[symbol] = min(quantity + count, 0)
    return result


def check(order: ClosingOrder, holdings: Holdings) -> None:
    """Raise Broken unless an order is safe, however much of it and of the others fills."""
    promise(order.units > 0, "it has no units")
    promise(len({leg.symbol for leg in order.legs}) == len(order.legs), "it has a leg twice")
    for leg in order.legs:
        held, wish = holdings.held.get(leg.symbol, 0), holdings.wanted.get(leg.symbol, 0)
        free = abs(held) - holdings.closing.get(leg.symbol, 0)
        promise(not leg.instruction.opens, f"it opens {leg}")
        promise(leg.instruction.is_buy == (held < 0), f"it increases {leg}")
        promise(leg.ratio * order.units <= free, f"it closes more than is held of {leg}")
        promise(held * wish > 0, f"it closes {leg}, which nobody asked for")
        promise(leg.ratio * order.units <= abs(wish), f"it closes more than was asked of {leg}")
    for before in (
        holdings.held,
        without(holdings.held, holdings.closing, longs_only=True),
        without(holdings.held, holdings.closing, longs_only=False),
    ):
        for units in range(1, order.units + 1):
            more = naked(filled(before, order, units)) - naked(before)
            promise(more <= 0, f"{units} of it leave {more} more short without cover")


def drive(planner: Planner, holdings: Holdings, halves: Sequence[bool]) -> Holdings:
    """Plan and fill, in some of the rounds only half an order, until there is no plan."""
    for round_ in range(MOST_ROUNDS):
        plan = planner(holdings)
        if not isinstance(plan, ClosingOrder):
            return holdings
        check(plan, holdings)
        is_half = round_ < len(halves) and halves[round_]
        units = -(-plan.units // 2) if is_half else plan.units
        holdings = replace(
            holdings,
            held=filled(holdings.held, plan, units),
            wanted=filled(holdings.wanted, plan, units),
        )
    raise Broken("it never comes to an end")


def could_go(holdings: Holdings) -> list[str]:
    """Return which legs could still be made smaller by one without leaving a short bare."""
    return [
        symbol
        for symbol in holdings.wanted
        if (sign := sign_of(holdings.wanted[symbol])) * holdings.held.get(symbol, 0) > 0
        and naked({**holdings.held, symbol: holdings.held[symbol] - sign}) <= naked(holdings.held)
    ]


def sign_of(number: int) -> int:
    return (number > 0) - (number < 0)


def keeps_everything_covered(planner: Planner, world: Holdings, halves: Sequence[bool]) -> None:
    drive(planner, world, halves)


def leaves_nothing_that_could_go(planner: Planner, world: Holdings, halves: Sequence[bool]) -> None:
    end = drive(planner, world, halves)
    promise(not (left := could_go(end)), f"it leaves {left}")
    is_left = any(end.left(symbol) for symbol in end.wanted)
    promise(isinstance(planner(end), Refusal) == is_left, "it does not say what it leaves")


def clears_what_is_left_of_a_set(planner: Planner, world: Holdings, halves: Sequence[bool]) -> None:
    end = drive(planner, world, halves)
    promise(not any(end.held.values()), f"it leaves {end.held}")


def free_of(world: Holdings, symbol: str) -> int:
    """Return what is wanted of a leg, and held beyond what others are closing."""
    wanted, held = world.wanted[symbol], world.held.get(symbol, 0)
    spare = abs(held) - world.closing.get(symbol, 0)
    return max(min(abs(wanted), spare), 0) if wanted * held > 0 else 0


def closes_the_whole_in_one(planner: Planner, world: Holdings, _: Sequence[bool]) -> None:
    """A set whose legs are all there goes in one order, as far as every leg reaches."""
    free = [free_of(world, symbol) for symbol in world.wanted]
    if min(free) == 0 or len(free) == 1:
        return
    plan = planner(world)
    promise(isinstance(plan, ClosingOrder), "it does not close a whole set")
    assert isinstance(plan, ClosingOrder)
    promise(len(plan.legs) == len(free), "it takes a whole set apart")
    promise(plan.units == min(free), f"it closes {plan.units} of {min(free)}")


Promise = Callable[[Planner, Holdings, Sequence[bool]], None]
PROMISES: dict[str, tuple[Promise, st.SearchStrategy[Holdings]]] = {
    "everything stays covered": (keeps_everything_covered, worlds()),
    "nothing is left that could go": (leaves_nothing_that_could_go, plain_worlds()),
    "what is left of a set is cleared": (clears_what_is_left_of_a_set, remains()),
    "the whole goes in one": (closes_the_whole_in_one, worlds()),
}


def hold(planner: Planner, name: str, **more) -> None:
    """Try a promise in many worlds."""
    promised, world = PROMISES[name]

    @settings(deadline=None, database=None, derandomize=True, **more)
    @given(world=world, halves=st.lists(st.booleans(), max_size=3))
    def search(world, halves) -> None:
        promised(planner, world, halves)

    search()


def hold_all(planner: Planner, **more) -> None:
    for name in PROMISES:
        hold(planner, name, **more)
