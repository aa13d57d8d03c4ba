"""The course of `manage.py up`: prepare, start, wait until all is ready, trade once, wait, stop."""

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tradeswim import env
from tradeswim.up import home as homes
from tradeswim.up import plan, probes
from tradeswim.up.home import CannotStart
from tradeswim.up.supervisor import Supervisor

READY_WITHIN_S = 90.0
GATE_PAUSE_S = 2.0
AGENT = "agent"
# Of what makes users: for `prepare` alone, no other process has them in its environment.
PASSWORDS = ("AGENT_PASSWORD", "ADMIN_PASSWORD")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Site:
    """Where this installation is and what was asked of it."""

    home: Path
    port: int
    paper_port: int | None
    password: str = field(repr=False)
    admin_password: str = field(repr=False)
    demo_trade: bool

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paper_url(self) -> str | None:
        return f"http://127.0.0.1:{self.paper_port}" if self.paper_port else None


def main() -> None:
    """Run on this terminal, and end the process as it ended. Errors: BadSetting."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        code = asyncio.run(run_everything(dict(os.environ), say=_say))
    except CannotStart as error:
        sys.exit(f"Cannot start: {error}")
    sys.exit(code)


def _say(words: str) -> None:
    print(words)  # noqa: T201


async def run_everything(environment: dict[str, str], *, say: Say) -> int:
    """Run until a signal asks to stop; return the exit code.

    Errors: CannotStart, BadSetting.
    """
    site = _read_site()
    lock = homes.lock_home(site.home)
    homes.forget_run(site.home)
    supervisor = Supervisor(logs=site.home / "logs", say=say)
    stop = _stop_event()
    course = asyncio.create_task(_course(site, environment, supervisor, say))
    try:
        await _first_of(stop.wait(), course)
        if not stop.is_set():
            course.result()  # raises what went wrong, else all is up
            await stop.wait()
    finally:
        course.cancel()
        say("stopping")
        began = time.monotonic()
        await supervisor.stop()
        homes.forget_run(site.home)
        say(f"stopped in {time.monotonic() - began:.1f} s")
    del lock
    return 0


def _read_site() -> Site:
    home = env.home()
    is_paper = env.text("TRADESWIM_ENVIRONMENT", "PAPER", among=("PAPER", "LIVE")) == "PAPER"
    homes.prepare_home(home)
    return Site(
        home=home,
        port=env.integer("PORT", 8000, low=1, high=65535),
        paper_port=env.integer("PAPER_PORT", 8182, low=1, high=65534) if is_paper else None,
        password=homes.agent_password(home, is_paper=is_paper),
        admin_password=env.text("ADMIN_PASSWORD", ""),
        demo_trade=is_paper and env.flag("DEMO_TRADE", default=True),
    )


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _first_of(wait: Awaitable[object], course: asyncio.Task[None]) -> None:
    waiting = asyncio.ensure_future(wait)
    await asyncio.wait({waiting, course}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _course(
    site: Site, environment: dict[str, str], supervisor: Supervisor, say: Say
) -> None:
    _check_ports(site)
    environment = await _start_services(site, environment, supervisor, say)
    is_open = await _prepare(site, environment, supervisor, say)
    say("starting web, workers, beat, sweeper, stream")
    started = plan.programs(environment)
    for program in started:
        await supervisor.start(program)
    await _wait_for(supervisor, site, [p.name for p in started if p.says_ready])
    if not is_open:
        await _wait_for_gate(site, environment, supervisor, say)
    print(f"READY {json.dumps(_ready(site, supervisor))}", flush=True)  # noqa: T201
    if site.demo_trade:
        command = plan.manage("broadcast", "--agent", AGENT, "--page", site.url)
        await supervisor.run_once("demo-trade", command, environment)


def _check_ports(site: Site) -> None:
    homes.check_free(site.port, "PORT")
    if site.paper_port:
        homes.check_free(site.paper_port, "PAPER_PORT")
        homes.check_free(site.paper_port + 1, "PAPER_PORT")


async def _start_services(
    site: Site, environment: dict[str, str], supervisor: Supervisor, say: Say
) -> dict[str, str]:
    """Start Redis and the paper broker; return the environment that points to them."""
    kept = {name: value for name, value in environment.items() if name not in PASSWORDS}
    environment = {**kept, "TRADESWIM_HOME": str(site.home), "PORT": str(site.port)}
    addresses: dict[str, str] = {}
    if not environment.get("REDIS_URL"):
        say("starting a private Redis")
        addresses["REDIS_URL"] = await _start_redis(site, supervisor)
    if site.paper_port:
        say("starting the paper broker")
        addresses["PAPER_PORT"] = str(site.paper_port)
        program = plan.paper(
            {**environment, **addresses},
            state=site.home / "paper-state.json",
            tls_dir=site.home / "paper-tls",
            web_url=site.url,
        )
        await supervisor.start(program)
        url = f"{site.paper_url}/paper/logins"
        await _wait(lambda: probes.answers(url), supervisor, "paper", site)
    homes.write_addresses(site.home, addresses)
    return {**environment, **addresses}


async def _start_redis(site: Site, supervisor: Supervisor) -> str:
    port, password = homes.free_port(), secrets.token_urlsafe(18)
    config = homes.write_redis_config(site.home, port=port, password=password)
    await supervisor.start(plan.redis(config, homes.redis_binary()))
    await _wait(lambda: probes.listens(port), supervisor, "redis", site)
    return f"redis://:{password}@127.0.0.1:{port}/0"


async def _prepare(
    site: Site, environment: dict[str, str], supervisor: Supervisor, say: Say
) -> bool:
    """Start the deployment before its workers; False if its gate stays closed for now."""
    say("preparing the database")
    passwords = (site.password, site.admin_password)
    secret = {**environment, **dict(zip(PASSWORDS, passwords, strict=True))}
    command = plan.manage("prepare", "--agent", AGENT, "--migrate", "--exit-code")
    code = await supervisor.run_once("prepare", command, secret)
    if code not in {0, plan.GATE_IS_CLOSED}:
        raise CannotStart("`manage.py prepare` failed; see the lines above.")
    return code == 0


async def _wait_for_gate(
    site: Site, environment: dict[str, str], supervisor: Supervisor, say: Say
) -> None:
    """Wait until the gate is open: it opens by itself, or an agent opens it."""
    say(f"everything runs at {site.url}, but trading is not open yet")
    command = plan.manage("open_gate", "--wait")
    while await supervisor.run_once("open-gate", command, environment):
        await asyncio.sleep(GATE_PAUSE_S)


async def _wait_for(supervisor: Supervisor, site: Site, names: list[str]) -> None:
    url = f"{site.url}/sign-in/"
    await _wait(lambda: probes.answers(url), supervisor, "web", site)
    for name in names:
        pid = supervisor.pids.get(name, 0)
        path = site.home / "run" / f"{name}.ready"
        await _wait(partial(probes.says, path, pid), supervisor, name, site)


async def _wait(
    is_ready: Callable[[], bool], supervisor: Supervisor, name: str, site: Site
) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not await asyncio.to_thread(is_ready):
        if time.monotonic() > until or supervisor.has_died(name):
            log = site.home / "logs" / f"{name}.log"
            raise CannotStart(f"{name} did not start; the end of {log} says why.")
        await asyncio.sleep(0.05)


def _ready(site: Site, supervisor: Supervisor) -> dict[str, object]:
    return {
        "url": site.url,
        "paper_url": site.paper_url,
        "user": AGENT,
        "password": site.password,
        "processes": supervisor.pids,
    }
