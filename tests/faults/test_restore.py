"""A database that is lost comes back from yesterday's backup, and sends nothing before a look."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.faults.installation import Installation, wait_until
from tests.support.stack import MANAGE

ACCOUNTS = 6
SETTINGS = {"DEMO_ACCOUNTS": str(ACCOUNTS)}


@pytest.fixture
def backup(installation, trader) -> Path:
    """Yesterday's backup: one broadcast is in it, and another one was sent since."""
    installation.wait_until_whole()
    installation.manage("backup", "--make-key", str(installation.home / "backup.key"))
    trader.wait_for(trader.broadcast(), "FILLED")
    said = installation.manage("backup")
    trader.wait_for(trader.broadcast(), "FILLED")
    path: Path
    (path,) = (installation.home / "backups").iterdir()
    assert str(path) in said
    assert path.stat().st_mode & 0o077 == 0
    return path


def refused(installation: Installation, *arguments: str) -> str:
    """Run a command that must fail; return what it says."""
    done = subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        cwd=MANAGE.parent,
        env=installation.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode
    return done.stderr


def test_what_comes_back_is_frozen_and_sends_nothing(installation, trader, backup, tmp_path):
    assert "Another deployment runs" in refused(installation, "restore", str(backup), "--over")
    orders = count(installation)
    installation.stop()
    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(backup.read_bytes()[:-40])
    assert "not whole" in refused(installation, "restore", str(damaged), "--over")
    assert "Say --over" in refused(installation, "restore", str(backup))
    assert count(installation) == orders
    (key_file := installation.home / "backup.key").rename(tmp_path / "key")
    assert "not the key of backups" in refused(installation, "restore", str(backup), "--over")
    (tmp_path / "key").rename(key_file)

    said = installation.manage("restore", str(backup), "--over")

    assert "nothing is sent until an agent" in said
    assert count(installation) == orders - 1
    installation.start()
    installation.wait_for(lambda: "Trading is closed. Restored" in installation.output(), 60)
    wait_until(lambda: answered(installation, "/healthz/live"), 60)
    before = trader.last_request()
    answer = trader.click(trader.ticket())
    assert (answer.status_code, answer.json()["code"]) == (400, "MODE"), answer.text
    assert "Restored from the backup of" in answer.text
    assert trader.posts(before) == []
    installation.manage("open_gate", "--by", "agent")
    trader.wait_for(trader.broadcast(), "FILLED")


def count(installation: Installation) -> int:
    (row,) = installation.database.rows("SELECT COUNT(*) AS n FROM orders_complexorder")
    return int(row["n"])


def answered(installation: Installation, path: str) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{installation.port}{path}", timeout=5).ok
    except requests.RequestException:
        return False
