"""Ways to plan an exit wrong, each a small change of what the planner sees or says."""

from dataclasses import dataclass, replace

from orders.domain.exiting import ClosingOrder, Holdings, Refusal, next_order
from strategies.domain.catalog import recognise
from strategies.domain.symbols import is_option
from strategies.domain.tickets import Instruction, Leg, Strategy
from tests.unit.orders.exit_plans.promises import Planner, sign_of


@dataclass(frozen=True)
class Mutant:
    """The planner with one of its rules changed; at least one promise must break by it."""

    name: str
    planner: Planner


def trusts_the_bookmark(world: Holdings) -> ClosingOrder | Refusal | None:
    return next_order(replace(world, held={**world.held, **world.wanted}))


def forgets_what_is_out(world: Holdings) -> ClosingOrder | Refusal | None:
    return next_order(replace(world, closing={}))


def sees_only_its_own_legs(world: Holdings) -> ClosingOrder | Refusal | None:
    own = {symbol: world.held.get(symbol, 0) for symbol in world.wanted}
    return next_order(replace(world, held=own))


def forgets_the_side(world: Holdings) -> ClosingOrder | Refusal | None:
    own = {
        symbol: abs(held) * sign_of(world.wanted.get(symbol, held))
        for symbol, held in world.held.items()
    }
    return next_order(replace(world, held=own))


def closes_the_longest_leg(world: Holdings) -> ClosingOrder | Refusal | None:
    plan = next_order(world)
    if not isinstance(plan, ClosingOrder):
        return plan
    return replace(plan, units=max(world.left(leg.symbol) for leg in plan.legs))


def sells_longs_first(world: Holdings) -> ClosingOrder | Refusal | None:
    for symbol, wish in world.wanted.items():
        if wish > 0 and is_option(symbol) and (units := world.closable(symbol)):
            legs = recognise([Leg(symbol, Instruction.SELL_TO_CLOSE)]).legs
            return ClosingOrder(Strategy.SINGLE_OPTION, legs, units)
    return next_order(world)


def gives_up_on_what_is_not_whole(world: Holdings) -> ClosingOrder | Refusal | None:
    is_whole = all(world.closable(symbol) for symbol in world.wanted)
    return next_order(world) if is_whole else None


MUTANTS = [
    Mutant("the bookmark is trusted", trusts_the_bookmark),
    Mutant("what is out is forgotten", forgets_what_is_out),
    Mutant("only its own legs are seen", sees_only_its_own_legs),
    Mutant("a position on the other side is closed, too", forgets_the_side),
    Mutant("the longest leg decides", closes_the_longest_leg),
    Mutant("longs go first", sells_longs_first),
    Mutant("what is not whole is left", gives_up_on_what_is_not_whole),
]
