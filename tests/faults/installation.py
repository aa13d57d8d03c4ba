"""An installation that faults happen to: `manage.py up`, its processes by name, its database."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.crash_points.apps import arm
from tests.faults.database import Database, new_database
from tests.support.stack import MANAGE, PASSWORD, Stack, free_ports
from tradeswim.up.plan import WORKERS
from tradeswim.up.probes import answers

# The life of an order in seconds instead of minutes; the soak runs with the product's own numbers.
HURRIED = {
    "TRADESWIM_QUIET_PERIOD_S": "6",
    "TRADESWIM_CLAIM_LEASE_S": "4",
    "TRADESWIM_BROKER_TIMEOUT_S": "2",
    "TRADESWIM_READY_DEADLINE_S": "5",
    "TRADESWIM_RECONCILE_EVERY_S": "1",
}


# The processes that say so themselves when they are ready.
READY = [*WORKERS, "beat", "sweeper", "stream"]


class Installation(Stack):
    """`manage.py up` with crash points, on a database of its own or a given one.

    Args:
        ports: of the web and of the paper broker; free ones if not given.
        settings: variables of the environment; REDIS_URL and TRADESWIM_BROKER_URL among them.
    """

    def __init__(
        self,
        home: Path,
        *,
        settings: Mapping[str, str],
        database: Database | None = None,
        ports: tuple[int, int] | None = None,
    ) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.port, self.paper_port = ports or free_ports()
        self.log = home / f"up-{self.port}.log"
        self.database = database or new_database(home)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("TRADESWIM", "DJANGO"))},
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "TRADESWIM_HOME": str(home),
            "PORT": str(self.port),
            "PAPER_PORT": str(self.paper_port),
            "AGENT_PASSWORD": PASSWORD,
            "DATABASE_URL": self.database.url,
            "DEMO_TRADE": "0",
        }
        self.environment.pop("REDIS_URL", None)
        self.environment.update(settings)
        self.start()

    def start(self) -> None:
        """Start it, again if it has ended."""
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(MANAGE), "up"],
                cwd=MANAGE.parent,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def manage(self, *arguments: str) -> str:
        """Run a management command beside it; return what it says."""
        done = subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            cwd=MANAGE.parent,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pids(self) -> dict[str, int]:
        """Return the processes that run now, by name: those that died have new ones."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {name: int(pid) for pid in children.split() if (name := _name_of(int(pid)))}

    def pid(self, name: str) -> int:
        """Return the process of this name, waiting for it if it just died."""
        found: int = self.wait_for(lambda: self.pids().get(name), 15)
        return found

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to the process of this name; return its id."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def kill(self, name: str) -> int:
        """Kill a process as the machine does when memory runs out."""
        return self.signal(name, signal.SIGKILL)

    def wait_until_whole(self) -> None:
        """Wait until every process runs, those that died before among them."""
        run = self.home / "run"

        def is_whole() -> bool:
            pids = self.pids()
            is_ready = all(_text(run / f"{name}.ready") == str(pids.get(name)) for name in READY)
            return is_ready and answers(f"http://127.0.0.1:{self.port}/sign-in/")

        self.wait_for(is_whole, 60)

    def wait_until_gone(self, pid: int) -> None:
        """Wait until a process has ended, and whatever is to replace it may have begun."""
        self.wait_for(lambda: pid not in self.pids().values())

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """Keep processes from running, as a machine does that is short of everything."""
        pids = [self.signal(name, signal.SIGSTOP) for name in names]
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def arm(self, point: str, action: str = "kill") -> Path:
        """Let the next process that reaches a crash point suffer it."""
        return arm(self.home, point, action)

    def wait_for_strike(self, armed: Path, seconds: float = 15) -> None:
        """Wait until a crash point was reached."""
        self.wait_for(lambda: not armed.exists(), seconds)

    def redis_url(self) -> str:
        """Return the address of the queue."""
        said: dict[str, Any] = json.loads((self.home / "run" / "addresses.json").read_text())
        return str(said.get("REDIS_URL") or self.environment["REDIS_URL"])

    def logs(self) -> str:
        """Return everything its processes have said so far."""
        files = sorted((self.home / "logs").glob("*.log"))
        return self.output() + "".join(file.read_text(errors="replace") for file in files)

    def end(self) -> None:
        """Stop it and remove its database."""
        if self.process.poll() is None:
            for pid in self.pids().values():
                os.kill(pid, signal.SIGCONT)
            self.stop()
        self.database.drop()


def wait_until(is_so: Any, seconds: float = 30, *, every: float = 0.1) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"in vain for {seconds} s"
        time.sleep(every)


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    return _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] == ["T"]


def _name_of(pid: int) -> str:
    """Return the name under which the supervisor keeps a process; none for a passing command."""
    environment = _text(Path(f"/proc/{pid}/environ")).split("\0")
    named = [line for line in environment if line.startswith("TRADESWIM_PROCESS=")]
    if named:
        return named[0].partition("=")[2]
    command = _text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")
    signs = {
        "redis-server": "redis",
        "gunicorn": "web",
        "paperbroker": "paper",
        "valkey-server": "redis",
    }
    return next((name for sign, name in signs.items() if sign in command), "")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
