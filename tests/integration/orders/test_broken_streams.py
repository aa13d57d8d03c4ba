"""A stream that breaks, lies or falls silent comes back, and what was missed is read."""

import logging
import time
from collections.abc import Iterable
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.services.stream_health import healthy_streams
from brokerage.schwab.streamer import Activity
from orders.services.streaming.wakes import News, Wakes
from tests.integration.orders.listening import Listening, fill, rest, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("way", ["drop", "close", "stop"])
def test_a_stream_that_is_cut_comes_back_and_reads_what_it_missed(
    streams: Listening, way: str
) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    fleet.broker.fault("stream_cut", body=way, account=fleet.accounts[0].hash_value)
    fill(fleet, order, 0)

    wait_for(lambda: fleet.statuses(order)[0] == "FILLED", 10)
    wait_for(lambda: streams.health().reconnects == 1, 5)
    assert streams.health(1).reconnects == 0


def test_a_stream_that_falls_silent_is_not_relied_on_and_begun_anew(
    streams: Listening, settings
) -> None:
    settings.STREAM_SILENCE_S = 1
    fleet = streams.fleet
    login_id = fleet.accounts[0].login_id
    order = rest(fleet)
    time.sleep(1)  # a heartbeat begins the shorter wait
    fleet.broker.fault("stream_cut", body="silence", account=fleet.accounts[0].hash_value)
    fill(fleet, order, 0)

    wait_for(lambda: login_id not in healthy_streams(now=timezone.now()), 10)
    wait_for(lambda: fleet.statuses(order)[0] == "FILLED", 10)
    streams.wait_until_healthy()


def test_nonsense_is_passed_over_and_said_once(
    streams: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            fleet.broker.fault("stream_cut", body="nonsense", account=fleet.accounts[0].hash_value)
        fill(fleet, order, 0)
        wait_for(lambda: fleet.statuses(order)[0] == "FILLED", 5)

    assert streams.health().reconnects == 0
    odd = [record.getMessage() for record in caplog.records if "passed over" in record.message]
    assert len(odd) == len(set(odd)) > 3
    assert "an activity called OrderTeleported" in " ".join(odd)


def test_a_token_that_ends_does_not_end_the_stream(streams: Listening) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    fleet.broker.tokens(access="expire")
    for login in fleet.logins:  # as the task does five minutes before
        streams.renew({login.pk: login.token.version})
    fill(fleet, order, 0)

    wait_for(lambda: fleet.statuses(order)[0] == "FILLED", 5)
    assert streams.health().reconnects == 0


def test_a_token_that_is_refused_is_renewed_and_the_stream_comes_back(streams: Listening) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    fleet.broker.tokens(access="revoke", login=fleet.broker.logins()[0]["user"])
    fill(fleet, order, 0)

    wait_for(lambda: fleet.statuses(order)[0] == "FILLED", 15)
    assert set(streams.renewed) == {fleet.accounts[0].login_id}
    streams.wait_until_healthy()


def test_a_login_that_is_denied_says_so_and_tries_again(streams: Listening) -> None:
    fleet = streams.fleet
    account = fleet.accounts[0]
    fleet.broker.fault("stream_cut", body="deny", account=account.hash_value, times=2)
    fleet.broker.fault("stream_cut", account=account.hash_value)

    wait_for(lambda: "denies the login" in streams.health().words, 10)
    streams.wait_until_healthy(seconds=20)


def test_a_login_that_does_not_answer_holds_up_no_other(streams: Listening, monkeypatch) -> None:
    """Both are looked at together; the second is looked at again, though the first is not done."""
    fleet = streams.fleet
    first, second = rest(fleet), rest(fleet)
    time.sleep(0.5)  # nothing waits to be looked at
    look_together(monkeypatch, logins=2)
    slow = fleet.accounts[0].hash_value
    fleet.broker.fault("delay", account=slow, delay_ms=25_000, times=5, method="GET")
    fill(fleet, first, 0, 1)
    wait_for(lambda: fleet.statuses(first)[1] == "FILLED", 5)

    fill(fleet, second, 1)

    wait_for(lambda: fleet.statuses(second)[1] == "FILLED", 5)
    wait_for(lambda: streams.followed == 2, 5)
    assert fleet.statuses(first)[0] == "WORKING"


def look_together(monkeypatch, *, logins: int) -> None:
    """Let the next look begin when so many logins were heard, as in a loop that was busy."""
    take, hear = Wakes.take, Wakes.hear
    heard: set[UUID] = set()

    def hear_and_count(
        wakes: Wakes, login_id: UUID, news: Iterable[Activity], *, at: float
    ) -> None:
        heard.add(login_id)
        hear(wakes, login_id, news, at=at)

    def together(wakes: Wakes, *, at: float) -> dict[UUID, News]:
        return take(wakes, at=at + 0.5) if len(heard) >= logins else {}

    monkeypatch.setattr(Wakes, "hear", hear_and_count)
    monkeypatch.setattr(Wakes, "take", together)
