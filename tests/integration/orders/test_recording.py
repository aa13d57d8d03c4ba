"""Answers that come late, twice, or while the database is busy."""

import logging
import sqlite3
import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from brokerage.schwab.answers import Proof, Verdict
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services.claiming import claim
from orders.services.placing import place_account_orders
from orders.services.recording import Answer, record_answers, record_batch
from orders.services.sweeping import sweep
from tests.integration.orders.hands import force, hit, is_sentence, seconds_from_now, trail

WORDS = {
    Proof.ACCEPTED: "Order 17",
    Proof.REFUSED: "The symbol is not known",
    Proof.UNAUTHORIZED: "Client not authorized",
    Proof.THROTTLED: "Too many requests",
    Proof.NOT_SENT: "No connection in time",
    Proof.UNKNOWN: "No answer in time",
}


def answer_to(claimed, proof, *, order_id="17"):
    now = timezone.now()
    verdict = Verdict(proof, order_id if proof == Proof.ACCEPTED else None, proof, WORDS[proof])
    return Answer(claimed, verdict, sent_at=now, answered_at=now)


def claimed_one(fleet):
    """Create and claim the order of one account; return the broadcast and the claim."""
    order = fleet.create(fleet.shares(), accounts=fleet.accounts[:1])
    (claimed,) = claim([child.pk for child in fleet.children(order)], clock=timezone.now)
    return order, claimed


def child_of(claimed):
    return AccountOrder.objects.get(pk=claimed.child_id)


@pytest.mark.parametrize(
    ("proof", "status", "code"),
    [
        (Proof.ACCEPTED, "WORKING", ""),
        (Proof.REFUSED, "FAILED_TO_PLACE", "REFUSED"),
        (Proof.UNAUTHORIZED, "FAILED_TO_PLACE", "REFUSED"),
        (Proof.THROTTLED, "FAILED_TO_PLACE", "REFUSED"),
        (Proof.NOT_SENT, "FAILED_TO_PLACE", "NOT_SENT"),
        (Proof.UNKNOWN, "UNKNOWN", "LEASE_OVER"),
    ],
)
def test_an_answer_wins_although_the_sweeper_gave_the_order_up(fleet, proof, status, code):
    order, claimed = claimed_one(fleet)
    sweep(now=seconds_from_now(16))
    assert child_of(claimed).status == "UNKNOWN"

    outcome = record_answers([answer_to(claimed, proof)], now=timezone.now())

    child = child_of(claimed)
    order.refresh_from_db()
    assert (child.status, child.reason_code) == (status, code)
    assert (outcome.again, outcome.refused_logins) == ([], {})
    if status == "FAILED_TO_PLACE":
        assert is_sentence(child.reason)
        assert WORDS[proof] in child.reason
        assert "renewed" not in child.reason
        assert order.status == "CLOSED_OUT"
    assert sweep(now=seconds_from_now(3)).to_ring == {}


def test_an_answer_that_is_recorded_twice_is_recorded_once(fleet):
    _, claimed = claimed_one(fleet)
    answer = answer_to(claimed, Proof.ACCEPTED)
    record_answers([answer], now=timezone.now())

    record_answers([answer], now=timezone.now())

    child = child_of(claimed)
    assert (child.status, child.broker_order_id) == ("WORKING", "17")
    assert trail(child)[-1] == ("SUBMITTING", "WORKING")
    assert len(trail(child)) == 3


def test_a_late_refusal_does_not_undo_a_filled_order(fleet):
    _, claimed = claimed_one(fleet)
    force(claimed.child_id, status=Status.FILLED)

    for proof in Proof:
        record_answers([answer_to(claimed, proof)], now=timezone.now())

    assert child_of(claimed).status == "FILLED"


def test_two_orders_of_an_account_that_are_told_one_number_do_not_share_it(fleet):
    first, second = (claimed_one(fleet)[1] if n == 1 else claim_other_size(fleet) for n in (1, 2))

    outcome = record_answers(
        [answer_to(one, Proof.ACCEPTED) for one in (first, second)], now=timezone.now()
    )

    assert outcome.counts == {Proof.ACCEPTED: 1, Proof.UNKNOWN: 1}
    assert (child_of(first).status, child_of(second).status) == ("WORKING", "UNKNOWN")
    assert child_of(second).broker_order_id is None
    assert "another one of ours" in child_of(second).reason


def claim_other_size(fleet):
    order = fleet.create(fleet.shares(11), accounts=fleet.accounts[:1])
    (claimed,) = claim([child.pk for child in fleet.children(order)], clock=timezone.now)
    return claimed


def test_the_same_number_in_another_account_is_another_order(fleet):
    order = fleet.create(fleet.shares())
    won = claim([child.pk for child in fleet.children(order)], clock=timezone.now)

    record_answers([answer_to(one, Proof.ACCEPTED) for one in won], now=timezone.now())

    assert fleet.statuses(order) == ["WORKING"] * 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_an_answer_that_cannot_be_written_costs_no_other(fleet):
    order = fleet.create(fleet.shares())
    won = claim([child.pk for child in fleet.children(order)], clock=timezone.now)
    answers = [
        answer_to(one, Proof.ACCEPTED, order_id=str(n)) for n, one in enumerate(won, start=100)
    ]
    other = fleet.children(fleet.create(fleet.shares(2), accounts=fleet.accounts[:1]))[0]
    taken = next(a for a in answers if a.claimed.account_id == fleet.accounts[0].pk)
    written = threading.Event()

    def own_the_number():
        with transaction.atomic():  # between the recorder's look and its write
            force(other, broker_order_id=taken.verdict.order_id)
            written.set()
            time.sleep(0.5)
        connection.close()

    owner = threading.Thread(target=own_the_number)
    owner.start()
    written.wait(5)
    outcome = record_batch(answers, now=timezone.now)
    owner.join(5)

    assert outcome.counts == {Proof.ACCEPTED: 2, Proof.UNKNOWN: 1}
    assert fleet.statuses(order) == ["UNKNOWN", "WORKING", "WORKING"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="holds the one write lock of SQLite")
def test_answers_are_written_although_a_foreign_writer_holds_the_database(fleet, wire, caplog):
    hit(fleet, "delay", delay_ms=300)
    order = fleet.create(fleet.shares())
    ids = [child.pk for child in fleet.children(order)]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    path = connection.settings_dict["NAME"]

    def hold():
        while len(wire.posts) < 3:
            time.sleep(0.01)
        foreign = sqlite3.connect(path)
        foreign.execute("BEGIN EXCLUSIVE")
        time.sleep(1)
        foreign.rollback()
        foreign.close()

    holder = threading.Thread(target=hold)
    holder.start()
    with caplog.at_level(logging.WARNING):
        outcome = place_account_orders(ids=ids, gateway=fleet.gateway)
    holder.join(5)
    connection.close()

    assert "not written yet" in caplog.text
    assert outcome.counts == {Proof.ACCEPTED: 3}
    assert fleet.statuses(order) == ["WORKING"] * 3
    assert len(wire.posts) == 3
