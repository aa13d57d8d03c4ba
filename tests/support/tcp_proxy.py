"""A TCP proxy in its own thread that loses, delays or refuses what the test wants it to."""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self
from urllib.parse import urlsplit

CHUNK = 65536


class Mode(Enum):
    """What happens to the bytes of every connection, old and new, from now on."""

    OK = auto()
    HOLE = auto()  # swallowed in both directions, sockets stay open: a cable was pulled
    DROP_REPLY = auto()  # the request arrives, the connection breaks before its answer: each time
    DROP_ONCE = auto()  # the same, once; then OK
    SLOW = auto()  # everything arrives late
    REFUSE = auto()  # open connections break, new ones are refused


@dataclass(eq=False)
class _Line:
    """One client and what it talks to; `is_doomed` once its next answer is not to arrive."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_doomed: bool = False

    def cut(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()


class TcpProxy:
    """Forward a free loopback port to another one: `with TcpProxy(target_port) as proxy`.

    `port` is ours, `dropped` how many answers were lost, `swallowed` how many bytes fell into the
    hole. Make no assumption about requests longer than a packet: `only` is looked for in what one
    read returns.
    """

    def __init__(self, target_port: int, *, target_host: str = "127.0.0.1") -> None:
        self._target = (target_host, target_port)
        self._mode, self._only, self._delay_s = Mode.OK, b"", 0.0
        self._lines: set[_Line] = set()
        self._conversations: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = self.dropped = self.swallowed = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._lines)

    def url(self, address: str) -> str:
        """Return the target's address with our host and port in it."""
        place = urlsplit(address).netloc
        account, at, _ = place.rpartition("@")
        return address.replace(place, f"{account}{at}127.0.0.1:{self.port}", 1)

    def set(self, mode: Mode, *, only: bytes = b"", delay_s: float = 0.1) -> None:
        """Change the mode.

        Args:
            mode: in force for the next bytes, on open connections too.
            only: a part of the requests whose answers DROP_REPLY and DROP_ONCE lose; all if empty.
            delay_s: what SLOW adds to each packet, in both directions.
        """
        self._run(self._set(mode, only, delay_s))

    def cut(self) -> None:
        """Break every open connection now, whatever the mode."""
        self._run(self._cut())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _set(self, mode: Mode, only: bytes, delay_s: float) -> None:
        self._mode, self._only, self._delay_s = mode, only, delay_s
        if mode is Mode.REFUSE and self._server:
            self._server.close()
            self._server = None
            await self._cut()
        elif mode is not Mode.REFUSE and not self._server:
            await self._listen()

    async def _cut(self) -> None:
        for line in list(self._lines):
            line.cut()

    async def _stop(self) -> None:
        if self._server:
            self._server.close()
        await self._cut()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._conversations.add(task)
        try:
            answers, server = await asyncio.open_connection(*self._target)
            await self._carry(reader, answers, _Line(writer, server))
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._conversations.discard(task)

    async def _carry(
        self, requests: asyncio.StreamReader, answers: asyncio.StreamReader, line: _Line
    ) -> None:
        self._lines.add(line)
        try:
            ends = [
                asyncio.ensure_future(self._pass_requests(requests, line)),
                asyncio.ensure_future(self._pass_answers(answers, line)),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            self._lines.discard(line)
            line.client.close()
            line.server.close()

    async def _pass_requests(self, requests: asyncio.StreamReader, line: _Line) -> None:
        while data := await requests.read(CHUNK):
            drops = self._mode in (Mode.DROP_REPLY, Mode.DROP_ONCE)
            line.is_doomed = line.is_doomed or (drops and self._only in data)
            await self._pass(data, line.server)

    async def _pass_answers(self, answers: asyncio.StreamReader, line: _Line) -> None:
        while data := await answers.read(CHUNK):
            if line.is_doomed:
                self._drop(line)
                return
            await self._pass(data, line.client)

    async def _pass(self, data: bytes, to: asyncio.StreamWriter) -> None:
        if self._mode is Mode.SLOW:
            await asyncio.sleep(self._delay_s)
        if self._mode is Mode.HOLE:
            self.swallowed += len(data)
            return
        to.write(data)
        await to.drain()

    def _drop(self, line: _Line) -> None:
        self.dropped += 1
        if self._mode is Mode.DROP_ONCE:
            self._mode = Mode.OK
        line.cut()
