"""Queries that are said once answer as the ORM would, for every asking and every thread."""

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.words import Mode
from accounts.models import Account, UserSession
from accounts.prepared import Given, Prepared
from accounts.selectors import fleet_numbers, recent_events_tag
from accounts.selectors.modes import mode_rules
from accounts.services.session_store import SessionStore
from tests.support.make import make_account, make_mode, make_user

pytestmark = pytest.mark.django_db

COLUMNS = ("pk", "alias", "multiplier", "balances_at", "is_active", "login__label")


def of_alias() -> Prepared[tuple[object, ...]]:
    alias = Given("alias", Account._meta.get_field("alias"))
    return Prepared(lambda: Account.objects.filter(alias=alias).values_list(*COLUMNS))


def test_rows_are_what_the_orm_gives():
    make_account(alias="one", balances_at=timezone.now())
    make_account(alias="two")
    query = of_alias()

    for alias in ("one", "two", "nobody", "one"):
        assert query.rows(alias=alias) == list(
            Account.objects.filter(alias=alias).values_list(*COLUMNS)
        )


def test_values_are_given_in_their_own_kind():
    moment = timezone.now()
    account = make_account(balances_at=moment)
    fields = Account._meta
    query = Prepared(
        lambda: Account.objects.filter(
            pk=Given("key", fields.get_field("id")),
            balances_at__gte=Given("since", fields.get_field("balances_at")),
        ).values_list("pk")
    )

    assert query.rows(key=account.pk, since=moment) == [(account.pk,)]
    assert query.rows(key=account.pk, since=moment + timedelta(microseconds=1)) == []


def test_what_is_given_is_never_part_of_the_sql():
    make_account(alias="one")

    assert of_alias().rows(alias="' OR 1=1 --") == []


def test_it_is_said_once_and_once_more_for_something_else():
    said = []

    def say():
        said.append(settings.ENVIRONMENT)
        return Account.objects.values_list("pk")

    kind = ["one"]
    query = Prepared(say, per=lambda: kind[0])

    query.rows()
    query.rows()
    assert len(said) == 1
    kind[0] = "other"
    query.rows()
    assert len(said) == 2


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_share_a_connection():
    make_account(alias="one")
    query, found = of_alias(), []
    query.rows(alias="one")

    def ask() -> None:
        found.append([row[1] for row in query.rows(alias="one")])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [["one"]] * 4


def test_the_frame_counts_what_this_environment_has(settings):
    make_account(value=1000, buying_power=300)
    make_account(value=500, is_active=False)
    ours = fleet_numbers()
    settings.ENVIRONMENT = "LIVE"
    theirs = fleet_numbers()

    assert (ours.active, ours.accounts, ours.value, ours.buying_power) == (1, 2, 1500, 300)
    assert (theirs.accounts, theirs.logins, theirs.value) == (0, 0, 0)
    assert ours.events == theirs.events == recent_events_tag()


def test_a_mode_is_seen_as_soon_as_it_is_set():
    assert mode_rules() == []
    make_mode(Mode.FROZEN)

    assert [rule.mode for rule in mode_rules()] == [Mode.FROZEN]


def test_a_session_is_read_with_its_user_in_one_query():
    user, client = make_user(), Client()
    client.force_login(user)
    store = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)

    with CaptureQueriesContext(connection) as queries:
        assert store[SESSION_KEY] == str(user.pk)
        assert store.row is not None
        assert store.row.user == user
        assert store.row.user.get_session_auth_hash() == user.get_session_auth_hash()

    assert len(queries) == 1
    assert store.row == UserSession.objects.get(user=user)


def test_a_session_that_is_over_is_not_found():
    client = Client()
    client.force_login(make_user())
    UserSession.objects.update(expire_date=timezone.now())

    store = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert store.load() == {}
    assert store.row is None
