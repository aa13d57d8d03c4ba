"""Tell whoever supervises this process, as systemd understands it, that it is ready and alive."""

import os
import socket

READY_AND_ALIVE = "READY=1\nWATCHDOG=1"


def notify(state: str = READY_AND_ALIVE) -> None:
    """Send a state to the supervisor; where none listens, nothing happens.

    A message that cannot be sent is left out: the supervisor then judges by its absence.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a name without a file
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        try:
            out.sendto(state.encode("ascii"), address)
        except OSError:
            return
