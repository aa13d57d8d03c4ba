"""The check itself: every kind of wrong is found in a truth that has only that one."""

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.faults.holdings import OVERSOLD, Deal, Reset
from tests.faults.invariants import closed_too_much, problems
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


LONG, SHORT = "XYZ   260116P00090000", "XYZ   260116P00095000"
HELD = Reset(1, "A", {LONG: 2, SHORT: -2})
CLOSED = Deal(2, "A", "7", is_ours=True, closes=True, changes={LONG: -1, SHORT: 1})
THROUGH_ZERO = f"I11: 7 in A closed 1 of {SHORT}, of which 0 were held"

OVERCLOSED = {
    "twice too often": ([CLOSED, CLOSED, CLOSED], THROUGH_ZERO),
    "beyond zero": ([replace(CLOSED, changes={SHORT: 3})], "of which -2 were held"),
    "the wrong way": ([replace(CLOSED, changes={LONG: 1})], "of which 2 were held"),
    "the cover first": ([replace(CLOSED, changes={LONG: -1})], "I12: 7 in A left 1 short"),
}


def test_nothing_is_wrong_with_closing_what_is_held():
    assert closed_too_much(replace(TRUTH, deals=[CLOSED, CLOSED], resets=[HELD])) == []


def test_hands_may_do_to_positions_what_they_like():
    by_hand = replace(CLOSED, is_ours=False, changes={SHORT: 5})

    assert closed_too_much(replace(TRUTH, deals=[by_hand], resets=[HELD])) == []


@pytest.mark.parametrize(("deals", "wrong"), OVERCLOSED.values(), ids=OVERCLOSED)
def test_a_close_of_more_than_is_held_is_said(deals, wrong):
    said = closed_too_much(replace(TRUTH, deals=deals, resets=[HELD]))

    assert any(wrong in one for one in said), said


def test_a_close_that_the_broker_refuses_as_oversold_is_said():
    refused = replace(ORDER, status="REJECTED", words=f"an {OVERSOLD} position")

    assert closed_too_much(replace(TRUTH, orders=[refused])) == [
        "I11: 7 in A asked for more than was held"
    ]
