from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.lifecycle import (
    BROKER_TERMINAL,
    STEPS,
    TERMINAL,
    ChildState,
    IllegalStep,
    ParentStatus,
    Status,
    any_of,
    check_step,
    parent_status,
    status_of_broker,
)

# The table of the design, written down a second time on purpose.
LEGAL = {
    ("READY", "SUBMITTING"),
    ("READY", "FAILED_TO_PLACE"),
    ("READY", "SKIPPED"),
    ("SUBMITTING", "READY"),
    ("SUBMITTING", "UNKNOWN"),
    ("SUBMITTING", "WORKING"),
    ("SUBMITTING", "FAILED_TO_PLACE"),
    ("UNKNOWN", "WORKING"),
    ("UNKNOWN", "FAILED_TO_PLACE"),
    ("WORKING", "FILLED"),
    ("WORKING", "UNKNOWN"),
    ("WORKING", "CANCELED"),
    ("WORKING", "REJECTED"),
    ("WORKING", "EXPIRED"),
    ("WORKING", "REPLACED"),
    ("FAILED_TO_PLACE", "WORKING"),
}


def is_legal(old, new):
    try:
        check_step(old, new)
    except IllegalStep:
        return False
    return True


def test_exactly_the_steps_of_the_table_are_legal():
    found = {(a.value, b.value) for a, b in product(Status, Status) if is_legal(a, b)}

    assert found == LEGAL


def test_an_illegal_step_names_both_statuses():
    with pytest.raises(IllegalStep, match="FILLED → READY"):
        check_step(Status.FILLED, Status.READY)


def test_nothing_leaves_a_terminal_status_but_an_order_that_turns_up_after_all():
    leaving = {(old, new) for old in TERMINAL for new in STEPS[old]}

    assert leaving == {(Status.FAILED_TO_PLACE, Status.WORKING)}


def test_an_order_of_unknown_outcome_can_never_become_sendable_again():
    seen: set[Status] = set()
    waiting = [Status.UNKNOWN]
    while waiting:
        for new in STEPS[waiting.pop()] - seen:
            seen.add(new)
            waiting.append(new)

    assert not seen & {Status.READY, Status.SUBMITTING}


@pytest.mark.parametrize("word", sorted(BROKER_TERMINAL))
def test_an_end_counts_only_when_all_fills_are_listed(word):
    assert status_of_broker(word.value, fills_listed=True) == word
    assert status_of_broker(word.value, fills_listed=False) == Status.WORKING


@given(st.text() | st.sampled_from(["filled", "READY", "SKIPPED", "UNKNOWN", "PENDING_CANCEL"]))
def test_every_word_we_do_not_know_is_a_live_order(word):
    if word not in {status.value for status in BROKER_TERMINAL}:
        assert status_of_broker(word, fills_listed=True) == Status.WORKING


def test_statuses_for_queries_are_plain_sorted_words():
    assert any_of({Status.UNKNOWN, Status.READY}) == ["READY", "UNKNOWN"]
    assert all(type(word) is str for word in any_of(list(Status)))


def parent(*words):
    """Sum up children; `+` behind a status means that something of it is filled."""
    return parent_status(
        ChildState(Status(word.rstrip("+")), has_fills=word.endswith("+")) for word in words
    )


@pytest.mark.parametrize(
    ("children", "status"),
    [
        ("READY", "READY"),
        ("READY SKIPPED", "READY"),
        ("READY SUBMITTING", "SENDING"),
        ("READY WORKING", "SENDING"),
        ("READY FAILED_TO_PLACE", "SENDING"),
        ("SUBMITTING FILLED", "SENDING"),
        ("SUBMITTING UNKNOWN", "NEEDS_AGENT"),
        ("UNKNOWN FILLED", "NEEDS_AGENT"),
        ("WORKING", "WORKING"),
        ("WORKING SKIPPED", "WORKING"),
        ("WORKING REJECTED", "WORKING"),
        ("WORKING FAILED_TO_PLACE", "WORKING"),
        ("WORKING+", "PARTIAL"),
        ("WORKING FILLED", "PARTIAL"),
        ("FILLED", "FILLED"),
        ("FILLED SKIPPED", "FILLED"),
        ("FILLED REJECTED", "PARTIAL"),
        ("FILLED FAILED_TO_PLACE", "PARTIAL"),
        ("CANCELED+", "PARTIAL"),
        ("CANCELED+ WORKING", "PARTIAL"),
        ("CANCELED", "CLOSED_OUT"),
        ("CANCELED REJECTED EXPIRED FAILED_TO_PLACE SKIPPED", "CLOSED_OUT"),
        ("SKIPPED", "CLOSED_OUT"),
        ("", "CLOSED_OUT"),
    ],
)
def test_the_parent_sums_up_its_children(children, status):
    assert parent(*children.split()) == ParentStatus(status)


def test_one_child_that_needs_the_agent_makes_the_parent_need_him():
    children = [ChildState(Status.FILLED), ChildState(Status.WORKING, needs_agent=True)]

    assert parent_status(children) == ParentStatus.NEEDS_AGENT


states = st.builds(ChildState, st.sampled_from(Status), st.booleans(), st.booleans())


@given(st.lists(states), st.randoms())
def test_neither_order_nor_skipped_accounts_change_the_sum(children, random):
    shuffled = [*children, ChildState(Status.SKIPPED, needs_agent=True)]
    random.shuffle(shuffled)

    assert parent_status(shuffled) == parent_status(children)


@given(st.lists(states, min_size=1))
def test_what_the_parent_says_holds_for_the_children(children):
    counted = [child for child in children if child.status != Status.SKIPPED]
    statuses = {child.status for child in counted}
    match parent_status(children):
        case ParentStatus.FILLED:
            assert statuses == {Status.FILLED}
        case ParentStatus.CLOSED_OUT:
            assert statuses <= TERMINAL - {Status.FILLED}
            assert not any(child.has_fills for child in counted)
        case ParentStatus.PARTIAL:
            assert any(c.has_fills or c.status == Status.FILLED for c in counted)
            assert statuses != {Status.FILLED}
        case ParentStatus.WORKING:
            assert Status.WORKING in statuses
        case ParentStatus.NEEDS_AGENT:
            assert Status.UNKNOWN in statuses or any(c.needs_agent for c in counted)
        case _:
            assert statuses & {Status.READY, Status.SUBMITTING}
