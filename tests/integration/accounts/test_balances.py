"""Balances are kept as the broker says them: by kind of account, never guessed, never older."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.words import Grain
from accounts.models import Account, BalanceSnapshot, FleetWorth, Token
from accounts.selectors import held_by
from accounts.services.balances import sync_accounts
from accounts.services.worth import note_worth, thin_worth
from orders.services.exits.looking import look
from tests.support.make import make_account, make_balances

NOW = timezone.now()
LATER = NOW + timedelta(seconds=15)


def sync(fleet, *, at=NOW):
    return sync_accounts(gateway=fleet.gateway, now=at)


def sync_told(fleet, *, at=LATER, positions=None, **balances):
    """Read the first account while the broker says this about it, as odd as it may be."""
    account = fleet.accounts[0]
    shown = {
        "type": "MARGIN",
        "accountNumber": account.number.open(),
        "initialBalances": {"liquidationValue": 100.0},
        "currentBalances": balances,
    }
    if positions is not None:
        shown["positions"] = positions
    body = [{"securitiesAccount": shown}]
    fleet.broker.fault("bad_json", method="GET", path="/trader/v1/accounts", body=body)
    read = sync_accounts(gateway=fleet.gateway, now=at, logins=[account.login_id])
    account.refresh_from_db()
    return read, account


def test_a_cash_account_has_its_cash_to_trade_with_as_buying_power(fleet):
    cash_account, margin_account, _ = fleet.accounts
    fleet.broker.change_accounts({cash_account.hash_value: {"type": "CASH", "cash": 5000}})

    sync(fleet)

    cash_account.refresh_from_db()
    margin_account.refresh_from_db()
    assert (cash_account.kind, margin_account.kind) == ("CASH", "MARGIN")
    assert (cash_account.cash, cash_account.buying_power) == (5000, 5000)
    assert margin_account.buying_power == 2 * margin_account.cash


def test_a_cash_account_that_holds_shares_can_spend_what_is_left(fleet):
    account = fleet.accounts[0]
    fleet.broker.change_accounts({account.hash_value: {"type": "CASH", "cash": 5000}})
    fleet.broker.positions({account.hash_value: {"AAPL": 10}})

    sync(fleet)

    account.refresh_from_db()
    assert (account.cash, account.buying_power) == (5000, 5000)
    assert account.value > 6000


def test_the_day_is_counted_from_what_the_broker_says_it_began_with(fleet):
    account = fleet.accounts[0]
    fleet.broker.change_accounts({account.hash_value: {"cash": 20_000, "opening_cash": 20_100}})

    sync(fleet)

    account.refresh_from_db()
    assert (account.opening_value, account.day_gain) == (20_100, Decimal("-100.00"))


def test_a_read_that_began_earlier_changes_nothing(fleet):
    account = fleet.accounts[0]
    fleet.broker.change_accounts({account.hash_value: {"cash": 5000}})
    sync(fleet, at=LATER)
    fleet.broker.change_accounts({account.hash_value: {"cash": 7000}})

    sync(fleet, at=NOW)

    account.refresh_from_db()
    assert (account.cash, account.balances_at) == (5000, LATER)


def test_a_token_that_was_refused_is_named_with_its_version(fleet):
    login = fleet.logins[1]
    user = next(one["user"] for one in fleet.broker.logins() if one["label"] == login.label)
    fleet.broker.tokens(login=user, access="revoke")

    read = sync(fleet)

    assert read.read == 2
    assert read.refused_tokens == {login.pk: Token.objects.get(login=login).version}
    assert "token" in read.silent[login.pk]


def test_refused_tokens_cost_no_query_more(fleet):
    """Their versions are read with the tokens: what is there after a refusal may be newer."""
    sync(fleet)
    with CaptureQueriesContext(connection) as usual:
        sync(fleet, at=LATER)
    for one in fleet.broker.logins():
        fleet.broker.tokens(login=one["user"], access="revoke")

    with CaptureQueriesContext(connection) as refused:
        read = sync(fleet, at=LATER + timedelta(seconds=15))

    assert len(read.refused_tokens) == 3
    of_tokens = [sum("_token" in one["sql"] for one in queries) for queries in (usual, refused)]
    assert of_tokens[0] == of_tokens[1]


def test_a_login_without_a_token_costs_the_others_nothing(fleet):
    Token.objects.filter(login=fleet.logins[0]).delete()

    read = sync(fleet)

    assert (read.calls, read.read) == (2, 2)
    assert read.silent == {fleet.logins[0].pk: "must sign in again"}


def test_only_the_logins_that_are_named_are_read(fleet):
    read = sync_accounts(gateway=fleet.gateway, now=NOW, logins=[fleet.logins[2].pk])

    assert (read.calls, read.read) == (1, 1)
    assert Account.objects.get(balances_at=NOW) == fleet.accounts[2]


def test_every_beat_writes_what_the_fleet_is_worth_once_per_stretch(fleet):
    first = NOW.replace(minute=3, second=1)
    sync(fleet, at=first)
    account = fleet.accounts[0]
    fleet.broker.change_accounts({account.hash_value: {"cash": 5000}})
    sync(fleet, at=first + timedelta(seconds=15))
    sync(fleet, at=first + timedelta(minutes=1))

    value = sum(one.value or 0 for one in Account.objects.all())
    minutes = FleetWorth.objects.filter(grain=Grain.MINUTE).order_by("at")
    assert [one.value for one in minutes] == [value, value]
    (day,) = FleetWorth.objects.filter(grain=Grain.DAY)
    assert (day.value, day.known, day.accounts) == (value, 3, 3)
    assert FleetWorth.objects.get(grain=Grain.QUARTER).at.minute == 0


def test_a_fleet_of_which_nothing_was_said_is_not_worth_nothing(db):
    make_account()

    note_worth(now=NOW)

    assert not FleetWorth.objects.exists()


def test_accounts_without_a_value_are_left_out_of_the_sum_and_counted(db):
    make_balances(make_account(), Decimal(500))
    make_account()

    note_worth(now=NOW)

    assert {(one.value, one.known, one.accounts) for one in FleetWorth.objects.all()} == {
        (500, 1, 2)
    }


def test_old_values_are_thinned_to_one_a_day(db):
    make_balances(make_account(), Decimal(500))
    for days in (0, 10, 100):
        note_worth(now=NOW - timedelta(days=days))

    thin_worth(now=NOW)

    kept = {grain: FleetWorth.objects.filter(grain=grain).count() for grain in Grain}
    assert kept == {Grain.MINUTE: 1, Grain.QUARTER: 2, Grain.DAY: 3}


def test_a_balance_that_is_not_said_is_unknown_and_never_zero(fleet):
    sync(fleet)

    _, account = sync_told(fleet, cashBalance=100.0, liquidationValue=None)

    assert (account.value, account.cash, account.buying_power) == (None, 100, None)
    assert account.day_gain is None
    newest = BalanceSnapshot.objects.filter(account=account).latest("at")
    assert (newest.value, newest.cash, newest.buying_power) == (None, 100, None)


def test_an_absurd_balance_is_taken_for_one_that_was_not_said(fleet):
    _, account = sync_told(fleet, cashBalance=100.0, liquidationValue="9" * 18)

    assert (account.value, account.cash) == (None, 100)


@pytest.mark.parametrize("positions", [None, []])
def test_positions_that_are_hidden_while_their_worth_is_counted_are_not_gone(fleet, positions):
    account = fleet.accounts[0]
    fleet.broker.positions({account.hash_value: {"AAPL": 10}})
    sync(fleet)

    _, account = sync_told(fleet, positions=positions, cashBalance=5.0, longMarketValue=2000.0)

    assert held_by([account.pk])[account.pk] == {"AAPL": 10}
    assert (account.positions_at, account.balances_at, account.cash) == (NOW, LATER, 5)


def test_positions_are_gone_when_nothing_is_worth_anything_either(fleet):
    account = fleet.accounts[0]
    fleet.broker.positions({account.hash_value: {"AAPL": 10}})
    sync(fleet)

    _, account = sync_told(fleet, cashBalance=5.0, longMarketValue=0.0)

    assert held_by([account.pk])[account.pk] == {}
    assert account.positions_at == LATER


def test_an_exit_takes_hidden_positions_for_no_answer(fleet):
    account = fleet.accounts[0]
    shown = {
        "type": "MARGIN",
        "accountNumber": account.number.open(),
        "currentBalances": {"longOptionMarketValue": 5.0},
    }
    body = [{"securitiesAccount": shown}]
    fleet.broker.fault("bad_json", method="GET", path="/trader/v1/accounts", body=body)

    looked = look([account], gateway=fleet.gateway, now=timezone.now())

    assert looked.seen == {}
    assert account.pk in looked.silent
