"""Orders that only the agent can tell apart: what he is asked, and what he may say."""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from orders.models import ExternalOrder
from orders.services.deciding import CannotDecide, adopt_candidate, rule_out_candidates
from tests.integration.orders.hands import force, only
from tests.integration.orders.looking import (
    QUIET,
    by_hand,
    grow_quiet,
    look,
    show,
    unknown,
    unknown_and_hidden,
)


def test_an_order_typed_in_by_hand_is_never_taken_for_ours(fleet):
    order = unknown(fleet)
    twin = by_hand(fleet, order)
    grow_quiet(fleet, order)

    result = look(fleet, times=4)

    child = only(fleet, order)
    assert result.asked == 1
    assert (child.status, child.needs_agent, child.broker_order_id) == ("UNKNOWN", True, None)
    candidate = ExternalOrder.objects.get()
    assert [candidate.broker_order_id] == child.candidates == [twin]
    assert candidate.tag.startswith("API_TOS")
    asked = AuditEvent.objects.filter(subject=f"accountorder:{child.pk}", kind="candidates")
    assert asked.count() == 1


def test_two_that_could_both_be_ours_are_the_agents_to_decide(fleet):
    order = unknown(fleet, "drop_after")
    by_hand(fleet, order, tag="TA_another_app")
    grow_quiet(fleet, order)
    child = only(fleet, order)

    look(fleet)

    assert fleet.statuses(order) == ["UNKNOWN"]
    names = set(ExternalOrder.objects.values_list("broker_order_id", flat=True))
    assert names == {str(one["orderId"]) for one in fleet.broker.orders()}
    ours = str(fleet.broker.orders()[0]["orderId"])
    adopt_candidate(child.pk, ours, agent=fleet.agent, now=timezone.now())
    fleet.poll()
    child.refresh_from_db()
    assert (child.status, child.broker_order_id, child.needs_agent) == ("FILLED", ours, False)
    assert ExternalOrder.objects.count() == 1


def test_one_of_ours_entered_before_the_claim_is_the_agents_to_decide(fleet):
    fleet.broker.clock(-60)
    order = unknown(fleet, "drop_after")
    fleet.broker.clock(0)

    look(fleet)

    assert (fleet.statuses(order), only(fleet, order).needs_agent) == (["UNKNOWN"], True)


def test_none_is_ours_is_for_after_the_quiet_period_and_stays_said(fleet):
    order = unknown(fleet)
    child = only(fleet, order)
    by_hand(fleet, order, tag="TA_another_app")
    by_hand(fleet, order, tag="TA_another_app")
    look(fleet)
    with pytest.raises(CannotDecide, match="too early"):
        rule_out_candidates(child.pk, seen=[], agent=fleet.agent, now=timezone.now())
    grow_quiet(fleet, order)

    names = [str(one["orderId"]) for one in fleet.broker.orders()]
    with pytest.raises(CannotDecide, match="look again"):
        rule_out_candidates(child.pk, seen=names[:1], agent=fleet.agent, now=timezone.now())
    rule_out_candidates(child.pk, seen=names, agent=fleet.agent, now=timezone.now())
    look(fleet, times=2)

    child.refresh_from_db()
    assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "RULED_OUT")
    assert "agent said" in child.reason


def test_a_decision_that_comes_too_late_says_so(fleet):
    order = unknown(fleet, "drop_after")
    child = only(fleet, order)
    look(fleet)

    with pytest.raises(CannotDecide, match="not unknown any more"):
        adopt_candidate(child.pk, "17", agent=fleet.agent, now=timezone.now())
    with pytest.raises(CannotDecide, match="not unknown any more"):
        rule_out_candidates(child.pk, seen=[], agent=fleet.agent, now=timezone.now())


def test_only_a_candidate_can_be_adopted(fleet):
    order = unknown(fleet)
    by_hand(fleet, order)
    look(fleet)

    with pytest.raises(CannotDecide, match="not one of its candidates"):
        adopt_candidate(only(fleet, order).pk, "17", agent=fleet.agent, now=timezone.now())

    assert fleet.statuses(order) == ["UNKNOWN"]


def test_one_that_is_not_this_order_may_be_another_of_ours(fleet):
    """The model's F2: what is ruled out for one order stays free for the one it belongs to."""
    first, name = unknown_and_hidden(fleet)
    grow_quiet(fleet, first)
    look(fleet, times=3)
    assert only(fleet, first).reason_code == "PROVED_ABSENT"
    second = unknown(fleet)
    show(fleet, name)
    look(fleet)
    assert only(fleet, second).needs_agent
    force(only(fleet, second), claimed_at=timezone.now() - QUIET)
    agent = {"agent": fleet.agent, "now": timezone.now()}

    rule_out_candidates(only(fleet, second).pk, seen=[name], **agent)
    look(fleet)

    assert only(fleet, first).broker_order_id == name
    assert only(fleet, second).reason_code == "RULED_OUT"
