"""Cancels on the wire: every lost answer, no second one too soon, and none for a stranger."""

from collections.abc import Iterator, Sequence

import pytest
from django.utils import timezone

from accounts.models import Alarm
from accounts.services.asking import FanOut
from brokerage.transport import Call, Exchange
from orders.services.canceling import send_cancels
from orders.services.sweeping import sweep
from tests.integration.orders.hands import force, hit, only, seconds_from_now
from tests.integration.orders.stopping import (
    LIMIT,
    ask,
    cancels,
    due_again,
    fault_cancels,
    resting,
    stop,
)
from tests.integration.orders.test_races import at_once

BY_HAND = {
    "orderType": "LIMIT",
    "price": "0.90",
    "session": "NORMAL",
    "duration": "DAY",
    "orderStrategyType": "SINGLE",
    "orderLegCollection": [
        {
            "instruction": "BUY",
            "quantity": 7,
            "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
        }
    ],
}


@pytest.mark.parametrize("fault", ["drop_after", "http_500_after", "never_answer_after"])
def test_a_cancel_whose_answer_is_lost_is_resolved_by_a_read(impatient_fleet, fault):
    order = resting(impatient_fleet)
    fault_cancels(impatient_fleet, fault)

    ask(order)
    stop(impatient_fleet)

    assert impatient_fleet.statuses(order) == ["CANCELED"]


@pytest.mark.parametrize("fault", ["drop_before", "http_500", "http_429", "html_403"])
def test_a_cancel_that_did_not_arrive_is_sent_again_after_a_while(fleet, fault):
    order = resting(fleet)
    fault_cancels(fleet, fault)

    ask(order)
    stop(fleet)
    assert fleet.statuses(order) == ["WORKING"]
    assert stop(fleet).sent == 0  # not yet
    due_again(order)
    stop(fleet)

    assert fleet.statuses(order) == ["CANCELED"]


def test_a_cancel_that_arrived_may_be_sent_again(fleet, broker):
    order = resting(fleet)
    fault_cancels(fleet, "drop_after")
    broker.fault("http_500", method="GET", path="/orders/")

    ask(order)
    stop(fleet)
    assert fleet.statuses(order) == ["WORKING"]
    due_again(order)
    stop(fleet)

    assert fleet.statuses(order) == ["CANCELED"]
    assert cancels(broker) == 2


def test_a_refused_token_is_reported_and_the_cancel_goes_on_later(fleet):
    order = resting(fleet)
    fault_cancels(fleet, "http_401")
    login = fleet.accounts[0].login

    ask(order)
    done = stop(fleet)
    assert done.refused_tokens == {login.pk: login.token.version}
    assert fleet.statuses(order) == ["WORKING"]
    due_again(order)
    stop(fleet)

    assert fleet.statuses(order) == ["CANCELED"]


def test_the_order_of_another_whose_number_the_broker_gave_is_not_canceled(fleet, broker):
    stranger = broker.make_order(fleet.accounts[0].hash_value, BY_HAND)
    hit(fleet, "wrong_location")
    order = fleet.broadcast(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])
    assert only(fleet, order).broker_order_id == stranger

    ask(order)
    stop(fleet)

    assert fleet.statuses(order) == ["UNKNOWN"]
    assert {one["status"] for one in broker.orders()} == {"WORKING"}
    assert cancels(broker) == 0


def test_a_fresh_order_is_read_and_canceled_in_one_pass(fleet):
    order = fleet.broadcast(fleet.shares(limit=LIMIT))

    ask(order)
    stop(fleet)

    assert fleet.statuses(order) == ["CANCELED"] * 3


class Noting:
    """A gateway that keeps in which order fan-outs began, by their methods."""

    def __init__(self, gateway: FanOut) -> None:
        self.began: list[set[str]] = []
        self._gateway = gateway

    def stream(self, calls: Sequence[Call]) -> Iterator[list[tuple[int, Exchange]]]:
        self.began.append({call.request.method for call in calls})
        return self._gateway.stream(calls)


def test_a_cancel_does_not_wait_until_fresh_orders_beside_it_were_read(fleet):
    seen = resting(fleet)
    fresh = fleet.broadcast(fleet.shares(limit=LIMIT), accounts=fleet.accounts[1:])
    ask(seen)
    ask(fresh)

    gateway = Noting(fleet.gateway)
    assert send_cancels(gateway=gateway).sent == 3

    assert gateway.began[:2] == [{"DELETE"}, {"GET"}]
    assert fleet.statuses(seen) + fleet.statuses(fresh) == ["CANCELED"] * 3


def test_an_order_that_does_not_end_is_told_of_once_and_tried_on_slowly(fleet):
    order = resting(fleet)
    ask(order)
    force(only(fleet, order), cancel_sends=11)
    fault_cancels(fleet, "drop_before", times=9)

    stop(fleet)
    alarm = Alarm.objects.get(code="CANCEL_STUCK")
    assert alarm.subject == f"accountorder:{only(fleet, order).pk}"
    due_again(order)
    assert stop(fleet).sent == 0
    due_again(order, seconds=61)
    assert stop(fleet).sent == 1

    assert Alarm.objects.filter(code="CANCEL_STUCK").count() == 1


def test_a_sweep_rings_while_a_cancel_is_due(fleet):
    order = resting(fleet)
    assert sweep(now=timezone.now()).tasks == []

    ask(order)
    assert sweep(now=timezone.now()).tasks == ["orders.send_cancels"]
    stop(fleet)

    assert sweep(now=seconds_from_now(60)).tasks == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_cancel_once(fleet, broker):
    order = resting(fleet, accounts=3)
    ask(order)

    at_once(*[lambda: stop(fleet)] * 4)

    assert fleet.statuses(order) == ["CANCELED"] * 3
    assert cancels(broker) == 3


def test_asking_again_does_not_send_sooner(fleet):
    order = resting(fleet)
    fault_cancels(fleet, "drop_before")
    ask(order)
    stop(fleet)

    ask(order)

    assert stop(fleet).sent == 0
