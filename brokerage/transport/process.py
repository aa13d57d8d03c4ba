"""The process's own gateway, built from the settings when it is first needed."""

import os
import resource
import threading

from brokerage.transport.fan_out import Gateway

_gateways: dict[int, Gateway] = {}
_lock = threading.Lock()


def process_gateway() -> Gateway:
    """Return this process's gateway; a forked child gets its own.

    A thread and an event loop do not survive a fork. The parent's gateway stays in the table, for
    dropping it would close the sockets that both share.
    """
    with _lock:
        if os.getpid() not in _gateways:
            _gateways[os.getpid()] = _open()
        return _gateways[os.getpid()]


def close_process_gateway() -> None:
    """Close this process's gateway, if it has one; the next use opens a new one."""
    with _lock:
        gateway = _gateways.pop(os.getpid(), None)
    if gateway is not None:
        gateway.close()


def _open() -> Gateway:
    from django.conf import settings

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A socket per account: the usual soft limit of 1024 would stop a broadcast to thousands.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return Gateway(
        settings.BROKER_URL,
        ca_file=settings.BROKER_CA_FILE or None,
        total_timeout_s=settings.BROKER_TIMEOUT_S,
    )
