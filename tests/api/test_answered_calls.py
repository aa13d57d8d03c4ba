"""Every POST that acts may carry a key: the same again is answered the same and acts once."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.api.once import once_per_key
from accounts.domain.words import Role
from accounts.models import AnsweredCall, AuditEvent
from accounts.selectors.modes import modes_in_force
from accounts.services.answering import claim_call
from accounts.services.retention import forget_answers
from orders.models import AccountOrder
from tests.api.caller import Answer, Caller, faults_of, problem_of, shares
from tests.integration.orders.hands import hit
from tests.integration.orders.leaving import enter
from tests.integration.orders.stopping import LIMIT, resting
from tests.support.make import PASSWORD, make_user
from tests.support.raw_server import dead_port
from tests.support.redis_server import RedisServer, point_celery_to

FREEZE = {"scope": "FLEET", "mode": "FROZEN", "why": "bad news"}
OPEN = {"scope": "FLEET", "mode": "OPEN"}
REPLACE = {"limit": "1.25"}
LADDER = {"step": "0.05", "every_s": 10, "bound": "1.75", "confirm": ["PRICE_AWAY"]}
EVERYTHING = {"confirm": "CLOSE EVERYTHING"}
CALLS = {
    "cancel": ("orders/{resting}/cancel/", {}),
    "replace": ("orders/{resting}/replace/", REPLACE),
    "ladder": ("orders/{resting}/ladder/", LADDER),
    "retry-failed": ("orders/{rejected}/retry-failed/", {}),
    "close-everything": ("close-everything/", EVERYTHING),
    "mode": ("mode/", FREEZE),
    "sync": ("sync/options/", None),
    "refresh": ("accounts/refresh/", None),
}


@dataclass
class World:
    """A fleet with an order that rests, one that was rejected and a set; and an agent's program."""

    program: Caller
    ids: dict[str, int]
    queue: RedisServer

    def send(self, name: str, key: object, body: object = None, *, by: Caller | None = None):
        path, usual = CALLS[name]
        sent = usual if body is None else body
        address = path.format(**self.ids)
        return (by or self.program).post(address, sent, **{"Idempotency-Key": str(key)})

    def done(self) -> tuple[int, int]:
        """Count what was written on record, and what was rung."""
        return AuditEvent.objects.count(), self.queue.messages("options")


@pytest.fixture
def world(fleet, queue, caller) -> World:
    enter(fleet, fleet.condor())
    works = resting(fleet, accounts=3)
    hit(fleet, "reject")
    rejected = fleet.broadcast(fleet.shares(7, limit=LIMIT))
    fleet.poll()
    return World(caller, {"resting": works.pk, "rejected": rejected.pk}, queue)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_again_is_answered_the_same_and_acts_once(
    world, name, django_capture_on_commit_callbacks
):
    key, nothing = uuid4(), world.done()
    with django_capture_on_commit_callbacks(execute=True):
        first = world.send(name, key)
        once = world.done()
        again = world.send(name, key)

    assert first.status_code in {200, 202}, first.content
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert world.done()[0] == once[0]
    assert name in {"sync", "refresh"} or once != nothing


def test_a_beat_is_rung_once_for_a_key_and_twice_without(world, django_capture_on_commit_callbacks):
    key = uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        world.send("sync", key)
        world.send("sync", key)
    assert world.queue.messages("options") == 1

    with django_capture_on_commit_callbacks(execute=True):
        world.program.post("sync/options/")
    assert world.queue.messages("options") == 2


OTHER = {
    "ladder": {**LADDER, "every_s": 11},
    "replace": {"limit": "1.30"},
    "cancel": {"accounts": [str(uuid4())]},
    "retry-failed": {"confirm": ["PRICE_AWAY"]},
    "close-everything": {**EVERYTHING, "pricing": "MID"},
    "mode": {**FREEZE, "why": "worse news"},
    "refresh": {"accounts": [str(uuid4())]},
}


def test_another_body_under_the_same_key_is_refused(world):
    for name, other in OTHER.items():
        key = uuid4()
        first = world.send(name, key)
        assert first.status_code in {200, 202}, (name, first.content)
        once = world.done()

        problem_of(world.send(name, key, other), 409, "idempotency_key_reused")

        assert world.done() == once


def test_another_call_under_the_same_key_is_refused(world):
    key = uuid4()
    world.send("cancel", key)

    problem_of(world.send("mode", key), 409, "idempotency_key_reused")
    assert modes_in_force() == []


def test_the_order_of_fields_does_not_matter(world):
    key = uuid4()
    first = world.send("mode", key)

    assert world.send("mode", key, dict(reversed(FREEZE.items()))).content == first.content


def test_a_key_is_its_users_own(world):
    other, key = Caller(make_user(Role.ADMIN)), uuid4()
    other.sign_in()
    world.send("mode", key)

    answer = world.send("mode", key, {**FREEZE, "mode": "CLOSE_ONLY"}, by=other)

    problem_of(answer, 403, "password_required")  # it was judged, not answered from memory
    assert AnsweredCall.objects.count() == 1


@pytest.mark.parametrize("key", ["", "7"])
def test_a_key_that_is_no_uuid_is_refused(world, key):
    once = world.done()

    for name in CALLS:
        assert faults_of(world.send(name, key)) == {("Idempotency-Key", "required")}
    assert world.done() == once


def test_a_refused_call_leaves_its_key_fresh(world):
    key = uuid4()
    faults_of(world.send("replace", key, {"limit": "0"}))
    problem_of(world.send("replace", key, {"limit": "9000"}), 400, "PRICE_AWAY")

    assert world.send("replace", key).status_code == 202


def test_while_the_queue_is_down_a_key_stays_fresh(world):
    key, address = uuid4(), world.queue.url
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")
    problem_of(world.send("cancel", key), 503, "queue_down")

    point_celery_to(address)
    assert world.send("cancel", key).status_code == 202


def test_who_may_only_look_claims_nothing(world, viewer):
    for name in CALLS:
        problem_of(world.send(name, uuid4(), by=viewer), 403, "permission_denied")

    assert not AnsweredCall.objects.exists()


@pytest.mark.parametrize(("name", "call"), [("mode", "mode/"), ("refresh", "accounts/refresh/")])
def test_a_call_that_was_cut_off_is_not_done_again(world, name, call):
    """Its process died between the claim, which is on the disk, and its answer."""
    key, sent = uuid4(), '{"mode": "FROZEN", "scope": "FLEET", "why": "bad news"}'
    claim_call(
        user=world.program.user,
        key=key,
        call=f"POST /api/v1/{call}",
        sent=sent if name == "mode" else "{}",
        now=timezone.now(),
    )
    once = world.done()

    problem = problem_of(world.send(name, key), 409, "in_progress")

    assert "new key" in problem["detail"]
    assert world.done() == once
    assert modes_in_force() == []


def test_a_call_that_broke_half_way_keeps_its_key(world):
    """Nobody knows what it did: the same key never makes it act again."""
    acted = []

    @api_view(["POST"])
    @permission_classes([])
    @once_per_key
    def breaks(request) -> Response:
        acted.append(request.data)
        raise ZeroDivisionError

    request = APIRequestFactory().post(
        "/breaks/", {"a": 1}, format="json", headers={"Idempotency-Key": str(uuid4())}
    )
    force_authenticate(request, world.program.user)
    with pytest.raises(ZeroDivisionError):
        breaks(request)

    again = breaks(request)

    assert (again.status_code, again.data["code"]) == (409, "in_progress")
    assert acted == [{"a": 1}]


def test_reading_and_stopping_need_no_key_and_keep_none(world):
    key = {"Idempotency-Key": str(uuid4())}
    headers = {"Authorization": f"Bearer {world.program.access}", **key}
    world.program.client.get("/api/v1/mode/", headers=headers)
    world.program.client.delete(f"/api/v1/orders/{world.ids['resting']}/ladder/", headers=headers)

    assert not AnsweredCall.objects.exists()


def test_what_is_kept_holds_no_password(world):
    world.send("mode", uuid4())
    world.send("mode", uuid4(), {**OPEN, "password": PASSWORD})

    assert AnsweredCall.objects.filter(status=200).count() == 2
    assert PASSWORD not in str(list(AnsweredCall.objects.values()))


def test_answers_are_kept_for_a_day(world):
    world.send("mode", uuid4())
    now = timezone.now()

    assert forget_answers(now=now + timedelta(hours=23)) == 0
    assert forget_answers(now=now + timedelta(hours=25)) == 1
    assert not AnsweredCall.objects.exists()


def test_a_call_without_a_key_acts_each_time(world):
    for _ in range(2):
        assert world.program.post("mode/", FREEZE).status_code == 200

    assert not AnsweredCall.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_same_calls_at_once_one_acts(caller, accounts, queue):
    calls, key = 8, {"Idempotency-Key": str(uuid4())}
    begin = threading.Barrier(calls)
    answers: list[Answer] = []

    def call() -> None:
        begin.wait()
        try:
            answers.append(Caller(access=caller.access).post("sync/options/", **key))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert [answer for answer in answers if answer.status_code == 202]
    assert {one.json()["code"] for one in answers if one.status_code == 409} <= {"in_progress"}
    assert queue.messages("options") == 1


def test_orders_are_never_kept_here(caller, accounts, queue):
    """Placing has its own key in its own row: nothing is added between click and send."""
    assert caller.order(shares()).status_code == 201
    assert AccountOrder.objects.count() == 3
    assert not AnsweredCall.objects.exists()
