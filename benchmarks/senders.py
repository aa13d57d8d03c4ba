"""Measure the send phase alone beside other ways to send the same bytes: `benchmarks.senders`.

All send the same orders to the same raw TLS sink in the same run, over connections that are open:
milliseconds from the beginning until the last order has arrived. Raw sockets are the limit: they
write, one after the other, and nothing is read until all is written.
"""

import argparse
import os
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from benchmarks.report import Figure, Section, hand_in, spread
from benchmarks.sink import Sink
from benchmarks.talking import Talking
from brokerage.schwab.exchange import Call
from brokerage.schwab.messages import place_order_body
from brokerage.transport import Gateway
from brokerage.transport.http1 import request_bytes

AUTHORIZATION = "Bearer " + "t" * 200
BODY = (
    b'{"complexOrderStrategyType":"IRON_CONDOR","orderType":"NET_CREDIT","session":"NORMAL",'
    b'"price":"1.05","duration":"DAY","orderStrategyType":"SINGLE","orderLegCollection":['
    + b",".join(
        b'{"instruction":"%s","quantity":1,"instrument":{"symbol":"SPXW  261218%s",'
        b'"assetType":"OPTION"}}' % pair
        for pair in (
            (b"BUY_TO_OPEN", b"P06245000"),
            (b"SELL_TO_OPEN", b"P06250000"),
            (b"SELL_TO_OPEN", b"C06450000"),
            (b"BUY_TO_OPEN", b"C06455000"),
        )
    )
    + b"]}"
)
THREADS = 64
PAUSE_S = 0.3

# Sends once; returns when it began, in Unix seconds.
Sender = Callable[[], float]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[45, 1000])
    parser.add_argument("--runs", type=int, default=15)
    hand_in(measure, parser)


def measure(options: argparse.Namespace) -> Sequence[Section]:
    """Let everybody send in turn, again and again."""
    return [_section(count, options.runs) for count in options.accounts]


def _section(count: int, runs: int) -> Section:
    took: dict[str, list[float]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sink, calls = stack.enter_context(Sink(Path(folder) / "tls")), calls_to(count)
        senders = {name: stack.enter_context(make(sink, calls)) for name, make in WAYS.items()}
        for run in range(runs + 1):
            for name, send in senders.items():
                time.sleep(PAUSE_S)
                began = send()
                ms = (max(sink.take_all(count)) - began) * 1000
                if run:  # the first one warms everything up
                    took.setdefault(name, []).append(ms)
    return Section(
        f"senders-{count}",
        f"The send phase alone, {count} accounts: milliseconds until the last order arrived",
        _rows(took),
        f"{runs} runs, in turn, warm connections, the same bytes to the same raw TLS sink.",
    )


def _rows(took: dict[str, list[float]]) -> dict[str, dict[str, Figure]]:
    spreads = {name: spread(times) for name, times in took.items()}
    limit = spreads["raw sockets"]["median"]
    return {
        name: {**found, "× raw sockets": round(found["median"] / limit, 2)}
        for name, found in spreads.items()
    }


def calls_to(count: int) -> list[Call]:
    """Return an order for each of so many accounts."""
    return [Call(place_order_body(f"HASH{number}", BODY), AUTHORIZATION) for number in range(count)]


@contextmanager
def _raw_sockets(sink: Sink, calls: Sequence[Call]) -> Iterator[Sender]:
    context = ssl.create_default_context(cafile=sink.ca_file)
    wires = []
    for _ in calls:
        plain = socket.create_connection(("127.0.0.1", sink.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wires.append(context.wrap_socket(plain, server_hostname="127.0.0.1"))
    pairs = [
        (wire, request_bytes(call, host=f"127.0.0.1:{sink.port}"))
        for wire, call in zip(wires, calls, strict=True)
    ]

    def send() -> float:
        began = time.time()
        for wire, data in pairs:
            wire.sendall(data)
        for wire in wires:
            wire.recv(4096)
        return began

    yield send
    for wire in wires:
        wire.close()


@contextmanager
def _gateway(sink: Sink, calls: Sequence[Call]) -> Iterator[Sender]:
    gateway = Gateway(sink.url, ca_file=sink.ca_file)

    def send() -> float:
        gateway.warm(len(calls))
        time.sleep(PAUSE_S)
        began = time.time()
        gateway.send_all(calls)
        return began

    yield send
    gateway.close()


@contextmanager
def _requests_on_threads(sink: Sink, calls: Sequence[Call]) -> Iterator[Sender]:
    session = requests.Session()
    session.trust_env = False
    session.verify = sink.ca_file
    session.mount(sink.url, HTTPAdapter(pool_maxsize=THREADS, max_retries=0))
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}

    def post(call: Call) -> None:
        address = sink.url + call.request.path
        session.post(address, data=call.request.body, headers=headers, timeout=10)

    with ThreadPoolExecutor(THREADS) as threads:

        def send() -> float:
            began = time.time()
            list(threads.map(post, calls))
            return began

        yield send


@contextmanager
def _node(sink: Sink, calls: Sequence[Call]) -> Iterator[Sender]:
    script = str(Path(__file__).with_name("senders.mjs"))
    command = ["node", script, sink.url, str(len(calls)), BODY.decode(), AUTHORIZATION]
    with Talking(command, {**os.environ, "NODE_EXTRA_CA_CERTS": sink.ca_file}) as node:
        yield lambda: float(node.ask("go"))


WAYS: dict[str, Callable[[Sink, Sequence[Call]], AbstractContextManager[Sender]]] = {
    "raw sockets": _raw_sockets,
    "Tradeswim's gateway": _gateway,
    f"requests on {THREADS} threads": _requests_on_threads,
}
if shutil.which("node"):
    WAYS["Node, Promise.all(fetch)"] = _node


if __name__ == "__main__":
    main()
