"""A beat asks the database as often for a large fleet as for a small one."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.beats import Beat
from accounts.models import Account
from accounts.services.balance_beat import run_accounts_beat
from brokerage.budget import the_budget
from brokerage.transport import Gateway
from orders.models import AccountOrder
from orders.services.order_beats import run_order_beat
from tests.support.fleet import connect

SIZES = [5, 45]
# Savepoints and locks included; each only if it does what its name says.
NOTHING_WORKS = 1
FIRST_LOOK = 20
NOTHING_NEW = 3
ALL_FILLED = 31
BALANCES = 16


@dataclass
class InOneBatch:
    """The gateway; every batch of answers is written in a transaction, so they come in one."""

    gateway: Gateway

    def stream(self, calls):
        return iter([[pair for batch in self.gateway.stream(calls) for pair in batch]])


@pytest.fixture(params=SIZES)
def fleet(request, db, broker, gateway_to_paper, redis_server, settings):
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    the_budget().forget()
    return connect(broker, gateway_to_paper, accounts=request.param)


@pytest.fixture
def beat(fleet, monkeypatch):
    """Run a beat five seconds after the one before; return what it asked the database."""
    at = timezone.now()

    def run(name):
        nonlocal at
        at += timedelta(seconds=15)
        monkeypatch.setattr(timezone, "now", lambda: at)
        gateway = InOneBatch(fleet.gateway)
        with CaptureQueriesContext(connection) as asked:
            if name is Beat.ACCOUNTS:
                run_accounts_beat(gateway=gateway)
            else:
                run_order_beat(name, gateway=gateway)
        return asked

    monkeypatch.setattr(the_budget(), "clock", lambda: at.timestamp())
    run(Beat.STOCKS)  # what is counted once a minute for a comparison
    return run


def test_an_idle_beat_is_one_statement(beat):
    assert len(beat(Beat.STOCKS)) == NOTHING_WORKS


def test_orders_are_read_with_as_many_statements_in_any_fleet(fleet, by_hand, beat):
    fleet.broadcast(fleet.shares(limit=Decimal(1)))

    assert len(beat(Beat.STOCKS)) == FIRST_LOOK
    assert len(beat(Beat.STOCKS)) == NOTHING_NEW

    for name in AccountOrder.objects.values_list("broker_order_id", flat=True):
        fleet.broker.fill(name)
    assert len(beat(Beat.STOCKS)) == ALL_FILLED
    assert set(AccountOrder.objects.values_list("status", flat=True)) == {"FILLED"}


def test_balances_are_read_with_as_many_statements_in_any_fleet(fleet, beat):
    beat(Beat.ACCOUNTS)
    before = timezone.now()

    assert len(beat(Beat.ACCOUNTS)) == BALANCES
    assert Account.objects.filter(balances_at__gt=before).count() == len(fleet.accounts)
