"""Every process of `manage.py up` is killed while an agent broadcasts; its supervisor brings it back."""

import time
from collections.abc import Iterator

import pytest

from tests.faults.clicking import Clicking, patience
from tests.faults.installation import READY, wait_until

SETTINGS = {"DEMO_ACCOUNTS": "6"}
BACK_WITHIN_S = 10.0
# The paper broker is not ours to keep alive: killed, it forgets the orders of its last seconds.
KILLED = ["web", "redis", *READY]


@pytest.fixture
def clicking(trader) -> Iterator[Clicking]:
    clicking = Clicking(trader)
    clicking.start()
    yield clicking
    clicking.end()


def test_every_process_is_back_in_time_and_nothing_is_lost_or_doubled(
    installation, trader, clicking, holds
):
    took: dict[str, float] = {}
    for name in KILLED:
        installation.wait_until_whole()
        pid, began = installation.kill(name), time.monotonic()
        installation.wait_until_gone(pid)
        installation.wait_until_whole()
        took[name] = time.monotonic() - began
        taken = len(clicking.orders)
        wait_until(lambda taken=taken: len(clicking.orders) > taken)
    clicking.end()

    limit = BACK_WITHIN_S * patience()
    assert {name: seconds for name, seconds in took.items() if seconds > limit} == {}
    assert len(set(clicking.orders)) == len(clicking.orders)
    holds(*clicking.orders)
    trader.wait_for(trader.broadcast(), "FILLED")
