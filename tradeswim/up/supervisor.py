"""Keep processes running: start them, say when one dies and start it again, stop them all."""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tradeswim.up.plan import Program

STOP_WITHIN_S = 11.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
CALM_AFTER_S = 30.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """Ask Linux to end this child when the supervisor is killed; elsewhere this does nothing."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _begin(niceness: int) -> None:
    _die_with_parent()
    os.nice(niceness)


class Supervisor:
    """Runs programs, each with a log file of its own."""

    def __init__(self, *, logs: Path, say: Callable[[str], None]) -> None:
        self._logs = logs
        self._say = say
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._services: set[str] = set()
        self._stopping = False

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name, as of now."""
        return {name: process.pid for name, process in self._running.items()}

    async def start(self, program: Program) -> None:
        """Start a program and keep it running until `stop`."""
        if program.is_service:
            self._services.add(program.name)
        await self._spawn(program)
        self._keepers[program.name] = asyncio.create_task(self._keep(program))

    async def run_once(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> int:
        """Run a command to its end with the terminal as its output; return its exit code."""
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(environment), start_new_session=True, preexec_fn=_die_with_parent
        )
        self._running[name] = process
        try:
            return await process.wait()
        finally:
            del self._running[name]

    def has_died(self, name: str) -> bool:
        """Whether a program is not running at this moment."""
        return name not in self._running

    async def stop(self) -> None:
        """Stop everything: first what serves and works, then what they need for it."""
        self._stopping = True
        for keeper in self._keepers.values():
            keeper.cancel()
        until = time.monotonic() + STOP_WITHIN_S
        workers = [p for name, p in self._running.items() if name not in self._services]
        await self._end(workers, until)
        await self._end(list(self._running.values()), until + 2)

    async def _end(self, processes: Sequence[asyncio.subprocess.Process], until: float) -> None:
        for process in processes:
            _signal(process, signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in processes]
        if not waits:
            return
        _, late = await asyncio.wait(waits, timeout=max(until - time.monotonic(), 0.5))
        for process in processes:
            if process.returncode is None:
                _signal(process, signal.SIGKILL)
        if late:
            await asyncio.wait(late)

    async def _spawn(self, program: Program) -> None:
        log = self._logs / f"{program.name}.log"
        # The log may hold what a library prints, so it is ours alone to read.
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._running[program.name] = await asyncio.create_subprocess_exec(
                *program.command,
                env=dict(program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
                preexec_fn=lambda: _begin(program.niceness),
            )
        finally:
            os.close(descriptor)

    async def _keep(self, program: Program) -> None:
        """Start the program again whenever it ends, with growing pauses while it keeps dying."""
        pause = FIRST_PAUSE_S
        while True:
            started_at = time.monotonic()
            code = await self._running[program.name].wait()
            if self._stopping:
                return
            del self._running[program.name]
            if time.monotonic() - started_at > CALM_AFTER_S:
                pause = FIRST_PAUSE_S
            self._say(f"{program.name} died ({_how(code)}); starting it again")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            await self._spawn(program)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        try:
            process.send_signal(number)
        except ProcessLookupError:
            return


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
