"""A TCP server whose every answer is scripted by the test, byte by byte, in its own thread."""

import asyncio
import contextlib
import datetime
import ipaddress
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)
CREATED = b"HTTP/1.1 201 Created\r\nLocation: /accounts/AB/orders/17\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Heard:
    """A request as it came in: `number` counts from 0, `at` is when its last byte was read."""

    number: int
    head: str
    body: bytes
    at: float


Answer = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]
Saying = Callable[[object, asyncio.StreamWriter], Awaitable[None]]  # fits as either
Greeting = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Listen on a free port; `answer` writes whatever it likes for each request.

    Args:
        answer: called for each request; a connection it leaves open may bring the next one.
        greet: called with each new connection before anything is read.
        tls: serve TLS with this context.
    """

    answer: Answer
    greet: Greeting | None = None
    tls: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._conversations: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(
            asyncio.start_server(self._converse, "127.0.0.1", 0, ssl=self.tls, backlog=1024)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """The request lines heard so far."""
        return [heard.head.split("\r\n", 1)[0] for heard in self.heard]

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _stop(self) -> None:
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0.01)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._conversations.add(task)
        number, self.connections = self.connections, self.connections + 1
        try:
            if self.greet:
                await self.greet(number, writer)
            while not writer.is_closing():
                await self.answer(await self._hear(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._conversations.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> Heard:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = 0
        for line in head.lower().split("\r\n"):
            if line.startswith("content-length:"):
                length = int(line.split(":")[1])
        body = await reader.readexactly(length)
        heard = Heard(len(self.heard), head, body, time.time())
        self.heard.append(heard)
        return heard


async def created(_: Heard, writer: asyncio.StreamWriter) -> None:
    """Answer as the broker does when it took an order."""
    writer.write(CREATED)


async def mute(_: object, __: asyncio.StreamWriter) -> None:
    """Say nothing, for ever."""
    await asyncio.Event().wait()


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole answer as it goes over the wire."""
    head = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "\r\n"]
    return "\r\n".join(head).encode() + body


def says(*parts: bytes, pause: float = 0.0, close: bool = False) -> Saying:
    """Write these bytes, pausing after each part; perhaps close then."""

    async def answer(_: object, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        if close:
            writer.close()

    return answer


async def reset(_: object, writer: asyncio.StreamWriter) -> None:
    """Break the connection with a RST."""
    wire: socket.socket = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def leaves_unread(then: Greeting) -> Greeting:
    """Let a request arrive in the kernel, never look at it, and do something else."""

    async def greet(number: int, writer: asyncio.StreamWriter) -> None:
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()
        wire: socket.socket = writer.get_extra_info("socket")
        while not select.select([wire], [], [], 0)[0]:
            await asyncio.sleep(0.005)
        await then(number, writer)
        await mute(number, writer)

    return greet


async def fin(_: object, writer: asyncio.StreamWriter) -> None:
    """Say that nothing more will be said, and leave the connection open the other way."""
    writer.write_eof()


def dead_port() -> int:
    """Return a port on which nobody listens."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as wire:
        port: int = wire.getsockname()[1]
    return port


def make_tls(
    folder: Path, *, address: str = "127.0.0.1", ends_in: datetime.timedelta = HOUR
) -> tuple[ssl.SSLContext, str]:
    """Make a certificate; return a server's context and the file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.IPAddress(ipaddress.ip_address(address))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * HOUR)
        .not_valid_after(now + ends_in)
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "ca.pem", folder / "server.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(private + public.read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    return context, str(public)
