"""What goes out, and what comes back when nothing goes wrong."""

import gzip

from brokerage.schwab.exchange import FailureKind
from tests.integration.transport.sending import call, gateway_to, send
from tests.support.raw_server import CREATED, RawServer, created, dead_port, http, says


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
    with RawServer(says(http(200, b"[]"))) as server:
        send(server, call("DELETE"))

    assert "content-length" not in server.heard[0].head.lower()


def test_an_interim_answer_is_skipped_and_a_packed_one_unpacked():
    packed = gzip.compress(b"[1]")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with RawServer(says(b"HTTP/1.1 103 Early Hints\r\n\r\n" + head.encode() + packed)) as server:
        (exchange,) = send(server, call("GET"))

    assert (exchange.reply.status, exchange.reply.body) == (200, b"[1]")


def test_a_body_over_the_limit_is_not_read_to_its_end():
    with RawServer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789")) as server:
        (exchange,) = send(server, body_limit=4)

    assert (exchange.reply.body, exchange.reply.complete) == (b"1234", False)


def test_a_request_that_no_request_may_look_like_stays_here_and_the_others_go():
    bad = [call(bearer="a\r\nX: 1"), call(path="/a b"), call(path="/a\r\n"), call("post")]
    with RawServer(created) as server:
        exchanges = send(server, *bad, call())

    assert [exchange.failure.kind for exchange in exchanges[:4]] == [FailureKind.NOT_WRITTEN] * 4
    assert exchanges[4].reply.status == 201
    assert len(server.heard) == 1


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


def test_tokens_and_bodies_are_in_no_repr():
    with RawServer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhush")) as server:
        sent = call(body=b"hush", bearer="hush")
        (exchange,) = send(server, sent)

    assert "hush" not in repr((sent, exchange))
