"""Proof that the model sees what it is there for: with any rule broken, a promise breaks."""

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.orders.protocol.machine import protocol
from tests.unit.orders.protocol.mutants import MUTANTS
from tests.unit.orders.protocol.promises import Broken
from tests.unit.orders.protocol.rules import Rules
from tests.unit.orders.protocol.world import Surroundings

ASSUMED = ["other_app_repeats_us", "wrong_number_of_an_equal"]
ENOUGH = settings(
    max_examples=1500,
    stateful_step_count=40,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)


# How long the search takes is luck: a few seconds most often.
@pytest.mark.timeout(240)
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_protocol_with_a_broken_rule_breaks_a_promise(mutant):
    with pytest.raises(Broken):
        run_state_machine_as_test(protocol(mutant.rules), settings=ENOUGH)


@pytest.mark.parametrize("name", ASSUMED)
def test_a_promise_breaks_where_its_surroundings_are_worse_than_it_assumes(name):
    surroundings = Surroundings(**{name: True})

    with pytest.raises(Broken, match=r"^I[26] "):
        run_state_machine_as_test(protocol(Rules(), surroundings), settings=ENOUGH)
