"""Serve a paper broker on two ports: plain HTTP, and TLS on the next one."""

import asyncio
import logging
import sqlite3
import ssl
import time
from collections.abc import Awaitable, Callable

from brokerage.paper.broker import Broker
from brokerage.paper.connection import Connection
from brokerage.paper.dispatch import Dispatcher
from brokerage.paper.state import StateFile
from brokerage.small_tls import use_small_buffers

log = logging.getLogger(__name__)

STEP_S = 0.25
SAVE_S = 1.0
IDLE_S = 300.0
QUIET_S, MOST_UNSAVED_S = 0.1, 5.0
BACKLOG = 4096


class PortInUse(Exception):
    """Another process listens on the port."""


class Server:
    """The paper broker on its two ports.

    Args:
        port: of plain HTTP and the control interface; TLS is on the next one.
        state: where the books are kept; None keeps them in memory only.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        port: int,
        tls: ssl.SSLContext,
        state: StateFile | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._broker = broker
        self._dispatcher = Dispatcher(broker)
        self._port = port
        self._tls = tls
        self._state = state
        self._host = host
        self._connections: set[Connection] = set()

    async def run(self, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Serve until `stop` is set; `started` is called when both ports are open.

        Raises:
            PortInUse: a port is taken.
        """
        use_small_buffers()
        plain = await self._listen(self._port, None)
        try:
            servers = [plain, await self._listen(self._port + 1, self._tls)]
        except PortInUse:
            plain.close()
            raise
        jobs = [
            asyncio.create_task(_every(STEP_S, self._step)),
            asyncio.create_task(_every(SAVE_S, self._save)),
            asyncio.create_task(_every(IDLE_S / 10, self._close_idle)),
        ]
        started()
        try:
            await stop.wait()
        finally:
            await self._shut_down(servers, jobs)

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        def make_connection() -> Connection:
            return Connection(
                self._dispatcher.receive,
                self._connections,
                is_tls=tls is not None,
                upgrade=self._dispatcher.open_stream,
            )

        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(
                make_connection, self._host, port, ssl=tls, backlog=BACKLOG
            )
        except OSError as problem:
            raise PortInUse(
                f"Port {port} on {self._host} cannot be used: {problem.strerror}."
            ) from None

    async def _step(self) -> None:
        self._broker.step()
        self._broker.streams.beat()

    async def _save(self) -> None:
        """Save what has changed, in a quiet moment."""
        if self._state is None:
            return
        now = time.time()
        is_quiet = now - self._dispatcher.last_request_at > QUIET_S
        if is_quiet or now - self._state.saved_at > MOST_UNSAVED_S:
            try:
                await self._state.save(self._broker)
            except (OSError, sqlite3.Error) as problem:
                log.warning("not saved, tried again in %.0f s: %s", SAVE_S, problem)

    async def _close_idle(self) -> None:
        limit = time.monotonic() - IDLE_S
        for connection in list(self._connections):
            if not connection.is_busy and connection.quiet_since < limit:
                connection.close()

    async def _shut_down(
        self, servers: list[asyncio.Server], jobs: list[asyncio.Task[None]]
    ) -> None:
        for server in servers:
            server.close()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for connection in list(self._connections):
            connection.drop()
        await asyncio.sleep(0)  # the loop closes their sockets
        if self._state is not None:
            await self._state.save(self._broker, always=True)
        self._broker.archive.close()


async def _every(seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    """Do a job again and again, each time so long after the last one ended."""
    while True:
        await asyncio.sleep(seconds)
        await job()
