"""Which processes an installation has, how each is started, and in which order."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradeswim import env

MANAGE = str(Path(__file__).resolve().parents[2] / "manage.py")

# How `manage.py prepare --exit-code` ends when all is prepared and trading is not open yet.
GATE_IS_CLOSED = 3

# A beat that is late waits in its queue; whoever starts one beside it meets its lock
# (accounts/services/beat_lock.py). Accounts have a second slot, for a REFRESH beside the beat, and
# logins, for tokens that are renewed while a browser signs in.
WORKERS = {
    "placement": ("placement", 24),
    "stocks": ("stocks", 1),
    "options": ("options", 1),
    "accounts": ("accounts", 2),
    "logins": ("logins", 2),
    "maint": ("recon,maint", 3),  # one of them may be at a receiver that does not answer
}
# What nobody waits for gives way to a click: reading, renewing and listening.
AT_ONCE = ("placement",)
GIVES_WAY = 10


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running.

    Args:
        is_service: others depend on it, so it starts first and stops last.
        says_ready: it writes its `.ready` file; the others are asked in their own way.
        niceness: as of `nice`; where processors are few, those with less of it come first.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    is_service: bool = False
    says_ready: bool = True
    niceness: int = 0


def python(*arguments: str) -> tuple[str, ...]:
    """Return the command of our own Python."""
    return (sys.executable, *arguments)


def manage(*arguments: str) -> tuple[str, ...]:
    """Return a management command's command line."""
    return python(MANAGE, *arguments)


def redis(config: Path, binary: str) -> Program:
    """Return the private Redis."""
    return Program("redis", (binary, str(config)), {}, is_service=True, says_ready=False)


def paper(environment: Mapping[str, str], *, state: Path, tls_dir: Path, web_url: str) -> Program:
    """Return the paper broker, which keeps its orders in a file."""
    command = manage(
        "paperbroker", "--state", str(state), "--tls-dir", str(tls_dir), "--web-url", web_url
    )
    return Program("paper", command, environment, is_service=True, says_ready=False)


def programs(environment: Mapping[str, str]) -> list[Program]:
    """Return everything that needs database and Redis: web, workers, beat, sweeper, stream."""
    return [
        Program(
            "web",
            python("-m", "gunicorn", "-c", "python:tradeswim.gunicorn_conf"),
            environment,
            says_ready=False,
        ),
        *(_worker(name, environment) for name in WORKERS),
        *_more_placement(environment),
        Program(
            "beat",
            python("-m", "celery", "-A", "tradeswim.celery", "beat", "-l", "warning"),
            _named("beat", environment),
        ),
        Program("sweeper", manage("sweep"), _named("sweeper", environment)),
        *_streams(environment),
    ]


def _streams(environment: Mapping[str, str]) -> list[Program]:
    """Return what listens to the broker, unless the installation is to do without it."""
    if not env.flag("TRADESWIM_STREAMS", default=True):  # settings.HAS_STREAMS
        return []
    told = _named("stream", environment)
    return [Program("stream", manage("stream"), told, niceness=GIVES_WAY)]


def _more_placement(environment: Mapping[str, str]) -> list[Program]:
    """Return the placement workers beside the first one; they share the chunks of a broadcast."""
    workers = env.integer("PLACEMENT_WORKERS", 1, low=1, high=64)  # settings.PLACEMENT_WORKERS
    return [_worker("placement", environment, f"placement-{one}") for one in range(2, workers + 1)]


def _worker(kind: str, environment: Mapping[str, str], name: str = "") -> Program:
    name = name or kind
    queues, slots = WORKERS[kind]
    command = python(
        "-m",
        "celery",
        "-A",
        "tradeswim.celery",
        "worker",
        "-n",
        f"{name}@%h",
        "-P",
        "threads",
        "-c",
        str(slots),
        "-Q",
        queues,
        "--without-mingle",
        "--without-gossip",
        "-l",
        "info",
        *(["--disable-prefetch"] if kind == "placement" else []),
    )
    niceness = 0 if kind in AT_ONCE else GIVES_WAY
    return Program(name, command, _named(name, environment), niceness=niceness)


def _named(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "TRADESWIM_PROCESS": name}
