"""What accounts hold is what the broker said last, whoever asked, and never an older read."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, Position
from accounts.selectors import held_by
from accounts.services.balances import sync_accounts
from accounts.services.positions import keep_positions
from brokerage.schwab.replies import AccountReading
from brokerage.schwab.replies.accounts import Holding
from tests.support.make import make_account, make_login

NOW = timezone.now()
LATER = NOW + timedelta(seconds=15)


def holding(symbol="AAPL", long=0, short=0, price="231.50", worth="1000.00"):
    return Holding(
        symbol=symbol,
        asset_type="EQUITY",
        long=Decimal(long),
        short=Decimal(short),
        average_price=None if price is None else Decimal(price),
        market_value=None if worth is None else Decimal(worth),
    )


def read(*holdings):
    return AccountReading("1", "MARGIN", None, None, None, None, holdings)


def keep(account, *holdings, at=NOW):
    keep_positions([(account.pk, read(*holdings))], read_at=at)


def held(account):
    return held_by([account.pk])[account.pk]


def sync(fleet, *, at=None):
    return sync_accounts(gateway=fleet.gateway, now=at or timezone.now())


@pytest.fixture
def account(db):
    return make_account()


def test_a_beat_keeps_what_accounts_hold_with_the_calls_that_read_their_balances(fleet):
    condor = fleet.condor(2)
    fleet.broadcast(condor, accounts=fleet.accounts[1:2])
    since = len(fleet.broker.journal())

    sync(fleet)

    assert len(fleet.broker.journal()) - since == 3
    empty, holder, other = fleet.accounts
    signs = [2 if leg.instruction.is_buy else -2 for leg in condor.legs]
    wanted = {leg.symbol: sign for leg, sign in zip(condor.legs, signs, strict=True)}
    assert held_by([one.pk for one in fleet.accounts]) == {
        empty.pk: {},
        holder.pk: wanted,
        other.pk: {},
    }
    assert {one.positions_at for one in Account.objects.all()} == {
        one.balances_at for one in Account.objects.all()
    }
    row = Position.objects.get(symbol=condor.legs[0].symbol)
    assert (row.asset_type, row.read_at) == ("OPTION", row.account.positions_at)
    assert row.average_price is not None


def test_what_is_changed_by_hand_at_the_broker_is_held_after_the_next_beat(fleet):
    first, second, third = fleet.accounts
    hands = {one.hash_value: {"AAPL": 10, "MSFT": -5} for one in (first, second)}
    fleet.broker.positions(hands)
    sync(fleet)

    fleet.broker.positions(
        {first.hash_value: {"AAPL": 0, "MSFT": -2}, third.hash_value: {"TSLA": 7}}
    )
    sync(fleet)

    assert held(first) == {"MSFT": -2}
    assert held(second) == {"AAPL": 10, "MSFT": -5}
    assert held(third) == {"TSLA": 7}
    assert held_by([second.pk], ["AAPL", "TSLA"]) == {second.pk: {"AAPL": 10}}


def test_a_login_that_does_not_answer_keeps_its_positions_and_their_age(fleet):
    account = fleet.accounts[0]
    fleet.broker.positions({account.hash_value: {"AAPL": 10}})
    sync(fleet, at=NOW)
    fleet.broker.positions({account.hash_value: {"AAPL": 0}})
    fleet.broker.fault("http_500", path="/trader/v1/accounts", times=3)

    sync(fleet, at=LATER)

    account.refresh_from_db()
    assert held(account) == {"AAPL": 10}
    assert account.positions_at == NOW


def test_an_older_read_changes_nothing(account):
    keep(account, holding(long=3), at=LATER)

    keep(account, holding(long=9), holding("MSFT", long=1), at=NOW)

    assert held(account) == {"AAPL": 3}
    assert Position.objects.get().read_at == LATER


def test_an_older_read_does_not_bring_back_what_is_gone(account):
    keep(account, holding(long=3), at=NOW)
    keep(account, at=LATER)

    keep(account, holding(long=3), at=NOW)

    account.refresh_from_db()
    assert held(account) == {}
    assert account.positions_at == LATER


def test_an_account_that_was_read_later_does_not_hold_back_the_others(account):
    other = make_account(account.login)
    keep(account, at=LATER)

    keep_positions([(one.pk, read(holding(long=5))) for one in (account, other)], read_at=NOW)

    assert (held(account), held(other)) == ({}, {"AAPL": 5})


def test_a_symbol_shown_long_and_short_counts_once(account):
    keep(account, holding(long=5), holding(short=2, worth=None), holding("MSFT", 4, 4))

    row = Position.objects.get()
    assert (row.symbol, row.quantity) == ("AAPL", Decimal(3))
    assert (row.average_price, row.market_value) == (None, None)


def test_the_smallest_fraction_is_no_nothing(account):
    keep(account, holding(long="0.00001"), holding("MSFT", short="0.00001"))

    assert held(account) == {"AAPL": Decimal("0.0001"), "MSFT": Decimal("-0.0001")}


def test_what_no_column_can_hold_costs_only_its_own_account(account, caplog):
    other = make_account(account.login)
    keep_positions([(one.pk, read(holding(long=1))) for one in (account, other)], read_at=NOW)
    absurd, sound = read(holding(long=10**15)), read(holding(long=2))

    with caplog.at_level(logging.ERROR):
        keep_positions([(account.pk, absurd), (other.pk, sound)], read_at=LATER)

    account.refresh_from_db()
    other.refresh_from_db()
    assert (held(account), account.positions_at) == ({"AAPL": 1}, NOW)
    assert (held(other), other.positions_at) == ({"AAPL": 2}, LATER)
    assert "cannot be kept" in caplog.text


def test_the_whole_fleet_is_kept_in_few_statements(db):
    login = make_login()
    fleet = [make_account(login) for _ in range(45)]
    symbols = [f"XYZ{n}" for n in range(10)]

    def everything(**changes):
        rows = read(*(holding(symbol, **changes) for symbol in symbols))
        return [(account.pk, rows) for account in fleet]

    keep_positions(everything(long=1), read_at=NOW)

    with CaptureQueriesContext(connection) as unchanged:
        keep_positions(everything(long=1), read_at=LATER)
    with CaptureQueriesContext(connection) as changed:
        keep_positions(everything(long=2), read_at=LATER)
    with CaptureQueriesContext(connection) as gone:
        keep_positions([(account.pk, read()) for account in fleet], read_at=LATER)

    def statements(queries):
        return sum("SAVEPOINT" not in query["sql"] for query in queries)

    rows_a_statement = connection.ops.bulk_batch_size(["field"] * 7, [None] * 450)
    assert statements(unchanged) == 4
    assert statements(changed) == 4 + -(-450 // rows_a_statement)
    assert statements(gone) == 5
    assert not Position.objects.exists()
