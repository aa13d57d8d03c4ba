"""A receiver of webhooks as others build one: it verifies, fails, hangs, drips and leads elsewhere."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from accounts.domain.signing import signature


@dataclass(frozen=True)
class Got:
    """One request, and whether its signature is the right one."""

    key: str
    kind: str
    body: dict[str, Any]
    is_signed: bool
    age_s: float


@dataclass
class ReceiverServer:
    """What came, and how the next requests are answered: a status, or a way to misbehave."""

    url: str = ""
    secret: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)
    always: int | str = 200
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self.got]

    def next_answer(self) -> int | str:
        return self.answers.pop(0) if self.answers else self.always


@contextmanager
def receiving() -> Iterator[ReceiverServer]:
    """Serve on a free port of loopback."""
    server = ReceiverServer()

    class Handler(_Handler):
        kept = server

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.block_on_close = False
    server.url = f"http://127.0.0.1:{http.server_port}/in"
    thread = threading.Thread(
        target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    kept: ReceiverServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept.connections += 1
        answer = self.kept.next_answer()
        if isinstance(answer, str):
            _MISBEHAVIOUR[answer](self)
            return
        if answer < 300:
            self.kept.got.append(self._read(body))
        self.send_response(answer)
        if 300 <= answer < 400:
            self.send_header("Location", f"{self.kept.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _read(self, body: bytes) -> Got:
        key, stamp = self.headers["Tradeswim-Delivery"], int(self.headers["Tradeswim-Timestamp"])
        right = signature(self.kept.secret, timestamp=stamp, delivery=key, body=body)
        return Got(
            key,
            self.headers["Tradeswim-Event"],
            json.loads(body),
            self.headers["Tradeswim-Signature"] == right,
            time.time() - stamp,
        )

    def log_message(self, *args: object) -> None:
        pass


def _hang(handler: _Handler) -> None:
    handler.kept.released.wait(30)


def _drip(handler: _Handler) -> None:
    """Answer a byte of a header at a time, so that no read ever times out."""
    while not handler.kept.released.wait(0.1):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: " if not handler.close_connection else b"x")
        except OSError:
            return
        handler.close_connection = True


def _drop(handler: _Handler) -> None:
    handler.close_connection = True


_MISBEHAVIOUR: dict[str, Callable[[_Handler], None]] = {
    "hang": _hang,
    "drip": _drip,
    "drop": _drop,
}
