"""What may be asked of a hook, and what is refused as it is at the desk."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope
from accounts.models import AuditEvent, HookDelivery
from accounts.services.gate import close_gate
from orders.models import AccountOrder, ComplexOrder, SavedOrder
from tests.api.caller import problem_of
from tests.api.hooks.saving import assert_nothing_placed, save
from tests.support.hooking import ADDRESS
from tests.support.make import make_mode, make_user
from tests.support.redis_server import point_celery_to


@pytest.mark.parametrize("name", ["No such", "mine", "Mine\x00", "x" * 60])
def test_a_name_that_the_agent_has_not_is_refused(program, name):
    answer = program.call(name)

    assert answer.status_code == 400
    assert_nothing_placed()


def test_a_saved_order_of_somebody_else_is_not_there(program, fleet):
    save(fleet, fleet.shares(), "Theirs", agent=make_user())

    problem = problem_of(program.call("Theirs"), 400, "invalid")

    assert problem["errors"][0]["code"] == "unknown_saved_order"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b'{"saved_order": "Mine", "saved_order": "Mine"}',
        b'{"saved_order": "Mine", "confirm": ["PRICE_AWAY"]}',
        b'{"saved_order": "Mine", "contracts": 1000}',
        b'{"saved_order": ["Mine"]}',
        b'{"saved_order": NaN}',
        b'{"saved_order": "\\ud800"}',
        b'{"saved_order": ""}',
        b"\xff",
    ],
    ids=repr,
)
def test_a_body_that_is_not_exactly_that_is_refused(program, body):
    problem_of_any(program.call(body=body))
    assert_nothing_placed()


def problem_of_any(answer):
    assert answer.status_code == 400
    assert answer.json()["code"] in {"invalid", "parse_error"}


def test_what_a_guard_objects_to_is_refused_for_good_and_nobody_can_confirm(program, fleet):
    save(fleet, fleet.shares(limit=Decimal("9999.00")), "Dear")
    delivery = uuid4()

    problem_of(program.call("Dear", delivery=delivery), 400, "PRICE_AWAY")
    assert_only_the_refusal_is_kept()

    again = problem_of(program.call("Dear", delivery=delivery), 409, "delivery_used")
    assert "was refused" in again["detail"]
    assert not ComplexOrder.objects.exists()


def assert_only_the_refusal_is_kept():
    assert not ComplexOrder.objects.exists()
    refused = AuditEvent.objects.get(kind="refused")
    assert refused.actor == "hook signals"
    assert HookDelivery.objects.get().refused == refused.reason != ""


def test_the_same_again_under_a_new_id_is_a_duplicate(program, fleet):
    assert program.call().status_code == 201

    problem_of(program.call(), 400, "DUPLICATE_ORDER")
    assert ComplexOrder.objects.count() == 1


def test_a_ticket_that_is_over_the_limits_is_refused(program, fleet):
    save(fleet, fleet.shares(20_000), "Much")

    problem_of(program.call("Much"), 400, "MAX_CONTRACTS")
    assert_nothing_placed()


def test_a_frozen_fleet_is_frozen_for_hooks(program):
    make_mode(Mode.FROZEN, ModeScope.FLEET)

    problem = problem_of(program.call(), 400, "MODE")

    assert "a test says so" in problem["detail"]
    assert not AccountOrder.objects.exists()


def test_a_closed_gate_is_closed_for_hooks(program):
    close_gate("Starting: reading.", now=timezone.now())

    assert program.call().status_code == 400
    assert not AccountOrder.objects.exists()


def test_with_the_queue_down_nothing_is_used_up(program, queue):
    delivery = uuid4()
    point_celery_to("redis://127.0.0.1:1/0")
    problem_of(program.call(delivery=delivery), 503, "queue_down")
    assert not HookDelivery.objects.exists()
    point_celery_to(queue.url)

    assert program.call(delivery=delivery).status_code == 201


def test_a_saved_order_that_cannot_be_read_is_refused(program):
    SavedOrder.objects.update(ticket={"strategy": "x"})

    problem = problem_of(program.call(), 400, "invalid")

    assert problem["errors"][0]["code"] == "unreadable"


def test_reading_is_no_call(program):
    answer = program.client.get(ADDRESS)

    assert answer.status_code in {401, 405}
