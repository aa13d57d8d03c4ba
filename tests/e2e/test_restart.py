"""Starting again: after a crash nothing is sent, and a database that is not the one is held."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import MANAGE, PASSWORD, Program, Stack, free_ports

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def home(tmp_path):
    """A home whose installations are gone when the test is over."""
    stacks: list[Stack] = []

    def start() -> Stack:
        stack = Stack(tmp_path / "home", *free_ports(), DEMO_ACCOUNTS="3", DEMO_TRADE="0")
        stacks.append(stack)
        return stack

    yield start
    for stack in stacks:
        if stack.process.poll() is None:
            stack.stop()


def shares(*, contracts: int) -> dict[str, Any]:
    return {
        "strategy": "EQUITY",
        "legs": [{"symbol": "AAPL", "instruction": "BUY", "ratio": 1}],
        "order_type": "MARKET",
        "contracts": contracts,
        "accounts": "active",
    }


def rows(stack: Stack, sql: str, *values: Any) -> list[Any]:
    """Look into an installation's database, or write behind its back."""
    with closing(sqlite3.connect(stack.home / "db.sqlite3", timeout=20)) as database, database:
        return database.execute(sql, values).fetchall()


def statuses(stack: Stack, order: int) -> list[str]:
    found = rows(stack, "SELECT status FROM orders_accountorder WHERE order_id = ?", order)
    return [status for (status,) in found]


def wait_for_statuses(stack: Stack, order: int, status: str) -> None:
    stack.wait_for(lambda: statuses(stack, order) == [status] * 3)


def posts(program: Program) -> int:
    journal = program.paper("journal")
    return sum(row["method"] == "POST" and row["path"].endswith("/orders") for row in journal)


def kill_all(stack: Stack, ready: dict[str, Any]) -> None:
    """Let everything end at once, without a word, as when a machine loses its power."""
    for pid in [stack.process.pid, *ready["processes"].values()]:
        os.kill(pid, signal.SIGKILL)
    stack.process.wait(timeout=10)
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in ready["processes"].values()):
        assert time.monotonic() < until
        time.sleep(0.05)


def manage(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    # The home knows its own database and queue.
    inherited = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    environment = {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "tradeswim.settings.dev",
        "TRADESWIM_HOME": str(home),
        "AGENT_PASSWORD": PASSWORD,
        **settings,
    }
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_after_a_crash_nothing_left_over_is_sent_and_the_former_mode_is_in_force(home):
    first = home()
    ready = first.wait_until_ready()
    program = Program(ready)
    program.paper("faults", {"fault": "delay", "delay_ms": 60_000, "method": "POST", "times": 3})
    cut_off = program.post_order(shares(contracts=1)).json()["id"]
    wait_for_statuses(first, cut_off, "SUBMITTING")
    os.kill(ready["processes"]["placement"], signal.SIGSTOP)
    waiting = program.post_order(shares(contracts=2)).json()["id"]
    assert statuses(first, waiting) == ["READY"] * 3
    kill_all(first, ready)
    rows(
        first,
        "INSERT INTO accounts_tradingmode (scope, target, mode, why, since) "
        "VALUES ('FLEET', '', 'CLOSE_ONLY', 'until tomorrow', '2026-01-01 00:00:00')",
    )

    second = home()
    program = Program(second.wait_until_ready())

    assert statuses(second, cut_off) == ["UNKNOWN"] * 3
    assert statuses(second, waiting) == ["FAILED_TO_PLACE"] * 3
    refused = program.post_order(shares(contracts=3))
    assert refused.status_code in {400, 409, 422}, refused.text
    assert "close only: until tomorrow" in refused.text
    assert posts(program) == 0
    assert rows(second, "SELECT scope FROM accounts_tradingmode") == [("FLEET",)]


def test_a_restored_backup_is_held_until_an_agent_opens_it(home):
    first = home()
    program = Program(first.wait_until_ready())
    with (
        closing(sqlite3.connect(first.home / "db.sqlite3", timeout=20)) as database,
        closing(sqlite3.connect(first.home / "backup.sqlite3")) as backup,
    ):
        database.backup(backup)
    program.wait_for_order(program.post_order(shares(contracts=1)).json()["id"], "FILLED")
    assert first.stop() < 15
    (first.home / "backup.sqlite3").replace(first.home / "db.sqlite3")

    second = home()
    second.wait_for(lambda: "trading is not open yet" in second.output(), 90)

    assert "This database is not the one that stopped here" in second.output()
    assert "READY" not in second.output()
    (alarms,) = rows(second, "SELECT COUNT(*) FROM accounts_alarm WHERE code = 'ORPHAN'")
    assert alarms == (3,)
    opened = manage(second.home, "open_gate", "--by", "agent")
    assert opened.stdout == "Trading is open.\n", opened.stderr
    program = Program(second.wait_until_ready())
    assert posts(program) == 0
    program.wait_for_order(program.post_order(shares(contracts=1)).json()["id"], "FILLED")


def test_a_second_deployment_on_the_database_is_refused_in_one_sentence(home, tmp_path):
    first = home()
    first.wait_until_ready()
    before = rows(first, "SELECT host, database, home, run FROM accounts_instance")

    database = f"sqlite:///{first.home / 'db.sqlite3'}"
    second = manage(tmp_path / "second", "prepare", "--migrate", DATABASE_URL=database)

    assert second.returncode == 1
    assert second.stderr.startswith("Another deployment ")
    assert second.stderr.count("\n") == 1
    assert rows(first, "SELECT host, database, home, run FROM accounts_instance") == before
    assert rows(first, "SELECT * FROM accounts_tradingmode") == []
