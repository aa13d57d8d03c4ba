"""What happens around the orders: web and beat die, tokens, clocks, switches and keys change."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import requests

from tests.faults.database import Sqlite
from tests.faults.installation import Installation, wait_until
from tests.faults.invariants import problems

ACCOUNTS = 6
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS)}
FREEZE = """
    INSERT INTO accounts_tradingmode (scope, target, mode, why, since)
    VALUES ('FLEET', '', 'FROZEN', 'a test', %s)"""
THAW = "DELETE FROM accounts_tradingmode WHERE scope = 'FLEET'"


@pytest.fixture(autouse=True)
def _whole(installation, trader) -> None:
    installation.wait_until_whole()


def test_a_click_whose_page_died_before_the_commit_left_nothing_and_can_be_repeated(
    installation, trader, holds
):
    """F4."""
    before, ticket, click = _orders(installation), trader.ticket(), str(uuid4())
    armed = installation.arm("before the commit")
    with pytest.raises(requests.ConnectionError):
        trader.click(ticket, click)
    assert not armed.exists()
    assert _orders(installation) == before

    wait_until(lambda: _taken(trader, ticket, click))
    order = trader.click(ticket, click).json()["id"]
    trader.wait_for(order, "FILLED")
    holds(order)


def test_a_click_whose_page_died_behind_the_commit_is_sent_by_the_sweeper(
    installation, trader, holds
):
    """F3: and the same click once more is the same order."""
    ticket, click = trader.ticket(), str(uuid4())
    armed = installation.arm("before the publish")
    with pytest.raises(requests.ConnectionError):
        trader.click(ticket, click)
    assert not armed.exists()

    wait_until(lambda: _taken(trader, ticket, click))
    answer = trader.click(ticket, click)
    assert answer.status_code == 200
    order = answer.json()["id"]
    trader.wait_for(order, "FILLED", seconds=10)
    assert len(trader.orders_like(order)) == ACCOUNTS
    holds(order)


def test_a_token_that_cannot_be_renewed_costs_only_its_own_account(trader, holds):
    """F33."""
    mute = trader.accounts[2]
    trader.fault("http_401", mute)
    trader.paper("faults", {"fault": "never_answer_after", "path": "/v1/oauth/token"})
    order = trader.broadcast()

    wait_until(lambda: _filled(trader, order) == set(trader.accounts) - {mute}, 5)
    shares = trader.wait_until_settled(order)
    assert {share["id"] for share in shares if share["status"] == "FAILED_TO_PLACE"} == {mute}
    holds(order)


def test_two_beats_place_nothing_twice(installation, trader, holds):
    """F43."""
    command = [sys.executable, "-m", "celery", "-A", "tradeswim.celery", "beat", "-l", "warning"]
    redis = {"REDIS_URL": installation.redis_url()}
    with subprocess.Popen(command, env={**installation.environment, **redis}) as second:
        time.sleep(5)
        trader.fault("drop_after", trader.accounts[0])
        order = trader.broadcast()
        trader.wait_until_settled(order)
        assert second.poll() is None
        second.terminate()

    trader.wait_for(order, "FILLED")
    assert len(trader.orders_like(order)) == ACCOUNTS
    holds(order)


def test_orders_go_out_while_the_beat_stands_still_and_are_found_when_it_goes_on(
    installation, trader, holds
):
    """F43."""
    seen = trader.last_request()
    trader.fault("drop_after", trader.accounts[1])
    with installation.stopped("beat"):
        order = trader.broadcast()
        wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 3)
        time.sleep(3)

    trader.wait_for(order, "FILLED")
    holds(order)


@pytest.mark.parametrize("offset_s", [300, -300], ids=["five minutes ahead", "five minutes behind"])
def test_orders_are_found_though_the_brokers_clock_is_wrong(trader, holds, offset_s):
    """F44."""
    there, not_there = trader.accounts[:2]
    trader.paper("clock", {"offset_s": offset_s})
    try:
        trader.fault("drop_after", there)
        trader.fault("drop_before", not_there)
        order = trader.broadcast()
        shares = {share["id"]: share for share in trader.wait_until_settled(order)}
    finally:
        trader.paper("clock", {"offset_s": 0})

    assert shares.pop(not_there)["reason_code"] == "PROVED_ABSENT"
    trader.wait_for(order, "FILLED", "FAILED_TO_PLACE")
    holds(order)


def test_freezing_stops_what_is_not_sent_yet_and_nothing_else(installation, trader, witness):
    """F55."""
    seen = trader.last_request()
    trader.slow_down(ACCOUNTS, 1000)
    on_its_way = trader.broadcast()
    wait_until(lambda: len(trader.posts(seen)) == ACCOUNTS, 10, every=0.02)
    with ExitStack() as frozen:
        with installation.stopped("placement"):
            waiting = trader.broadcast()
            began = frozen.enter_context(_frozen(installation))
        shares = trader.wait_for(waiting, "SKIPPED")
        refused = trader.click(trader.ticket())
        ended = time.time()

    assert {share["reason_code"] for share in shares} == {"FROZEN"}
    assert refused.status_code == 400
    trader.wait_for(on_its_way, "FILLED")
    assert trader.orders_like(waiting) == []
    assert problems(witness.tell(), frozen=[(began, ended)]) == []


def test_an_account_switched_off_after_the_click_is_left_out(installation, trader, holds):
    """F57."""
    off = trader.accounts[3]
    with installation.stopped("placement"):
        order = trader.broadcast()
        trader.change(off, is_active=False)
    shares = trader.wait_for(order, "SKIPPED", "FILLED")
    trader.change(off, is_active=True)

    (left_out,) = [share for share in shares if share["status"] == "SKIPPED"]
    assert (left_out["id"], left_out["reason_code"]) == (off, "INACTIVE")
    assert len(trader.orders_like(order)) == ACCOUNTS - 1
    holds(order)


def test_keys_are_rotated_under_traffic(installation, trader, holds):
    """F58."""
    command = [sys.executable, "manage.py", "rotate_keys", "--wait", "3"]
    orders: list[int] = []
    with subprocess.Popen(command, env=installation.environment) as rotation:
        while rotation.poll() is None:
            trader.fault("http_401", trader.accounts[len(orders) % ACCOUNTS])
            orders.append(trader.broadcast())
            time.sleep(0.5)

    assert rotation.returncode == 0
    assert len(orders) > 3
    for order in orders:
        trader.wait_for(order, "FILLED")
    holds(*orders)


def test_without_its_keys_nothing_starts(installation, trader, tmp_path):
    """F59."""
    if not isinstance(installation.database, Sqlite):
        pytest.skip("a database that can be copied as a file is needed")
    home = tmp_path / "home"
    home.mkdir()
    database = Sqlite(home / "db.sqlite3")
    shutil.copy(installation.database.path, database.path)
    robbed = Installation(home, settings=SETTINGS, database=database)
    try:
        wait_until(lambda: robbed.process.poll() or "starting web" in robbed.output(), 60)
        assert robbed.process.poll() == 1, robbed.output()
        assert re.search(r"\bk[12]\b", robbed.output())
    finally:
        robbed.end()


@contextmanager
def _frozen(installation) -> Iterator[float]:
    """Freeze the fleet as an agent does; the moment from which on it is."""
    installation.database.execute(FREEZE, [datetime.now(UTC).isoformat(" ")])
    yield time.time()
    installation.database.execute(THAW)


def _orders(installation) -> int:
    (row,) = installation.database.rows("SELECT count(*) AS count FROM orders_complexorder")
    return int(row["count"])


def _taken(trader, ticket, click: str) -> bool:
    """Click, and tell whether that was taken; the page may not be back yet."""
    try:
        return trader.click(ticket, click).status_code in (200, 201)
    except requests.ConnectionError:
        return False


def _filled(trader, order: int) -> set[str]:
    return {share["id"] for share in trader.shares(order) if share["status"] == "FILLED"}
