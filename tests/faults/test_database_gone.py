"""The database is locked, away or full: then nothing is sent, and what was sent is not forgotten."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.database import Postgres, Sqlite
from tests.faults.installation import wait_until

ACCOUNTS = 20
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS)}
DEADLINE_S, LEASE_S, SLOW_MS = 5, 4, 1200


@pytest.fixture(autouse=True)
def _whole(installation, trader) -> None:
    installation.wait_until_whole()


@pytest.fixture
def full_disk(installation) -> Iterator[Path]:
    """Let the next claim find no room; the worker it happens to keeps its file full until it ends."""
    if not isinstance(installation.database, Sqlite):
        pytest.skip("the disk of a server is not ours to fill")
    yield installation.arm("before the claim", "full")
    installation.wait_until_gone(installation.kill("placement"))


@pytest.fixture
def postgres(installation) -> Postgres:
    if not isinstance(installation.database, Postgres):
        pytest.skip("a file cannot be away: run it with `make faults-postgresql`")
    return installation.database


@pytest.fixture
def in_flight(trader) -> int:
    """Broadcast to a slow broker; every request is there, and none is answered yet."""
    seen = trader.last_request()
    trader.slow_down(ACCOUNTS, SLOW_MS)
    order: int = trader.broadcast()
    wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 10, every=0.02)
    return order


def test_nothing_is_sent_that_could_not_be_claimed_before_its_deadline(installation, trader, holds):
    """F40."""
    seen = trader.last_request()
    with ExitStack() as lock:
        with installation.stopped("placement"):
            order = trader.broadcast()
            lock.enter_context(installation.database.locked())
        time.sleep(DEADLINE_S + 2)

    shares = trader.wait_until_settled(order)
    assert {share["reason_code"] for share in shares} == {"STALE_UNSENT"}
    assert trader.posts(seen) == []
    holds(order)


@pytest.mark.parametrize("locked_s", [2, LEASE_S + 3], ids=["within the lease", "for longer"])
def test_answers_that_cannot_be_written_down_are_not_forgotten(
    installation, trader, in_flight, holds, locked_s
):
    """F40."""
    with installation.database.locked():
        time.sleep(locked_s)

    trader.wait_for(in_flight, "FILLED", seconds=45)
    assert len(trader.orders_like(in_flight)) == ACCOUNTS
    holds(in_flight)


def test_a_click_waits_for_the_database_and_is_sent_or_told_to_have_failed(
    installation, trader, holds
):
    """F40."""
    with ThreadPoolExecutor() as pool:
        with installation.database.locked():
            click = pool.submit(trader.click, trader.ticket())
            time.sleep(2)
        answer = click.result()

    assert answer.status_code == 201, answer.text
    trader.wait_for(answer.json()["id"], "FILLED", "FAILED_TO_PLACE")
    holds(answer.json()["id"])


def test_answers_are_not_forgotten_while_the_database_is_away(postgres, trader, in_flight, holds):
    """F41."""
    with postgres.gone():
        time.sleep(LEASE_S + 2)

    trader.wait_for(in_flight, "FILLED", seconds=45)
    assert len(trader.orders_like(in_flight)) == ACCOUNTS
    holds(in_flight)


def test_nothing_is_sent_by_a_worker_whose_disk_is_full(installation, trader, full_disk, holds):
    """F42: the sweeper rings another one, or the order has failed."""
    order = trader.broadcast()
    installation.wait_for_strike(full_disk)

    shares = trader.wait_until_settled(order)
    assert "database or disk is full" in installation.logs()
    assert {share["status"] for share in shares} <= {"FILLED", "WORKING", "FAILED_TO_PLACE"}
    holds(order)
