"""A hook places a saved order of its agent, once for each delivery, and can do nothing else."""

import json
import time
from decimal import Decimal
from threading import Thread
from uuid import uuid4

import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope, Role
from accounts.fields import seal_for
from accounts.models import AuditEvent, Hook, HookDelivery, User
from accounts.services.gate import close_gate
from accounts.services.hooks import renew_secret, switch
from orders.models import AccountOrder, ComplexOrder, SavedOrder
from orders.selectors.choosing import AccountChoice
from orders.services.saving import rename_saved, save_order
from tests.api.caller import problem_of
from tests.support.hooking import ADDRESS, make_program
from tests.support.make import make_mode, make_user
from tests.support.redis_server import point_celery_to

# An id of nothing; the same in every process that collects these tests.
ANOTHER = "0b5844d9-3926-41a1-97b0-3ebe809d3eaa"


@pytest.fixture(autouse=True)
def _on(settings, queue):
    settings.HOOK_IN = True
    settings.CACHE_URL = queue.url


@pytest.fixture
def cached(queue, settings):
    """Counts in a real cache."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": queue.url}}
    caches.close_all()
    yield
    cache.close()


@pytest.fixture
def saved(fleet):
    """Ten shares at the market, in every account."""
    return save(fleet, fleet.shares())


@pytest.fixture
def program(fleet, saved):
    return make_program(fleet.agent)


def save(fleet, ticket, name="Mine", choice=None, agent=None):
    return save_order(
        agent=agent or fleet.agent,
        name=name,
        number=0,
        ticket=ticket,
        choice=choice or AccountChoice(),
        now=timezone.now(),
    )


def assert_nothing_placed():
    assert not ComplexOrder.objects.exists()
    assert not AccountOrder.objects.exists()


def refused(answer):
    """Check that a stranger got nothing, and learned nothing."""
    body = problem_of(answer, 401, "authentication_failed")
    assert body["detail"] == "The signature is not that of a hook, or its timestamp is not of now."
    assert_nothing_placed()
    assert not HookDelivery.objects.exists()


def test_a_signed_call_places_the_saved_order_as_a_click_does(
    program, fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = program.call("Mine")

    assert answer.status_code == 201
    order = ComplexOrder.objects.get()
    assert answer.json()["id"] == order.pk
    assert order.agent == fleet.agent
    assert order.idempotency_key == HookDelivery.objects.get().pk
    assert [(row.status, row.contracts) for row in fleet.children(order)] == [("READY", 10)] * 3
    assert queue.client.llen("placement") == 1
    fleet.send(order)
    fleet.poll()
    assert fleet.statuses(order) == ["FILLED"] * 3


def test_what_is_saved_for_some_accounts_goes_to_these(fleet, program):
    chosen = fleet.accounts[1]
    save(fleet, fleet.shares(5), "One", AccountChoice(ids=(chosen.pk,)))
    save(fleet, fleet.shares(6), "Others", AccountChoice(leave_out=(chosen.pk,)))

    one, others = program.call("One").json(), program.call("Others").json()

    assert [row["alias"] for row in one["accounts"]] == [chosen.alias]
    placed = [row["alias"] for row in others["accounts"] if row["status"] == "READY"]
    assert placed == [fleet.accounts[0].alias, fleet.accounts[2].alias]


def test_it_is_on_record_who_came_and_what_for(program):
    delivery = uuid4()
    program.call(delivery=delivery)

    came = AuditEvent.objects.get(subject=f"hook:{program.hook.pk}", kind="delivered")
    assert came.actor == "hook signals"
    assert came.data["delivery"] == str(delivery)
    assert came.data["key"] == str(ComplexOrder.objects.get().idempotency_key)
    assert came.request_id


# --- who is not let in ----------------------------------------------------------------------------


def test_hooks_are_off_unless_the_host_switches_them_on(program, settings):
    settings.HOOK_IN = False

    problem_of(program.call(), 403, "permission_denied")
    assert_nothing_placed()


@pytest.mark.parametrize("age_s", [62, 3600, -62, 10**9])
def test_a_timestamp_that_is_not_of_now_is_refused(program, age_s):
    refused(program.call(age_s=age_s))


@pytest.mark.parametrize("age_s", [0, 50, -50])
def test_a_clock_that_is_a_little_off_is_no_matter(program, age_s):
    assert program.call(age_s=age_s).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Signature": ""},
        {"Signature": "v1="},
        {"Signature": "v1=" + "0" * 64},
        {"Signature": "v0=" + "0" * 64},
        {"Signature": "ÿ"},
        {"Hook": ANOTHER},
        {"Hook": "signals"},
        {"Delivery": ANOTHER},
        {"Delivery": "1"},
        {"Timestamp": ""},
        {"Timestamp": "now"},
        {"Timestamp": "1e9"},
        {"Timestamp": "-5"},
        {"Timestamp": "٣"},
        {"Timestamp": "9" * 400},
    ],
    ids=str,
)
def test_a_header_that_is_not_what_was_signed_is_refused(program, headers):
    refused(program.call(**headers))


def test_another_timestamp_than_was_signed_is_refused(program):
    refused(program.call(age_s=30, Timestamp=str(int(time.time()))))


def test_another_body_than_was_signed_is_refused(program, fleet):
    save(fleet, fleet.shares(400), "Much")

    refused(program.call("Mine", sent=b'{"saved_order": "Much"}'))


def test_a_call_without_any_of_it_is_refused(program, fleet):
    body = json.dumps({"saved_order": "Mine"})
    refused(Client().post(ADDRESS, body, "application/json"))
    signed_in = Client()
    signed_in.force_login(fleet.agent)
    refused(signed_in.post(ADDRESS, body, "application/json"))


def test_the_secret_of_another_hook_opens_nothing(program, fleet):
    other = make_program(fleet.agent, "other")
    program.secret = other.secret

    refused(program.call())


def test_an_old_secret_opens_nothing(program):
    renew_secret(program.hook, actor="owner", now=timezone.now())

    refused(program.call())


def test_a_secret_that_was_swapped_in_the_database_opens_nothing(program):
    sealed = seal_for(Hook, "secret", uuid4(), program.secret)
    Hook.objects.update(secret=sealed)

    refused(program.call())


def test_a_hook_that_is_switched_off_says_so_to_who_has_its_secret(program):
    switch(program.hook, is_enabled=False, actor="owner", now=timezone.now())

    problem = problem_of(program.call(), 403, "permission_denied")

    assert "switched off" in problem["detail"]
    assert_nothing_placed()
    refused(program.call(Signature="v1=" + "0" * 64))


@pytest.mark.parametrize(
    "change", [{"role": Role.VIEWER}, {"role": Role.EXIT_ONLY}, {"is_active": False}]
)
def test_a_hook_dies_with_the_role_of_its_agent(program, fleet, change):
    User.objects.filter(pk=fleet.agent.pk).update(**change)

    problem_of(program.call(), 403, "permission_denied")
    assert_nothing_placed()


def test_a_hook_goes_with_its_user(db):
    user = make_user()
    program = make_program(user)

    user.delete()

    assert not Hook.objects.filter(pk=program.hook.pk).exists()


def test_a_body_that_is_too_big_is_not_even_compared(program):
    body = json.dumps({"saved_order": "x" * 5000}).encode()

    problem_of(program.call(body=body), 413, "too_large")
    problem_of(program.call(body=b"x" * 300_000), 413, "too_large")
    assert not HookDelivery.objects.exists()


def test_a_hook_that_goes_mad_is_slowed_down(program, cached):
    statuses = [program.call("No such").status_code for _ in range(62)]  # a minute may end within

    assert statuses[:30] == [400] * 30
    assert 429 in statuses


def test_who_guesses_is_slowed_down(program, cached):
    guesses = [program.call(Signature="v1=" + "0" * 64) for _ in range(242)]

    statuses = [one.status_code for one in guesses]
    assert statuses[:120] == [401] * 120
    refused = guesses[statuses.index(429)]
    problem_of(refused, 429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 61


# --- once for each delivery (A22) ---------------------------------------------------------------


def test_the_same_delivery_again_finds_the_same_order(program, fleet):
    delivery = uuid4()
    first = program.call(delivery=delivery)
    again = program.call(delivery=delivery)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert ComplexOrder.objects.count() == 1
    assert AccountOrder.objects.count() == 3


def test_it_finds_it_however_the_id_is_spelled_and_whatever_became_of_the_saved_order(
    program, saved
):
    delivery = uuid4()
    first = program.call(delivery=delivery).json()
    SavedOrder.objects.update(ticket={})
    rename_saved(saved, name="Another", number=0, now=timezone.now())

    again = program.call(delivery=str(delivery).upper())

    assert (again.status_code, again.json()["id"]) == (200, first["id"])


def test_a_delivery_with_another_body_is_refused(program, fleet):
    save(fleet, fleet.shares(400), "Much")
    delivery = uuid4()
    program.call(delivery=delivery)

    problem_of(program.call("Much", delivery=delivery), 409, "delivery_used")
    assert ComplexOrder.objects.count() == 1


def test_two_hooks_may_use_the_same_id(program, fleet):
    other, delivery = make_program(fleet.agent, "other"), uuid4()
    save(fleet, fleet.shares(7), "Theirs")

    assert program.call(delivery=delivery).status_code == 201
    assert other.call("Theirs", delivery=delivery).status_code == 201
    assert ComplexOrder.objects.count() == 2


def test_a_captured_call_places_nothing_a_second_time(program):
    """A22: within the window it finds its order, after it nobody is let in."""
    delivery = uuid4()
    for age_s in (0, 10, 20):
        program.call(delivery=delivery, age_s=age_s)

    assert ComplexOrder.objects.count() == 1
    problem_of(program.call(delivery=delivery, age_s=90), 401, "authentication_failed")


@pytest.mark.django_db(transaction=True)
def test_many_of_the_same_delivery_at_once_make_one_order(program):
    delivery, codes = uuid4(), []

    def call():
        try:
            codes.append(program.call(delivery=delivery).status_code)
        finally:
            connection.close()

    threads = [Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [200] * 5 + [201]
    assert ComplexOrder.objects.count() == 1


# --- what is asked for ----------------------------------------------------------------------------


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
