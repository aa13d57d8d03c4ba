"""The table: what a broker does with a placing, what it heard of it, and what we may believe."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from brokerage.schwab.answers import Proof, judge_placing
from brokerage.schwab.exchange import FailureKind
from tests.integration.transport.sending import call, gateway_to
from tests.support.raw_server import (
    CREATED,
    Answer,
    Greeting,
    RawServer,
    created,
    fin,
    http,
    leaves_unread,
    mute,
    reset,
    says,
)

ACCEPTED, UNKNOWN, REFUSED = Proof.ACCEPTED, Proof.UNKNOWN, Proof.REFUSED
UNAUTHORIZED, THROTTLED = Proof.UNAUTHORIZED, Proof.THROTTLED
NO_REPLY = FailureKind.MAYBE_WRITTEN

HERE = "Location: /trader/v1/accounts/AB/orders/17"
HTML = b"<html><title>Access Denied</title></html>"
REASON = b'{"message":"Bad order"}'
LOST_BODY = CREATED.replace(b"Length: 0", b"Length: 9")
CHUNKED = CREATED.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
BYTE_BY_BYTE = [bytes([sign]) for sign in CREATED]


@dataclass(frozen=True)
class Row:
    """One way to behave.

    Args:
        answer: what the broker does when it has read the request.
        heard: how many requests it read.
        got: the status of its answer, or the kind of failure.
        unread: what it does instead, the request unread.
        at_deadline: nothing but our own deadline ends it.
    """

    does: str
    answer: Answer
    heard: int
    got: int | FailureKind
    proof: Proof
    code: str
    unread: Greeting | None = None
    at_deadline: bool = False


def taken() -> Iterator[Row]:
    """201: the order is there, and it is ours if the address says which."""
    yield Row("takes the order", created, 1, 201, ACCEPTED, "ACCEPTED")
    for does, reply, code in [
        ("names it at another host", http(201, b"", f"Location: https://x.example{HERE[10:]}"), ""),
        ("says 100 Continue first", b"HTTP/1.1 100 Continue\r\n\r\n" + CREATED, ""),
        ("says 103 Early Hints first", b"HTTP/1.1 103 Early\r\n\r\n" + CREATED, ""),
        ("does not name it", http(201), "NO_LOCATION"),
        ("names another account's", http(201, b"", HERE.replace("AB", "XY")), "OTHER_ACCOUNT"),
        ("names two", http(201, b"", HERE, HERE.replace("17", "18")), "BAD_LOCATION"),
        ("names one twice", http(201, b"", HERE, HERE), "BAD_LOCATION"),
        ("names no number", http(201, b"", HERE.replace("17", "")), "BAD_LOCATION"),
    ]:
        proof = UNKNOWN if code else ACCEPTED
        yield Row(f"takes it, {does}", says(reply), 1, 201, proof, code or "ACCEPTED")
    for does, answer, late in [
        ("cuts the body", says(LOST_BODY + b"{", close=True), False),
        ("breaks a chunk", says(CHUNKED, b"zz\r\n", pause=0.05), True),
        ("drips the body", says(LOST_BODY, *[b"x"] * 9, pause=0.2), True),
        ("keeps the body", says(LOST_BODY), True),
    ]:
        yield Row(f"takes it, {does}", answer, 1, 201, ACCEPTED, "ACCEPTED", at_deadline=late)


def refused() -> Iterator[Row]:
    """A refusal proves something in the broker's own words only, without a doubt in them."""
    for status, body, proof, code in [
        (400, REASON, REFUSED, "REFUSED"),
        (400, b'{"errors":[{"status":500,"title":"Oops"}]}', UNKNOWN, "DOUBTFUL_REFUSAL"),
        (400, b'{"message":"It may have affected your order"}', UNKNOWN, "DOUBTFUL_REFUSAL"),
        (400, HTML, UNKNOWN, "NOT_A_REFUSAL"),
        (401, REASON, UNAUTHORIZED, "UNAUTHORIZED"),
        (401, b"", UNKNOWN, "NOT_A_REFUSAL"),
        (403, REASON, REFUSED, "REFUSED"),
        (403, HTML, UNKNOWN, "NOT_A_REFUSAL"),
        (404, REASON, REFUSED, "REFUSED"),
        (404, b"404 Not Found: Requested route", UNKNOWN, "NOT_A_REFUSAL"),
        (422, REASON, REFUSED, "REFUSED"),
        (429, HTML, THROTTLED, "THROTTLED"),
        (429, b'{"errors":[{"status":"503","title":"Oops"}]}', UNKNOWN, "UNEXPECTED_STATUS"),
    ]:
        said = body.decode() or "nothing"
        yield Row(f"refuses: {status} {said}", says(http(status, body)), 1, status, proof, code)
    cut = says(http(400, REASON)[:-2], close=True)
    yield Row("refuses: 400, the body cut", cut, 1, 400, UNKNOWN, "NOT_A_REFUSAL")


def neither() -> Iterator[Row]:
    """Such an answer is not followed or repeated after, and its address counts for nothing."""
    for status in [200, 202, 204, 301, 302, 303, 307, 308, 408, 409, 425, 500, 502, 503, 504]:
        reply = http(status, b"" if status == 204 else REASON, HERE, "Retry-After: 0")
        yield Row(f"answers {status}", says(reply), 1, status, UNKNOWN, "UNEXPECTED_STATUS")
    page = says(http(200, HTML))
    yield Row("answers 200 with a page", page, 1, 200, UNKNOWN, "UNEXPECTED_STATUS")


def unreadable() -> Iterator[Row]:
    for does, answer, late in [
        ("resets", reset, False),
        ("closes", says(close=True), False),
        ("ends its half", fin_after_reading, False),
        ("cuts the status line", says(b"HTTP/1.1 201 Cr", close=True), False),
        ("cuts the headers", says(CREATED[:-8], close=True), False),
        ("cuts the order's number", says(CREATED[: CREATED.index(b"7\r")], close=True), False),
        ("closes after 100 Continue", says(b"HTTP/1.1 100 Continue\r\n\r\n", close=True), False),
        ("speaks SSH", says(b"SSH-2.0-x\r\n\r\n"), False),
        ("speaks HTTP/2", says(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64"), False),
        ("sends noise", says(bytes(range(256))), False),
        ("sends a header of 64 KB", says(http(201, b"", HERE, "X: " + "y" * 65536)), False),
        ("gives two lengths", says(http(201, b"{}", HERE, "Content-Length: 3")), False),
        ("stays silent", mute, True),
        ("stops in the status line", says(b"HTTP/1.1 201 Cr"), True),
        ("stops in the headers", says(CREATED[:-8]), True),
        ("drips the answer", says(*BYTE_BY_BYTE, pause=0.05), True),
    ]:
        yield Row(does, answer, 1, NO_REPLY, UNKNOWN, "NO_ANSWER", at_deadline=late)
    for does, unread, late in [
        ("resets, the request unread", reset, False),
        ("ends its half, the request unread", fin, False),
        ("leaves the request unread", mute, True),
    ]:
        greeting = leaves_unread(unread)
        yield Row(does, mute, 0, NO_REPLY, UNKNOWN, "NO_ANSWER", unread=greeting, at_deadline=late)


async def fin_after_reading(heard, writer):
    await fin(heard, writer)
    await mute(heard, writer)


ROWS = [*taken(), *refused(), *neither(), *unreadable()]


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
@pytest.mark.parametrize("row", ROWS, ids=[row.does for row in ROWS])
def test_what_the_broker_does_decides_what_we_believe(row, kept):
    deadline_s = 0.4 if row.at_deadline else 10.0
    placing = call(body=b'{"an":"order"}')
    with (
        RawServer(row.answer, greet=row.unread) as server,
        gateway_to(server, total_timeout_s=deadline_s) as gateway,
    ):
        gateway.warm(int(kept))
        started = time.monotonic()
        (exchange,) = gateway.send_all([placing])
        took_s = time.monotonic() - started

    verdict = judge_placing(exchange, account_hash="AB")
    got = exchange.reply.status if exchange.reply else exchange.failure.kind
    assert (got, verdict.proof, verdict.code) == (row.got, row.proof, row.code)
    assert [heard.body for heard in server.heard] == [placing.request.body] * row.heard
    assert server.connections == 1
    assert exchange.sent_at is not None
    assert (took_s > 0.35, took_s < 3) == (row.at_deadline, True)
