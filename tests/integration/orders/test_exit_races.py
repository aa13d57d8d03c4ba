"""Exits of two sets that share legs, planned at the same moment by two workers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection

from orders.models import ComplexOrder
from orders.services.exits.advancing import advance_exits
from orders.services.placing import place_account_orders
from strategies.domain.tickets import Strategy
from tests.integration.orders.leaving import Way, enter
from tests.support.fleet import Fleet

pytestmark = pytest.mark.django_db(transaction=True)
THINKS_MS = 1000


@pytest.fixture
def ways(fleet, condor) -> tuple[Way, Way]:
    """A condor, and a vertical of its puts, in one account, where one unit of the puts is left."""
    some = fleet.accounts[:1]
    whole = enter(fleet, condor, accounts=some)
    puts = replace(condor, strategy=Strategy.VERTICAL, legs=condor.legs[:2], limit=Decimal("0.05"))
    part = enter(fleet, puts, accounts=some)
    whole.hold(0, [1, -1, 0, 0])
    return whole, part


def test_what_was_closed_while_an_exit_looked_for_a_price_is_not_closed_again(fleet, ways):
    whole, part = ways
    waiting, closing = whole.open().order, part.open().order
    fleet.broker.fault("delay", path="/marketdata", delay_ms=THINKS_MS)
    with _beside(lambda: _advance(fleet, waiting)):
        while fleet.broker.faults():
            time.sleep(0.02)
        _advance(fleet, closing)
        fleet.poll()
        assert whole.held() == [0] * 4
    fleet.poll()

    assert [one["status"] for one in whole.closing()] == ["FILLED"]
    whole.go(passes=2)
    assert [*whole.states(), *part.states()] == ["DONE"] * 2


def _advance(fleet: Fleet, order: ComplexOrder) -> None:
    """Do what a worker does that was rung for one exit."""
    advanced = advance_exits(gateway=fleet.gateway, order_ids=[order.pk])
    for ready in advanced.ready.values():
        place_account_orders(ids=ready, gateway=fleet.gateway)


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Let another worker do something meanwhile."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(30)
