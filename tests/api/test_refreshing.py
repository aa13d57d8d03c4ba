"""A program has balances read, watches how far it is, and keeps groups."""

from uuid import uuid4

import pytest

from accounts.domain.words import LoginStatus, Mode, ModeScope
from accounts.models import Account, AuditEvent, BrokerLogin, RefreshRun
from accounts.services.refreshing import run_refresh
from tests.api.caller import Caller, faults_of, problem_of
from tests.support.make import PASSWORD, make_group, make_mode


@pytest.fixture
def program(fleet):
    """A program of the agent whose fleet the paper broker knows."""
    fleet.agent.set_password(PASSWORD)
    fleet.agent.save()
    caller = Caller(fleet.agent)
    caller.sign_in()
    return caller


def test_a_refresh_tells_its_cost_and_then_how_far_it_is(program, fleet, queue):
    answer = program.post("accounts/refresh/")

    assert answer.status_code == 202
    begun = answer.json()
    assert (begun["accounts"], begun["calls"], begun["read"]) == (3, 3, 0)
    assert (begun["is_done"], begun["asked_by"]) == (False, "agent")

    run_refresh(begun["id"], gateway=fleet.gateway)

    done = program.get(f"accounts/refresh/{begun['id']}/").json()
    assert (done["read"], done["failed"], done["is_done"]) == (3, 0, True)
    assert all(0 <= one["age_s"] < 10 for one in program.get("accounts/").json())


def test_a_second_call_is_answered_with_the_refresh_at_work(program, fleet, queue):
    first, second = (program.post("accounts/refresh/").json()["id"] for _ in range(2))

    assert first == second


def test_some_accounts_are_read_alone(program, fleet, queue):
    wanted = [str(one.pk) for one in fleet.accounts[:2]]

    begun = program.post("accounts/refresh/", {"accounts": wanted}).json()

    assert (begun["accounts"], begun["calls"]) == (2, 2)
    assert set(RefreshRun.objects.get().accounts) == set(wanted)


def test_logins_that_must_sign_in_are_named(program, fleet, queue):
    BrokerLogin.objects.filter(pk=fleet.logins[2].pk).update(status=LoginStatus.LOGIN_REQUIRED)

    begun = program.post("accounts/refresh/").json()

    assert begun["failures"] == [
        {"name": fleet.accounts[2].alias, "words": "must sign in again", "accounts": 1}
    ]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"accounts": []}, ("accounts", "empty")),
        ({"accounts": ["x"]}, ("accounts[0]", "invalid")),
        ({"accounts": "all"}, ("accounts", "not_a_list")),
        ([], ("body", "invalid")),
    ],
)
def test_a_wish_that_makes_no_sense_reads_nothing(program, queue, body, fault):
    assert fault in faults_of(program.post("accounts/refresh/", body))
    assert not RefreshRun.objects.exists()


def test_an_account_that_is_not_here(program, queue):
    answer = program.post("accounts/refresh/", {"accounts": [str(uuid4())]})

    problem_of(answer, 404, "not_found")


def test_a_refresh_that_does_not_exist(program):
    problem_of(program.get("accounts/refresh/7/"), 404, "not_found")


def test_who_may_only_look_watches_and_does_not_ask(viewer, queue):
    problem_of(viewer.post("accounts/refresh/"), 403, "permission_denied")


def test_groups_are_set_as_a_whole(caller, accounts):
    make_group("old", accounts[0])

    answer = caller.patch(f"accounts/{accounts[0].pk}/", {"groups": ["family", "IRAs"]})

    assert answer.json()["groups"] == ["IRAs", "family"]
    (event,) = AuditEvent.objects.filter(kind="groups")
    assert (event.old, event.new) == ("old", "IRAs, family")


def test_what_a_mode_forbids_is_a_conflict(caller, accounts):
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(accounts[0].pk))
    Account.objects.update(is_active=False)

    answer = caller.patch(f"accounts/{accounts[0].pk}/", {"is_active": True, "alias": "New"})

    problem_of(answer, 409, "mode_forbids")
    assert not Account.objects.filter(alias="New").exists()
