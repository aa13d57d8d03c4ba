"""What watches an installation sees that a process is gone, and whose click made a task run."""

import re

import pytest
import requests

from tests.faults.installation import wait_until

WITHIN_S = 40


@pytest.fixture
def ask(installation, trader):
    installation.wait_until_whole()
    root = f"http://127.0.0.1:{installation.port}"

    def get(path: str) -> requests.Response:
        return requests.get(root + path, timeout=10)

    wait_until(lambda: get("/healthz/ready").status_code == 200, WITHIN_S)
    return get


def test_a_process_that_stands_still_is_missed_and_one_that_goes_on_is_not(installation, ask):
    with installation.stopped("sweeper"):
        wait_until(lambda: ask("/healthz/ready").json()["missing"] == ["sweeper"], WITHIN_S)
    wait_until(lambda: ask("/healthz/ready").status_code == 200, WITHIN_S)


def test_the_click_is_named_in_the_record_and_in_the_log_of_whoever_sent(
    installation, trader, ask, holds
):
    answer = trader.click(trader.ticket())
    order, request_id = int(answer.json()["id"]), answer.headers["X-Request-Id"]
    trader.wait_for(order, "FILLED")

    sent = installation.database.rows(
        "SELECT DISTINCT e.request_id FROM accounts_auditevent e "
        "WHERE e.kind = 'status' AND e.new = 'SUBMITTING' AND e.request_id = %s",
        [request_id],
    )
    log = (installation.home / "logs" / "placement.log").read_text()

    assert [row["request_id"] for row in sent] == [request_id]
    assert re.search(rf"placed \[{order}\].*\[{request_id}\]", log)
    holds(order)


def test_numbers_of_all_processes_come_together(trader, ask):
    trader.wait_for(trader.broadcast(), "FILLED")

    def counted() -> bool:
        text = ask("/metrics").text
        processes = set(re.findall(r'tradeswim_tasks_total\{.*process="(\w+)"', text))
        posts = re.search(r'broker_calls_total\{.*method="POST",outcome="201".*\} (\d+)', text)
        return {"placement", "maint", "stocks"} <= processes and posts is not None

    wait_until(counted, WITHIN_S)
