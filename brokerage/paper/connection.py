"""One client's connection: bytes in, requests out, answers back, HTTP/1.1 by hand."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol, cast

import httptools

from brokerage.paper.messages import REASONS, Request, Response, split_target, to_json

BODY_LIMIT = 1 << 20
QUEUE_LIMIT = 64
LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})

TOO_BIG = Response(
    413,
    to_json(
        {
            "fault": {
                "faultstring": "Body buffer overflow",
                "detail": {"errorcode": "protocol.http.TooBigBody"},
            }
        }
    ),
)
MALFORMED = Response(400, to_json({"message": "The request is not valid HTTP."}))


STREAM_PATH = "/ws"


class Upgraded(Protocol):
    """What a connection carries instead of requests, once it was upgraded."""

    def receive(self, data: bytes) -> None: ...

    def lost(self) -> None: ...


class Connection(asyncio.Protocol):
    """Reads requests and hands each over; answers come later, one at a time and in order.

    Args:
        receive: called with every complete request.
        connections: the server's set, in which this connection lists itself.
        is_tls: whether it came in over TLS, where there is no control interface.
        upgrade: called with a request for the stream; takes over what comes in from then on.
    """

    def __init__(
        self,
        receive: "Callable[[Connection, Request], None]",
        connections: "set[Connection]",
        *,
        is_tls: bool,
        upgrade: "Callable[[Connection, Request], Upgraded]",
    ) -> None:
        self._receive = receive
        self._upgrade = upgrade
        self._upgraded: Upgraded | None = None
        self._connections = connections
        self._is_tls = is_tls
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._is_local = False
        self._stream_url = ""
        self._is_refused = False
        self._keep_alive = True
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._read_at = 0.0
        self.transport: asyncio.Transport | None = None
        self.is_busy = False
        self.quiet_since = time.monotonic()

    # --- from the socket --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who is there."""
        self.transport = cast("asyncio.Transport", transport)
        peer: Any = transport.get_extra_info("peername")
        self._is_local = not self._is_tls and bool(peer) and peer[0] in LOOPBACK
        host, port = transport.get_extra_info("sockname")[:2]
        self._stream_url = f"{'wss' if self._is_tls else 'ws'}://{host}:{port}{STREAM_PATH}"
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; what he asked for goes on."""
        self.transport = None
        self._connections.discard(self)
        if self._upgraded is not None:
            self._upgraded.lost()

    def data_received(self, data: bytes) -> None:
        """Stamp the moment, then read."""
        self._read_at = time.time()
        self.quiet_since = time.monotonic()
        if self._upgraded is not None:
            self._upgraded.receive(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            self._become_stream(data[end.args[0] :])
        except httptools.HttpParserError:
            self._refuse(MALFORMED)

    # --- from the parser --------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._target = b""
        self._headers = {}
        self._body = bytearray()

    def on_url(self, part: bytes) -> None:
        """Take a part of the request target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Refuse a body that announces itself as too big; ask for one that waits to be asked."""
        length = self._headers.get("content-length", "0")
        if length.isdigit() and int(length) > BODY_LIMIT:
            self._refuse(TOO_BIG)
        elif self._headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body, up to the limit."""
        self._body += part
        if len(self._body) > BODY_LIMIT:
            self._refuse(TOO_BIG)

    def on_message_complete(self) -> None:
        """Hand the request over, or queue it behind the one being answered."""
        if self._is_refused:
            return
        self._keep_alive = self._parser.should_keep_alive()
        path, query = split_target(self._target)
        self._waiting.append(
            Request(
                at=self._read_at,
                method=self._parser.get_method().decode("latin-1"),
                path=path,
                query=query,
                headers=self._headers,
                body=bytes(self._body),
                is_local=self._is_local,
                stream_url=self._stream_url,
            )
        )
        if self._parser.should_upgrade():
            return  # what follows is no request
        if len(self._waiting) > QUEUE_LIMIT:
            self.drop()
        elif not self.is_busy:
            self._hand_over()

    # --- to the client ----------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether an answer can still reach the client."""
        return self.transport is not None and not self.transport.is_closing()

    def answer(self, response: Response) -> None:
        """Send an answer and turn to the next request."""
        self.write(encode(response))
        self.finish()

    def write(self, data: bytes) -> None:
        """Send raw bytes, if the client is still there."""
        if self.transport is not None:
            self.transport.write(data)

    def finish(self) -> None:
        """End the request at hand, which has been answered."""
        self.is_busy = False
        self.quiet_since = time.monotonic()
        if self._waiting:
            self._hand_over()
        elif not self._keep_alive:
            self.close()

    def close(self) -> None:
        """Close the connection after what was written has gone out."""
        if self.transport is not None:
            self.transport.close()

    def drop(self) -> None:
        """Close the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def _become_stream(self, rest: bytes) -> None:
        """Carry a stream from now on, if that is what the last request asks for."""
        if self.is_busy or len(self._waiting) != 1 or self._waiting[0].path != STREAM_PATH:
            self._refuse(MALFORMED)
            return
        self.is_busy = True  # it is not idle when nothing is said
        self._upgraded = self._upgrade(self, self._waiting.popleft())
        if rest:
            self._upgraded.receive(rest)

    def _hand_over(self) -> None:
        self.is_busy = True
        self._receive(self, self._waiting.popleft())

    def _refuse(self, response: Response) -> None:
        if not self._is_refused:
            self._is_refused = True
            self.write(encode(response))
            self.close()


def encode(response: Response) -> bytes:
    """Write an answer as it goes on the wire."""
    status = response.status
    head = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}",
        f"Date: {_http_date(int(time.time() if response.at is None else response.at))}",
        f"Content-Length: {len(response.body)}",
    ]
    if response.body:
        head.append(f"Content-Type: {response.content_type}")
    head.extend(f"{name}: {value}" for name, value in response.headers.items())
    return "\r\n".join([*head, "", ""]).encode("latin-1") + response.body


@lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
