"""Who is not let in at a hook, and what he learns and costs."""

import json
import time
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Role
from accounts.fields import seal_for
from accounts.models import Hook, HookDelivery, User
from accounts.services.hooks import renew_secret, switch
from tests.api.caller import problem_of
from tests.api.hooks.saving import assert_nothing_placed, save
from tests.support.hooking import ADDRESS, make_program
from tests.support.make import make_user

# An id of nothing; the same in every process that collects these tests.
ANOTHER = "0b5844d9-3926-41a1-97b0-3ebe809d3eaa"


@pytest.fixture
def cached(queue, settings):
    """Counts in a real Redis that has counted nothing yet."""
    queue.client.flushall()
    settings.CACHE_URL = queue.url


def refused(answer):
    """Check that a stranger got nothing, and learned nothing."""
    body = problem_of(answer, 401, "authentication_failed")
    assert body["detail"] == "The signature is not that of a hook, or its timestamp is not of now."
    assert_nothing_placed()
    assert not HookDelivery.objects.exists()


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
