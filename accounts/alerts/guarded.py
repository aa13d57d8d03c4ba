"""Connections that go to allowed addresses only, and that can be cut when their time is over.

A name may be looked up once to be checked and once more to be used, with another answer: here it
is looked up once, checked, and that very address is connected to.
"""

import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection
from urllib3.util.timeout import Timeout

Permits = Callable[[str], bool]


class ForbiddenAddress(Exception):
    """The name leads to an address that nothing may be sent to."""


class Lines:
    """The lines that one call has opened."""

    def __init__(self, permits: Permits) -> None:
        self._permits = permits
        self._open: list[socket.socket] = []
        self._is_over = False

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Connect to an address of the name, if all of its addresses are allowed."""
        host, port = connection.host.strip("[]"), connection.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
            if not all(map(self._permits, addresses)):
                raise ForbiddenAddress
            line = _first(addresses, port, _seconds(connection.timeout))
        except OSError as error:
            raise NewConnectionError(connection, type(error).__name__) from None
        # A second handle: TLS takes the first one over, and only this one can cut it from outside.
        self._open.append(line.dup())
        if self._is_over:  # looking its name up took all the time there was
            self.cut()
        return line

    def cut(self) -> None:
        """Wake whoever waits for a byte, now or on a line to come: his time is over."""
        self._is_over = True
        for line in self._open:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for line in self._open:
            line.close()


def guarded_adapter(lines: Lines) -> HTTPAdapter:
    """Return an adapter for requests whose connections are all made by `lines`."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return lines.connect(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return lines.connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Guarded(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options)
            pools = {"http": PlainPool, "https": SecurePool}
            self.poolmanager.pool_classes_by_scheme = pools

    return Guarded(max_retries=0)


def _first(addresses: Sequence[str], port: int, timeout: float | None) -> socket.socket:
    """Connect to the first that answers. Errors: OSError, that of the last one."""
    *others, last = addresses
    for address in others:
        with contextlib.suppress(OSError):
            return create_connection((address, port), timeout)
    return create_connection((last, port), timeout)


def _seconds(timeout: Any) -> float | None:
    found = timeout.connect_timeout if isinstance(timeout, Timeout) else timeout
    return found if isinstance(found, int | float) else None
