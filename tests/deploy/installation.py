"""A whole deployment: its units, two Redis, a database, nginx in front, production's settings."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import requests

from tests.deploy.machine import Machine
from tests.deploy.proxy import HOST, Proxy
from tests.deploy.units import ROOT
from tests.faults.database import new_database
from tests.faults.installation import wait_until
from tests.support.redis_server import RedisServer
from tests.support.stack import PASSWORD, free_ports, without_outer_settings

SECRET_KEY = "only for tests, but long enough: 0123456789 0123456789"
# The life of an order in seconds instead of minutes, as in the fault suite.
HURRIED = {
    "TRADESWIM_QUIET_PERIOD_S": "6",
    "TRADESWIM_CLAIM_LEASE_S": "4",
    "TRADESWIM_BROKER_TIMEOUT_S": "2",
    "TRADESWIM_READY_DEADLINE_S": "5",
}


class Deployment:
    """What install.sh makes of a host, in a folder."""

    def __init__(self, folder: Path, *, accounts: int) -> None:
        self.database = new_database(folder)
        for name in ("queue", "cache", "nginx"):
            (folder / name).mkdir()
        self.static = _collect_static(folder)
        # Ports are chosen as late as can be: what took so long could lose them to somebody else.
        self.port, self.paper_port = free_ports()
        self._redis = [RedisServer(folder / name) for name in ("queue", "cache")]
        queue, cache = self._redis
        self.proxy = Proxy(folder / "nginx", upstream=self.port, static=self.static)
        settings = {
            **HURRIED,
            "DJANGO_SETTINGS_MODULE": "tradeswim.settings.production",
            "TRADESWIM_ENVIRONMENT": "PAPER",
            "TRADESWIM_HOME": "/var/lib/tradeswim",
            "TRADESWIM_STATIC_ROOT": str(self.static),
            "TRADESWIM_HOSTS": HOST,
            # Programs sign in by their password here; with a second factor they are tested in tests/api.
            "TRADESWIM_SECOND_FACTOR": "optional",
            "TRADESWIM_WEB_URL": self.proxy.url,
            "PORT": str(self.port),
            "PAPER_PORT": str(self.paper_port),
            "DEMO_ACCOUNTS": str(accounts),
            "AGENT_PASSWORD": PASSWORD,
        }
        secrets = {
            "secret-key": SECRET_KEY,
            "queue-url": queue.url,
            "cache-url": cache.url,
            "database-url": self.database.url,
        }
        self.machine = Machine(folder / "machine", settings=settings, secrets=secrets)
        self._settings = {**settings, "TRADESWIM_HOME": str(folder / "machine" / "home")}
        self._settings |= {
            "TRADESWIM_SECRET_KEY": SECRET_KEY,
            "REDIS_URL": queue.url,
            "CACHE_URL": cache.url,
            "DATABASE_URL": self.database.url,
            "TRADESWIM_KEY_FILE": str(folder / "machine" / "secrets" / "keys.json"),
        }

    def start(self) -> None:
        """Do what install.sh does before it starts the units, and start them."""
        self.manage("make_keys")
        self.machine.start()
        wait_until(self.is_served, 240)

    def is_served(self) -> bool:
        """Whether a page comes through nginx."""
        try:
            url, ca = f"{self.proxy.url}/sign-in/", str(self.proxy.certificate)
            return requests.get(url, verify=ca, timeout=30).status_code == 200
        except requests.RequestException:
            return False

    def manage(self, *arguments: str) -> str:
        """Run a management command with the installation's settings."""
        return _manage(self._settings, *arguments)

    @property
    def ready(self) -> dict[str, object]:
        """What a program of an operator has to know, as `manage.py up` says it."""
        return {
            "url": self.proxy.url,
            "paper_url": f"http://127.0.0.1:{self.paper_port}",
            "user": "agent",
            "password": PASSWORD,
            "ca": str(self.proxy.certificate),
        }

    def end(self) -> None:
        self.machine.stop()
        self.proxy.stop()
        for redis in self._redis:
            redis.stop()
        self.database.drop()


def _collect_static(folder: Path) -> Path:
    """Collect what the pages need as install.sh does; no service is needed for it."""
    static = folder / "static"
    settings = {
        "DJANGO_SETTINGS_MODULE": "tradeswim.settings.production",
        "TRADESWIM_SECRET_KEY": SECRET_KEY,
        "TRADESWIM_HOSTS": HOST,
        # Programs sign in by their password here; with a second factor they are tested in tests/api.
        "TRADESWIM_SECOND_FACTOR": "optional",
        "TRADESWIM_HOME": str(folder),
        "TRADESWIM_STATIC_ROOT": str(static),
    }
    _manage(settings, "collectstatic", "--noinput", "--verbosity", "0")
    return static


def _manage(settings: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**without_outer_settings(os.environ), **settings},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
