"""Put a paper broker together from its options, and serve it until a signal says stop."""

import asyncio
import gc
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from brokerage.paper.broker import Broker
from brokerage.paper.seed import SeedOptions
from brokerage.paper.server import Server
from brokerage.paper.state import StateFile
from brokerage.paper.tls import server_context


@dataclass(frozen=True, slots=True)
class Launch:
    """How a paper broker is started.

    Args:
        port: of plain HTTP; TLS is on the next one.
        tls_folder: where the certificates are, or are made.
        state_file: None keeps the state in memory only.
        hours: `always` or `nyse`; None leaves what the saved state says, else `always`.
    """

    seed: SeedOptions
    port: int
    tls_folder: Path
    state_file: Path | None = None
    hours: str | None = None

    def __str__(self) -> str:
        return f"paper broker on http://127.0.0.1:{self.port} (TLS {self.port + 1})"


def prepare(launch: Launch) -> tuple[Broker, Server]:
    """Make the broker and its server; nothing is served yet.

    Raises:
        BrokenState: the state file cannot be understood.
    """
    state = StateFile(launch.state_file) if launch.state_file else None
    seed = replace(launch.seed, seed=state.seed(launch.seed.seed)) if state else launch.seed
    broker = Broker(seed, hours=launch.hours or "always")
    if state:
        state.load(broker)
        if launch.hours:
            broker.market.hours = launch.hours
    tls = server_context(launch.tls_folder)
    return broker, Server(broker, port=launch.port, tls=tls, state=state)


def serve(launch: Launch, tell: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT; `tell` is given one line when the ports are open.

    Raises:
        BrokenState, PortInUse: it cannot start.
    """
    broker, server = prepare(launch)
    # The seed stays for ever; the collector need not walk through it during a broadcast.
    gc.collect()
    gc.freeze()

    def started() -> None:
        accounts, logins = len(broker.books.accounts), len(broker.oauth.logins)
        tell(f"{launch}, {accounts} accounts, {logins} logins")

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await server.run(stop, started)

    asyncio.run(run())
