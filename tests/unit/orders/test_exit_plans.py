"""Plans of exits against any positions: they only ever shrink what is held, and cover what is short."""

import pytest
from hypothesis import HealthCheck, Phase, Verbosity

from orders.domain.exiting import ClosingOrder, Holdings, Refusal, next_order
from strategies.domain.symbols import PutCall
from tests.unit.orders.exit_plans.mutants import MUTANTS
from tests.unit.orders.exit_plans.promises import PROMISES, Broken, hold, hold_all
from tests.unit.orders.exit_plans.worlds import CHAINS, DAYS, LOT, SHARES

EXAMPLES = 300
# A cover that ends too early needs three expirations that play together.
MORE_EXAMPLES = {"everything stays covered": 2000}
SOON, LATER, LAST = (CHAINS[day, PutCall.CALL][0] for day in DAYS)


@pytest.mark.parametrize("name", PROMISES)
def test_a_plan_keeps_its_promises(name):
    hold(next_order, name, max_examples=MORE_EXAMPLES.get(name, EXAMPLES), print_blob=True)


@pytest.mark.parametrize(
    ("wanted", "beside"),
    [({LAST: 1}, {SOON: 1, LATER: -1}), ({SHARES: LOT}, {SOON: 1, LATER: -1})],
    ids=["a later long", "shares"],
)
def test_what_covers_a_short_stays_though_a_long_expires_before_it(wanted, beside):
    account = Holdings(wanted=wanted, held={**wanted, **beside}, closing={})
    plan = next_order(account)

    assert isinstance(plan, Refusal)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planner_with_a_broken_rule_breaks_a_promise(mutant):
    quietly = {
        "phases": [Phase.generate],
        "max_examples": EXAMPLES,
        "report_multiple_bugs": False,
        "verbosity": Verbosity.quiet,
        "suppress_health_check": list(HealthCheck),
    }
    with pytest.raises(Broken):
        hold_all(mutant.planner, **quietly)


def test_a_set_is_not_taken_apart_because_another_one_closes_its_own_part_of_a_leg():
    condor = {
        **dict(zip(CHAINS[DAYS[0], PutCall.PUT], (1, -1), strict=True)),
        **dict(zip(CHAINS[DAYS[0], PutCall.CALL], (-1, 1), strict=True)),
    }
    puts = CHAINS[DAYS[0], PutCall.PUT]
    held = {symbol: quantity * (1 + (symbol in puts)) for symbol, quantity in condor.items()}
    plan = next_order(Holdings(wanted=condor, held=held, closing=dict.fromkeys(puts, 1)))

    assert isinstance(plan, ClosingOrder)
    assert {leg.symbol for leg in plan.legs} == set(condor)
