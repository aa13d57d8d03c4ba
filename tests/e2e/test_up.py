"""The installation from outside: the documented command, the READY line, the API, signals."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from accounts.domain.heartbeats import PROCESSES
from tests.support.stack import Program, Stack, free_ports

pytestmark = pytest.mark.timeout(180)

EVERYTHING = {*PROCESSES, "paper", "redis"}
ENDED = {"FILLED", "REJECTED"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("home"), *free_ports())
    yield stack
    if stack.process.poll() is None:
        stack.stop()


@pytest.fixture(scope="module")
def niceness() -> dict[str, int]:
    """How much each process gives way, filled by `ready`: another test kills one of them."""
    return {}


@pytest.fixture(scope="module")
def ready(stack, niceness):
    """Wait until it serves, and until the sample trade is over: others count orders."""
    ready = stack.wait_until_ready()
    for name, pid in ready["processes"].items():
        niceness[name] = os.getpriority(os.PRIO_PROCESS, pid)
    stack.wait_for(lambda: "  page " in stack.output())
    return ready


def shares(symbol: str, *, contracts: int):
    return {
        "strategy": "EQUITY",
        "legs": [{"symbol": symbol, "instruction": "BUY", "ratio": 1}],
        "order_type": "MARKET",
        "contracts": contracts,
        "accounts": "active",
    }


@pytest.fixture
def program(ready) -> Program:
    return Program(ready)


def test_ready_names_addresses_user_and_processes(ready):
    assert set(ready) == {"url", "paper_url", "user", "password", "processes"}
    assert set(ready["processes"]) == EVERYTHING


@pytest.mark.usefixtures("ready")
def test_what_nobody_waits_for_gives_way_to_a_click(niceness):
    own = os.getpriority(os.PRIO_PROCESS, 0)
    late = {name for name, nice in niceness.items() if nice > own}
    assert late == {"stocks", "options", "accounts", "logins", "maint", "stream"}


def test_the_sample_trade_fills_in_every_account_and_is_reported(stack, program):
    assert "45 filled" in stack.output()
    times = [f"{o['broadcast_ms'] or 0:.1f} ms from the click" for o in program.get("orders/")]
    assert any(time in stack.output() for time in times)


def test_a_condor_reaches_45_accounts_once_each_with_the_documented_body(program):
    seen = program.paper("journal")[-1]["seq"]
    answer = program.post_order(program.condor())
    assert answer.status_code == 201, answer.text
    order = program.wait_for_order(answer.json()["id"], "FILLED")

    ids = {share["broker_order_id"] for share in order["accounts"]}
    placed = [one for one in program.paper("orders") if str(one["orderId"]) in ids]
    assert len(placed) == len({one["account"] for one in placed}) == 45
    assert {one["complexOrderStrategyType"] for one in placed} == {"IRON_CONDOR"}
    assert {one["orderType"] for one in placed} == {"NET_CREDIT"}
    posts = [
        row
        for row in program.paper(f"journal?since={seen}")
        if row["method"] == "POST" and row["path"].endswith("/orders")
    ]
    assert len(posts) == 45
    assert order["broadcast_ms"] is not None
    for share in order["accounts"]:
        assert share["status"] == "FILLED"
        assert share["sent_at"] is not None
        assert float(share["net_price"]) > 0


def test_the_same_with_shares(program):
    answer = program.post_order(shares("AAPL", contracts=10))
    order = program.wait_for_order(answer.json()["id"], "FILLED")

    assert {share["filled"] for share in order["accounts"]} == {10}


def test_ten_clicks_at_once_with_one_key_are_one_broadcast(stack, program):
    body, key = program.condor(), "6f1c1dd3-3a0f-4a0e-9f4e-1f9f3c1b9a10"
    before = len(program.paper("orders"))
    answers: list[requests.Response] = []
    clicks = [
        threading.Thread(target=lambda: answers.append(program.post_order(body, key)))
        for _ in range(10)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] * 9 + [201], stack.output()[-8000:]
    assert len({answer.json()["id"] for answer in answers}) == 1
    program.wait_for_order(answers[0].json()["id"], "FILLED")
    assert len(program.paper("orders")) == before + 45


def test_one_mute_and_one_refused_account_delay_nobody(program):
    hashes = [one["hash"] for login in program.paper("logins") for one in login["accounts"]]
    mute, refused = hashes[3], hashes[7]
    for account, fault in ((mute, "never_answer_after"), (refused, "reject")):
        program.paper("faults", {"fault": fault, "account": account, "method": "POST"})

    answer = program.post_order(shares("KO", contracts=3))
    order = program.wait_for_order(answer.json()["id"], "SENDING")
    counts: Counter[str] = Counter()
    while counts["FILLED"] < 43 or not counts["REJECTED"]:
        order = program.get(f"orders/{order['id']}/")
        counts = Counter(share["status"] for share in order["accounts"])
    assert counts == {"FILLED": 43, "REJECTED": 1, "SUBMITTING": 1}

    # Given up after ten seconds, and found at the broker by what was sent.
    until = time.monotonic() + 30
    while (by_status := {share["status"]: share for share in order["accounts"]}).keys() - ENDED:
        assert time.monotonic() < until, set(by_status)
        order = program.get(f"orders/{order['id']}/")
    assert (order["status"], set(by_status)) == ("PARTIAL", ENDED)
    assert by_status["REJECTED"]["reason"]
    ours = {share["broker_order_id"] for share in order["accounts"]}
    placed = [one for one in program.paper("orders") if one["quantity"] == 3]
    assert sorted(ours) == sorted(str(one["orderId"]) for one in placed)


def test_a_killed_worker_is_started_again_and_said_so(stack, ready, program):
    os.kill(ready["processes"]["placement"], signal.SIGKILL)
    stack.wait_for(lambda: "placement died (signal SIGKILL); starting it again" in stack.output())

    clicked = program.post_order(shares("MSFT", contracts=1))
    again = program.wait_for_order(clicked.json()["id"], "FILLED", "CLOSED_OUT")
    if again["status"] == "CLOSED_OUT":  # the worker came back after the deadline
        assert {share["reason_code"] for share in again["accounts"]} == {"STALE_UNSENT"}

    later = program.post_order(shares("MSFT", contracts=2))
    program.wait_for_order(later.json()["id"], "FILLED")


def test_a_second_start_on_the_same_home_says_so_in_one_sentence(stack, ready):
    second = Stack(stack.home, *free_ports())

    assert second.process.wait(timeout=30) == 1
    assert "Cannot start: Another `manage.py up` runs on" in second.output()


def test_a_port_in_use_is_said_in_one_sentence(tmp_path):
    _, paper_port = free_ports()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = Stack(tmp_path / "home", port, paper_port)
        assert refused.process.wait(timeout=30) == 1

    assert f"Cannot start: Port {port} (PORT) is in use." in refused.output()
    assert "Traceback" not in refused.output()


def test_it_stops_in_time_leaves_nobody_behind_and_starts_again_where_it_was(tmp_path):
    first = Stack(tmp_path / "home", *free_ports(), DEMO_ACCOUNTS="3")
    ready = first.wait_until_ready()
    first.wait_for(lambda: "  page " in first.output())
    orders = Program(ready).paper("orders")

    assert first.stop() < 15
    for pid in ready["processes"].values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    second = Stack(tmp_path / "home", *free_ports(), DEMO_ACCOUNTS="3", DEMO_TRADE="0")
    try:
        again = Program(second.wait_until_ready())
        assert [one["orderId"] for one in again.paper("orders")] == [o["orderId"] for o in orders]
        assert [order["status"] for order in again.get("orders/")] == ["FILLED"]
        assert ", 0 newly connected" in second.output()
    finally:
        second.stop(signal.SIGINT)
