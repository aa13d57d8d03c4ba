"""A mail server for tests: it takes mail over real SMTP and keeps it, or refuses it."""

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.policy import default


@dataclass
class SmtpSink:
    """What came, who signed in, and whether the next mail is refused."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    sign_ins: list[str] = field(default_factory=list)
    refusals: int = 0


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """Serve on a free port of loopback."""
    sink = SmtpSink()

    class Session(_Session):
        kept = sink

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        server.block_on_close = False
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()


class _Session(socketserver.StreamRequestHandler):
    kept: SmtpSink

    def handle(self) -> None:
        self._say("220 sink")
        to: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line.upper().partition(" ")[0]
            if verb == "EHLO":
                self._say("250-sink")
                self._say("250 AUTH PLAIN")
            elif verb == "AUTH":
                self.kept.sign_ins.append(line)
                self._say("235 welcome")
            elif verb == "RCPT":
                to.append(line.partition("<")[2].partition(">")[0])
                self._say("250 ok")
            elif verb == "DATA":
                self._take(to)
                to = []
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, to: list[str]) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        if self.kept.refusals:
            self.kept.refusals -= 1
            self._say("451 not now")
            return
        self.kept.mails.append(email.message_from_bytes(b"".join(lines), policy=default))
        self.kept.recipients.append(to)
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
