"""The same click never becomes two broadcasts, however often and fast it comes."""

import threading
from uuid import uuid4

import pytest
from django.db import connections

from orders.models import AccountOrder, ComplexOrder
from tests.api.caller import (
    Answer,
    Caller,
    assert_nothing_written,
    condor,
    faults_of,
    leg,
    problem_of,
    shares,
)
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to

FIELDS = {"id", "alias", "status", "reason", "broker_order_id", "filled", "net_price", "sent_at"}


def test_the_answer_has_the_promised_shape(caller, accounts, queue):
    answer = caller.order(shares())

    body = answer.json()
    assert answer.status_code == 201
    assert {"id", "status", "accounts", "broadcast_ms"} <= set(body)
    assert (body["status"], body["broadcast_ms"]) == ("READY", None)
    for share, account in zip(body["accounts"], accounts, strict=True):
        assert set(share) >= FIELDS
        assert {name: share[name] for name in FIELDS} == {
            "id": str(account.pk),
            "alias": account.alias,
            "status": "READY",
            "reason": "",
            "broker_order_id": None,
            "filled": 0,
            "net_price": None,
            "sent_at": None,
        }


def test_a_broadcast_rings_once_for_all_accounts(
    caller, accounts, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        caller.order(shares())

    assert queue.messages("placement") == 1


def test_the_same_click_again_is_the_same_order(
    caller, accounts, queue, django_capture_on_commit_callbacks
):
    key = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        first = caller.order(shares(), key=key)
        again = caller.order(shares(), key=key)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert ComplexOrder.objects.count() == 1
    assert AccountOrder.objects.count() == 3
    assert queue.messages("placement") == 1


@pytest.mark.parametrize(
    "same",
    [
        shares(limit=1.5),
        shares(limit="1.5"),
        shares(limit="1.5000"),
        shares(contracts="10"),
        shares(duration="DAY", session="NORMAL", accounts="active"),
        shares(price_effect=None, stop=None),
        shares(legs=[{"symbol": "AAPL", "instruction": "BUY"}]),
        dict(reversed(shares().items())),
    ],
)
def test_a_body_that_says_the_same_in_other_words_is_the_same_order(caller, accounts, queue, same):
    key = uuid4()
    first = caller.order(shares(), key=key)

    again = caller.order(same, key=key)

    assert again.status_code == 200
    assert again.json()["id"] == first.json()["id"]


def test_the_order_of_account_ids_does_not_matter(caller, accounts, queue):
    ids, key = [str(account.pk) for account in accounts[:2]], uuid4()
    caller.order(shares(accounts={"ids": ids}), key=key)

    assert caller.order(shares(accounts={"ids": ids[::-1]}), key=key).status_code == 200


@pytest.mark.parametrize("spell", [str.upper, lambda key: key.replace("-", ""), "{{{}}}".format])
def test_a_key_is_the_same_however_it_is_spelled(caller, accounts, queue, spell):
    key = str(uuid4())
    caller.order(shares(), key=key)

    assert caller.order(shares(), key=spell(key)).status_code == 200


@pytest.mark.parametrize(
    "other",
    [
        shares(contracts=11),
        shares(limit="1.51"),
        shares(order_type="MARKET", limit=None),
        shares(duration="GOOD_TILL_CANCEL"),
        shares(legs=[leg("AAPL", "SELL")]),
        shares(legs=[leg("TSLA", "BUY")]),
        condor(),
    ],
)
def test_a_key_that_comes_with_another_body_is_refused(caller, accounts, queue, other):
    key = uuid4()
    caller.order(shares(), key=key)

    problem_of(caller.order(other, key=key), 409, "idempotency_key_reused")
    assert ComplexOrder.objects.count() == 1


def test_a_key_that_comes_with_other_accounts_is_refused(caller, accounts, queue):
    key = uuid4()
    caller.order(shares(), key=key)

    other = shares(accounts={"ids": [str(accounts[0].pk)]})

    problem_of(caller.order(other, key=key), 409, "idempotency_key_reused")
    assert AccountOrder.objects.count() == 3


def test_an_order_without_a_key_is_refused(caller, accounts, queue):
    assert faults_of(caller.post("orders/", shares())) == {("Idempotency-Key", "required")}
    assert_nothing_written()


@pytest.mark.parametrize("key", ["", "1", "none", "x" * 36, "0" * 31, "0" * 33])
def test_a_key_that_is_no_uuid_is_refused(caller, accounts, queue, key):
    answer = caller.post("orders/", shares(), **{"Idempotency-Key": key})

    assert faults_of(answer) == {("Idempotency-Key", "required")}
    assert_nothing_written()


def test_a_key_of_a_refused_ticket_is_still_fresh(caller, accounts, queue):
    key = uuid4()
    faults_of(caller.order(shares(contracts=0), key=key))

    assert caller.order(shares(), key=key).status_code == 201


def test_with_the_queue_down_nothing_is_written(caller, accounts, queue):
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")

    problem_of(caller.order(shares()), 503, "queue_down")
    assert_nothing_written()


@pytest.mark.django_db(transaction=True)
def test_of_many_same_clicks_at_once_one_makes_the_order(caller, accounts, queue):
    clicks, key = 8, uuid4()
    begin = threading.Barrier(clicks)
    answers: list[Answer] = []

    def click() -> None:
        begin.wait()
        try:
            answers.append(Caller(access=caller.access).order(condor(), key=key))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(clicks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200] * (clicks - 1) + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert ComplexOrder.objects.count() == 1
    assert AccountOrder.objects.count() == 3
    assert queue.messages("placement") == 1


def test_the_answer_to_a_click_is_what_a_read_says_before_anything_is_sent(caller, accounts, queue):
    answer = caller.order(shares())

    read = caller.get(f"orders/{answer.json()['id']}/")
    assert answer.status_code == 201
    assert answer.json() == read.json()
