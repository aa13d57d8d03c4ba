"""A fill is on record because a stream told of it: no beat runs in these tests."""

import time
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.models import BrokerLogin
from accounts.services.stream_health import healthy_streams
from tests.integration.orders.listening import Listening, fill, rest, wait_for
from tests.support.paper import PaperBroker

pytestmark = pytest.mark.django_db(transaction=True)


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
