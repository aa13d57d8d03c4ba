"""What the beats cost in a minute, whom they keep waiting, and that none runs twice at once."""

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.beats import Beat
from accounts.models import BrokerLogin, Token
from accounts.services.balance_beat import run_accounts_beat
from accounts.services.beat_runs import last_runs
from accounts.services.read_times import ORDERS, answered_at
from brokerage.budget import the_budget
from brokerage.transport import Gateway
from orders.models import AccountOrder
from orders.services.order_beats import read_fresh, run_order_beat
from strategies.domain.new_york import EASTERN
from tests.integration.orders.hands import Wire, force, only
from tests.support.fleet import connect
from tests.support.paper import PaperBroker

BALANCES = re.compile("/trader/v1/accounts")


@pytest.fixture
def cache(redis_server, settings):
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    the_budget().forget()  # that there was none when the fleet was connected
    return redis_server


class Hours:
    """A clock that the beats, the budget and the read times go by, and that the test moves."""

    def __init__(self, monkeypatch):
        self.at = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.at)
        monkeypatch.setattr(the_budget(), "clock", lambda: self.at.timestamp())

    def night(self):
        """Go to the late evening of New York's day."""
        self.at = self.at.astimezone(EASTERN).replace(hour=22, minute=0)
        Token.objects.update(access_expires_at=self.at + timedelta(days=1))

    def minute(self, fleet, *, beats=(Beat.STOCKS, Beat.OPTIONS, Beat.ACCOUNTS), seconds=60):
        """Let the beats come as the schedule has them."""
        for second in range(0, seconds, 5):
            for beat in beats:
                if beat is Beat.ACCOUNTS:
                    if second % 15 == 0:
                        run_accounts_beat(gateway=fleet.gateway)
                else:
                    run_order_beat(beat, gateway=fleet.gateway)
            self.at += timedelta(seconds=5)


@pytest.fixture
def hours(monkeypatch, cache):
    return Hours(monkeypatch)


def balance_reads(wire):
    return len(wire.rows("GET", BALANCES))


def test_a_login_with_one_working_order_is_read_twelve_times_a_minute(fleet, by_hand, hours):
    fleet.broadcast(fleet.shares())
    wire = Wire(fleet.broker)

    hours.minute(fleet)

    assert len(wire.reads) <= 12 * 3
    assert balance_reads(wire) <= 4 * 3


def test_shares_and_options_of_one_login_share_its_reads(fleet, by_hand, condor, hours):
    fleet.broadcast(fleet.shares())
    fleet.broadcast(condor)
    wire = Wire(fleet.broker)

    hours.minute(fleet, beats=[Beat.STOCKS, Beat.OPTIONS])

    assert len(wire.reads) <= 12 * 3


@pytest.fixture
def one_login(db, settings, gateway_to_paper):
    """Forty-five accounts under one login, at a broker of their own."""
    broker = PaperBroker(accounts=45, accounts_per_login=45)
    broker.market(speed=0, fills="manual")
    settings.BROKER_URL, settings.BROKER_CA_FILE = broker.tls_url, broker.ca_file
    gateway = Gateway(broker.tls_url, ca_file=broker.ca_file)
    yield connect(broker, gateway, accounts=1)
    gateway.close()
    broker.stop()


def test_forty_five_accounts_of_one_login_cost_no_more_than_one(one_login, hours):
    order = one_login.broadcast(one_login.shares())
    assert len(one_login.children(order)) == 45
    wire = Wire(one_login.broker)

    hours.minute(one_login)

    assert len(wire.reads) <= 12
    assert balance_reads(wire) <= 4


@pytest.fixture
def big_fleet(db, broker, gateway_to_paper):
    broker.market(fills="manual")
    return connect(broker, gateway_to_paper, accounts=45)


def share_one_key(fleet):
    """Let all logins stand under one developer's app, as their rows say."""
    BrokerLogin.objects.update(app_key_index=fleet.logins[0].app_key_index)


@pytest.mark.timeout(120)
def test_forty_five_logins_of_one_key_stay_inside_its_minute_and_are_read_in_turn(big_fleet, hours):
    fleet = big_fleet
    share_one_key(fleet)
    fleet.broadcast(fleet.shares())
    began = hours.at
    wire = Wire(fleet.broker)
    for _ in range(3):
        before = len(wire.reads) + balance_reads(wire)
        hours.minute(fleet)
        spent = len(wire.reads) + balance_reads(wire) - before
        assert spent <= 120
    assert spent >= 75  # what is left is the reserve of exits, and for quotes

    ages = [(hours.at - at).total_seconds() for at in answered_at(ORDERS).values()]
    assert len(ages) == 45
    assert max(ages) <= 60
    assert began < hours.at


def test_two_hundred_finished_orders_cost_nothing(fleet, hours):
    for _ in range(67):
        fleet.broadcast(fleet.shares(1))
    fleet.poll()
    assert AccountOrder.objects.filter(status="FILLED").count() >= 200
    wire = Wire(fleet.broker)

    hours.minute(fleet)

    assert wire.reads == []


@pytest.mark.timeout(120)
def test_a_slow_a_forbidden_and_a_throttled_login_are_named_and_hold_up_nobody(
    big_fleet, cache, settings
):
    fleet = big_fleet
    order = fleet.broadcast(fleet.shares())
    read_fresh(Beat.STOCKS, gateway=fleet.gateway)
    slow, forbidden, throttled = (fleet.accounts[place] for place in (3, 9, 27))
    children = {child.account_id: child for child in fleet.children(order)}
    for account, fault, more in (
        (slow, "delay", {"delay_ms": 20_000}),
        (forbidden, "html_403", {}),
        (throttled, "http_429", {"retry_after": "30"}),
    ):
        # Their lists cannot be told apart by the path, so they are read by their number.
        old = timezone.now() - timedelta(days=61)
        child = children[account.pk]
        force(child, sent_at=old)
        path = f"/orders/{child.broker_order_id}"
        fleet.broker.fault(fault, method="GET", path=path, times=10, **more)
    for child in children.values():
        fleet.broker.fill(child.broker_order_id)

    began = time.monotonic()
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)

    assert time.monotonic() - began < 5
    assert fleet.statuses(order).count("FILLED") == 42
    failures = last_runs()[Beat.STOCKS].failures.values()
    named = {one["login"]: one["words"] for one in failures}
    assert named.keys() == {one.login.label for one in (slow, forbidden, throttled)}
    assert "No answer yet" in named[slow.login.label]
    assert "403" in named[forbidden.login.label]


def test_a_late_answer_is_taken_in_by_a_later_run_and_the_login_is_not_asked_twice(
    fleet, by_hand, hours, monkeypatch
):
    monkeypatch.setattr("orders.services.polling.PATIENCE_S", 0.3)
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    fleet.poll()
    fleet.broker.fill(only(fleet, order).broker_order_id)
    fleet.broker.fault("delay", method="GET", path="/orders", delay_ms=1000)
    wire = Wire(fleet.broker)

    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)
    hours.at += timedelta(seconds=5)
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)
    assert fleet.statuses(order) == ["WORKING"]
    assert last_runs()[Beat.STOCKS].waiting == 1
    time.sleep(1)
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)

    assert fleet.statuses(order) == ["FILLED"]
    assert len(wire.reads) == 1
    assert last_runs()[Beat.STOCKS].failures == {}


def test_outside_market_hours_logins_are_read_once_a_minute_but_not_those_that_close(
    fleet, by_hand, hours
):
    fleet.broker.market(hours="nyse")
    fleet.broadcast(fleet.shares())
    fleet.poll()
    hours.night()
    wire = Wire(fleet.broker)

    hours.minute(fleet, seconds=120)

    assert 3 <= len(wire.reads) <= 2 * 3
    assert last_runs()[Beat.STOCKS].is_open is False
    AccountOrder.objects.filter(account=fleet.accounts[0]).update(purpose="CLOSE")
    wire = Wire(fleet.broker)
    hours.minute(fleet)
    assert len(wire.reads) >= 12


def test_the_paper_broker_is_open_at_night_unless_it_is_told_otherwise(fleet, by_hand, hours):
    fleet.broadcast(fleet.shares())
    hours.night()
    wire = Wire(fleet.broker)

    hours.minute(fleet)

    assert len(wire.reads) >= 12 * 3


def test_a_login_whose_stream_is_heard_is_polled_less_often(fleet, by_hand, hours, monkeypatch):
    told = frozenset({fleet.logins[0].pk})
    monkeypatch.setattr("orders.services.order_beats.healthy_streams", lambda **_: told)
    fleet.broadcast(fleet.shares())
    fleet.poll()
    wire = Wire(fleet.broker)

    hours.minute(fleet, beats=[Beat.STOCKS])

    assert 24 + 2 <= len(wire.reads) <= 24 + 3


def test_without_the_cache_polls_go_on_at_a_quarter(fleet, by_hand, settings, monkeypatch):
    settings.CACHE_URL = "redis://127.0.0.1:9/0"
    hours = Hours(monkeypatch)
    fleet.broadcast(fleet.shares())
    wire = Wire(fleet.broker)

    hours.minute(fleet)

    assert 3 * 10 <= len(wire.reads) <= 3 * 12
