"""A request that was held back past its limit stays here, whatever held it back."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from yarl import URL

from brokerage.schwab.exchange import FailureKind
from brokerage.transport import lateness, pool
from tests.integration.transport.sending import call, gateway_to, send
from tests.support.raw_server import RawServer, created, make_tls

ROOT = Path(__file__).resolve().parents[3]
TOO_LATE = (FailureKind.NOT_WRITTEN, "Held back here until it was too late to send it")

# A worker in small: it claims (sets the limit), and is stopped before it sends.
WORKER = """
import os, signal, sys, time
from brokerage.transport import Gateway
from tests.integration.transport.sending import call

url, ca_file, stopped_by = sys.argv[1:]
gateway = Gateway(url, ca_file=ca_file or None)
if stopped_by == "itself":
    gateway.warm(3)
calls = [call(not_after=time.time() + 0.4) for _ in range(3)]
if stopped_by == "itself":
    os.kill(os.getpid(), signal.SIGSTOP)
for exchange in gateway.send_all(calls):
    print(exchange.sent_at, exchange.failure.kind, exchange.failure.words, flush=True)
gateway.close()
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls(tmp_path_factory.mktemp("tls"))


def start_worker(url: str, ca_file: str, stopped_by: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, ca_file, stopped_by],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_stopped(worker: subprocess.Popen[str]) -> None:
    _, status = os.waitpid(worker.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


def said_by(worker: subprocess.Popen[str]) -> list[str]:
    """Let it go on after its limit, and return what it says about its requests."""
    time.sleep(0.6)
    worker.send_signal(signal.SIGCONT)
    return worker.communicate(timeout=20)[0].splitlines()


@pytest.mark.parametrize("warm", [True, False], ids=["warm connection", "new connection"])
def test_a_request_past_its_limit_is_not_written(warm):
    with RawServer(created) as server, gateway_to(server) as gateway:
        gateway.warm(2 if warm else 0)
        late, timely = gateway.send_all(
            [call(not_after=time.time() - 0.01), call(not_after=time.time() + 60)]
        )

    assert (late.failure.kind, late.failure.words) == TOO_LATE
    assert late.sent_at is None
    assert timely.reply.status == 201
    assert len(server.heard) == 1


def test_a_limit_that_is_no_number_is_over():
    with RawServer(created) as server:
        (exchange,) = send(server, call(not_after=float("nan")))

    assert (exchange.failure.kind, exchange.failure.words) == TOO_LATE
    assert server.heard == []


@pytest.mark.parametrize("stopped", ["wall", "steady"])
def test_a_clock_that_stands_still_does_not_make_a_late_request_timely(stopped, tls, monkeypatch):
    """The connection takes longer than the limit allows, and only one clock sees it."""
    ticking = time.clock_gettime
    now = {"wall": time.time(), "steady": ticking(lateness.STEADY_CLOCK)}

    async def dawdle(_, writer):
        writer.transport.pause_reading()  # or it would take the handshake for a request
        await asyncio.sleep(0.3)
        await writer.start_tls(tls[0])

    with RawServer(created, greet=dawdle) as server:
        url = server.url.replace("http", "https")
        with gateway_to(url, ca_file=tls[1]) as gateway:
            limit = time.time() + 0.2
            if stopped == "wall":
                monkeypatch.setattr(time, "time", lambda: now["wall"])
            else:
                monkeypatch.setattr(
                    time,
                    "clock_gettime",
                    lambda clock: (
                        now["steady"] if clock == lateness.STEADY_CLOCK else ticking(clock)
                    ),
                )
            (exchange,) = gateway.send_all([call(not_after=limit)])

    assert (exchange.failure.kind, exchange.failure.words) == TOO_LATE
    assert server.heard == []


def test_a_worker_stopped_between_claim_and_send_sends_nothing_when_it_goes_on(tls):
    with RawServer(created, tls=tls[0]) as server:
        worker = start_worker(server.url, tls[1], "itself")
        wait_until_stopped(worker)
        said = said_by(worker)
        connections = server.connections

    assert said == [f"None {TOO_LATE[0]} {TOO_LATE[1]}"] * 3
    assert connections == 3  # it had everything it needed to send
    assert server.heard == []


def test_a_worker_stopped_while_it_connects_sends_nothing_when_it_goes_on(tls):
    goes_on = threading.Event()

    async def hold(_, writer):
        writer.transport.pause_reading()
        while not goes_on.is_set():
            await asyncio.sleep(0.01)
        await writer.start_tls(tls[0])

    with RawServer(created, greet=hold) as server:
        worker = start_worker(server.url.replace("http", "https"), tls[1], "us")
        while server.connections < 3:
            assert worker.poll() is None
            time.sleep(0.01)
        worker.send_signal(signal.SIGSTOP)
        wait_until_stopped(worker)
        goes_on.set()
        said = said_by(worker)

    assert said == [f"None {TOO_LATE[0]} {TOO_LATE[1]}"] * 3
    assert server.heard == []


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_what_was_not_delivered_when_we_gave_up_never_arrives(secure, tls):
    """A server that reads nothing stands for a network that delivers nothing for a while."""
    length = 4_000_000
    reads_on, received = threading.Event(), [0]

    def serve(listener):
        wire, _ = listener.accept()
        wire = tls[0].wrap_socket(wire, server_side=True) if secure else wire
        with wire:
            wire.settimeout(5)
            reads_on.wait(5)
            with suppress(OSError):
                while read := len(wire.recv(65536)):
                    received[0] += read

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        serving = threading.Thread(target=serve, args=(listener,))
        serving.start()
        url = f"{'https' if secure else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        with gateway_to(url, ca_file=tls[1], total_timeout_s=0.5) as gateway:
            (exchange,) = gateway.send_all([call(body=b"x" * length)])
            reads_on.set()
            serving.join()

    assert exchange.failure.kind is FailureKind.MAYBE_WRITTEN
    assert received[0] < length


def test_the_kernel_does_not_deliver_for_longer_than_we_would_wait():
    """It goes on by itself when our process is stopped or killed."""

    async def patience_ms(url):
        kept = pool.Pool(URL(url), ca_file=None, connect_timeout_s=2.0)
        connection = await kept.open()
        assert connection.transport
        wire = connection.transport.get_extra_info("socket")
        found = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        kept.put(connection)
        await kept.close()
        return found

    with RawServer(created) as server:
        assert asyncio.run(patience_ms(server.url)) == 10_000
