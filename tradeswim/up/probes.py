"""Ask whether a process is ready yet."""

import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit


def answers(url: str) -> bool:
    """Whether a GET of an address on this machine gives 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def says(path: Path, pid: int) -> bool:
    """Whether the process of this id wrote its ready file."""
    try:
        return path.read_text(encoding="ascii") == str(pid)
    except OSError:
        return False
