"""The process that places orders dies, stops or ends at every moment that matters: 45 accounts."""

import os
import shutil
import signal
import time

import pytest

from tests.faults.database import Sqlite
from tests.faults.installation import is_stopped, wait_until

SETTINGS = {"DEMO_ACCOUNTS": "45"}
ACCOUNTS = 45
LEASE_S, SLOW_MS = 4, 1500


@pytest.fixture(autouse=True)
def _whole(installation, trader) -> None:
    installation.wait_until_whole()


@pytest.fixture
def in_flight(trader):
    """Broadcast to a broker that takes its time; return once every request is there."""

    def broadcast(*, lost: int = 0) -> int:
        for account in trader.accounts[:lost]:
            trader.fault("drop_before", account, delay_ms=SLOW_MS)
        trader.slow_down(ACCOUNTS - lost, SLOW_MS)
        seen = trader.last_request()
        order: int = trader.broadcast()
        wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 10, every=0.02)
        return order

    return broadcast


def test_45_requests_in_flight_survive_the_kill_of_their_worker(
    installation, trader, in_flight, holds, dice
):
    """F10: those that arrived are found, those that were lost are proved absent."""
    lost = dice.randint(5, 20)
    order = in_flight(lost=lost)
    installation.kill("placement")

    shares = trader.wait_until_settled(order)
    statuses = [share["status"] for share in shares]
    assert statuses.count("FAILED_TO_PLACE") == lost
    trader.wait_for(order, "FILLED", "FAILED_TO_PLACE")
    assert len(trader.orders_like(order)) == ACCOUNTS - lost
    holds(order)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda one: one.name)
def test_a_broadcast_survives_the_signal_that_ends_its_worker(
    installation, trader, in_flight, holds, number
):
    """F13, F14."""
    order = in_flight()
    pid = installation.signal("placement", number)

    installation.wait_until_gone(pid)
    trader.wait_until_settled(order)
    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == ACCOUNTS
    holds(order)


def test_answers_that_were_read_but_not_written_down_are_found_again(installation, trader, holds):
    """F11, F24: one of the orders cannot be seen for three seconds."""
    seen = trader.last_request()
    trader.fault("late_listing", trader.accounts[7], delay_ms=3000)
    armed = installation.arm("after the answers")
    order = trader.broadcast()
    installation.wait_for_strike(armed)

    trader.wait_until_settled(order)
    trader.wait_for(order, "FILLED")
    assert len(trader.posts(seen)) == ACCOUNTS
    holds(order)


def test_a_claim_is_on_the_disk_before_anything_is_sent_and_is_never_sent_by_another(
    installation, trader, tmp_path, holds
):
    """F9, F12: the worker dies between the two."""
    seen = trader.last_request()
    armed = installation.arm("after the claim", "stop")
    order = trader.broadcast()
    installation.wait_for_strike(armed)
    assert _statuses_after_a_power_cut(installation, tmp_path, order) == {"SUBMITTING"}
    installation.kill("placement")

    shares = trader.wait_until_settled(order)
    assert {share["reason_code"] for share in shares} == {"PROVED_ABSENT"}
    assert trader.posts(seen) == []
    holds(order)


def test_a_worker_that_stood_still_between_claim_and_send_sends_nothing_any_more(
    installation, trader, holds
):
    """F15: by then the order is on its way to be proved absent."""
    seen = trader.last_request()
    pid = installation.pid("placement")
    armed = installation.arm("after the claim", "stop")
    order = trader.broadcast()
    installation.wait_for_strike(armed)
    wait_until(lambda: is_stopped(pid))
    trader.wait_for(order, "UNKNOWN", seconds=LEASE_S + 4)
    os.kill(pid, signal.SIGCONT)

    shares = trader.wait_until_settled(order)
    assert {share["status"] for share in shares} == {"FAILED_TO_PLACE"}
    assert trader.posts(seen) == []
    holds(order)


def test_a_worker_that_stood_still_behind_the_send_does_not_send_twice(
    installation, trader, in_flight, holds
):
    """F15: the lease ends meanwhile, and the orders are found without it."""
    seen = trader.last_request()
    order = in_flight()
    with installation.stopped("placement"):
        time.sleep(LEASE_S + 3)

    trader.wait_until_settled(order)
    trader.wait_for(order, "FILLED")
    assert len(trader.posts(seen)) == ACCOUNTS
    holds(order)


def test_one_account_that_never_answers_delays_no_other(trader, holds):
    """F52."""
    mute, seen = trader.accounts[22], trader.last_request()
    trader.fault("never_answer_after", mute)
    order = trader.broadcast()

    wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 5, every=0.02)
    wait_until(lambda: _under_way(trader, order) in ({mute}, set()), 5, every=0.02)
    assert _under_way(trader, order) == {mute}  # everybody else's answer is on record
    arrived = [post["at"] for post in trader.posts(seen)]
    assert len(arrived) == ACCOUNTS
    assert max(arrived) - min(arrived) < 1
    trader.wait_until_settled(order)
    holds(order)


def _statuses_after_a_power_cut(installation, folder, order: int) -> set[str]:
    """Return the statuses in what is on the disk; of PostgreSQL, in what is committed."""
    sql, database = "SELECT status FROM orders_accountorder WHERE order_id = %s", None
    if isinstance(installation.database, Sqlite):
        database = Sqlite(folder / "copy.sqlite3")
        shutil.copy(installation.database.path, database.path)
    return {row["status"] for row in (database or installation.database).rows(sql, [order])}


def _under_way(trader, order: int) -> set[str]:
    return {share["id"] for share in trader.shares(order) if share["status"] == "SUBMITTING"}
