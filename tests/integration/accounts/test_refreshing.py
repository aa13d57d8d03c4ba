"""REFRESH reads some accounts or all, says how far it is, and one press is enough."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.models import Account, BrokerLogin, RefreshRun
from accounts.services import refreshing
from accounts.services.editing import NoSuchAccount
from accounts.services.refreshing import (
    ask_refresh,
    forget_refreshes,
    progress_of,
    run_refresh,
    shown_refresh,
)
from accounts.tasks.refreshing import refresh_accounts
from brokerage.budget import the_budget
from tests.support.make import make_account, make_login, make_token


def ask(accounts=None, *, at=None):
    ids = None if accounts is None else [one.pk for one in accounts]
    return ask_refresh(account_ids=ids, by="agent", now=at or timezone.now())


def finish(run, fleet, **more):
    refused = run_refresh(run.pk, gateway=fleet.gateway, **more)
    run.refresh_from_db()
    return refused


def progress(run):
    run.refresh_from_db()
    return progress_of(run, now=timezone.now())


def test_all_accounts_are_read_with_one_call_a_login(fleet):
    since = len(fleet.broker.journal())
    run = ask()
    assert (progress(run).calls, progress(run).read, progress(run).is_done) == (3, 0, False)

    finish(run, fleet)

    done = progress(run)
    assert (done.read, done.accounts, done.failed, done.failures) == (3, 3, 0, ())
    assert (done.is_done, done.is_given_up) == (True, False)
    assert len(fleet.broker.journal()) - since == 3
    assert Account.objects.filter(balances_at__gte=run.asked_at).count() == 3


def test_some_accounts_cost_the_calls_of_their_logins_only(fleet):
    run = ask(fleet.accounts[1:])

    finish(run, fleet)

    assert (progress(run).read, progress(run).calls) == (2, 2)
    assert Account.objects.get(pk=fleet.accounts[0].pk).balances_at is None


def test_an_account_that_is_not_here_is_refused(fleet):
    with pytest.raises(NoSuchAccount):
        ask_refresh(account_ids=[fleet.accounts[0].pk, uuid4()], by="agent", now=timezone.now())
    assert not RefreshRun.objects.exists()


def test_a_second_press_shows_the_one_at_work(fleet):
    first = ask()

    assert ask() == first
    assert ask(fleet.accounts[:1]) == first
    assert RefreshRun.objects.count() == 1

    finish(first, fleet)
    assert ask() != first


def test_of_two_presses_for_some_accounts_each_has_its_own(fleet):
    one, other = ask(fleet.accounts[:1]), ask(fleet.accounts[1:2])

    assert one != other
    assert ask([*fleet.accounts[:1]]) == one
    assert ask() not in {one, other}


def test_a_second_delivery_of_the_message_reads_nothing(fleet):
    run = ask()
    finish(run, fleet)
    since = len(fleet.broker.journal())

    refresh_accounts(run_id=run.pk)

    assert len(fleet.broker.journal()) == since


def test_a_login_that_must_sign_in_is_named_by_its_account_and_not_asked(fleet):
    BrokerLogin.objects.filter(pk=fleet.logins[0].pk).update(status=LoginStatus.LOGIN_REQUIRED)

    run = ask()
    finish(run, fleet)

    done = progress(run)
    assert (done.calls, done.read, done.failed) == (2, 2, 1)
    (failure,) = done.failures
    assert (failure.name, failure.words) == (fleet.accounts[0].alias, "must sign in again")


def test_a_refresh_of_nothing_but_dead_logins_is_over_at_once(fleet):
    words = "Schwab closed the app."
    BrokerLogin.objects.update(status=LoginStatus.ERROR, status_reason=words)

    done = progress(ask())

    assert (done.is_done, done.calls, done.failed) == (True, 0, 3)
    assert {one.words for one in done.failures} == {words}


def test_failures_are_named_in_plain_words_and_the_others_are_read(fleet):
    login = fleet.logins[1]
    user = next(one["user"] for one in fleet.broker.logins() if one["label"] == login.label)
    fleet.broker.tokens(login=user, access="revoke")

    run = ask()
    refused = finish(run, fleet)

    done = progress(run)
    assert (done.read, done.failed, done.is_done) == (2, 1, True)
    assert done.failures[0].name == fleet.accounts[1].alias
    assert done.failures[0].words.startswith("the broker refused its token")
    assert list(refused) == [login.pk]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("http_500", "the broker is out of order or away"),
        ("html_403", "the broker is out of order or away"),
        ("http_429", "the broker asks us to slow down"),
        ("bad_json", "the broker's answer makes no sense"),
        ("drop_before", "the broker is out of order or away"),
    ],
)
def test_every_fault_is_said_in_words(fleet, fault, words):
    account = fleet.accounts[0]
    fleet.broker.fault(fault, method="GET", path="/trader/v1/accounts", times=2)

    run = ask([account])
    finish(run, fleet)

    (failure,) = progress(run).failures
    assert failure.words.startswith(words)


def test_an_account_that_its_login_does_not_show_is_said(fleet):
    hidden = make_account(fleet.logins[0], alias="Hidden")

    run = ask()
    finish(run, fleet)

    done = progress(run)
    (failure,) = done.failures
    assert (done.read, done.failed, failure.name) == (3, 1, fleet.logins[0].label)
    assert failure.words == "the broker does not show 1 account of it any more"
    assert hidden.balances_at is None


def test_logins_whose_budget_is_spent_are_asked_again(fleet, settings):
    settings.BUDGET_PER_MINUTE = 1
    settings.BUDGET_RESERVE = 0
    the_budget().forget()
    waited = []

    def wait(seconds):
        waited.append(seconds)
        settings.BUDGET_PER_MINUTE = 120
        the_budget().forget()

    for login in fleet.logins[1:]:
        BrokerLogin.objects.filter(pk=login.pk).update(app_key_index=fleet.logins[0].app_key_index)
    run = ask()
    finish(run, fleet, wait=wait)

    assert waited == [2.0]
    assert (progress(run).read, progress(run).failures) == (3, ())


def test_a_refresh_that_nobody_finishes_is_given_up_and_can_be_asked_for_again(fleet):
    long_ago = timezone.now() - timedelta(seconds=121)
    lost = ask(at=long_ago)

    assert (progress(lost).is_done, progress(lost).is_given_up) == (True, True)
    assert ask() != lost
    lost.refresh_from_db()
    assert lost.finished_at is not None
    assert progress(lost).is_given_up


def test_a_refresh_that_breaks_in_the_middle_is_over(fleet):
    run = ask()

    class Broken:
        def stream(self, calls):
            raise RuntimeError("the worker broke")

    with pytest.raises(RuntimeError):
        run_refresh(run.pk, gateway=Broken())

    assert progress(run).is_given_up
    assert ask() != run


def test_what_went_well_leaves_the_page_soon_and_what_failed_stays_longer(fleet):
    assert shown_refresh(now=timezone.now()) is None
    run = ask()
    finish(run, fleet)
    now = timezone.now()

    assert shown_refresh(now=now) is not None
    assert shown_refresh(now=now + timedelta(seconds=30)) is None

    RefreshRun.objects.update(failures={str(fleet.logins[0].pk): "no"}, read=2)
    assert shown_refresh(now=now + timedelta(minutes=5)) is not None
    assert shown_refresh(now=now + timedelta(minutes=11)) is None


def test_old_refreshes_are_forgotten(fleet):
    ask(at=timezone.now() - timedelta(days=31))
    recent = ask()

    forget_refreshes(now=timezone.now())

    assert list(RefreshRun.objects.all()) == [recent]


def test_the_tag_changes_with_every_step(fleet):
    tags = [refreshing.refresh_tag()]
    run = ask()
    tags.append(refreshing.refresh_tag())
    finish(run, fleet)
    tags.append(refreshing.refresh_tag())

    assert len(set(tags)) == 3


def test_a_thousand_accounts_are_asked_for_in_few_queries(db):
    login = make_login()
    make_token(login)
    for _ in range(50):
        make_account(login)

    with CaptureQueriesContext(
        connection,
    ) as few:
        ask()
    many = make_login()
    for _ in range(50):
        make_account(many)
    RefreshRun.objects.all().delete()
    with CaptureQueriesContext(connection) as more:
        ask()

    assert len(few) == len(more)
