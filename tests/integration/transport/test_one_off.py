"""Single calls against the same misbehaving servers, and the process's own gateway."""

import os
import time
import traceback

import pytest

from brokerage import errors
from brokerage.schwab import oauth
from brokerage.schwab.exchange import ApiRequest
from brokerage.transport import close_process_gateway, fetch, process_gateway
from tests.support.raw_server import (
    CREATED,
    RawServer,
    created,
    dead_port,
    fin,
    http,
    leaves_unread,
    make_tls,
    mute,
    reset,
    says,
)

GET = ApiRequest("GET", "/marketdata/v1/chains?symbol=%24SPX&x=a%20b")


def ask(server, request=GET, **options):
    url = server if isinstance(server, str) else server.url
    return fetch(
        request,
        **{
            "base_url": url,
            "authorization": "Bearer hush",
            "ca_file": None,
            "timeout_s": 5.0,
            **options,
        },
    )


def plain(method: str) -> ApiRequest:
    return ApiRequest(method, "/x", b"{}" if method in {"POST", "PUT"} else None)


def test_a_call_arrives_whole_and_its_answer_comes_back():
    with RawServer(says(b"HTTP/1.1 400 X\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi")) as server:
        reply = ask(server, oauth.refresh("t@"))

    heard = server.heard[0]
    assert heard.head.startswith("POST /v1/oauth/token HTTP/1.1\r\n")
    assert "Authorization: Bearer hush\r\n" in heard.head
    assert "Content-Type: application/x-www-form-urlencoded\r\n" in heard.head
    assert heard.body == b"grant_type=refresh_token&refresh_token=t%40"
    assert (reply.status, reply.body, reply.complete) == (400, b"hi", True)
    assert reply.headers["x-a"] == "1"


def test_an_encoded_query_goes_out_as_it_is():
    with RawServer(created) as server:
        ask(server)

    assert server.lines == ["GET /marketdata/v1/chains?symbol=%24SPX&x=a%20b HTTP/1.1"]


def test_it_speaks_tls_with_the_given_certificates_only(tmp_path):
    context, ca_file = make_tls(tmp_path)
    with RawServer(created, tls=context) as server:
        assert ask(server, ca_file=ca_file).status == 201
        with pytest.raises(errors.NotSent):
            ask(server)

    assert len(server.heard) == 1


def test_nobody_listening_means_nothing_was_sent():
    with pytest.raises(errors.NotSent):
        ask(f"http://127.0.0.1:{dead_port()}")


UNREADABLE = {
    "silence": mute,
    "reset": reset,
    "closed": says(close=True),
    "garbage": says(b"garbage\r\n\r\n", close=True),
    "half a status line": says(b"HTTP/1.1 20", close=True),
    "dripping head": says(*[b"H"] * 60, pause=0.02),
}


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_without_an_answer_the_outcome_is_unknown_and_nothing_is_repeated(answer, method):
    started = time.monotonic()
    with RawServer(answer) as server:
        with pytest.raises(errors.OutcomeUnknown):
            ask(server, plain(method), timeout_s=0.4)
        assert time.monotonic() - started < 2

    assert (server.connections, len(server.heard)) == (1, 1)


@pytest.mark.parametrize("unread", [reset, fin], ids=["reset", "closed"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_request_that_was_never_read_is_not_repeated(unread, method):
    server = RawServer(created, greet=leaves_unread(unread))
    with server, pytest.raises(errors.OutcomeUnknown):
        ask(server, plain(method))

    assert (server.connections, len(server.heard)) == (1, 0)


@pytest.mark.parametrize(
    "status", [301, 302, 303, 307, 308, 401, 408, 413, 425, 429, 500, 502, 503]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_status_is_an_answer_and_none_a_reason_to_ask_again(status, method):
    """The headers are those on which requests or urllib3 would follow, log in or repeat."""
    tempting = ["Location: /elsewhere", "Retry-After: 0", 'WWW-Authenticate: Basic realm="x"']
    with RawServer(says(http(status, b"", *tempting))) as server:
        assert ask(server, plain(method)).status == status

    assert (server.connections, len(server.heard)) == (1, 1)


@pytest.mark.parametrize("greet", [mute, leaves_unread(reset), says(b"x" * 99, close=True)])
def test_a_handshake_that_fails_carries_no_request_and_is_not_repeated(greet):
    """Which failure it is cannot be told from here, so nothing is claimed."""
    server = RawServer(created, greet=greet)
    with server, pytest.raises((errors.NotSent, errors.OutcomeUnknown)):
        ask(server.url.replace("http:", "https:"), timeout_s=0.5)

    assert (server.connections, len(server.heard)) == (1, 0)


def test_no_such_name_means_nothing_was_sent():
    with pytest.raises(errors.NotSent):
        ask("http://broker.invalid")


def test_a_body_that_is_cut_keeps_its_status():
    with RawServer(says(CREATED.replace(b": 0", b": 9") + b"{", close=True)) as server:
        reply = ask(server)

    assert (reply.status, reply.complete) == (201, False)
    assert reply.headers["location"] == "/accounts/AB/orders/17"


def test_proxies_of_the_environment_are_ignored(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{dead_port()}")
    with RawServer(created) as server:
        assert ask(server).status == 201


def test_passwords_lying_around_in_a_netrc_are_ignored(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with RawServer(created) as server:
        ask(server)

    assert "Authorization: Bearer hush\r\n" in server.heard[0].head


@pytest.mark.parametrize("answer", [reset, mute])
def test_an_error_holds_neither_code_nor_token_nor_address(answer):
    grant = oauth.exchange_code("hush-code", "https://hush.example/")
    with RawServer(answer) as server, pytest.raises(errors.OutcomeUnknown) as caught:
        ask(server, grant, timeout_s=0.3)

    assert caught.value.__context__ is None
    assert "hush" not in "".join(traceback.format_exception_only(caught.value))
    assert "127.0.0.1" not in str(caught.value)


def test_a_process_has_one_gateway_and_a_forked_child_its_own(settings):
    with RawServer(created) as server:
        settings.BROKER_URL, settings.BROKER_CA_FILE = server.url, ""
        gateway = process_gateway()
        assert process_gateway() is gateway
        child = os.fork()
        if child == 0:
            os._exit(0 if process_gateway() is not gateway else 1)
        _, code = os.waitpid(child, 0)
        close_process_gateway()
        assert process_gateway() is not gateway
        close_process_gateway()

    assert code == 0
