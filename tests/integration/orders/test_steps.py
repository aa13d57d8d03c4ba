import pytest
from django.db import transaction

from accounts.models import AuditEvent
from orders.domain.lifecycle import IllegalStep, Reason, Status
from orders.services.steps import Step, take_steps
from tests.integration.orders.hands import force, seconds_from_now, trail

NOW = seconds_from_now(0)


def take(*steps, out_of):
    return take_steps(steps, out_of=out_of, now=NOW, actor="somebody")


@pytest.fixture
def children(fleet):
    return fleet.children(fleet.create(fleet.shares()))


def statuses(children):
    for child in children:
        child.refresh_from_db()
    return [child.status for child in children]


def test_a_step_moves_the_order_and_writes_one_event(children):
    child = children[0]
    values = {"reason_code": Reason.INACTIVE, "reason": "The account was switched off."}

    moved = take(Step(child.pk, Status.SKIPPED, values, {"why": 1}), out_of=[Status.READY])

    assert moved == {child.pk}
    assert statuses(children) == ["SKIPPED", "READY", "READY"]
    assert child.reason == "The account was switched off."
    event = AuditEvent.objects.get(subject=f"accountorder:{child.pk}", new="SKIPPED")
    assert (event.kind, event.old, event.reason) == ("status", "READY", child.reason)
    assert (event.actor, event.at, event.data) == ("somebody", NOW, {"why": 1})


def test_only_orders_that_stand_where_the_caller_believes_move(children):
    force(children[1], status=Status.UNKNOWN)
    force(children[2], status=Status.FILLED)
    steps = [Step(child.pk, Status.FAILED_TO_PLACE) for child in children]

    moved = take(*steps, out_of=[Status.READY, Status.UNKNOWN])

    assert moved == {children[0].pk, children[1].pk}
    assert statuses(children) == ["FAILED_TO_PLACE", "FAILED_TO_PLACE", "FILLED"]
    assert trail(children[0])[-1] == ("READY", "FAILED_TO_PLACE")
    assert trail(children[1])[-1] == ("UNKNOWN", "FAILED_TO_PLACE")
    assert trail(children[2]) == [("", "READY")]


def test_the_second_of_two_callers_moves_nothing(children):
    step = Step(children[0].pk, Status.SUBMITTING)

    assert take(step, out_of=[Status.READY]) == {children[0].pk}
    assert take(step, out_of=[Status.READY]) == set()
    assert len(trail(children[0])) == 2


def test_an_illegal_step_is_refused_before_anything_is_written(children):
    steps = [Step(children[0].pk, Status.SKIPPED), Step(children[1].pk, Status.FILLED)]

    with pytest.raises(IllegalStep):
        take(*steps, out_of=[Status.READY])

    assert statuses(children) == ["READY"] * 3
    assert not AuditEvent.objects.filter(new__in=["SKIPPED", "FILLED"]).exists()


def test_a_step_must_be_legal_from_every_status_the_caller_names(children):
    with pytest.raises(IllegalStep):
        take(Step(children[0].pk, Status.SKIPPED), out_of=[Status.READY, Status.UNKNOWN])


def test_an_order_takes_one_step_at_a_time(children):
    steps = [Step(children[0].pk, Status.SKIPPED), Step(children[0].pk, Status.SUBMITTING)]

    with pytest.raises(ValueError, match="one step"):
        take(*steps, out_of=[Status.READY])

    assert statuses(children) == ["READY"] * 3


def test_every_row_gets_its_own_values(children):
    force(*children, status=Status.SUBMITTING)
    steps = [
        Step(child.pk, Status.WORKING, {"broker_order_id": str(number), "reason": ""})
        for number, child in enumerate(children, 100)
    ]

    take(*steps, out_of=[Status.SUBMITTING])

    assert statuses(children) == ["WORKING"] * 3
    assert [child.broker_order_id for child in children] == ["100", "101", "102"]


def test_a_column_that_a_step_does_not_name_keeps_its_value(children):
    force(*children, sent_at=NOW)
    steps = [
        Step(children[0].pk, Status.SKIPPED, {"sent_at": None}),
        Step(children[1].pk, Status.SKIPPED, {"reason": "Left out."}),
        Step(children[2].pk, Status.SKIPPED),
    ]

    take(*steps, out_of=[Status.READY])

    assert statuses(children) == ["SKIPPED"] * 3
    assert [child.sent_at for child in children] == [None, NOW, NOW]
    assert [child.reason for child in children] == ["", "Left out.", ""]


def test_one_call_moves_orders_to_different_statuses(children):
    steps = [
        Step(children[0].pk, Status.SKIPPED),
        Step(children[1].pk, Status.FAILED_TO_PLACE),
        Step(children[2].pk, Status.SUBMITTING),
    ]

    take(*steps, out_of=[Status.READY])

    assert statuses(children) == ["SKIPPED", "FAILED_TO_PLACE", "SUBMITTING"]
    assert [trail(child)[-1][1] for child in children] == statuses(children)


def test_a_rollback_takes_back_status_and_event(children):
    with transaction.atomic():
        take(Step(children[0].pk, Status.SKIPPED), out_of=[Status.READY])
        assert statuses(children)[0] == "SKIPPED"
        transaction.set_rollback(True)

    assert statuses(children) == ["READY"] * 3
    assert trail(children[0]) == [("", "READY")]
