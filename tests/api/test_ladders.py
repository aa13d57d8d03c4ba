"""Price ladders by the API: with an order, for one that works, shown, and stopped."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.words import Role
from orders.models import ComplexOrder, PriceLadder
from tests.api.caller import assert_nothing_written, faults_of, problem_of, shares
from tests.integration.orders.stopping import resting
from tests.support.make import make_user
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to

LADDER = {"step": "0.05", "every_s": 10, "bound": "1.75"}
OWN = {**LADDER, "confirm": ["PRICE_AWAY"]}
SHOWN = {
    "limit",
    "step",
    "every_s",
    "bound",
    "next_at",
    "steps_taken",
    "stopped_at",
    "why",
}


@pytest.fixture
def order(fleet, queue) -> ComplexOrder:
    """An order that rests at 1.00 in one account."""
    return resting(fleet)


def address(order) -> str:
    return f"orders/{order.pk}/ladder/"


def test_an_order_is_made_with_its_ladder(caller, accounts, queue):
    answer = caller.order(shares(ladder=LADDER))

    body = answer.json()
    assert answer.status_code == 201
    assert set(body["ladder"]) == SHOWN
    assert body["ladder"]["next_at"] is not None
    told = {name: body["ladder"][name] for name in SHOWN - {"next_at"}}
    assert told == {
        "limit": "1.5",
        "step": "0.05",
        "every_s": 10,
        "bound": "1.75",
        "steps_taken": 0,
        "stopped_at": None,
        "why": "",
    }
    assert caller.get(f"orders/{body['id']}/").json()["ladder"] == body["ladder"]
    (listed,) = caller.get("orders/").json()
    assert listed["ladder"] == body["ladder"]


@pytest.mark.parametrize("ladder", [{}, {"ladder": None}], ids=["absent", "null"])
def test_an_order_without_one_says_so(caller, accounts, queue, ladder):
    answer = caller.order(shares(**ladder))

    assert answer.json()["ladder"] is None
    assert caller.get(f"orders/{answer.json()['id']}/").json()["ladder"] is None
    assert not PriceLadder.objects.exists()


def test_lists_cost_no_more_with_ladders(caller, accounts, queue):
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert caller.get("orders/").status_code == 200
        return len(made)

    caller.order(shares())
    without = queries()
    for contracts in range(1, 4):
        caller.order(shares(contracts=contracts, ladder=LADDER))

    assert queries() == without


def test_the_same_key_with_another_ladder_is_refused(caller, accounts, queue):
    key = uuid4()
    first = caller.order(shares(ladder=LADDER), key=key)
    again = caller.order(shares(ladder={**LADDER, "bound": "1.7500"}), key=key)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    for other in (shares(), shares(ladder={**LADDER, "every_s": 11})):
        problem_of(caller.order(other, key=key), 409, "idempotency_key_reused")
    assert PriceLadder.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"step": "0"}, ("ladder.step", "not_positive")),
        ({"step": "0.005"}, ("ladder.step", "off_tick")),
        ({"step": "much"}, ("ladder.step", "invalid")),
        ({"step": None}, ("ladder.step", "null")),
        ({"every_s": 2}, ("ladder.every_s", "min_value")),
        ({"every_s": 3601}, ("ladder.every_s", "max_value")),
        ({"bound": "1.40"}, ("ladder.bound", "wrong_side")),
        ({"bound": "1.755"}, ("ladder.bound", "too_many_decimals")),
        ({"pace": 3}, ("ladder.pace", "unknown")),
    ],
    ids=lambda given: "=".join(map(str, next(iter(given.items())))) if type(given) is dict else "",
)
def test_a_bad_ladder_names_its_field_and_nothing_is_written(refused, changes, fault):
    assert refused(shares(ladder={**LADDER, **changes})) == {fault}


def test_a_market_order_has_no_ladder(refused):
    body = shares(order_type="MARKET", limit=None, ladder=LADDER)

    assert refused(body) == {("ladder", "not_allowed")}


def test_a_bound_that_nobody_can_judge_must_be_confirmed(caller, accounts, queue):
    answer = caller.order(shares(ladder=LADDER, confirm=["DUPLICATE_ORDER"]))

    problem_of(answer, 400, "PRICE_AWAY")
    assert_nothing_written()


def test_a_working_order_gets_a_ladder(caller, order):
    answer = caller.post(address(order), {**OWN, "bound": "1.20"})

    assert answer.status_code == 202
    shown = answer.json()["ladder"]
    assert (shown["limit"], shown["bound"], shown["stopped_at"]) == ("1", "1.2", None)
    assert PriceLadder.objects.get(order=order).step == Decimal("0.05")


def test_a_ladder_is_stopped_once(caller, order):
    caller.post(address(order), {**OWN, "bound": "1.20"})

    answer = caller.delete(address(order))

    assert answer.status_code == 202
    shown = answer.json()["ladder"]
    assert shown["stopped_at"] is not None
    assert (shown["next_at"], shown["why"]) == (None, f"Stopped by {caller.user.username}.")
    problem_of(caller.delete(address(order)), 409, "cannot_control")


def test_a_bad_ladder_of_a_working_order_names_its_field(caller, order):
    answer = caller.post(address(order), {**OWN, "bound": "0.90"})

    assert faults_of(answer) == {("ladder.bound", "wrong_side")}
    assert not PriceLadder.objects.exists()


def test_a_missing_field_is_named(caller, order):
    assert faults_of(caller.post(address(order), {"step": "0.05"})) == {
        ("every_s", "required"),
        ("bound", "required"),
    }


def test_what_is_over_has_no_ladder(caller, order, fleet):
    fleet.broker.fill(fleet.children(order)[0].broker_order_id)
    fleet.poll()

    problem_of(caller.post(address(order), OWN), 409, "cannot_control")


def test_there_is_none_for_an_order_that_does_not_exist(caller, queue):
    problem_of(caller.post("orders/1/ladder/", OWN), 404, "not_found")


@pytest.mark.parametrize(
    ("role", "purpose", "start", "stop"),
    [
        (Role.VIEWER, "OPEN", 403, 403),
        (Role.VIEWER, "CLOSE", 403, 403),
        (Role.EXIT_ONLY, "OPEN", 403, 409),
        (Role.EXIT_ONLY, "CLOSE", 202, 202),
        (Role.AGENT, "OPEN", 202, 202),
    ],
)
def test_roles(caller, order, role, purpose, start, stop):
    ComplexOrder.objects.filter(pk=order.pk).update(purpose=purpose)
    caller.user = make_user(role)
    caller.sign_in()

    assert caller.post(address(order), {**OWN, "bound": "1.20"}).status_code == start
    assert caller.delete(address(order)).status_code == stop


def test_none_is_started_while_nobody_could_be_rung(caller, order, settings):
    before = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{dead_port()}/0"
    point_celery_to(settings.REDIS_URL)
    try:
        problem_of(caller.post(address(order), OWN), 503, "queue_down")
    finally:
        point_celery_to(before)
    assert not PriceLadder.objects.exists()
