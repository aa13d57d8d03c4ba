"""No process starts unsafely: each kind says in one sentence why not, and ends with an error."""

import os
import subprocess
import sys

import pytest

from tests.support.raw_server import dead_port
from tests.support.stack import MANAGE

CELERY = [sys.executable, "-m", "celery", "-A", "tradeswim.celery"]
# One worker only: gunicorn stumbles over its own feet when two fail to boot at the same moment.
WEB = [sys.executable, "-m", "gunicorn", "-w", "1", "-c", "python:tradeswim.gunicorn_conf"]
PROCESSES = {
    "worker": [*CELERY, "worker", "-P", "threads", "-Q", "maint"],
    "beat": [*CELERY, "beat"],
    "web": WEB,
    "wsgi": [sys.executable, "-c", "import tradeswim.wsgi"],
    "sweeper": [sys.executable, str(MANAGE), "sweep", "--once"],
    "stream": [sys.executable, str(MANAGE), "stream"],
}
PRODUCTION = {
    "TRADESWIM_SECRET_KEY": "a good key has many kinds of characters: 0123456789",
    "TRADESWIM_HOSTS": "desk.example",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CACHE_URL": "redis://127.0.0.1:6380/0",
}
SHIPPED: dict[str, dict[str, str]] = {"dev": {}, "production": PRODUCTION}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a database that is as it must be."""
    home = tmp_path_factory.mktemp("starting")
    (home / "static").mkdir()
    done = run([sys.executable, str(MANAGE), "migrate", "-v0"], home)
    assert done.returncode == 0, done.stderr
    return home


def run(command, home, settings="dev", **variables):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRADESWIM", "DJANGO"))}
    ours = {
        "DJANGO_SETTINGS_MODULE": f"tradeswim.settings.{settings}",
        "TRADESWIM_HOME": str(home),
        "DATABASE_URL": f"sqlite:///{home}/db.sqlite3",
        "PORT": str(dead_port()),
    }
    return subprocess.run(
        command,
        cwd=MANAGE.parent,
        env={**kept, **ours, **variables},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("name", list(PROCESSES))
def test_what_works_on_orders_refuses_an_unsafe_setting(home, name):
    ended = run(PROCESSES[name], home, CELERY_RESULT_BACKEND="redis://127.0.0.1/1")

    assert ended.returncode != 0
    assert "tradeswim.E002" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["web", "sweeper"])
def test_what_works_on_orders_refuses_a_database_that_lacks_a_migration(home, tmp_path, name):
    database = f"sqlite:///{tmp_path}/empty.sqlite3"

    ended = run(PROCESSES[name], home, DATABASE_URL=database)

    assert ended.returncode != 0
    assert "tradeswim.E070" in ended.stderr
    assert "manage.py migrate" in ended.stderr


def test_a_database_that_cannot_be_read_is_said_to_be_so(home):
    database = f"postgres://nobody@127.0.0.1:{dead_port()}/none"

    ended = run(PROCESSES["worker"], home, DATABASE_URL=database)

    assert ended.returncode != 0
    assert "Cannot start: The database cannot be read" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("settings", list(SHIPPED))
def test_the_shipped_settings_are_safe(home, settings):
    command = ["check", "--deploy", "--database", "default", "--tag", "tradeswim"]
    strict = [*command, "--fail-level", "WARNING"]

    done = run([sys.executable, str(MANAGE), *strict], home, settings, **SHIPPED[settings])

    assert done.returncode == 0, done.stderr


def test_production_passes_all_checks_of_the_framework_for_deployments(home):
    command = ["check", "--deploy", "--fail-level", "WARNING"]
    done = run([sys.executable, str(MANAGE), *command], home, "production", **PRODUCTION)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
