"""The gateway against servers that misbehave in every way we know."""

import asyncio
import gzip
import time
from contextlib import closing, contextmanager

import pytest

from brokerage.schwab.exchange import ApiRequest, Call, FailureKind
from brokerage.transport import Gateway
from tests.support.raw_server import (
    CREATED,
    RawServer,
    created,
    dead_port,
    make_tls,
    mute,
    reset,
    says,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


def call(method="POST", path="/trader/v1/accounts/AB/orders", body=b"{}", bearer="x"):
    body = body if method in {"POST", "PUT"} else None
    return Call(ApiRequest(method, path, body), f"Bearer {bearer}")


@contextmanager
def gateway_to(server, **options):
    url = server if isinstance(server, str) else server.url
    with closing(Gateway(url, **{"ca_file": None, "total_timeout_s": 5.0, **options})) as gateway:
        yield gateway


def send(server, *calls, **options):
    with gateway_to(server, **options) as gateway:
        return gateway.send_all(calls or [call()])


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls(tmp_path_factory.mktemp("tls"))


def test_a_request_arrives_whole_and_its_answer_comes_back():
    with RawServer(
        says(b"HTTP/1.1 201 Created\r\nX: 1\r\nX: 2\r\nContent-Length: 2\r\n\r\nhi")
    ) as server:
        (exchange,) = send(server, call(path="/a?b=%20c", body=b'{"a":1}', bearer="t"))

    heard = server.heard[0]
    assert heard.head.startswith("POST /a?b=%20c HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in heard.head
    assert "Authorization: Bearer t\r\n" in heard.head
    assert "Content-Type: application/json\r\n" in heard.head
    assert heard.body == b'{"a":1}'
    assert (exchange.reply.status, exchange.reply.body, exchange.reply.complete) == (
        201,
        b"hi",
        True,
    )
    assert exchange.reply.headers["x"] == "1, 2"


def test_a_delete_has_no_body_and_no_length():
    with RawServer(says(OK)) as server:
        send(server, call("DELETE"))

    assert "content-length" not in server.heard[0].head.lower()


def test_nobody_listening_means_nothing_was_written():
    (exchange,) = send(f"http://127.0.0.1:{dead_port()}")

    assert exchange.failure.kind is FailureKind.NOT_WRITTEN
    assert (exchange.sent_at, exchange.reply) == (None, None)
    assert "Connection refused" in exchange.failure.words


def test_a_certificate_we_do_not_trust_means_nothing_was_written(tls):
    with RawServer(created, tls=tls[0]) as server:
        (exchange,) = send(server)

    assert exchange.failure.kind is FailureKind.NOT_WRITTEN
    assert exchange.failure.words == "The broker's certificate was not accepted"
    assert server.heard == []


def test_a_handshake_that_never_ends_means_nothing_was_written():
    with RawServer(mute, greet=mute) as server:
        (exchange,) = send(server.url.replace("http:", "https:"), connect_timeout_s=0.2)

    assert exchange.failure.kind is FailureKind.NOT_WRITTEN
    assert exchange.failure.words == "No connection in time"


def test_a_reset_during_the_handshake_means_nothing_was_written():
    with RawServer(mute, greet=reset) as server:
        (exchange,) = send(server.url.replace("http:", "https:"))

    assert exchange.failure.kind is FailureKind.NOT_WRITTEN


@pytest.mark.parametrize(
    "answer",
    [
        mute,
        reset,
        says(close=True),
        says(b"HTTP/1.1 201 Cr", close=True),
        says(b"SSH-2.0-x\r\n\r\n", close=True),
        says(*[bytes([sign]) for sign in CREATED], pause=0.02),
    ],
    ids=["silence", "reset", "closed", "cut head", "not HTTP", "dripping head"],
)
def test_without_a_readable_answer_the_request_may_have_been_carried_out(answer):
    started = time.monotonic()
    with RawServer(answer) as server:
        (exchange,) = send(server, total_timeout_s=0.4)

    assert exchange.failure.kind is FailureKind.MAYBE_WRITTEN
    assert exchange.sent_at is not None
    assert len(server.heard) == 1
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "answer",
    [
        says(CREATED.replace(b": 0", b": 9") + b"{", close=True),
        says(CREATED.replace(b": 0", b": 9"), *[b"x"] * 9, pause=0.1),
        says(
            CREATED.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"),
            b"zz\r\n",
            pause=0.05,
        ),
    ],
    ids=["cut", "dripping", "broken chunk"],
)
def test_an_answer_whose_body_is_lost_keeps_status_and_location(answer):
    with RawServer(answer) as server:
        (exchange,) = send(server, total_timeout_s=0.3)

    assert exchange.failure is None
    assert (exchange.reply.status, exchange.reply.complete) == (201, False)
    assert exchange.reply.headers["location"].endswith("/orders/17")


def test_a_body_over_the_limit_is_not_read_to_its_end():
    with RawServer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789")) as server:
        (exchange,) = send(server, body_limit=4)

    assert (exchange.reply.body, exchange.reply.complete) == (b"1234", False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_nothing_more(status):
    head = f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with RawServer(says(head.encode())) as server:
        (exchange,) = send(server, call("PUT"))

    assert exchange.reply.status == status
    assert len(server.heard) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nothing_is_repeated_when_a_reused_connection_closes(method):
    async def answer_once(heard, writer):
        writer.write(OK) if heard.number == 0 else writer.close()

    with RawServer(answer_once) as server, gateway_to(server) as gateway:
        gateway.send_all([call("GET")])
        (exchange,) = gateway.send_all([call(method)])

    assert exchange.failure.kind is FailureKind.MAYBE_WRITTEN
    assert server.connections == 1
    assert len(server.heard) == 2


@pytest.mark.parametrize(
    "ending", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"]
)
def test_a_connection_closed_while_idle_is_not_used_again(ending):
    async def answer_and_leave(_, writer):
        writer.write(CREATED)
        await asyncio.sleep(0.05)
        writer.write(ending)
        writer.close()

    with RawServer(answer_and_leave) as server, gateway_to(server) as gateway:
        gateway.send_all([call()])
        time.sleep(0.15)
        (exchange,) = gateway.send_all([call("PUT")])

    assert exchange.reply.status == 201
    assert (server.connections, len(server.heard)) == (2, 2)


def test_words_on_an_idle_connection_are_not_taken_for_the_next_answer():
    async def answer_and_babble(_, writer):
        writer.write(CREATED)
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with RawServer(answer_and_babble) as server, gateway_to(server) as gateway:
        gateway.send_all([call()])
        time.sleep(0.15)
        (exchange,) = gateway.send_all([call()])

    assert exchange.reply.status == 201
    assert server.connections == 2


def test_an_interim_answer_is_skipped_and_a_packed_one_unpacked():
    packed = gzip.compress(b"[1]")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with RawServer(says(b"HTTP/1.1 103 Early Hints\r\n\r\n" + head.encode() + packed)) as server:
        (exchange,) = send(server, call("GET"))

    assert (exchange.reply.status, exchange.reply.body) == (200, b"[1]")


def test_the_stamp_lies_between_the_start_and_the_arrival():
    async def answer_late(_, writer):
        await asyncio.sleep(0.1)
        writer.write(CREATED)

    with RawServer(answer_late) as server, gateway_to(server) as gateway:
        gateway.warm(8)
        started = time.time()
        exchanges = gateway.send_all([call(path=f"/{number}") for number in range(8)])

    arrived = {heard.head.split()[1]: heard.at for heard in server.heard}
    for exchange in exchanges:
        # The server may read before the sender has taken its stamp: leave the scheduler some time.
        assert started <= exchange.sent_at <= arrived[exchange.request.path] + 0.05
        assert exchange.answered_at - exchange.sent_at > 0.09


def test_one_mute_account_of_45_holds_nobody_up():
    async def answer(heard, writer):
        await (mute if "/mute" in heard.head else created)(heard, writer)

    with RawServer(answer) as server, gateway_to(server, total_timeout_s=0.8) as gateway:
        gateway.warm(45)
        started = time.monotonic()
        ended = {}
        for batch in gateway.stream([call(path="/mute" if n == 20 else "/x") for n in range(45)]):
            ended.update(dict.fromkeys((n for n, _ in batch), time.monotonic() - started))

    last = ended.pop(20)
    assert len(ended) == 44
    assert max(ended.values()) < 0.5
    assert 0.7 < last < 1.3


def test_an_account_that_cannot_connect_keeps_the_others_back_only_for_a_while(tls):
    async def stall_the_third(number, writer):
        await (mute(None, writer) if number == 2 else writer.start_tls(tls[0]))

    patience = {"connect_timeout_s": 9, "total_timeout_s": 9}
    with (
        RawServer(created, greet=stall_the_third) as server,
        gateway_to(server.url.replace("http", "https"), ca_file=tls[1], **patience) as gateway,
    ):
        started = time.monotonic()
        first = next(gateway.stream([call() for _ in range(5)]))

    assert [exchange.reply.status for _, exchange in first] == [201] * 4
    assert 1.4 < time.monotonic() - started < 2.5


def test_every_exchange_comes_back_in_its_place():
    async def echo(heard, writer):
        name = heard.head.split()[1].encode()
        await asyncio.sleep(0.1 if name == b"/0" else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))

    with RawServer(echo) as server:
        exchanges = send(server, *[call("GET", f"/{number}") for number in range(12)])

    assert [exchange.reply.body for exchange in exchanges] == [b"/%d" % n for n in range(12)]


def test_a_request_that_no_request_may_look_like_stays_here_and_the_others_go():
    bad = [call(bearer="a\r\nX: 1"), call(path="/a b"), call(path="/a\r\n"), call("post")]
    with RawServer(created) as server:
        exchanges = send(server, *bad, call())

    assert [exchange.failure.kind for exchange in exchanges[:4]] == [FailureKind.NOT_WRITTEN] * 4
    assert exchanges[4].reply.status == 201
    assert len(server.heard) == 1


def test_warming_tops_connections_up_and_sends_nothing(tls):
    with RawServer(created, tls=tls[0]) as server, gateway_to(server, ca_file=tls[1]) as gateway:
        warm = (gateway.warm(6), gateway.warm(6))
        heard_by_then = len(server.heard)
        exchanges = gateway.send_all([call() for _ in range(6)])
        opened_by_then = server.connections
        gateway.warm(7)
        gateway.send_all([call() for _ in range(7)])

    assert warm == (6, 6)
    assert (heard_by_then, opened_by_then, server.connections) == (0, 6, 7)
    assert all(exchange.reply.status == 201 for exchange in exchanges)


def test_warming_tells_that_the_broker_is_away():
    with gateway_to(f"http://127.0.0.1:{dead_port()}") as gateway:
        assert gateway.warm(30) == 0


def test_proxies_of_the_environment_are_ignored(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{dead_port()}")
    with RawServer(created) as server:
        (exchange,) = send(server)

    assert exchange.reply.status == 201


def test_cookies_are_not_kept():
    with_cookie = CREATED.replace(b"Location", b"Set-Cookie: a=b\r\nLocation")
    with RawServer(says(with_cookie)) as server, gateway_to(server) as gateway:
        gateway.send_all([call()])
        gateway.send_all([call()])

    assert "cookie" not in server.heard[1].head.lower()


def test_closing_ends_what_is_under_way():
    with RawServer(mute) as server:
        gateway = Gateway(server.url, ca_file=None, total_timeout_s=30)
        batches = gateway.stream([call()])
        while not server.heard:
            time.sleep(0.01)
        gateway.close()
        ((index, exchange),) = next(batches)

    assert exchange.failure
    assert (index, exchange.failure.kind) == (0, FailureKind.MAYBE_WRITTEN)
    assert list(batches) == []
    gateway.close()


def test_no_calls_are_no_trouble():
    with gateway_to(f"http://127.0.0.1:{dead_port()}") as gateway:
        assert gateway.send_all([]) == []


def test_tokens_and_bodies_are_in_no_repr():
    with RawServer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhush")) as server:
        sent = call(body=b"hush", bearer="hush")
        (exchange,) = send(server, sent)

    assert "hush" not in repr((sent, exchange))
