"""The server: its ports, certificates, limits, command line, state file and capacity."""

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests

from brokerage.paper.tls import server_context
from tests.integration.paper.trader import Trader, single
from tests.support.paper import PaperBroker, free_port

ROOT = Path(__file__).resolve().parents[3]


def ask_raw(paper: PaperBroker, data: bytes, *, answers: int = 1) -> bytes:
    """Send bytes over one connection and read until so many answers are there or it is closed."""
    with socket.create_connection(("127.0.0.1", paper.port), timeout=5) as client:
        client.sendall(data)
        received = b""
        while received.count(b"HTTP/1.1 ") < answers and (part := client.recv(65_536)):
            received += part
        return received


def test_tls_is_on_the_next_port_and_its_authority_is_all_a_client_needs(
    trader: Trader,
) -> None:
    context = ssl.create_default_context(cafile=trader.paper.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("127.0.0.1", "localhost"):
        with (
            socket.create_connection(("127.0.0.1", trader.paper.port + 1)) as plain,
            context.wrap_socket(plain, server_hostname=name) as client,
        ):
            assert client.version() in ("TLSv1.2", "TLSv1.3")
    answer = trader.session.get(
        f"{trader.paper.tls_url}/trader/v1/accounts", verify=trader.paper.ca_file, timeout=10
    )
    assert answer.status_code == 200


def test_certificates_are_kept_private_and_made_anew_only_when_needed(tmp_path: Path) -> None:
    server_context(tmp_path)
    first = (tmp_path / "ca.pem").read_bytes()
    server_context(tmp_path)
    second = (tmp_path / "ca.pem").read_bytes()
    (tmp_path / "server.pem").write_text("nonsense")
    server_context(tmp_path)

    assert first == second
    assert (tmp_path / "ca.pem").read_bytes() != first
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600


def test_a_connection_stays_open_for_further_requests(paper: PaperBroker) -> None:
    request = b"GET /paper/faults HTTP/1.1\r\nHost: x\r\n\r\n"

    assert ask_raw(paper, request * 3, answers=3).count(b"200 OK") == 3


def test_a_connection_is_closed_when_the_client_wants_that(paper: PaperBroker) -> None:
    request = b"GET /paper/faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert ask_raw(paper, request, answers=2).count(b"200 OK") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"POST /v1/oauth/token HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n", b"413"),
        (b"POST /v1/oauth/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"PATCH /v1/oauth/token HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
    ],
)
def test_requests_that_cannot_be_served_are_told_so(
    paper: PaperBroker, data: bytes, status: bytes
) -> None:
    assert ask_raw(paper, data).startswith(b"HTTP/1.1 " + status)


def test_a_chunked_body_has_the_same_limit(paper: PaperBroker) -> None:
    head = b"POST /v1/oauth/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"80000\r\n" + b"x" * 0x80000 + b"\r\n"

    assert b" 413 " in ask_raw(paper, head + chunk * 3)


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(paper: PaperBroker) -> None:
    head = b"POST /paper/clock HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    received = ask_raw(paper, head + b"{}", answers=2)

    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_requests_that_arrive_together_are_stamped_before_any_is_handled(
    trader: Trader,
) -> None:
    order = json.dumps(trader.condor("4.95"))
    headers = {"Authorization": f"Bearer {trader.tokens['access_token']}"}

    async def place_all() -> float:
        async with aiohttp.ClientSession(headers=headers) as session:
            url = f"{trader.paper.url}/trader/v1/accounts/{trader.account}/orders"

            async def place() -> int:
                async with session.post(url, data=order) as answer:
                    return answer.status

            begin = time.perf_counter()
            assert set(await asyncio.gather(*(place() for _ in range(45)))) == {201}
            return time.perf_counter() - begin

    asyncio.run(place_all())
    took = asyncio.run(place_all())
    rows = [one for one in trader.paper.journal() if one["placed"]]
    spread = max(one["at"] for one in rows[45:]) - min(one["at"] for one in rows[45:])

    assert len({one["order_id"] for one in rows}) == 90
    assert spread < took
    assert took < 1


@pytest.fixture
def fleet() -> Iterator[PaperBroker]:
    broker = PaperBroker(accounts=2000)
    yield broker
    broker.stop()


def test_two_thousand_accounts_are_served(fleet: PaperBroker) -> None:
    trader = Trader(fleet, 1999)
    order = trader.condor("4.95")
    accounts = fleet.accounts()
    trader.session.close()

    for account in accounts[:200]:
        fleet.make_order(account, order)
    begin = time.perf_counter()
    fleet.market(speed=1)
    took = time.perf_counter() - begin

    assert len(set(accounts)) == 2000
    assert len({one["accounts"][0]["number"] for one in fleet.logins()}) == 2000
    assert took < 0.5


def remembered(trader: Trader) -> Any:
    """Read everything that a restart must not change."""
    trader.paper.market(speed=0)
    return (
        trader.paper.orders(),
        trader.paper.positions(),
        trader.read_account(),
        trader.quote("AAPL")["lastPrice"],
        trader.paper.logins(),
        trader.paper.market()["fills"],
    )


def test_the_state_outlives_the_broker_and_accounts_can_be_added(tmp_path: Path) -> None:
    file = tmp_path / "paper" / "state.json"
    broker = PaperBroker(state_file=file, accounts=2)
    trader = Trader(broker)
    broker.market(speed=0, prices={"AAPL": 250}, fills="manual")
    stop = single("F", "BUY", "14.10", orderType="STOP_LIMIT", stopPrice="14.00")
    ids = [trader.place(one) for one in (trader.condor("1.00", quantity=3), stop)]
    broker.fill(ids[0], quantity=1)
    broker.tokens(rotate=True)
    before = remembered(trader)
    broker.stop()

    again = PaperBroker(state_file=file, accounts=3, seed=99)
    trader.paper = again
    after = remembered(trader)
    refreshed = requests.post(
        f"{again.url}/v1/oauth/token",
        auth=(trader.login["app_key"], trader.login["app_secret"]),
        data={"grant_type": "refresh_token", "refresh_token": trader.tokens["refresh_token"]},
        timeout=10,
    ).json()
    new_id = trader.place(trader.condor("4.95"))
    trader.session.close()
    again.stop()

    assert after[0] == before[0]
    assert after[1].items() > before[1].items()
    assert after[2:4] == before[2:4]
    assert (after[4][:2], len(after[4])) == (before[4], 3)
    assert after[5] == "manual"
    assert refreshed["refresh_token"] != trader.tokens["refresh_token"]
    assert int(new_id) > int(ids[1])
    assert file.stat().st_mode & 0o077 == 0


def test_a_change_is_saved_within_seconds_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    broker = PaperBroker(state_file=file, accounts=1)
    trader = Trader(broker)
    order_id = trader.place(trader.condor("4.95"))
    trader.session.close()
    deadline = time.monotonic() + 5
    while not (file.exists() and order_id in file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    records = [json.loads(line) for line in file.read_text().splitlines()]
    broker.stop()

    assert {one["kind"] for one in records} == {"broker", "login", "account", "order"}
    assert {one.name for one in tmp_path.iterdir()} == {"state.json", "state.json.archive"}


class Command:
    """The management command as a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "paperbroker", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: int | None = None) -> tuple[int, str]:
        """Send a signal, if any, and return exit code and what was complained about."""
        if number is not None:
            self.process.send_signal(number)
        _, complaint = self.process.communicate(timeout=15)
        return self.process.returncode, complaint


def test_the_command_says_what_it_serves_and_stops_at_once(tmp_path: Path) -> None:
    port = free_port()
    command = Command(
        *("--port", str(port), "--accounts", "3", "--accounts-per-login", "2"),
        *("--tls-dir", str(tmp_path), "--web-url", "http://127.0.0.1:9/"),
    )

    line = command.line()
    client = socket.create_connection(("127.0.0.1", port))
    second = Command("--port", str(port), "--tls-dir", str(tmp_path)).end()
    begin = time.monotonic()
    code, complaint = command.end(signal.SIGTERM)
    took = time.monotonic() - begin
    client.close()

    assert line == (
        f"paper broker on http://127.0.0.1:{port} (TLS {port + 1}), 3 accounts, 2 logins\n"
    )
    assert (code, complaint) == (0, "")
    assert took < 1.5
    assert second[0] == 1
    assert re.fullmatch(rf"CommandError: Port {port} .+\.\n", second[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--accounts", "0"), "there must be an account"),
        (("--accounts-per-login", "0"), "at least one account"),
        (("--state", "manage.py"), "cannot be read"),
        (("--hours", "never"), "invalid choice"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, complaint = Command("--tls-dir", str(tmp_path), *arguments).end()

    assert code in (1, 2)
    assert words in complaint
    assert "Traceback" not in complaint
