"""The placing protocol, played at random against every fault: never twice, never lost, never stale."""

import os

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.orders.protocol.machine import protocol
from tests.unit.orders.protocol.rules import Rules

EXAMPLES = int(os.environ.get("TRADESWIM_MODEL_EXAMPLES", "300"))


@pytest.mark.timeout(60 + EXAMPLES)
def test_the_protocol_keeps_its_promises():
    run_state_machine_as_test(
        protocol(Rules()),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            derandomize=True,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
        ),
    )
