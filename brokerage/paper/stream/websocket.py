"""One websocket on a connection: RFC 6455 by websockets' sans-I/O core, texts in and out."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from brokerage.paper.messages import Request

MOST_BYTES = 1 << 16
# A client that does not close its side after our close frame is not waited for.
CLOSE_WITHIN_S = 2.0

log = logging.getLogger(__name__)
log.setLevel(logging.WARNING)


class Wire(Protocol):
    """What carries the bytes."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def drop(self) -> None: ...


class WebSocket:
    """Frames on a connection that asks to be upgraded; the handshake is answered at once.

    Attributes:
        hear: called with every text; set by whoever listens.
        end: called once, when it is over for whatever reason.
    """

    def __init__(self, wire: Wire, request: Request) -> None:
        self.hear: Callable[[str], None] = lambda _: None
        self.end: Callable[[], None] = lambda: None
        self._wire = wire
        self._is_over = False
        self._parts: list[bytes] = []
        # It begins open, for the request was read already; the answer to it is made apart.
        self._protocol = ServerProtocol(state=OPEN, max_size=MOST_BYTES, logger=log)
        self._shake_hands(Handshake(request.path, Headers(request.headers), request.method))

    @property
    def is_open(self) -> bool:
        """Whether it can still carry texts."""
        return not self._is_over and self._protocol.state is OPEN

    def receive(self, data: bytes) -> None:
        """Take bytes from the client: his pings and his goodbye are answered here."""
        if self._is_over:
            return
        self._protocol.receive_data(data)
        self._flush()
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame) and frame.opcode in (Opcode.TEXT, Opcode.CONT):
                self._take_part(frame)
            elif isinstance(frame, Frame) and frame.opcode is Opcode.BINARY:
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "only texts are understood")
        self._flush()

    def lost(self) -> None:
        """Take note that the connection is gone."""
        if not self._is_over:
            self._is_over = True
            self.end()

    def send(self, text: bytes) -> None:
        """Send a text, if the client is still there."""
        if self.is_open:
            self._protocol.send_text(text)
            self._flush()

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Say goodbye, and close when the client has answered it."""
        try:
            self._protocol.send_close(code, reason)
        except InvalidState:  # it is closing already
            return
        self._flush()

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._wire.drop()

    def _shake_hands(self, handshake: Handshake) -> None:
        answer = ServerProtocol(logger=log).accept(handshake)
        self._wire.write(answer.serialize())
        if answer.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._is_over = True
            self._wire.close()

    def _take_part(self, frame: Frame) -> None:
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        whole, self._parts = b"".join(self._parts), []
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            self._protocol.fail(CloseCode.INVALID_DATA, "a text is UTF-8")
        else:
            self.hear(text)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._wire.write(data)
            else:  # the end of what we say
                self._wire.close()
        if self._protocol.close_expected():
            asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self._wire.close)
