"""A fill is on record because a stream told of it: no beat runs in these tests."""

import logging
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.models import BrokerLogin
from accounts.services.stream_health import healthy_streams
from brokerage.schwab.streamer import Activity
from orders.models import ComplexOrder
from orders.services.streaming.wakes import News, Wakes
from tests.integration.orders.listening import Listening, wait_for
from tests.support.fleet import Fleet
from tests.support.paper import PaperBroker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def streams(fleet: Fleet, redis_server, settings) -> Iterator[Listening]:
    """Streams of the fleet of three, all of them healthy."""
    yield from listen(fleet, redis_server, settings)


@pytest.fixture
def family_streams(family: Fleet, redis_server, settings) -> Iterator[Listening]:
    """Streams of six accounts under two logins."""
    yield from listen(family, redis_server, settings)


def listen(fleet: Fleet, redis_server, settings) -> Iterator[Listening]:
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    fleet.broker.market(fills="manual")
    fleet.broker.stream(heartbeat_s=0.3)
    listening = Listening(fleet)
    try:
        listening.wait_until_healthy()
        time.sleep(0.3)  # every login is looked at once as its stream begins
        yield listening
    finally:
        listening.stop()
        fleet.broker.stream(heartbeat_s=5)
        fleet.broker.market(fills="auto")


def rest(fleet: Fleet) -> ComplexOrder:
    """Let shares be bid for in every account, read once by the beat."""
    order = fleet.broadcast(fleet.shares(limit=Decimal("1.00")))
    fleet.poll()
    return order


def fill(fleet: Fleet, order: ComplexOrder, *places: int) -> None:
    children = fleet.children(order)
    for place in places:
        fleet.broker.fill(children[place].broker_order_id or "", price="1.00")


def reads(broker: PaperBroker, since: int) -> list[str]:
    """Return the order reads behind `since`."""
    rows = broker.journal(since)
    return [row["path"] for row in rows if row["method"] == "GET" and "/orders" in row["path"]]


def last(broker: PaperBroker) -> int:
    rows = broker.journal()
    return int(rows[-1]["seq"]) if rows else 0


def test_a_fill_is_on_record_within_a_second_for_one_read(streams: Listening) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    since = last(fleet.broker)
    fill(fleet, order, 1)

    took = wait_for(lambda: fleet.statuses(order) == ["WORKING", "FILLED", "WORKING"], 5)

    assert took < 1
    child = fleet.children(order)[1]
    name = f"/trader/v1/accounts/{child.account.hash_value}/orders/{child.broker_order_id}"
    assert reads(fleet.broker, since) == [name]


def test_a_burst_under_one_login_is_a_read_or_two(family_streams: Listening) -> None:
    fleet = family_streams.fleet
    order = rest(fleet)
    since = last(fleet.broker)
    fill(fleet, order, 0, 1, 2)

    wait_for(lambda: fleet.statuses(order) == ["FILLED"] * 3 + ["WORKING"] * 3, 5)

    assert len(reads(fleet.broker, since)) <= 2


def test_a_cancel_by_hand_and_an_end_at_the_broker_are_seen_too(streams: Listening) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    name = fleet.children(order)[0].broker_order_id
    fleet.broker.replace(name or "")

    wait_for(lambda: fleet.statuses(order)[0] == "REPLACED", 5)


def test_our_own_orders_that_begin_to_rest_cost_no_read(streams: Listening) -> None:
    fleet = streams.fleet
    since = last(fleet.broker)
    fleet.broadcast(fleet.shares(limit=Decimal("1.00")))
    wait_for(lambda: streams.health().messages >= 2, 5)
    time.sleep(1.5)

    assert reads(fleet.broker, since) == []
    assert streams.strangers == {}


def test_an_order_made_elsewhere_is_told_until_it_is_listed(
    streams: Listening, monkeypatch
) -> None:
    monkeypatch.setattr("orders.services.streaming.wakes.LIST_AGAIN_S", 0.2)
    fleet = streams.fleet
    account = fleet.accounts[2]
    streams.unlisted.add(account.login_id)
    name = fleet.broker.make_order(account.hash_value, by_hand())

    wait_for(lambda: streams.strangers, 10)

    assert streams.strangers == {account.login_id: {name}}
    streams.strangers.clear()
    wait_for(lambda: streams.strangers, 10)


def test_an_order_made_elsewhere_is_not_lost_to_a_busy_database(
    streams: Listening, monkeypatch
) -> None:
    monkeypatch.setattr("orders.services.streaming.wakes.LIST_AGAIN_S", 0.2)
    account = streams.fleet.accounts[2]
    streams.is_database_busy = True
    name = streams.fleet.broker.make_order(account.hash_value, by_hand())

    wait_for(lambda: streams.strangers, 15)

    assert streams.strangers == {account.login_id: {name}}
    assert not streams.is_database_busy


def by_hand() -> dict[str, object]:
    leg = {
        "instruction": "BUY",
        "quantity": 1,
        "instrument": {"symbol": "F", "assetType": "EQUITY"},
    }
    return {
        "orderType": "LIMIT",
        "price": "1.00",
        "session": "NORMAL",
        "duration": "DAY",
        "orderStrategyType": "SINGLE",
        "orderLegCollection": [leg],
    }


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


def test_logins_come_and_go_by_themselves(streams: Listening) -> None:
    login = streams.fleet.logins[0]
    BrokerLogin.objects.filter(pk=login.pk).update(status=LoginStatus.LOGIN_REQUIRED)
    wait_for(lambda: login.pk not in healthy_streams(now=timezone.now()), 10)

    BrokerLogin.objects.filter(pk=login.pk).update(status=LoginStatus.CONNECTED)
    streams.wait_until_healthy()


def test_without_redis_streams_work_and_nobody_relies_on_them(streams: Listening, settings) -> None:
    fleet = streams.fleet
    order = rest(fleet)
    settings.CACHE_URL = "redis://127.0.0.1:1/0"

    assert healthy_streams(now=timezone.now()) == frozenset()
    fill(fleet, order, 2)
    wait_for(lambda: fleet.statuses(order)[2] == "FILLED", 5)


def test_health_says_since_when_and_how_much(streams: Listening) -> None:
    health = streams.health()

    assert health.is_healthy
    assert health.words == ""
    assert health.connected_since is not None
    assert (timezone.now() - health.connected_since).total_seconds() < 10


def test_when_the_process_ends_no_stream_is_healthy(streams: Listening) -> None:
    assert streams.stop() < 3
    assert healthy_streams(now=timezone.now()) == frozenset()
