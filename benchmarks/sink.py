"""A raw TLS sink: it stamps when each order arrives, answers 201 and does nothing else.

`python -m benchmarks.sink FOLDER` prints its port, then obeys lines on its standard input: `take`
prints all stamps as JSON and forgets them, `drop` closes every connection.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import ClassVar, cast

from benchmarks.talking import Talking
from brokerage.paper.tls import CA_FILE, server_context

ANSWER = (
    "HTTP/1.1 201 Created\r\nLocation: {path}/{number}\r\nContent-Length: 0\r\n"
    "Cache-Control: no-cache\r\n\r\n"
)
END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """Takes one request after the other."""

    stamps: ClassVar[list[float]] = []
    everybody: ClassVar[set["Connection"]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._had = b""
        self.everybody.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.everybody.discard(self)

    def data_received(self, data: bytes) -> None:
        self._had += data
        head, end, body = self._had.partition(END)
        if not end or len(body) < _length(head):
            return
        self.stamps.append(time.time())
        self._had = b""
        path = head.split(b" ", 2)[1].decode("ascii")
        number = time.time_ns() // 1000
        answer = ANSWER.format(path=path, number=number).encode("ascii")
        self._transport.write(answer)

    def drop(self) -> None:
        self._transport.close()


def _length(head: bytes) -> int:
    lines = (line for line in head.lower().splitlines() if line.startswith(LENGTH))
    return int(next(lines, LENGTH + b"0")[len(LENGTH) :])


async def _serve(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        Connection, "127.0.0.1", 0, ssl=server_context(folder), backlog=8192
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "drop\n":
            for one in list(Connection.everybody):
                one.drop()
        print(json.dumps(Connection.stamps), flush=True)
        Connection.stamps.clear()


class Sink(Talking):
    """The sink in a process of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.ca_file = str(folder / CA_FILE)
        super().__init__([sys.executable, "-m", "benchmarks.sink", str(folder)])
        self.port = int(self.hear())

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def take(self) -> list[float]:
        """Return when each order since the last time arrived, in Unix seconds."""
        stamps: list[float] = json.loads(self.ask("take"))
        return stamps

    def take_all(self, count: int, *, within_s: float = 20) -> list[float]:
        """Wait until so many orders have arrived. Errors: TimeoutError."""
        stamps: list[float] = []
        until = time.monotonic() + within_s
        while len(stamps) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(stamps)} of {count} orders arrived")
            time.sleep(0.05)
            stamps += self.take()
        return stamps

    def drop(self) -> None:
        """Close every connection, as a gateway does that is restarted."""
        self.ask("drop")


if __name__ == "__main__":
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(Path(sys.argv[1])))
