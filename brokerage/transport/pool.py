"""Warm connections to one host, of which we know the age, and nothing written on them yet."""

import asyncio
import socket
import ssl
import struct
import time
from asyncio.trsock import TransportSocket
from collections import deque

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from brokerage.small_tls import use_small_buffers

# Shorter than a gateway's usual 60 s, so that a request seldom meets a connection being closed.
KEEP_ALIVE_S = 50.0
# `warm` replaces what is older, so that a connection stays young until the next `warm`.
RENEW_AFTER_S = 25.0
HANDSHAKES_AT_ONCE = 8
# So many connections are opened at the same time for orders that have none: all of a usual
# broadcast. Thousands at once would share the processor until each had waited longer than it may;
# in turn, the patience of each begins when its turn comes, and those that come back with an answer
# are lent again meanwhile.
OPENED_AT_ONCE = 64
CLOSE_TIMEOUT_S = 1.0
# After this long without the other side's receipt the kernel gives the connection up, also for a
# process that was stopped or killed. Its habit is to try for a quarter of an hour.
UNDELIVERED_AFTER_S = 10.0
LINGER_NOT = struct.pack("ii", 1, 0)


class Pool:
    """Open, lend and keep connections; lives in one event loop.

    aiohttp's connector resolves, connects and does TLS. Keeping the idle connections is ours: its
    own pool tells neither how many there are nor how old, and would lend one on which a late
    answer already waits.
    """

    def __init__(self, base_url: URL, *, ca_file: str | None, connect_timeout_s: float) -> None:
        self._connector = aiohttp.TCPConnector(limit=0, ssl=tls_context(ca_file), ttl_dns_cache=60)
        # The connector only wants to know where to; this request is never sent.
        self._target = aiohttp.ClientRequest("GET", base_url, loop=asyncio.get_running_loop())
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout_s)
        self._idle: deque[tuple[Connection, float]] = deque()
        self._closing: set[asyncio.Future[None]] = set()
        self._waiting: deque[asyncio.Future[Connection]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._underway = 0

    @property
    def idle(self) -> int:
        """Return how many good connections wait for use."""
        return sum(_is_good(connection) for connection, _ in self._idle)

    def take(self) -> Connection | None:
        """Return the youngest idle connection that is still good."""
        self._drop_older_than(KEEP_ALIVE_S)
        while self._idle:
            connection, _ = self._idle.pop()
            if _is_good(connection):
                return connection
            self.discard(connection)
        return None

    async def lend(self) -> Connection:
        """Return a new connection, or one that comes back, whichever is there first."""
        wanted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(wanted)
        if self._underway < OPENED_AT_ONCE:
            opening = asyncio.create_task(self._open_for_others())
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)
        try:
            connection = await wanted
        except asyncio.CancelledError:
            if wanted.done() and not wanted.cancelled() and wanted.exception() is None:
                self.put(wanted.result())  # it came too late for who waited
            raise
        if _is_good(connection):
            return connection
        self.discard(connection)  # closed between its answer and now
        return await self.open()

    async def _open_for_others(self) -> None:
        """Open connections while more wait than are being opened; a failure is somebody's, too."""
        while self._underway < min(len(self._waiting), OPENED_AT_ONCE):
            self._underway += 1
            try:
                connection, failure = await self.open(), None
            except Exception as error:  # whatever it is, who waits must hear of it
                connection, failure = None, error
            finally:
                self._underway -= 1
            if connection is not None:
                self.put(connection)
            elif failure is not None and (wanted := self._next_waiting()) is not None:
                wanted.set_exception(failure)

    def _next_waiting(self) -> asyncio.Future[Connection] | None:
        """Return who waits longest and has not given up."""
        while self._waiting:
            if not (wanted := self._waiting.popleft()).done():
                return wanted
        return None

    async def open(self) -> Connection:
        """Open a connection, TLS done and nothing written."""
        connection = await self._connector.connect(self._target, traces=[], timeout=self._timeout)
        if (wire := _socket_of(connection)) is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            patience_ms = int(UNDELIVERED_AFTER_S * 1000)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
        return connection

    def put(self, connection: Connection) -> None:
        """Give a connection whose answer was read to its end to who waits for one, or keep it."""
        if not _is_good(connection):
            self.discard(connection)
        elif (wanted := self._next_waiting()) is not None:
            wanted.set_result(connection)
        else:
            self._idle.append((connection, time.monotonic()))

    def discard(self, connection: Connection) -> None:
        """Close a connection."""
        if connection.protocol is not None and (closed := connection.protocol.closed) is not None:
            self._closing.add(closed)
            closed.add_done_callback(self._forget)
        connection.close()

    def sever(self, connection: Connection) -> None:
        """Close a connection whose request is given up, and throw away what was not delivered.

        Closing alone would let the kernel go on delivering: a request lost on its way could reach
        the broker a minute later, when the order may already be proved absent.
        """
        if (wire := _socket_of(connection)) is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            protocol_of(connection).abort()
        self.discard(connection)

    async def warm(self, connections: int) -> int:
        """Top up to a number of idle connections; a failure ends it. Return how many there are."""
        self._drop_older_than(RENEW_AFTER_S)
        turnstile = asyncio.Semaphore(HANDSHAKES_AT_ONCE)

        async def add() -> None:
            async with turnstile:
                self.put(await self.open())

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(connections - self.idle):
                    group.create_task(add())
        except* (aiohttp.ClientError, OSError):
            pass  # the number returned tells
        return self.idle

    async def close(self) -> None:
        """Close everything and see the sockets closed."""
        for opening in self._opening:
            opening.cancel()
        self._drop_older_than(-1)
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_TIMEOUT_S)
        await self._connector.close()

    def _drop_older_than(self, seconds: float) -> None:
        oldest = time.monotonic() - seconds
        while self._idle and self._idle[0][1] < oldest:
            self.discard(self._idle.popleft()[0])

    def _forget(self, closed: asyncio.Future[None]) -> None:
        self._closing.discard(closed)
        if not closed.cancelled():
            closed.exception()  # a connection that broke while closing concerns nobody


def protocol_of(connection: Connection) -> ResponseHandler:
    """Return an open connection's protocol.

    Raises:
        ConnectionError: it has none, because it was closed.
    """
    if connection.protocol is None:
        raise ConnectionError("the connection is closed")
    return connection.protocol


def _socket_of(connection: Connection) -> TransportSocket | None:
    """Return the open socket under a connection."""
    if connection.transport is None or connection.transport.is_closing():
        return None
    wire: TransportSocket | None = connection.transport.get_extra_info("socket")
    return wire


def _is_good(connection: Connection) -> bool:
    """Tell whether a request may be written: open, and no unasked bytes came in meanwhile."""
    protocol = connection.protocol
    return protocol is not None and protocol.is_connected() and not protocol.should_close


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return what connections to the broker trust: these certificates only, or the system's."""
    use_small_buffers()
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
