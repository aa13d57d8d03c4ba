"""POST sets/{id}/exit/ and close-everything/: who may, what is answered, what is rung for."""

from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.domain.words import Role
from orders.models import ComplexOrder
from tests.api.caller import Caller, faults_of, problem_of
from tests.integration.orders.leaving import Way, enter
from tests.integration.orders.test_tasks import rung
from tests.support.make import make_user
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to

LIMIT = {"limit": "4.90", "confirm": ["PRICE_AWAY"]}


@pytest.fixture
def way(fleet, queue) -> Way:
    """A condor in three accounts."""
    return enter(fleet, fleet.condor())


@pytest.fixture
def leave(way, caller, django_capture_on_commit_callbacks):
    """Press EXIT, and let the ring be heard."""

    def press(body=None, *, by=caller, key=None):
        with django_capture_on_commit_callbacks(execute=True):
            path = f"sets/{way.placed_set.pk}/exit/"
            return by.post(path, body or LIMIT, **{"Idempotency-Key": str(key or uuid4())})

    return press


def nothing_written() -> bool:
    return not ComplexOrder.objects.filter(purpose="CLOSE").exists()


def test_it_answers_with_the_closing_order_and_rings(leave, way, queue, caller):
    answer = leave()
    body = answer.json()

    assert answer.status_code == 201
    assert (body["purpose"], body["status"], body["price_effect"]) == (
        "CLOSE",
        "READY",
        "NET_DEBIT",
    )
    assert [one["status"] for one in body["accounts"]] == ["READY"] * 3
    assert rung(queue) == [("orders.advance_exits", {"order_ids": [body["id"]]})]
    way.go(passes=3)
    assert caller.get(f"orders/{body['id']}/").json()["status"] == "FILLED"
    shown = caller.get(f"sets/{way.placed_set.pk}/").json()
    assert shown["flat_at"] is not None
    assert {one["residual"] for one in shown["accounts"]} == {0}


def test_a_second_press_is_answered_with_the_same_order(leave):
    first, second = leave(), leave()

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


def test_a_flat_set_is_a_conflict(leave, way):
    leave()
    way.go(passes=3)
    problem_of(leave(), 409, "already_flat")


def test_the_same_key_with_other_terms_is_a_conflict(leave):
    key = uuid4()
    leave(key=key)
    problem_of(leave({**LIMIT, "percent": 50}, key=key), 409, "idempotency_key_reused")


def test_without_a_limit_it_goes_out_at_the_mid(leave, way, caller):
    mid = caller.get(f"sets/{way.placed_set.pk}/").json()["exit_prices"]["mid"]
    assert leave({"order_type": "LIMIT"}).json()["limit"] == mid


def test_a_list_of_ids_means_those_accounts(leave, way, fleet):
    some = [str(account.pk) for account in fleet.accounts[:2]]
    answer = leave({**LIMIT, "accounts": some})
    assert [one["id"] for one in answer.json()["accounts"]] == some


def test_all_but_some_are_meant(leave, fleet):
    answer = leave({**LIMIT, "accounts": {"except": [str(fleet.accounts[0].pk)]}})
    assert len(answer.json()["accounts"]) == 2


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"percent": 0}, ("percent", "min_value")),
        ({"percent": 101}, ("percent", "max_value")),
        ({"limit": "4.93"}, ("limit", "off_tick")),
        ({"limit": "-1"}, ("limit", "not_positive")),
        ({"limit": "1.00", "pricing": "MID"}, ("pricing", "not_allowed")),
        ({"order_type": "STOP"}, ("order_type", "invalid_choice")),
        ({"accounts": []}, ("accounts", "empty")),
        ({"accounts": ["x"]}, ("accounts", "invalid")),
        ({"speed": 1}, ("speed", "unknown")),
        ({"order_type": "MARKET", "limit": "1.00"}, ("limit", "not_allowed")),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_bad_bodies_name_their_field_and_write_nothing(leave, body, fault):
    answer = leave(body)
    assert answer.status_code == 400
    assert faults_of(answer) == {fault}
    assert nothing_written()


def test_guards_answer_with_their_code(leave):
    problem_of(leave({"limit": "4.90"}), 400, "PRICE_AWAY")
    problem_of(leave({"order_type": "MARKET"}), 400, "NO_MARKET_MULTILEG")
    assert nothing_written()


def test_an_account_that_is_not_in_the_set_is_named(leave):
    assert faults_of(leave({**LIMIT, "accounts": [str(uuid4())]})) == {
        ("accounts", "unknown_account")
    }


def test_viewers_may_not_and_closers_may(leave, viewer):
    problem_of(leave(by=viewer), 403, "permission_denied")
    assert nothing_written()
    closer = Caller(make_user(Role.EXIT_ONLY))
    closer.sign_in()
    assert leave(by=closer).status_code == 201


def test_without_a_queue_nothing_is_written(leave):
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")
    problem_of(leave(), 503, "queue_down")
    assert nothing_written()


def test_there_is_no_such_set(caller, queue, db):
    answer = caller.post("sets/77/exit/", LIMIT, **{"Idempotency-Key": str(uuid4())})
    problem_of(answer, 404, "not_found")


def test_a_key_is_needed(caller, way):
    answer = caller.post(f"sets/{way.placed_set.pk}/exit/", LIMIT)
    assert faults_of(answer) == {("Idempotency-Key", "required")}


def test_everything_is_canceled_and_left(way, fleet, caller):
    resting = fleet.broadcast(fleet.shares(3, limit=Decimal("1.00")))
    answer = caller.post("close-everything/", {"confirm": "CLOSE EVERYTHING"})

    assert answer.status_code == 202
    assert answer.json()["canceling"] == 3
    assert len(answer.json()["exits"]) == 1
    assert all(child.cancel_asked_at for child in fleet.children(resting))
    way.go(passes=3)
    assert way.is_flat()


@pytest.mark.parametrize("body", [{}, {"confirm": "yes"}, {"confirm": "close everything"}])
def test_everything_wants_its_phrase(way, caller, body):
    answer = caller.post("close-everything/", body)
    assert answer.status_code == 400
    assert {field for field, _ in faults_of(answer)} == {"confirm"}
    assert nothing_written()
