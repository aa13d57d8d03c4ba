"""Access tokens that die before a broadcast: renewed once per login, then sent once more."""

import pytest
from django.utils import timezone

from accounts.models import BrokerLogin, Token
from orders.domain.lifecycle import Status
from orders.services.placing import place_account_orders
from orders.services.renewing import renew_for_orders
from orders.services.sweeping import sweep
from tests.integration.orders.hands import Wire, force, seconds_from_now, trail


def renew(outcome, login):
    """Do what the task does for one login whose token was refused; return what to ring for."""
    return renew_for_orders(
        login_id=login.pk,
        seen_version=outcome.token_versions[login.pk],
        ids=outcome.refused_logins[login.pk],
        now=timezone.now(),
    )


def logins(fleet):
    return list(BrokerLogin.objects.order_by("label"))


def broadcast(fleet):
    order = fleet.create(fleet.shares())
    return order, fleet.send(order)


def test_orders_with_a_refused_token_wait_and_say_so(fleet, wire):
    fleet.broker.tokens(login=fleet.logins[0].label, access="expire")

    order, outcome = broadcast(fleet)

    child = fleet.children(order)[0]
    assert fleet.statuses(order) == ["READY", "WORKING", "WORKING"]
    assert child.reason_code == "TOKEN_REFUSED"
    assert child.reason == "The broker refused the access token; it is being renewed."
    assert outcome.refused_logins == {fleet.logins[0].pk: [child.pk]}
    assert fleet.send(order).counts == {}  # not before the renewal had its time
    assert len(wire.posts) == 3


def test_one_renewal_serves_all_accounts_of_a_login_and_each_order_is_placed_once(family):
    one, other = logins(family)
    family.broker.tokens(login=one.label, access="revoke")
    order, outcome = broadcast(family)
    assert family.statuses(order) == ["READY"] * 3 + ["WORKING"] * 3
    wire = Wire(family.broker)

    due = renew(outcome, one)
    again = renew(outcome, one)
    place_account_orders(ids=due, gateway=family.gateway)

    assert set(due) == set(again) == set(outcome.refused_logins[one.pk])
    assert other.pk not in outcome.refused_logins
    assert wire.renewals == 1
    assert len(wire.posts) == 3
    assert family.statuses(order) == ["WORKING"] * 6
    assert len(family.broker.orders()) == 6
    assert {child.sends for child in family.children(order)[:3]} == {2}
    assert trail(family.children(order)[0])[1:] == [
        ("READY", "SUBMITTING"),
        ("SUBMITTING", "READY"),
        ("READY", "SUBMITTING"),
        ("SUBMITTING", "WORKING"),
    ]


def test_a_dead_refresh_token_fails_its_own_accounts_with_words(family):
    one = logins(family)[0]
    family.broker.tokens(login=one.label, access="expire", refresh="revoke")
    order, outcome = broadcast(family)

    assert renew(outcome, one) == []

    assert family.statuses(order) == ["FAILED_TO_PLACE"] * 3 + ["WORKING"] * 3
    for child in family.children(order)[:3]:
        assert child.reason_code == "REFUSED"
        assert child.reason == (
            "The access token was refused and could not be renewed. Connect the login again."
        )
    order.refresh_from_db()
    assert order.status == "WORKING"
    assert len(family.broker.orders()) == 3
    one.refresh_from_db()
    assert one.status == "LOGIN_REQUIRED"


def test_a_token_service_out_of_order_is_not_taken_for_a_dead_login(fleet):
    login = fleet.logins[0]
    fleet.broker.tokens(login=login.label, access="expire")
    order, outcome = broadcast(fleet)
    fleet.broker.fault("http_500", method="POST", path="/v1/oauth/token")

    assert renew(outcome, login) == []

    child = fleet.children(order)[0]
    assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "REFUSED")
    assert child.reason == "The access token was refused and could not be renewed. Try again."
    login.refresh_from_db()
    assert login.status == "CONNECTED"


def test_a_second_refusal_stands(fleet, wire):
    login = fleet.logins[0]
    fleet.broker.fault("http_401", method="POST", path="/orders", times=2)
    order = fleet.create(fleet.shares(), accounts=fleet.accounts[:1])
    outcome = fleet.send(order)

    place_account_orders(ids=renew(outcome, login), gateway=fleet.gateway)

    (child,) = fleet.children(order)
    assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "REFUSED")
    assert "Unauthorized" in child.reason
    assert len(wire.posts) == 2
    assert fleet.broker.orders() == []


def test_a_renewal_touches_only_orders_that_wait_for_it(fleet):
    login = fleet.logins[0]
    fleet.broker.tokens(access="expire", refresh="revoke")
    order, outcome = broadcast(fleet)
    outcome.refused_logins[login.pk] = [child.pk for child in fleet.children(order)]
    throttled, unknown = fleet.children(order)[1:]
    force(throttled, reason_code="THROTTLED", reason="Too many requests")
    force(unknown, status=Status.UNKNOWN)

    renew(outcome, login)

    assert fleet.statuses(order) == ["FAILED_TO_PLACE", "READY", "UNKNOWN"]


@pytest.mark.parametrize("is_renewed", [True, False])
def test_a_renewal_that_nobody_finished_is_made_up_for_by_the_sweep(fleet, is_renewed):
    login = fleet.logins[0]
    fleet.broker.tokens(login=login.label, access="expire")
    order, outcome = broadcast(fleet)
    if is_renewed:  # by somebody else, say the beat
        renew(outcome, login)
    (pk,) = outcome.refused_logins[login.pk]
    force(pk, not_before=seconds_from_now(-1))

    rung = sweep(now=timezone.now()).to_ring
    place_account_orders(ids=rung[order.pk], gateway=fleet.gateway)

    assert fleet.statuses(order)[0] == ("WORKING" if is_renewed else "FAILED_TO_PLACE")


def test_tokens_are_renewed_for_several_logins_each_by_itself(fleet, wire):
    fleet.broker.tokens(access="revoke")
    order, outcome = broadcast(fleet)
    assert fleet.statuses(order) == ["READY"] * 3

    due = [pk for login in fleet.logins for pk in renew(outcome, login)]
    place_account_orders(ids=due, gateway=fleet.gateway)

    assert fleet.statuses(order) == ["WORKING"] * 3
    assert wire.renewals == 3
    assert set(Token.objects.values_list("version", flat=True)) == {
        version + 1 for version in outcome.token_versions.values()
    }
    assert len(fleet.broker.orders()) == 3
