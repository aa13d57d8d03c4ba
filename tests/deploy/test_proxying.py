"""What nginx passes on, and how often: its site before servers that break off, lie or count."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import requests

from tests.deploy.proxy import HOST, Proxy, render
from tests.support.raw_server import RawServer, dead_port, http, reset, says

SIGN_INS = 5
Put = Callable[..., AbstractContextManager[tuple[Proxy, requests.Session]]]


@pytest.fixture
def before(tmp_path: Path) -> Put:
    """Put nginx before a port, and open a browser."""

    @contextmanager
    def put(port: int) -> Iterator[tuple[Proxy, requests.Session]]:
        proxy = Proxy(tmp_path, upstream=port, static=tmp_path, sign_ins=SIGN_INS)
        try:
            with requests.Session() as session:
                session.verify, session.trust_env = str(proxy.certificate), False
                yield proxy, session
        finally:
            proxy.stop()

    return put


@pytest.mark.parametrize(
    "ending",
    [
        reset,
        says(b"", close=True),
        says(b"HTTP/1.1 2", close=True),
        says(http(503)),
    ],
    ids=["reset", "closed", "cut off", "503"],
)
def test_an_order_reaches_a_server_that_dies_over_it_only_once(before, ending):
    with RawServer(ending) as server, before(server.port) as (proxy, session):
        url = f"{proxy.url}/api/v1/orders/"
        answer = session.post(url, json={"contracts": 1}, timeout=10)

        assert answer.status_code in (502, 503)
        assert len(server.heard) == server.connections == 1
        assert server.heard[0].body == b'{"contracts": 1}'


def test_a_server_that_is_away_is_told_as_the_api_tells_things(before):
    with before(dead_port()) as (proxy, session):
        answer = session.post(f"{proxy.url}/api/v1/orders/", json={}, timeout=10)

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"
    assert "Idempotency-Key" in answer.json()["detail"]


def test_each_request_has_a_connection_of_its_own(before):
    """A kept one might be closed at the moment at which an order is written to it."""
    with RawServer(says(http(200))) as server, before(server.port) as (proxy, session):
        for _ in range(3):
            session.post(f"{proxy.url}/api/v1/orders/", json={}, timeout=10)

        assert len(server.heard) == server.connections == 3


def test_who_asks_is_the_peer_whatever_he_says_of_himself(before):
    said = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Real-IP": "10.9.9.9",
        "Forwarded": "for=10.9.9.9",
    }
    with RawServer(says(http(200))) as server, before(server.port) as (proxy, session):
        session.get(f"{proxy.url}/", headers=said, timeout=10)

        lines = server.heard[0].head.split("\r\n")[1:]
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["host"] == f"{HOST}:{proxy.port}"
    assert not {"x-forwarded-host", "x-real-ip", "forwarded"} & set(headers)


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/auth/token/"])
def test_attempts_to_sign_in_are_counted_and_what_is_only_looked_at_is_not(before, path):
    with RawServer(says(http(200))) as server, before(server.port) as (proxy, session):

        def attempt(number: int) -> int:
            headers = {"X-Forwarded-For": f"10.0.0.{number}"}
            answer: requests.Response = session.post(proxy.url + path, headers=headers, timeout=10)
            return answer.status_code

        codes = [attempt(number) for number in range(SIGN_INS + 5)]
        refused = session.post(proxy.url + path, timeout=10)

        assert codes[: SIGN_INS + 1] == [200] * (SIGN_INS + 1)
        assert set(codes[SIGN_INS + 2 :]) == {429}
        assert refused.headers["retry-after"] == "60"
        assert refused.json()["code"] == "throttled"
        assert session.get(proxy.url + path, timeout=10).status_code == 200
        assert session.post(f"{proxy.url}/api/v1/orders/", timeout=10).status_code == 200


def test_an_answer_is_passed_on_as_it_comes_not_when_it_is_whole(before):
    slow = says(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
        b"event: hello\n\n",
        *[b""] * 100,
        pause=0.1,
        close=True,
    )
    with RawServer(slow) as server, before(server.port) as (proxy, session):
        url = f"{proxy.url}/live/stream/"
        with session.get(url, stream=True, timeout=5) as answer:
            first = next(answer.iter_lines(chunk_size=1))
            assert answer.elapsed.total_seconds() < 5

    assert first == b"event: hello"


@pytest.mark.parametrize("host", ["a b", "a;b", "-a", ".a", "a{b}", 'a"', "a\nb"])
def test_a_name_that_would_change_the_site_is_refused(host):
    with pytest.raises(AssertionError, match="which is not the name of a host"):
        render(HOST=host, CERTIFICATE="/c", CERTIFICATE_KEY="/k")


@pytest.mark.parametrize("path", ["/a b", "/a;b", "/a|b", "/a&b", "/a'b", "/a\\b"])
def test_a_path_that_would_change_the_site_is_refused(path):
    with pytest.raises(AssertionError, match="a character that may not be in it"):
        render(HOST="desk.example", CERTIFICATE=path, CERTIFICATE_KEY="/k")


def test_the_usual_ports_are_in_no_address_and_both_families_are_listened_to():
    site = render(HOST="desk.example", CERTIFICATE="/c", CERTIFICATE_KEY="/k", IPV6="1")

    assert "https://desk.example$request_uri" in site
    assert site.count("listen [::]:443") == site.count("listen 443") == 2
    assert site.count("listen [::]:80") == site.count("listen 80") == 2
    assert re.findall(r"@[A-Z_]+@", site) == []
