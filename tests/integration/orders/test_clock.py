"""A clock that is moved makes no order go out late, and no absence proved early."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Alarm
from orders.services.clock import ClockWatch, follow_clock
from orders.services.reconciling import reconcile
from tests.integration.orders.hands import force, only, seconds_from_now


class Hands:
    """A wall clock that can be set, and a steady one."""

    wall, steady = 1000.0, 50.0

    def pass_time(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.mark.parametrize("moved", [-300, -3, 3, 300])
def test_a_step_of_the_clock_is_noticed_until_it_is_dealt_with(moved):
    hands = Hands()
    watch = ClockWatch(wall=lambda: hands.wall, steady=lambda: hands.steady)
    hands.pass_time(10)
    hands.wall += moved

    assert watch.step() == timedelta(seconds=moved)
    assert watch.step() == timedelta(seconds=moved)  # until it is dealt with
    watch.accept()
    assert watch.step() == timedelta()


def test_time_that_passes_and_small_corrections_are_no_step():
    hands = Hands()
    watch = ClockWatch(wall=lambda: hands.wall, steady=lambda: hands.steady)
    for _ in range(5):
        hands.pass_time(3600)
        hands.wall += 1
        assert watch.step() == timedelta()


def test_the_real_clocks_agree():
    assert ClockWatch().step() == timedelta()


def test_nothing_is_sent_of_which_the_age_cannot_be_told(fleet):
    order = fleet.create(fleet.shares())

    follow_clock(timedelta(minutes=-5), now=timezone.now())

    child = fleet.children(order)[0]
    assert fleet.statuses(order) == ["FAILED_TO_PLACE"] * 3
    assert (child.reason_code, child.reason) == (
        "STALE_UNSENT",
        "The clock was moved by -300 s: not sent.",
    )
    assert Alarm.objects.get().code == "CLOCK_MOVED"


def test_a_clock_set_ahead_does_not_end_the_quiet_period(fleet, settings):
    """F44: three lists within seconds of the step would prove an absence too early."""
    settings.ABSENCE_READS = 1
    order = fleet.create(fleet.shares(), accounts=fleet.accounts[:1])
    child = only(fleet, order)
    force(child, status="UNKNOWN", claimed_at=seconds_from_now(-300))  # 300 s by the moved clock

    follow_clock(timedelta(minutes=5), now=timezone.now())
    reconcile(gateway=fleet.gateway)

    assert fleet.statuses(order) == ["UNKNOWN"]
    assert only(fleet, order).clean_reads == 0


def test_a_clock_set_back_does_not_hide_an_order_from_the_window(fleet):
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    # Claimed while the clock was five minutes ahead of the broker's.
    force(
        only(fleet, order),
        status="UNKNOWN",
        broker_order_id=None,
        claimed_at=seconds_from_now(300),
    )

    follow_clock(timedelta(minutes=-5), now=timezone.now())
    reconcile(gateway=fleet.gateway)

    assert fleet.statuses(order) == ["FILLED"]
