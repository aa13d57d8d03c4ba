"""Accounts are listed in grid order with what may be shown, and changed by agents."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import Environment, LoginStatus, Mode, ModeScope, Role
from accounts.models import Account, AuditEvent, BrokerLogin
from tests.api.caller import Caller, faults_of, next_page, problem_of
from tests.support.make import make_account, make_group, make_login, make_mode, make_user
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to

UNKNOWN = "0190a0a0-0000-7000-8000-000000000000"


def test_accounts_are_listed_in_grid_order_with_everything_that_may_be_shown(caller, accounts):
    make_group("family", accounts[1])
    make_mode(Mode.CLOSE_ONLY, ModeScope.GROUP, "family")
    Account.objects.filter(pk=accounts[1].pk).update(
        value=Decimal("22000.50"),
        cash=Decimal(100),
        buying_power=Decimal(0),
        opening_value=Decimal("22100.00"),
        balances_at=timezone.now() - timedelta(seconds=30),
    )
    BrokerLogin.objects.update(status=LoginStatus.EXPIRING, label="Schwab 1")

    rows = caller.get("accounts/").json()

    assert [row["alias"] for row in rows] == ["Account 1", "Account 2", "Account 3"]
    age = rows[1].pop("age_s")
    assert 30 <= age < 40
    assert rows[1] == {
        "id": str(accounts[1].pk),
        "alias": "Account 2",
        "mask": f"••••{accounts[1].last4}",
        "is_active": True,
        "mode": "CLOSE_ONLY",
        "multiplier": "1.00",
        "groups": ["family"],
        "kind": "MARGIN",
        "login": "Schwab 1",
        "login_status": "EXPIRING",
        "value": "22000.50",
        "cash": "100.00",
        "buying_power": "0.00",
        "day_gain": "-99.50",
    }
    assert [row["mode"] for row in rows] == ["OPEN", "CLOSE_ONLY", "OPEN"]
    assert (rows[0]["value"], rows[0]["day_gain"], rows[0]["age_s"]) == (None, None, None)


def test_the_grid_is_turned_page_by_page(caller, accounts):
    first = caller.get("accounts/", limit=2)
    second = caller.get(next_page(first))

    assert [row["alias"] for row in first.json()] == ["Account 1", "Account 2"]
    assert [row["alias"] for row in second.json()] == ["Account 3"]
    assert next_page(second) == ""


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"limit": "0"}, ("limit", "min_value")),
        ({"limit": "5001"}, ("limit", "max_value")),
        ({"after": "x"}, ("after", "invalid")),
        ({"after": UNKNOWN}, ("after", "unknown_account")),
        ({"sort": "value"}, ("sort", "unknown")),
        ({"limit": ["1", "2"]}, ("limit", "given_twice")),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(caller, accounts, query, fault):
    assert faults_of(caller.get("accounts/", **query)) == {fault}


def test_accounts_of_the_other_environment_are_not_listed(caller, accounts):
    live = make_account(make_login(environment=Environment.LIVE))

    assert len(caller.get("accounts/").json()) == 3
    problem_of(caller.patch(f"accounts/{live.pk}/", {"alias": "x"}), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({"alias": "Grandma"}, {"alias": "Grandma"}),
        ({"alias": "  Grandma "}, {"alias": "Grandma"}),
        ({"is_active": False}, {"is_active": False}),
        ({"multiplier": "0.5"}, {"multiplier": Decimal("0.50")}),
        ({"multiplier": 2}, {"multiplier": Decimal(2)}),
        ({"multiplier": 0}, {"multiplier": Decimal(0)}),
        ({"multiplier": "100.00"}, {"multiplier": Decimal(100)}),
        (
            {"alias": "B", "is_active": False, "multiplier": "1.25"},
            {"alias": "B", "is_active": False, "multiplier": Decimal("1.25")},
        ),
    ],
)
def test_an_agent_changes_alias_switch_and_multiplier(caller, accounts, change, stored):
    answer = caller.patch(f"accounts/{accounts[0].pk}/", change)

    assert answer.status_code == 200
    assert answer.json()["id"] == str(accounts[0].pk)
    row = Account.objects.values(*stored).get(pk=accounts[0].pk)
    assert row == stored
    events = AuditEvent.objects.filter(subject=f"account:{accounts[0].pk}")
    assert {event.kind for event in events} == set(stored)
    assert {event.actor for event in events} == {caller.user.username}


def test_a_change_is_recorded_with_old_and_new(caller, accounts):
    caller.patch(f"accounts/{accounts[0].pk}/", {"is_active": False})

    event = AuditEvent.objects.get(kind="is_active")
    assert (event.old, event.new) == ("True", "False")


@pytest.mark.parametrize("change", [{}, {"alias": "Account 1", "multiplier": 1, "is_active": True}])
def test_what_does_not_change_is_not_recorded(caller, accounts, change):
    assert caller.patch(f"accounts/{accounts[0].pk}/", change).status_code == 200
    assert not AuditEvent.objects.filter(subject__startswith="account:").exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"alias": ""}, ("alias", "blank")),
        ({"alias": "   "}, ("alias", "blank")),
        ({"alias": None}, ("alias", "null")),
        ({"alias": "x" * 61}, ("alias", "max_length")),
        ({"alias": "a\x00b"}, ("alias", "null_characters_not_allowed")),
        ({"alias": ["x"]}, ("alias", "invalid")),
        ({"is_active": "banana"}, ("is_active", "invalid")),
        ({"is_active": "false"}, ("is_active", "invalid")),
        ({"is_active": 0}, ("is_active", "invalid")),
        ({"is_active": None}, ("is_active", "null")),
        ({"is_active": []}, ("is_active", "invalid")),
        ({"multiplier": -0.01}, ("multiplier", "min_value")),
        ({"multiplier": "100.01"}, ("multiplier", "max_value")),
        ({"multiplier": "0.005"}, ("multiplier", "max_decimal_places")),
        ({"multiplier": 1e9}, ("multiplier", "max_digits")),
        ({"multiplier": "NaN"}, ("multiplier", "invalid")),
        ({"multiplier": "Infinity"}, ("multiplier", "invalid")),
        ({"multiplier": "\uff12"}, ("multiplier", "invalid")),
        ({"multiplier": "1_0"}, ("multiplier", "invalid")),
        ({"multiplier": True}, ("multiplier", "invalid")),
        ({"multiplier": None}, ("multiplier", "null")),
        ({"multiplier": ""}, ("multiplier", "invalid")),
        ({"number": "12345678"}, ("number", "unknown")),
        ({"hash_value": "x"}, ("hash_value", "unknown")),
        ({"position": 7}, ("position", "unknown")),
        ({"login": 7}, ("login", "unknown")),
        ([], ("body", "invalid")),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(caller, accounts, change, fault):
    before = list(Account.objects.values())

    answer = caller.patch(f"accounts/{accounts[0].pk}/", change)

    assert fault in faults_of(answer)
    assert list(Account.objects.values()) == before


def test_one_bad_field_stops_the_good_ones(caller, accounts):
    change = {"alias": "New", "multiplier": -1}

    assert faults_of(caller.patch(f"accounts/{accounts[0].pk}/", change)) == {
        ("multiplier", "min_value")
    }
    assert Account.objects.get(pk=accounts[0].pk).alias == "Account 1"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXIT_ONLY])
def test_who_does_not_trade_changes_no_account(accounts, queue, role):
    other = Caller(make_user(role))
    other.sign_in()
    before = list(Account.objects.values())

    for answer in (
        other.patch(f"accounts/{accounts[0].pk}/", {"is_active": False}),
        other.post("accounts/refresh/"),
    ):
        problem = problem_of(answer, 403, "permission_denied")
        assert problem["detail"].endswith("Ask an admin for the role AGENT.")
    assert other.get("accounts/").status_code == 200
    assert list(Account.objects.values()) == before


def test_an_admin_changes_an_account(accounts):
    admin = Caller(make_user(Role.ADMIN))
    admin.sign_in()

    assert admin.patch(f"accounts/{accounts[0].pk}/", {"alias": "Grandma"}).status_code == 200


@pytest.mark.parametrize("pk", [UNKNOWN, "x", "7"])
def test_an_account_that_does_not_exist(caller, accounts, pk):
    problem_of(caller.patch(f"accounts/{pk}/", {"alias": "x"}), 404, "not_found")


def test_a_refresh_rings_the_worker(caller, accounts, queue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = caller.post("accounts/refresh/")

    assert answer.status_code == 202
    assert queue.messages("accounts") == 1


def test_a_refresh_with_the_queue_down_is_refused(caller, accounts, queue):
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")

    problem_of(caller.post("accounts/refresh/"), 503, "queue_down")
