"""The real nginx before the real stack: what it lets through, what it refuses, what it never does."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests

from tests.deploy.proxy import HOST, Proxy
from tests.faults.installation import wait_until
from tests.support.stack import PASSWORD

HEADERS = {
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def session(proxy: Proxy) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify, session.trust_env = str(proxy.certificate), False
        yield session


def context(proxy: Proxy, *, alpn: str = "http/1.1") -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(proxy.certificate))
    made.set_alpn_protocols([alpn])
    return made


def shake_hands(proxy: Proxy, made: ssl.SSLContext, name: str = HOST) -> tuple[str, str]:
    """Connect and return the protocols agreed upon."""
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plain,
        made.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        return str(wrapped.version()), str(wrapped.selected_alpn_protocol())


def ask(proxy: Proxy, path: str, *, host: str = "") -> int:
    """GET a path; return its status."""
    connection = http.client.HTTPSConnection(HOST, proxy.port, timeout=30, context=context(proxy))
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        return connection.getresponse().status
    finally:
        connection.close()


def test_tls_1_3_is_served_with_http_2(proxy):
    assert shake_hands(proxy, context(proxy, alpn="h2")) == ("TLSv1.3", "h2")


def test_tls_1_2_is_refused(proxy):
    old = context(proxy)
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version"):
        shake_hands(proxy, old)


def test_no_data_is_taken_early(proxy):
    """0-RTT can be played back by whoever sees it, an order in it too; a session must promise it."""
    command = f"openssl s_client -connect 127.0.0.1:{proxy.port} -servername {HOST} -ign_eof"
    request = f"GET /static/nothing HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    done = subprocess.run(
        command.split(), input=request, capture_output=True, text=True, timeout=60, check=False
    )

    assert "HTTP/1.1 404" in done.stdout
    promised = re.findall(r"Max Early Data: (\d+)", done.stdout)
    assert set(promised) <= {"0"}


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1"])
def test_a_name_that_is_not_ours_gets_no_handshake(proxy, name):
    strange = context(proxy)
    strange.check_hostname = False

    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized name|handshake"):
        shake_hands(proxy, strange, name)


def test_a_host_header_that_is_not_ours_gets_no_answer(proxy):
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(proxy, "/sign-in/", host="evil.example")


def test_plain_http_leads_to_https_except_for_certificates(proxy, session):
    plain = f"http://{HOST}:{proxy.http_port}"
    answer = session.get(f"{plain}/desk/?a=1", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{proxy.url}/desk/?a=1")

    challenge = proxy.acme / ".well-known" / "acme-challenge"
    challenge.mkdir(parents=True)
    (challenge / "token").write_text("proof")
    asked = f"{plain}/.well-known/acme-challenge/token"
    assert session.get(asked, allow_redirects=False, timeout=5).text == "proof"


def test_pages_carry_their_security_headers_once(proxy, session):
    answer = session.get(f"{proxy.url}/sign-in/", timeout=30)

    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["server"] == "nginx"
    assert {cookie.name for cookie in session.cookies} == {"__Host-csrf"}
    assert all(cookie.secure for cookie in session.cookies)


def test_what_nginx_says_itself_tells_browsers_to_stay_with_https(proxy, session):
    answer = session.get(f"{proxy.url}/static/nothing.js", timeout=30)

    assert answer.status_code == 404
    assert answer.headers["strict-transport-security"] == HEADERS["strict-transport-security"]


def test_static_files_come_compressed_and_stay_for_ever(proxy, session):
    page = session.get(f"{proxy.url}/sign-in/", timeout=30).text
    path = next(one for one in re.findall(r'"(/static/[^"]+)"', page) if one.endswith(".css"))
    answer = session.get(proxy.url + path, headers={"Accept-Encoding": "gzip"}, timeout=30)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/static/", "/static/../tradeswim.env", "/static../manage.py"])
def test_nothing_but_files_is_served_from_there(proxy, path):
    assert ask(proxy, path) in (400, 403, 404)


def test_a_body_that_is_too_big_is_refused_in_the_words_of_the_api(proxy, session, trader):
    headers = {"Authorization": trader.session.headers["Authorization"]}
    url = f"{proxy.url}/api/v1/orders/"
    answer = session.post(url, data=b"x" * 300_000, headers=headers, timeout=30)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/healthz/live", "/healthz/ready"])
def test_how_it_is_is_told_to_nobody_outside(proxy, path):
    assert ask(proxy, path) == 404


def test_the_code_that_people_come_back_with_is_in_no_log(proxy, session):
    session.get(f"{proxy.url}/oauth/callback/?code=C0.canary&state=s", timeout=30)
    session.get(f"{proxy.url}/", headers={"Referer": f"{proxy.url}/?code=C0.canary"}, timeout=30)

    wait_until(lambda: "/oauth/callback/" in proxy.log("tradeswim-access"), 5)
    for name in ("access", "error", "tradeswim-access", "tradeswim-error"):
        assert "canary" not in proxy.log(name)
    json.loads(proxy.log("tradeswim-access").splitlines()[-1])


@pytest.fixture
def desk(proxy, session) -> requests.Session:
    """A browser that is signed in."""
    page = session.get(f"{proxy.url}/sign-in/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    body = {"username": "agent", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    headers = {"Origin": proxy.url, "Referer": f"{proxy.url}/sign-in/"}
    answer = session.post(f"{proxy.url}/sign-in/", data=body, headers=headers, timeout=30)
    assert answer.status_code == 200
    assert "__Host-session" in session.cookies.get_dict()
    browser: requests.Session = session
    return browser


def test_live_updates_arrive_at_once(proxy, desk, trader):
    """Not when a buffer is full: one event is a few bytes."""
    arrived: list[tuple[float, str]] = []

    def listen() -> None:
        headers = {"Accept": "text/event-stream"}
        url = f"{proxy.url}/live/stream/"
        with desk.get(url, headers=headers, stream=True, timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines(chunk_size=1):
                arrived.append((time.monotonic(), line.decode()))
                if line == b"event: orders":
                    return

    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(listen)
        wait_until(lambda: any(line == "event: hello" for _, line in arrived), 5)
        trader.broadcast()
        listening.result(timeout=20)


def test_a_click_whose_web_server_died_over_it_is_not_sent_again_by_nginx(
    deployment, proxy, trader
):
    """The order hangs in the database when the process is killed; only the agent may repeat it."""
    ticket, click, before = trader.ticket(), str(uuid4()), _orders(deployment)
    web, logged = deployment.machine.services["web"], len(proxy.log("tradeswim-access"))
    with ThreadPoolExecutor(1) as pool, deployment.database.locked():
        clicked = pool.submit(trader.click, ticket, click)
        time.sleep(1)
        web.process.kill()
        answer = clicked.result(timeout=15)

    assert answer.status_code == 502
    assert answer.json()["code"] == "unavailable"
    wait_until(deployment.is_served, 120)
    time.sleep(2)
    assert _orders(deployment) == before
    last = [json.loads(line) for line in proxy.log("tradeswim-access")[logged:].splitlines()]
    (died,) = [one for one in last if one["status"] == 502 and one["path"] == "/api/v1/orders/"]
    assert "," not in died["upstream"]  # it would name each attempt

    order = trader.click(ticket, click).json()["id"]
    assert trader.click(ticket, click).json()["id"] == order
    trader.wait_for(order, "FILLED")
    assert _orders(deployment) == before + 1


def _orders(deployment) -> int:
    (row,) = deployment.database.rows("SELECT count(*) AS count FROM orders_complexorder")
    return int(row["count"])
