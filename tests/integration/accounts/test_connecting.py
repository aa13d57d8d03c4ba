"""Connecting finds the accounts, keeps their places in the grid, and can be repeated."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.models import Account, AuditEvent, BalanceSnapshot, BrokerLogin, Token
from accounts.services.balances import sync_accounts
from accounts.services.connecting import connect_paper_fleet, exchange, keep_connection
from brokerage.errors import BrokerError
from brokerage.paper_control import PaperControl
from tests.support.fleet import connect
from tests.support.make import make_account, make_login
from tests.support.paper import PaperBroker

FEW = 6


@pytest.fixture(scope="module")
def small_server():
    """Six accounts under three logins."""
    broker = PaperBroker(accounts=FEW, accounts_per_login=2)
    yield broker
    broker.stop()


@pytest.fixture
def small(small_server, settings, db):
    small_server.reset()
    settings.BROKER_URL = small_server.tls_url
    settings.BROKER_CA_FILE = small_server.ca_file
    return small_server


def connect_all(broker: PaperBroker) -> int:
    return connect_paper_fleet(PaperControl(broker.url), now=timezone.now())


def places() -> dict[str, int]:
    return {account.number.open(): account.position for account in Account.objects.all()}


def hashes() -> set[str]:
    return set(Account.objects.values_list("hash_value", flat=True))


def test_every_login_of_the_paper_broker_is_connected_with_its_accounts(small):
    assert connect_all(small) == 3

    logins = BrokerLogin.objects.all()
    assert {login.status for login in logins} == {LoginStatus.CONNECTED}
    assert [login.accounts.count() for login in logins] == [2, 2, 2]
    assert Token.objects.count() == 3
    assert hashes() == set(small.accounts())
    assert sorted(places().values()) == list(range(FEW))
    assert AuditEvent.objects.filter(kind="found").count() == FEW


def test_connecting_again_changes_nothing(small):
    connect_all(small)
    before = places(), list(Token.objects.values_list("version", flat=True))

    assert connect_all(small) == 0
    assert (places(), list(Token.objects.values_list("version", flat=True))) == before
    assert AuditEvent.objects.filter(kind="found").count() == FEW


def test_a_login_that_was_lost_is_connected_again_in_its_old_places(small):
    connect_all(small)
    before = places()
    BrokerLogin.objects.filter(label="Paper 002").update(status=LoginStatus.LOGIN_REQUIRED)

    assert connect_all(small) == 1
    assert places() == before
    assert BrokerLogin.objects.filter(status=LoginStatus.CONNECTED).count() == 3


def test_a_login_whose_seven_days_are_over_is_connected_again(small):
    connect_all(small)
    Token.objects.update(refresh_expires_at=timezone.now() - timedelta(seconds=1))

    assert connect_all(small) == 3


def test_hashes_are_read_anew_because_they_may_change(small):
    connect_all(small)
    before = places()
    Account.objects.update(hash_value="AN OLD HASH")
    BrokerLogin.objects.update(status=LoginStatus.LOGIN_REQUIRED)

    connect_all(small)

    assert hashes() == set(small.accounts())
    assert places() == before


def test_what_the_agent_set_outlives_a_new_connection(small):
    connect_all(small)
    Account.objects.filter(position=0).update(
        alias="Mine", is_active=False, multiplier=Decimal("0.5")
    )
    BrokerLogin.objects.update(status=LoginStatus.LOGIN_REQUIRED)

    connect_all(small)

    first = Account.objects.get(position=0)
    assert (first.alias, first.is_active, first.multiplier) == ("Mine", False, Decimal("0.5"))


def test_new_accounts_get_the_next_places(small):
    make_account(make_login(label="Older"), position=7)

    connect_all(small)

    assert sorted(Account.objects.values_list("position", flat=True)) == [7, 8, 9, 10, 11, 12, 13]


def test_an_account_that_moved_to_another_login_keeps_its_place(small):
    connect_all(small)
    before = places()
    other = make_login(label="Another")
    Account.objects.update(login=other)
    BrokerLogin.objects.filter(label__startswith="Paper").update(status=LoginStatus.ERROR)

    connect_all(small)

    assert places() == before
    assert not other.accounts.exists()


def test_the_accounts_numbers_are_kept_sealed_with_a_mask(small):
    connect_all(small)

    for account in Account.objects.all():
        assert account.number.open().endswith(account.last4)
        assert account.mask == f"••••{account.last4}"


def test_a_connection_that_fails_stores_nothing(small):
    offer = small.logins()[0]
    login = make_login(app_key=offer["app_key"], status=LoginStatus.LOGIN_REQUIRED)

    with pytest.raises(BrokerError):
        exchange(login, small.authorize(offer))

    assert not Token.objects.exists()
    assert not Account.objects.exists()
    assert BrokerLogin.objects.get().status == LoginStatus.LOGIN_REQUIRED


def test_a_code_works_once(small, broker, gateway_to_paper):
    fleet = connect(broker, gateway_to_paper, accounts=1)
    login, offer = fleet.logins[0], broker.logins()[0]
    code = broker.authorize(offer)
    keep_connection(login, exchange(login, code), now=timezone.now())

    with pytest.raises(BrokerError):
        exchange(login, code)


def test_balances_of_all_accounts_are_read_with_one_call_a_login(fleet):
    since = len(fleet.broker.journal())

    read = sync_accounts(gateway=fleet.gateway, now=timezone.now())

    assert (read.calls, read.read, read.changed, read.silent) == (3, 3, 3, {})
    assert len(fleet.broker.journal()) - since == 3
    for account in Account.objects.all():
        assert account.value is not None
        assert account.value > 20_000
        assert account.buying_power
        assert account.balances_at is not None


def test_balances_that_did_not_change_leave_no_second_snapshot(fleet):
    first = timezone.now()
    sync_accounts(gateway=fleet.gateway, now=first)

    later = first + timedelta(seconds=15)
    read = sync_accounts(gateway=fleet.gateway, now=later)

    assert (read.read, read.changed) == (3, 0)
    assert BalanceSnapshot.objects.count() == 3
    assert set(Account.objects.values_list("balances_at", flat=True)) == {later}


def test_balances_that_changed_leave_a_snapshot_of_that_account_only(fleet):
    sync_accounts(gateway=fleet.gateway, now=timezone.now())
    fleet.broadcast(fleet.shares(5), accounts=[fleet.accounts[1]])
    fleet.broker.market(prices={"AAPL": "300"})

    read = sync_accounts(gateway=fleet.gateway, now=timezone.now())

    assert read.changed == 1
    snapshots = BalanceSnapshot.objects.filter(account=fleet.accounts[1]).order_by("at")
    cash = [one.cash or 0 for one in snapshots]
    assert cash == sorted(cash, reverse=True)
    assert snapshots.count() == 2
    assert BalanceSnapshot.objects.count() == 4


def test_a_login_that_does_not_answer_keeps_its_old_balances(fleet):
    before = timezone.now()
    sync_accounts(gateway=fleet.gateway, now=before)
    fleet.broker.fault("http_500", path="/trader/v1/accounts")

    read = sync_accounts(gateway=fleet.gateway, now=before + timedelta(seconds=15))

    assert (read.read, len(read.silent)) == (2, 1)
    assert Account.objects.filter(balances_at=before).count() == 1


def test_a_login_that_must_sign_in_is_not_asked_for_balances(fleet):
    BrokerLogin.objects.update(status=LoginStatus.LOGIN_REQUIRED)
    since = len(fleet.broker.journal())

    read = sync_accounts(gateway=fleet.gateway, now=timezone.now())

    assert (read.calls, read.read) == (0, 0)
    assert len(fleet.broker.journal()) == since
