"""Users from the command line: never a default password, never the last admin gone."""

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from accounts.domain.roles import POWERS, Power, may
from accounts.domain.words import Role
from accounts.models import AuditEvent, User
from accounts.services.users import BadPassword, LastAdmin, NameTaken, change_user, ensure_admin
from orders.management.agents import find_agent
from tests.support.make import PASSWORD, make_user

NEW = "another good password"


def make(*arguments: str) -> str:
    said = StringIO()
    call_command("make_user", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def given(monkeypatch) -> None:
    monkeypatch.setenv("USER_PASSWORD", NEW)


def test_each_role_may_more_than_the_one_before():
    viewer, leaver, agent, admin = (POWERS[role] for role in POWERS)

    assert set(POWERS) == set(Role)
    assert viewer < leaver < agent < admin == set(Power)
    assert not may("OWNER", Power.EXIT)


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_the_properties_of_a_user_are_the_table(role):
    user = make_user(role)
    has = {user.may_exit, user.may_freeze} | {user.may_trade, user.may_sync, user.may_administer}

    assert {power for power in Power if user.may(power)} == POWERS[role]
    assert has == {bool(power in POWERS[role]) for power in Power}
    user.is_active = False
    assert not any(user.may(power) for power in Power)


@pytest.mark.django_db
def test_the_command_makes_a_user_and_records_it(given):
    said = make("vera", "--role", "ADMIN")

    user = User.objects.get()
    assert said == "vera may sign in as ADMIN.\n"
    assert (user.role, user.is_staff, user.check_password(NEW)) == ("ADMIN", True, True)
    (told,) = AuditEvent.objects.filter(subject=f"user:{user.pk}")
    assert (told.kind, told.new, told.actor, told.data) == (
        "user",
        "ADMIN",
        "host",
        {"name": "vera"},
    )


@pytest.mark.django_db
def test_there_is_no_default_password_and_no_weak_one(monkeypatch):
    monkeypatch.delenv("USER_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="USER_PASSWORD is not set"):
        make("vera", "--role", "AGENT")
    monkeypatch.setenv("USER_PASSWORD", "short")
    with pytest.raises(CommandError, match="too short"):
        make("vera", "--role", "AGENT")
    with pytest.raises(CommandError, match="--role"):
        make("vera")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_user_who_is_there_is_changed_only_on_demand(given):
    user = make_user(Role.AGENT, username="vera", is_active=False)
    with pytest.raises(CommandError, match="There is a user"):
        make("Vera", "--role", "ADMIN")
    with pytest.raises(CommandError, match="There is no user"):
        make("eve", "--again")

    said = make("vera", "--again")

    user.refresh_from_db()
    assert said == "vera may sign in as AGENT, with the new password.\n"
    assert (user.role, user.is_active, user.check_password(NEW)) == ("AGENT", True, True)


@pytest.mark.django_db
def test_the_command_does_not_take_the_last_admin_away(given):
    make_user(Role.ADMIN, username="boss")

    with pytest.raises(CommandError, match="last admin"):
        make("boss", "--again", "--role", "VIEWER")

    assert User.objects.get().role == "ADMIN"


@pytest.mark.django_db
def test_the_first_admin_is_made_once():
    now = timezone.now()
    with pytest.raises(BadPassword):
        ensure_admin(name="admin", password="admin", now=now)
    assert ensure_admin(name="admin", password=NEW, now=now)
    assert not ensure_admin(name="another", password=PASSWORD, now=now)

    assert User.objects.get().check_password(NEW)
    User.objects.update(is_active=False)
    with pytest.raises(NameTaken):
        ensure_admin(name="admin", password=PASSWORD, now=now)


@pytest.mark.django_db
def test_on_the_host_an_admin_trades_only_by_name_where_there_is_an_agent():
    boss = make_user(Role.ADMIN, username="boss")
    assert find_agent(None) == boss

    agent = make_user(Role.AGENT)
    assert find_agent(None) == agent
    assert find_agent("boss") == boss

    make_user(Role.AGENT)
    with pytest.raises(CommandError, match="Name the agent"):
        find_agent(None)


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_switch_each_other_off_at_once():
    pair = [make_user(Role.ADMIN), make_user(Role.ADMIN)]
    begin, refused = threading.Barrier(2), list[str]()

    def switch_off(user: User) -> None:
        begin.wait()
        try:
            change_user(
                user_id=user.pk, role=Role.ADMIN, is_active=False, actor="x", now=timezone.now()
            )
        except LastAdmin as error:
            refused.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=switch_off, args=[user]) for user in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1
