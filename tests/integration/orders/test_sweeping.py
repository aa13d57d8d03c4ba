from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Alarm
from accounts.services.alarms import acknowledge
from orders.domain.lifecycle import TERMINAL, Status
from orders.models import AccountOrder
from orders.services.placing import place_account_orders
from orders.services.sweeping import sweep
from tests.integration.orders.hands import force, is_sentence, seconds_from_now, trail


def claimed_at(order, moment):
    """Let every account order of a broadcast be claimed at this moment, as by a dead worker."""
    AccountOrder.objects.filter(order=order).update(
        status=Status.SUBMITTING, claimed_at=moment, sends=1
    )


def test_an_order_nobody_took_in_time_fails_and_nothing_is_sent_later(fleet, wire):
    order = fleet.create(fleet.shares())
    now = fleet.children(order)[0].deadline_at

    swept = sweep(now=now)

    order.refresh_from_db()
    assert (swept.stale, swept.lease_over, swept.to_ring) == (3, 0, {})
    assert order.status == "CLOSED_OUT"
    for child in fleet.children(order):
        assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "STALE_UNSENT")
        assert child.reason == (
            "Not sent in time: the workers did not take it before its deadline. "
            "Nothing is at the broker."
        )
        assert trail(child)[-1] == ("READY", "FAILED_TO_PLACE")
    fleet.send(order)
    assert wire.posts == []


def test_an_order_that_waited_for_something_says_for_what(fleet):
    order = fleet.create(fleet.shares())
    force(*fleet.children(order), reason="Too many requests.", reason_code="THROTTLED")

    sweep(now=seconds_from_now(60))

    assert fleet.children(order)[0].reason == (
        "Not sent in time: Too many requests. Nothing is at the broker."
    )


def test_a_claim_without_an_answer_becomes_unknown_when_its_lease_is_over(fleet, settings):
    settings.CLAIM_LEASE_S = 15
    order = fleet.create(fleet.shares())
    now = timezone.now()
    claimed_at(order, now - timedelta(seconds=15))
    force(fleet.children(order)[2], claimed_at=now - timedelta(seconds=14))

    swept = sweep(now=now)

    order.refresh_from_db()
    assert (swept.stale, swept.lease_over) == (0, 2)
    assert fleet.statuses(order) == ["UNKNOWN", "UNKNOWN", "SUBMITTING"]
    assert order.status == "NEEDS_AGENT"
    child = fleet.children(order)[0]
    assert child.reason_code == "LEASE_OVER"
    assert is_sentence(child.reason)
    assert sweep(now=now).lease_over == 0


def test_an_order_sent_again_has_a_lease_of_its_own(fleet):
    order = fleet.create(fleet.shares())
    force(*fleet.children(order), claimed_at=seconds_from_now(-60))

    fleet.send(order)

    assert sweep(now=timezone.now()).lease_over == 0
    assert fleet.statuses(order) == ["WORKING"] * 3


def test_an_unknown_order_is_never_rung_for(fleet, wire):
    order = fleet.create(fleet.shares(), age_s=1)
    claimed_at(order, seconds_from_now(-20))

    for _ in range(3):
        assert sweep(now=seconds_from_now(3)).to_ring == {}

    assert fleet.statuses(order) == ["UNKNOWN"] * 3
    assert wire.posts == []


def test_a_lost_ring_is_made_up_for_after_two_seconds(fleet, wire, settings):
    settings.RING_AGAIN_AFTER_S = 2
    order = fleet.create(fleet.shares())
    ids = {child.pk for child in fleet.children(order)}

    assert sweep(now=seconds_from_now(1)).to_ring == {}
    rung = sweep(now=seconds_from_now(2)).to_ring

    assert {pk: set(found) for pk, found in rung.items()} == {order.pk: ids}
    place_account_orders(ids=rung[order.pk], gateway=fleet.gateway)
    assert sweep(now=seconds_from_now(3)).to_ring == {}
    assert len(wire.posts) == 3


def test_an_order_that_must_wait_is_rung_for_when_it_is_due_and_not_before(fleet):
    order = fleet.create(fleet.shares())
    one, two, three = fleet.children(order)
    force(one, not_before=seconds_from_now(4))
    force(two, not_before=seconds_from_now(2.5))
    force(three, status=Status.SKIPPED)

    assert sweep(now=seconds_from_now(3)).to_ring == {order.pk: [two.pk]}


def test_orders_of_two_broadcasts_are_rung_for_apart(fleet):
    first, second = fleet.create(fleet.shares(1)), fleet.create(fleet.shares(2))

    rung = sweep(now=seconds_from_now(3)).to_ring

    assert {pk: len(ids) for pk, ids in rung.items()} == {first.pk: 3, second.pk: 3}


@pytest.mark.parametrize("status", sorted(TERMINAL | {Status.WORKING, Status.UNKNOWN}))
def test_an_order_that_is_settled_or_at_the_broker_is_left_alone(fleet, status):
    order = fleet.create(fleet.shares(), accounts=fleet.accounts[:1])
    (child,) = fleet.children(order)
    force(child, status=status, claimed_at=seconds_from_now(-600))
    before = len(trail(child))

    swept = sweep(now=seconds_from_now(3600))

    assert (swept.stale, swept.lease_over, swept.to_ring) == (0, 0, {})
    assert fleet.statuses(order) == [status]
    assert len(trail(child)) == before


def test_orders_unknown_for_two_minutes_raise_one_alarm_that_comes_once(fleet):
    order = fleet.create(fleet.shares())
    one, two, three = fleet.children(order)
    force(one, two, status=Status.UNKNOWN, claimed_at=seconds_from_now(-121))
    force(three, status=Status.UNKNOWN, claimed_at=seconds_from_now(-119))

    sweep(now=timezone.now())
    sweep(now=timezone.now())

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.subject) == ("UNKNOWN_TOO_LONG", f"complexorder:{order.pk}")
    assert f"{one.account.alias}, {two.account.alias}." in alarm.words
    assert three.account.alias not in alarm.words
    assert acknowledge(alarm.pk, user=fleet.agent, now=timezone.now())
    sweep(now=timezone.now())
    assert Alarm.objects.count() == 1


def test_an_idle_sweep_asks_the_database_seven_times(fleet, django_assert_num_queries):
    fleet.broadcast(fleet.shares())

    with django_assert_num_queries(7):
        sweep(now=timezone.now())


def test_the_command_sweeps_and_rings_although_the_queue_is_down(fleet, settings, dead_queue):
    order = fleet.create(fleet.shares())
    settings.RING_AGAIN_AFTER_S = 0
    stale = fleet.create(fleet.shares(2), age_s=60)

    call_command("sweep", "--once")

    assert fleet.statuses(order) == ["READY"] * 3
    assert fleet.statuses(stale) == ["FAILED_TO_PLACE"] * 3
