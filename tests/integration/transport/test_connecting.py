"""The table's first half: no connection comes about, so nothing was written and nothing placed."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from brokerage.schwab.answers import Proof, judge_placing
from tests.integration.transport.sending import send
from tests.support.raw_server import (
    CREATED,
    Greeting,
    RawServer,
    created,
    dead_port,
    fin,
    leaves_unread,
    make_tls,
    mute,
    reset,
    says,
)

ROOT = Path(__file__).resolve().parents[3]
GARBAGE = says(bytes(range(128, 256)) * 4, close=True)
NO_TLS = says(b"HTTP/1.1 400 Bad Request\r\n\r\n", close=True)


@dataclass(frozen=True)
class Row:
    """One way not to be reached.

    Args:
        address: the broker's, if none of it is there.
        handshake: what it does instead of TLS.
        certificate: what to change about the certificate it shows.
        trusted: whether we know who signed it.
    """

    does: str
    words: str
    address: Callable[[], str] | None = None
    handshake: Greeting | None = None
    certificate: dict[str, Any] | None = None
    trusted: bool = True


ROWS = [
    Row("is not there", "Connection refused", lambda: f"https://127.0.0.1:{dead_port()}"),
    Row("has no such name", "name could not be resolved", lambda: "https://broker.invalid"),
    Row("never ends the handshake", "No connection in time", handshake=mute),
    Row("ends its half in the handshake", "No connection", handshake=leaves_unread(fin)),
    Row("resets in the handshake", "No connection", handshake=leaves_unread(reset)),
    Row("speaks no TLS", "No connection", handshake=NO_TLS),
    Row("speaks nonsense", "No connection", handshake=GARBAGE),
    Row("has nobody's certificate", "certificate was not accepted", certificate={}, trusted=False),
    Row(
        "has another's certificate",
        "certificate was not accepted",
        certificate={"address": "127.0.0.2"},
    ),
    Row(
        "has an old certificate",
        "certificate was not accepted",
        certificate={"ends_in": timedelta(hours=-1)},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.does for row in ROWS])
def test_without_a_connection_nothing_is_written_and_nothing_placed(row, tmp_path):
    context, ca_file = make_tls(tmp_path, **(row.certificate or {}))
    tls = context if row.certificate is not None else None
    with RawServer(created, greet=row.handshake, tls=tls) as server:
        address = row.address() if row.address else server.url.replace("http:", "https:")
        trust = ca_file if row.trusted else None
        (exchange,) = send(address, ca_file=trust, connect_timeout_s=1.0)

    verdict = judge_placing(exchange, account_hash="AB")
    assert (verdict.proof, verdict.code, exchange.sent_at) == (Proof.NOT_SENT, "NOT_SENT", None)
    assert row.words in verdict.words
    assert "127.0.0" not in verdict.words
    assert server.heard == []


SHORT_OF_SOCKETS = """
import os, resource, sys
from tests.integration.transport.sending import call, gateway_to

with gateway_to(sys.argv[1]) as gateway:
    gateway.warm(2)
    most = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for exchange in gateway.send_all([call()] * 4):
        print(exchange.reply.status if exchange.reply else exchange.failure.words)
"""


def test_when_sockets_run_out_the_others_are_placed_and_nothing_else_is_written():
    slow = says(b"", CREATED, pause=0.3)  # none comes back soon enough to be lent again
    with RawServer(slow) as server:
        said = subprocess.check_output(
            [sys.executable, "-c", SHORT_OF_SOCKETS, server.url], cwd=ROOT, text=True, timeout=30
        )

    assert said.splitlines() == ["201"] * 2 + ["No connection (Too many open files)"] * 2
    assert len(server.heard) == 2
