"""The check itself: every kind of wrong is found in a truth that has only that one."""

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.faults.invariants import problems
from tests.faults.truth import BrokerOrder, Child, Post, Step, Truth

CREATED, CLAIMED, SENT, ACCEPTED, DEADLINE = 100.0, 100.1, 100.2, 100.3, 105.0
LIFE = [
    Step(CREATED, "", "READY"),
    Step(CLAIMED, "READY", "SUBMITTING"),
    Step(ACCEPTED, "SUBMITTING", "WORKING"),
]
CHILD = Child(
    id=uuid4(),
    order=1,
    account="A",
    status="WORKING",
    needs_agent=False,
    broker_order_id="7",
    fingerprint="print",
    deadline_at=DEADLINE,
    steps=LIFE,
)
ORDER = BrokerOrder(id="7", account="A", fingerprint="print", tag="TA_1", status="WORKING")
POST = Post(SENT, "A", "7")
TRUTH = Truth(orders=[ORDER], posts=[POST], children=[CHILD], later={("A", "7")})
UNPLACED = [*LIFE[:2], Step(ACCEPTED, "SUBMITTING", "FAILED_TO_PLACE")]
UNKNOWN = [*LIFE[:2], Step(ACCEPTED, "SUBMITTING", "UNKNOWN")]


def child(**changes) -> Truth:
    return replace(TRUTH, children=[replace(CHILD, **changes)])


WRONGS = {
    "I1": replace(TRUTH, orders=[ORDER, replace(ORDER, id="8")]),
    "I2: nobody owns": child(broker_order_id=None),
    "I2: 7 has 2 owners": replace(TRUTH, children=[CHILD, replace(CHILD, id=uuid4(), order=2)]),
    "owns 7, which is another order": child(fingerprint="other"),
    "which does not exist": replace(TRUTH, orders=[], later=set()),
    "I4": replace(TRUTH, posts=[POST, replace(POST, order_id=None)]),
    "came before its claim": replace(TRUTH, posts=[replace(POST, at=CLAIMED - 0.01)]),
    "I5: a request": replace(TRUTH, posts=[replace(POST, at=DEADLINE + 2)]),
    "I6": child(status="FAILED_TO_PLACE", steps=UNPLACED),
    "I7": child(steps=[*LIFE, Step(106, "WORKING", "FILLED"), Step(107, "FILLED", "WORKING")]),
    "I8": child(status="FILLED"),
}


def test_nothing_is_wrong_with_an_order_that_was_placed():
    assert problems(TRUTH) == []


def test_an_order_of_unknown_outcome_may_be_at_the_broker_unowned():
    assert problems(child(status="UNKNOWN", broker_order_id=None, steps=UNKNOWN)) == []


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_wrong_is_said(wrong):
    assert any(wrong in problem for problem in problems(WRONGS[wrong]))


def test_a_claim_in_a_frozen_period_is_said():
    assert problems(TRUTH, frozen=[(CREATED, SENT)]) == [
        f"I5: {CHILD.id} was claimed while everything was frozen"
    ]
