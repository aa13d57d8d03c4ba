"""One deadline for all of an exchange, on a clock that nobody sets."""

import time

import pytest

from brokerage.schwab.exchange import FailureKind
from tests.integration.transport.sending import send
from tests.support.raw_server import RawServer, mute, says


def dripping(sign):
    """A head that has no end: each byte would start a clock anew that runs between two bytes."""
    return says(b"HTTP/1.1 201 Created\r\n", *[sign] * 400, pause=0.01)


@pytest.mark.parametrize(
    "answer",
    [dripping(b"X"), dripping(b"A: b\r\n"), says(*[b"HTTP/1.1 100 X\r\n\r\n"] * 400, pause=0.01)],
    ids=["a header", "headers", "interim answers"],
)
def test_dripping_does_not_prolong_it(answer):
    started = time.monotonic()
    with RawServer(answer) as server:
        (exchange,) = send(server, total_timeout_s=0.4)

    assert exchange.failure.kind is FailureKind.MAYBE_WRITTEN
    assert 0.35 < time.monotonic() - started < 2


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_setting_the_wall_clock_neither_prolongs_nor_shortens_it(step_s, monkeypatch):
    wall, began = time.time, time.monotonic()
    monkeypatch.setattr(
        time, "time", lambda: wall() + (step_s if time.monotonic() > began + 0.2 else 0)
    )
    with RawServer(mute) as server:
        (exchange,) = send(server, total_timeout_s=0.6)

    assert exchange.failure.words == "No answer in time"
    assert 0.55 < time.monotonic() - began < 3


def test_connecting_is_part_of_it():
    began = time.monotonic()
    with RawServer(mute, greet=mute) as server:
        url = server.url.replace("http:", "https:")
        (exchange,) = send(url, total_timeout_s=0.4, connect_timeout_s=9)

    assert exchange.failure.kind is FailureKind.NOT_WRITTEN
    assert 0.35 < time.monotonic() - began < 2
