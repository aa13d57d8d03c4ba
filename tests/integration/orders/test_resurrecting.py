"""Orders that were given up: the broker may show one after all, or one that looks like it."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Alarm
from orders.models import AccountOrder, ExternalOrder
from orders.services.placing import place_account_orders
from orders.services.reconciling import reconcile
from tests.integration.orders.hands import Wire, force, only, seconds_from_now, trail
from tests.integration.orders.looking import (
    by_hand,
    grow_quiet,
    look,
    show,
    unknown,
    unknown_and_hidden,
)


def test_an_order_that_appears_after_its_absence_was_proved_lives_again_with_an_alarm(fleet):
    order, name = unknown_and_hidden(fleet)
    child = only(fleet, order)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    assert only(fleet, order).reason_code == "PROVED_ABSENT"

    show(fleet, name)
    result = look(fleet)

    child.refresh_from_db()
    assert result.found == 1
    assert (child.status, child.broker_order_id) == ("FILLED", name)
    assert ("FAILED_TO_PLACE", "WORKING") in trail(child)
    assert Alarm.objects.get().code == "RESURRECTED"


def test_the_late_answer_of_an_order_proved_absent_brings_it_back(fleet):
    """F15: the worker was stopped between the broker's answer and its recording."""
    order = fleet.create(fleet.shares(7), accounts=fleet.accounts[:1])
    stopped = Stopped(fleet.gateway, lambda: absent_meanwhile(fleet, order))

    place_account_orders(ids=fleet.ready(order), gateway=stopped)

    child = only(fleet, order)
    assert (child.status, child.reason_code) == ("WORKING", "RESURRECTED")
    assert child.broker_order_id == str(fleet.broker.orders()[0]["orderId"])
    assert Alarm.objects.get().subject == f"accountorder:{child.pk}"


class Stopped:
    """A gateway whose answers are kept back while something happens."""

    def __init__(self, gateway, meanwhile):
        self._gateway, self._meanwhile = gateway, meanwhile

    def stream(self, calls):
        for batch in self._gateway.stream(calls):
            self._meanwhile()
            yield batch


def absent_meanwhile(fleet, order):
    force(only(fleet, order), status="FAILED_TO_PLACE", reason_code="PROVED_ABSENT")


def test_an_order_proved_absent_is_asked_about_once_a_minute(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    wire = Wire(fleet.broker)

    reconcile(gateway=fleet.gateway)
    assert wire.reads == []
    force(only(fleet, order), looked_at=seconds_from_now(-61))
    reconcile(gateway=fleet.gateway)

    assert len(wire.reads) == 1


def test_an_order_proved_absent_yesterday_is_asked_about_no_more(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    force(only(fleet, order), claimed_at=timezone.now() - timedelta(days=1), looked_at=None)

    assert reconcile(gateway=fleet.gateway).sought == 0


def test_what_was_clicked_again_is_never_taken_for_the_order_given_up(fleet):
    """The model's F1: the second order is at the broker while nobody owns its number yet."""
    first = unknown(fleet)
    grow_quiet(fleet, first)
    look(fleet, times=3)
    second = unknown(fleet, "drop_after")
    for child in AccountOrder.objects.filter(order=second):
        force(child, status="FAILED_TO_PLACE", reason_code="PROVED_ABSENT")

    look(fleet)

    assert fleet.statuses(first) == ["FAILED_TO_PLACE"]
    assert fleet.statuses(second) == ["FILLED"]


def test_an_order_with_our_tag_that_nobody_explains_raises_an_alarm_once(fleet):
    order = unknown(fleet)
    grow_quiet(fleet, order)
    look(fleet, times=3)
    name = by_hand(fleet, order, tag="TA_another_app")

    look(fleet, times=2)

    assert fleet.statuses(order) == ["FAILED_TO_PLACE"]
    assert name in Alarm.objects.get(code="ORPHAN").words
    assert ExternalOrder.objects.get().broker_order_id == name
