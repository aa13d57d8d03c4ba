"""The streams' process and its lines break: they come back by themselves, polls cover the gap."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.faults.installation import wait_until

ACCOUNTS = 6
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS), "TRADESWIM_STREAM_SILENCE_S": "5"}
SOON_S, BY_POLL_S = 3.0, 12.0  # other tests may want the machine at the same time


@pytest.fixture(autouse=True)
def _listening(installation, trader) -> Iterator[None]:
    """Every login listens, nothing fills by itself, and signs of life come often."""
    installation.wait_until_whole()
    trader.paper("market", {"fills": "manual"})
    trader.paper("stream", {"heartbeat_s": 1})
    wait_until(lambda: listeners(trader) == ACCOUNTS)
    yield
    trader.paper("market", {"fills": "auto"})


def listeners(trader) -> int:
    return sum(one["is_subscribed"] for one in trader.paper("stream")["streams"])


def rest(trader) -> int:
    """Let an order rest in every account, as long as a beat takes to read it."""
    order: int = trader.broadcast()
    trader.wait_for(order, "WORKING")
    time.sleep(6)
    return order


def fill(trader, order: int) -> None:
    for share in trader.shares(order):
        trader.paper("fill", {"order_id": share["broker_order_id"]})


def test_fills_are_on_record_soon(trader, holds):
    order = rest(trader)
    fill(trader, order)

    trader.wait_for(order, "FILLED", seconds=SOON_S)
    holds(order)


def test_a_cut_of_all_lines_is_read_up_at_once(trader, holds):
    order = rest(trader)
    trader.paper("faults", {"fault": "stream_cut"})
    fill(trader, order)

    trader.wait_for(order, "FILLED", seconds=BY_POLL_S)
    wait_until(lambda: listeners(trader) == ACCOUNTS)
    holds(order)


def test_lines_that_fall_silent_are_opened_anew(trader, holds):
    order = rest(trader)
    trader.paper("faults", {"fault": "stream_cut", "body": "silence"})
    fill(trader, order)

    trader.wait_for(order, "FILLED", seconds=5 + BY_POLL_S)
    holds(order)


def test_a_killed_process_comes_back_and_polls_cover_the_gap(installation, trader, holds):
    order = rest(trader)
    installation.wait_until_gone(installation.kill("stream"))
    fill(trader, order)

    trader.wait_for(order, "FILLED", seconds=BY_POLL_S)
    wait_until(lambda: listeners(trader) == ACCOUNTS, 60)
    holds(order)


def test_a_process_that_stands_still_is_not_relied_on(installation, trader, holds):
    order = rest(trader)
    with installation.stopped("stream"):
        time.sleep(11)  # its last sign of life is too old now
        fill(trader, order)
        trader.wait_for(order, "FILLED", seconds=BY_POLL_S)
    holds(order)


def test_revoked_tokens_are_renewed_and_the_streams_come_back(trader, holds):
    order = rest(trader)
    trader.paper("tokens", {"access": "revoke"})
    fill(trader, order)

    trader.wait_for(order, "FILLED", seconds=30)
    wait_until(lambda: listeners(trader) == ACCOUNTS, 60)
    holds(order)


def test_it_ends_within_three_seconds_of_being_asked(installation):
    pid = installation.pid("stream")
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    installation.wait_until_gone(pid)

    assert time.monotonic() - began < 3
