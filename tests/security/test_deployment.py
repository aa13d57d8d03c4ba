"""The settings of a real host pass Django's own checks for one, and ours, without a warning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import MANAGE, without_outer_settings

FULL = {
    "DJANGO_SETTINGS_MODULE": "tradeswim.settings.production",
    "TRADESWIM_SECRET_KEY": "aB3-many_different.characters " * 3,
    "TRADESWIM_HOSTS": "desk.example",
    "TRADESWIM_WEB_URL": "https://desk.example",
    "TRADESWIM_CORS_ORIGIN": "https://app.example",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CACHE_URL": "redis://127.0.0.1:6380/0",
}


def check(home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**without_outer_settings(os.environ), **FULL, "TRADESWIM_HOME": str(home)}
    return subprocess.run(
        [sys.executable, str(MANAGE), "check", "--deploy", "--fail-level", "WARNING"],
        env={**environment, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("environment", ["PAPER", "LIVE"])
def test_a_host_with_a_full_environment_has_nothing_to_warn_of(tmp_path, environment):
    done = check(tmp_path, TRADESWIM_ENVIRONMENT=environment)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_what_is_not_right_for_a_host_is_told(tmp_path):
    done = check(tmp_path, CACHE_URL=FULL["REDIS_URL"])

    assert done.returncode != 0
    assert "W022" in done.stderr
