"""Cancel, replace and retry over the API: who may, what is answered, what is rung for."""

from uuid import uuid4

import pytest

from accounts.domain.words import Role
from accounts.models import AuditEvent
from orders.models import AccountOrder
from orders.services.canceling import send_cancels
from tests.api.caller import Caller, faults_of, problem_of
from tests.integration.orders.hands import force, hit
from tests.integration.orders.stopping import LIMIT, ask, resting, stop
from tests.integration.orders.test_tasks import rung
from tests.support.make import make_user
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to

CONTROLS = ["cancel", "replace", "retry-failed"]


@pytest.fixture
def closer(db) -> Caller:
    """A program of a user who may only close, signed in."""
    caller = Caller(make_user(Role.EXIT_ONLY))
    caller.sign_in()
    return caller


@pytest.fixture
def resting_order(fleet, queue):
    return resting(fleet, accounts=3)


@pytest.fixture
def rejected_order(fleet, queue):
    hit(fleet, "reject")
    order = fleet.broadcast(fleet.shares(limit=LIMIT))
    fleet.poll()
    return order


def send(caller, order, what, body=None, *, commit=None):
    """Call a control; let its rings be heard if `commit` captures them."""
    path = f"orders/{order.pk}/{what}/"
    if commit is None:
        return caller.post(path, body or {})
    with commit(execute=True):
        return caller.post(path, body or {})


def assert_nothing_asked():
    assert not AccountOrder.objects.filter(cancel_asked_at__isnull=False).exists()
    assert not AuditEvent.objects.filter(kind__in=["cancel", "limit", "retry"]).exists()


def test_a_cancel_is_answered_with_the_order_and_rung_for(
    caller, fleet, queue, resting_order, django_capture_on_commit_callbacks
):
    answer = send(caller, resting_order, "cancel", commit=django_capture_on_commit_callbacks)

    assert answer.status_code == 202
    assert answer.json()["id"] == resting_order.pk
    ((task, arguments),) = rung(queue)
    assert task == "orders.send_cancels"
    assert len(arguments["ids"]) == 3
    assert send_cancels(gateway=fleet.gateway).sent == 3


def test_only_the_named_accounts_are_canceled(caller, fleet, resting_order):
    account = fleet.accounts[1]

    answer = send(caller, resting_order, "cancel", {"accounts": [str(account.pk)]})
    stop(fleet)

    assert answer.status_code == 202
    assert fleet.statuses(resting_order) == ["WORKING", "CANCELED", "WORKING"]


def test_a_replace_changes_the_limit_of_what_works(caller, fleet, resting_order):
    answer = send(caller, resting_order, "replace", {"limit": "1.25"})

    assert (answer.status_code, answer.json()["limit"]) == (202, "1.25")
    assert stop(fleet).sent == 3


def test_what_was_not_sent_is_rung_for_at_the_new_limit(
    caller, fleet, queue, django_capture_on_commit_callbacks
):
    order = fleet.create(fleet.shares(limit=LIMIT))
    body = {"limit": 1.25}

    answer = send(caller, order, "replace", body, commit=django_capture_on_commit_callbacks)

    assert [one["status"] for one in answer.json()["accounts"]] == ["READY"] * 3
    ((task, arguments),) = rung(queue)
    assert (task, len(arguments["ids"])) == ("orders.place_account_orders", 3)


def test_a_retry_sends_to_those_that_failed(
    caller, fleet, queue, rejected_order, django_capture_on_commit_callbacks
):
    answer = send(caller, rejected_order, "retry-failed", commit=django_capture_on_commit_callbacks)

    assert answer.status_code == 202
    statuses = [one["status"] for one in answer.json()["accounts"]]
    assert statuses == ["READY", "WORKING", "WORKING"]
    ((task, arguments),) = rung(queue)
    assert (task, len(arguments["ids"])) == ("orders.place_account_orders", 1)


@pytest.mark.parametrize("what", CONTROLS)
def test_an_account_that_is_not_in_the_order_is_named(caller, resting_order, what):
    body = {"accounts": [str(uuid4())], **({"limit": "1.25"} if what == "replace" else {})}

    answer = send(caller, resting_order, what, body)

    assert faults_of(answer) == {("accounts", "unknown_account")}
    assert_nothing_asked()


@pytest.mark.parametrize("what", CONTROLS)
def test_when_nothing_can_be_done_it_is_said_why(caller, fleet, resting_order, what):
    ask(resting_order)
    stop(fleet)
    body = {"limit": "1.25"} if what == "replace" else {}

    problem = problem_of(send(caller, resting_order, what, body), 409, "cannot_control")

    assert problem["detail"].endswith(".")


@pytest.mark.parametrize("what", CONTROLS)
def test_who_may_only_look_is_refused(viewer, resting_order, what):
    answer = send(viewer, resting_order, what, {"limit": "1.25"})

    problem_of(answer, 403, "permission_denied")
    assert_nothing_asked()


def test_who_may_only_close_may_cancel(closer, resting_order):
    assert send(closer, resting_order, "cancel").status_code == 202


@pytest.mark.parametrize("what", ["replace", "retry-failed"])
def test_who_may_only_close_sends_nothing_that_opens(closer, rejected_order, what):
    body = {"limit": "1.25"} if what == "replace" else {}

    problem_of(send(closer, rejected_order, what, body), 403, "permission_denied")

    assert_nothing_asked()


def test_who_may_only_close_may_replace_what_closes(closer, fleet, resting_order):
    resting_order.purpose = "CLOSE"
    resting_order.save()
    force(*fleet.children(resting_order), purpose="CLOSE")

    assert send(closer, resting_order, "replace", {"limit": "1.25"}).status_code == 202


@pytest.mark.parametrize("what", CONTROLS)
def test_an_order_that_does_not_exist_is_not_found(caller, db, what):
    problem_of(caller.post(f"orders/99/{what}/", {"limit": "1.25"}), 404, "not_found")


@pytest.mark.parametrize("what", CONTROLS)
def test_while_the_queue_is_down_nothing_is_written(caller, rejected_order, what):
    body = {"limit": "1.25"} if what == "replace" else {}
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")

    problem_of(send(caller, rejected_order, what, body), 503, "queue_down")

    assert_nothing_asked()


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {("limit", "required")}),
        ({"limit": None}, {("limit", "null")}),
        ({"limit": "many"}, {("limit", "invalid")}),
        ({"limit": "0"}, {("limit", "not_positive")}),
        ({"limit": "1.255"}, {("limit", "too_many_decimals")}),
        ({"limit": "9000"}, {("limit", "PRICE_AWAY")}),
        ({"limit": "1.25", "stop": "1"}, {("stop", "unknown")}),
        ({"limit": "1.25", "accounts": []}, {("accounts", "empty")}),
        ({"limit": "1.25", "confirm": ["WHATEVER"]}, {("confirm[0]", "invalid_choice")}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_bad_limit_is_named(caller, resting_order, body, faults):
    assert faults_of(send(caller, resting_order, "replace", body)) == faults
    assert_nothing_asked()


def test_a_price_guard_can_be_overridden(caller, resting_order):
    body = {"limit": "9000", "confirm": ["PRICE_AWAY"]}

    assert send(caller, resting_order, "replace", body).status_code == 202


def test_the_calls_are_described(caller):
    text = caller.get("schema/").content.decode()

    for what in CONTROLS:
        assert f"/api/v1/orders/{{id}}/{what}/:" in text
