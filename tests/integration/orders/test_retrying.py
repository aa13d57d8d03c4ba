"""Retries: a new attempt where nothing was placed, on the agent's word, and nowhere else."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import LoginStatus, Mode, ModeScope
from accounts.models import AuditEvent
from orders.domain.errors import BadTicket, CannotControl, GuardRefused
from orders.models import AccountOrder, PlacedOrderSet
from orders.services.retrying import retry_failed
from tests.integration.orders.hands import force, hit, limit, only, trail
from tests.integration.orders.stopping import LIMIT, change, go_on, resting, stop
from tests.integration.orders.test_races import at_once
from tests.support.make import make_mode


@pytest.fixture
def retry(fleet):
    """Retry a broadcast; return the ids of the new account orders."""

    def again(order, **more):
        now = more.pop("now", timezone.now())
        return retry_failed(order_id=order.pk, agent=fleet.agent, now=now, **more)

    return again


@pytest.fixture
def mixed(fleet):
    """One account rejected, one refused, one working."""
    hit(fleet, "reject")
    hit(fleet, "http_400_500_body", index=1, body={"message": "No such thing"})
    order = fleet.broadcast(fleet.shares(limit=LIMIT))
    fleet.poll()
    assert fleet.statuses(order) == ["REJECTED", "FAILED_TO_PLACE", "WORKING"]
    return order


def test_those_that_failed_are_sent_again_and_no_others(fleet, mixed, retry, broker):
    ids = retry(mixed)
    fleet.send(mixed)
    fleet.poll()

    children = fleet.children(mixed)
    assert [child.status for child in children] == [
        "REJECTED",
        "WORKING",
        "FAILED_TO_PLACE",
        "WORKING",
        "WORKING",
    ]
    assert ids == [children[1].pk, children[3].pk]
    assert [child.attempt for child in children] == [1, 2, 1, 2, 1]
    assert {child.body for child in children} == {children[0].body}
    assert all(child.successor_id is None for child in children)
    mixed.refresh_from_db()
    assert mixed.status == "WORKING"
    assert trail(children[1])[0] == ("", "READY")


def test_only_the_chosen_accounts_are_retried(fleet, mixed, retry):
    retry(mixed, accounts=[fleet.accounts[1].pk])

    assert fleet.statuses(mixed) == ["REJECTED", "FAILED_TO_PLACE", "READY", "WORKING"]


def test_a_retry_is_recorded(fleet, mixed, retry):
    retry(mixed)

    event = AuditEvent.objects.get(kind="retry")
    assert (event.subject, event.actor) == (f"complexorder:{mixed.pk}", "agent")
    assert event.data == {"accounts": 2, "left_out": {}}


def test_an_order_of_unknown_outcome_is_never_retried(fleet, retry):
    hit(fleet, "http_500")
    order = fleet.broadcast(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])
    assert fleet.statuses(order) == ["UNKNOWN"]

    with pytest.raises(CannotControl, match="nothing to retry"):
        retry(order)


def test_an_account_that_was_left_out_is_not_retried(fleet, retry):
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(fleet.accounts[0].pk))
    order = fleet.broadcast(fleet.shares(limit=LIMIT))
    assert fleet.statuses(order) == ["SKIPPED", "WORKING", "WORKING"]

    with pytest.raises(CannotControl):
        retry(order)


def test_where_an_earlier_attempt_lives_again_nothing_is_retried(fleet, mixed, retry):
    force(fleet.children(mixed)[1], status="UNKNOWN")
    AccountOrder.objects.filter(pk=fleet.children(mixed)[0].pk).update(status="WORKING")
    later = fleet.children(fleet.broadcast(fleet.shares(3, limit=LIMIT)))[0]
    force(later, order=mixed, attempt=2, status="REJECTED")

    with pytest.raises(CannotControl):
        retry(mixed)


def test_what_earlier_attempts_filled_is_not_ordered_again(fleet, retry, broker):
    order = resting(fleet)
    broker.fill(only(fleet, order).broker_order_id, quantity=3)
    change(order)
    stop(fleet)
    hit(fleet, "reject")
    go_on(fleet, order)
    fleet.poll()
    order.refresh_from_db()
    assert (fleet.statuses(order), order.status) == (["CANCELED", "REJECTED"], "PARTIAL")

    retry(order)
    fleet.send(order)

    assert [child.contracts for child in fleet.children(order)] == [10, 7, 7]


def test_after_a_late_fill_of_all_there_is_nothing_to_retry(fleet, mixed, retry):
    force(*fleet.children(mixed)[:2], filled=Decimal(10))

    with pytest.raises(CannotControl):
        retry(mixed)


def test_accounts_that_may_not_send_are_left_out_and_named(fleet, mixed, retry):
    lost = fleet.accounts[0]
    type(lost.login).objects.filter(pk=lost.login.pk).update(status=LoginStatus.LOGIN_REQUIRED)

    (new,) = retry(mixed)

    assert AccountOrder.objects.get(pk=new).account == fleet.accounts[1]
    left_out = AuditEvent.objects.get(kind="retry").data["left_out"]
    assert "must be connected again" in left_out[lost.alias]


def test_while_the_fleet_is_frozen_nothing_is_retried(fleet, mixed, retry):
    make_mode(Mode.FROZEN)

    with pytest.raises(CannotControl, match="frozen"):
        retry(mixed)

    assert AccountOrder.objects.count() == 3


def test_an_expired_trade_is_not_retried(fleet, condor, retry):
    hit(fleet, "reject")
    order = fleet.broadcast(condor, accounts=fleet.accounts[:1])
    fleet.poll()
    assert fleet.statuses(order) == ["REJECTED"]

    with pytest.raises(CannotControl, match="expired"):
        retry(order, now=timezone.now() + timedelta(days=400))


def test_the_guards_look_again_and_can_be_overridden(fleet, condor, retry):
    hit(fleet, "reject")
    order = fleet.broadcast(condor, accounts=fleet.accounts[:1])
    fleet.poll()

    with pytest.raises(GuardRefused) as error:
        retry(order)
    assert [problem.code for problem in error.value.problems] == ["PRICE_AWAY"]

    assert len(retry(order, confirm=["PRICE_AWAY"])) == 1


def test_a_limit_that_was_lowered_meanwhile_holds_for_retries(fleet, mixed, retry):
    limit("MAX_SHARES_PER_ORDER", 5)

    with pytest.raises(BadTicket, match="more than 5"):
        retry(mixed)


def test_the_exit_of_a_set_is_retried_on_its_board(fleet, mixed, retry):
    mixed.closes = PlacedOrderSet.objects.create(order=mixed)
    mixed.save()

    with pytest.raises(CannotControl, match="residual board"):
        retry(mixed)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_attempt(fleet, broker, retry):
    hit(fleet, "reject")
    order = fleet.broadcast(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])
    fleet.poll()

    results = at_once(*[lambda: retry(order)] * 4)
    fleet.send(order)

    assert fleet.statuses(order) == ["REJECTED", "WORKING"]
    assert sum(isinstance(result, list) for result in results) == 1
    assert sum(isinstance(result, CannotControl) for result in results) == 3
    assert len(broker.orders()) == 2
