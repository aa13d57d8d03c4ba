"""Modes over the API: anybody may look, who trades may freeze, opening needs the password."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import Mode, Role
from accounts.models import AuditEvent, User
from accounts.selectors.modes import modes_in_force
from accounts.services.gate import close_gate
from tests.api.caller import Caller, faults_of, problem_of
from tests.support.make import PASSWORD, make_group, make_user

FREEZE = {"scope": "FLEET", "mode": "FROZEN", "why": "bad news"}
OPEN = {"scope": "FLEET", "mode": "OPEN"}


def test_a_freeze_is_answered_with_what_it_stopped_and_what_it_leaves_behind(caller, fleet):
    limit = Decimal("0.50")
    out = fleet.broadcast(fleet.shares(limit=limit))
    waiting = fleet.create(fleet.shares(7, limit=limit))

    answer = caller.post("mode/", FREEZE)

    assert answer.status_code == 200
    body = answer.json()
    assert body["left"] == {
        "working": 3,
        "under_way": 0,
        "exits": 0,
        "ladders": 0,
        "orders": [
            {
                "id": out.pk,
                "name": "Shares",
                "underlying": "AAPL",
                "purpose": "OPEN",
                "working": 3,
                "under_way": 0,
            }
        ],
    }
    assert (body["before"], body["mode"], body["skipped"]) == ("OPEN", "FROZEN", 3)
    assert (body["name"], body["why"], body["who"]) == (
        "Fleet",
        "bad news",
        caller.user.username,
    )
    assert fleet.statuses(waiting) == ["SKIPPED"] * 3
    (row,) = caller.get("mode/").json()
    assert row == {name: body[name] for name in row}


def test_while_everything_is_open_the_list_is_empty(caller):
    assert caller.get("mode/").json() == []


def test_the_list_has_the_closed_gate(caller, db):
    close_gate("Starting: reading.", now=timezone.now())

    (row,) = caller.get("mode/").json()
    assert (row["scope"], row["mode"], row["who"]) == ("GATE", "FROZEN", "")


def test_a_mode_is_set_for_an_account_a_group_and_an_underlying(caller, accounts):
    make_group("family", accounts[0])
    targets = [("ACCOUNT", str(accounts[0].pk)), ("GROUP", "family"), ("UNDERLYING", "SPX")]

    for scope, target in targets:
        body = {"scope": scope, "target": target, "mode": "CLOSE_ONLY", "why": "earnings"}
        assert caller.post("mode/", body).status_code == 200

    assert {(row["scope"], row["target"]) for row in caller.get("mode/").json()} == set(targets)
    shown = {row["id"]: row["mode"] for row in caller.get("accounts/").json()}
    assert shown[str(accounts[0].pk)] == "CLOSE_ONLY"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"scope": "GATE"}, ("scope", "invalid_choice")),
        ({"scope": "EVERYTHING"}, ("scope", "invalid_choice")),
        ({"mode": "SHUT"}, ("mode", "invalid_choice")),
        ({"target": "AAPL"}, ("target", "invalid")),
        ({"scope": "GROUP", "target": "nobody"}, ("target", "invalid")),
        ({"scope": "ACCOUNT", "target": "1"}, ("target", "invalid")),
        ({"scope": "UNDERLYING", "target": "no ticker"}, ("target", "invalid")),
        ({"target": "\0"}, ("target", "null_characters_not_allowed")),
        ({"target": "x" * 61}, ("target", "max_length")),
        ({"why": ""}, ("why", "invalid")),
        ({"why": "x" * 201}, ("why", "max_length")),
        ({"wy": "x"}, ("wy", "unknown")),
    ],
)
def test_what_cannot_be_set_is_refused(caller, changes, fault):
    assert faults_of(caller.post("mode/", {**FREEZE, **changes})) == {fault}
    assert modes_in_force() == []


@pytest.mark.parametrize("password", [None, "", "not it", f" {PASSWORD}"])
def test_opening_again_without_the_right_password_is_refused(caller, password):
    caller.post("mode/", FREEZE)
    given = {} if password is None else {"password": password}

    for looser in (OPEN, {**FREEZE, "mode": "CLOSE_ONLY"}):
        problem_of(caller.post("mode/", {**looser, **given}), 403, "password_required")
    assert modes_in_force()[0].rule.mode == Mode.FROZEN


def test_the_password_opens_again_and_is_kept_nowhere(caller):
    caller.post("mode/", FREEZE)

    answer = caller.post("mode/", {**OPEN, "password": PASSWORD})

    assert answer.status_code == 200
    assert (answer.json()["before"], answer.json()["mode"]) == ("FROZEN", "OPEN")
    assert PASSWORD not in answer.content.decode()
    assert caller.get("mode/").json() == []
    assert not [row for row in AuditEvent.objects.values() if PASSWORD in str(row)]


def test_a_stricter_mode_needs_no_password(caller):
    caller.post("mode/", {**FREEZE, "mode": "CLOSE_ONLY"})

    assert caller.post("mode/", FREEZE).json()["before"] == "CLOSE_ONLY"


def test_who_may_only_exit_freezes_and_does_not_open(db):
    closer = Caller(make_user(Role.EXIT_ONLY))
    closer.sign_in()

    assert closer.post("mode/", FREEZE).status_code == 200
    opening = closer.post("mode/", {**OPEN, "password": PASSWORD})

    problem_of(opening, 403, "permission_denied")
    assert len(modes_in_force()) == 1


def test_who_may_only_look_sees_the_modes_and_sets_none(caller, viewer):
    caller.post("mode/", FREEZE)

    assert len(viewer.get("mode/").json()) == 1
    problem_of(viewer.post("mode/", FREEZE), 403, "permission_denied")
    problem_of(viewer.post("mode/", {**OPEN, "password": PASSWORD}), 403, "permission_denied")
    assert User.objects.get(pk=caller.user.pk) == User.objects.get(username=modes_in_force()[0].who)


def test_strangers_learn_nothing(db):
    problem_of(Caller().get("mode/"), 401, "not_authenticated")
    problem_of(Caller().post("mode/", FREEZE), 401, "not_authenticated")
