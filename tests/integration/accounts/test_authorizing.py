"""Connecting a login through the broker's pages: what comes back is believed only if it is ours."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from accounts.domain.words import Environment, LoginStatus
from accounts.models import Account, Alarm, AuditEvent, BrokerLogin, PendingConnect, Token
from accounts.services.authorizing import NotConnected, begin, finish, finish_pasted
from accounts.services.connecting import add_login
from tests.support.paper import PaperBroker
from tests.support.visiting import Visitor

SESSION = "a session"


@pytest.fixture(scope="module")
def server() -> Iterator[PaperBroker]:
    broker = PaperBroker(accounts=6, accounts_per_login=3)
    yield broker
    broker.stop()


@pytest.fixture
def paper(server: PaperBroker, db, settings) -> PaperBroker:
    server.reset()
    settings.BROKER_URL = server.tls_url
    settings.BROKER_CA_FILE = server.ca_file
    settings.AUTHORIZE_URL = server.url
    return server


def new_login(offer: dict[str, Any]) -> BrokerLogin:
    return add_login(
        label=offer["label"],
        environment=Environment.PAPER,
        app_key=offer["app_key"],
        app_secret=offer["app_secret"],
        callback_url=offer["callback_url"],
    )


@pytest.fixture
def login(paper) -> BrokerLogin:
    return new_login(paper.logins()[0])


@pytest.fixture
def visitor(paper) -> Iterator[Visitor]:
    visitor = Visitor(paper, paper.logins()[0])
    yield visitor
    visitor.session.close()


def come_back(address: str, session: str = SESSION, now=None):
    query = dict(parse_qsl(urlsplit(address).query))
    return finish(query, session_key=session, actor="agent", now=now or timezone.now())


def start(login, session: str = SESSION, now=None) -> str:
    return begin(login, session_key=session, now=now or timezone.now())


def nothing_is_stored() -> bool:
    return not Token.objects.exists() and not Account.objects.exists()


def test_a_walk_through_the_pages_connects_the_login_and_offers_its_accounts(login, visitor):
    connected = come_back(visitor.walk(start(login)))

    login.refresh_from_db()
    assert login.status == LoginStatus.CONNECTED
    assert login.renew_at is not None
    assert len(connected.new) == 3
    assert list(Account.objects.values_list("is_active", "is_linked")) == [(False, True)] * 3
    assert AuditEvent.objects.filter(kind="authorized", actor="agent").count() == 1


def test_what_is_kept_of_a_sign_in_opens_nothing(login, visitor):
    address = start(login)
    state = dict(parse_qsl(urlsplit(address).query))["state"]
    row = PendingConnect.objects.values().get()
    assert state not in str(row)
    assert row["verifier"] is not None  # and its challenge was checked by the broker:
    come_back(visitor.walk(address))


def test_a_code_without_its_verifier_is_worth_nothing(login, visitor):
    address = visitor.walk(start(login))
    PendingConnect.objects.update(verifier=None)
    with pytest.raises(NotConnected, match="no longer takes the code"):
        come_back(address)
    assert nothing_is_stored()


def test_accounts_are_found_again_by_number_and_one_that_is_gone_is_flagged(login, visitor):
    come_back(visitor.walk(start(login)))
    Account.objects.update(is_active=True, hash_value="OLD")
    first, second, _ = (one["hash"] for one in visitor.login["accounts"])

    connected = come_back(visitor.walk(start(login), first, second))

    assert connected.new == []
    assert len(connected.missing) == 1
    linked = Account.objects.filter(is_linked=True)
    assert set(linked.values_list("hash_value", flat=True)) == {first, second}
    assert Alarm.objects.get().code == "ACCOUNT_UNLINKED"
    assert Account.objects.filter(is_active=True).count() == 3

    come_back(visitor.walk(start(login)))
    assert Account.objects.filter(is_linked=True).count() == 3


def test_an_address_may_be_pasted_where_nothing_listens(login, visitor):
    address = visitor.walk(start(login))
    connected = finish_pasted(
        login, f" {address}\n", session_key=SESSION, actor="agent", now=timezone.now()
    )
    assert connected.accounts == 3


def test_another_address_is_not_taken_for_it(login):
    with pytest.raises(NotConnected, match="Copy the whole line"):
        finish_pasted(
            login, "https://example.org/?code=1", session_key=SESSION, actor="", now=timezone.now()
        )


def test_a_wrong_state_is_refused(login, visitor):
    address = visitor.walk(start(login))
    with pytest.raises(NotConnected, match="belongs to no sign-in"):
        come_back(address.replace("state=", "state=x"))
    assert nothing_is_stored()


def test_another_session_is_refused(login, visitor):
    address = visitor.walk(start(login))
    with pytest.raises(NotConnected, match="in this session"):
        come_back(address, session="another session")
    assert nothing_is_stored()


def test_a_sign_in_comes_back_once(login, visitor):
    address = visitor.walk(start(login))
    come_back(address)
    version = Token.objects.get().version
    with pytest.raises(NotConnected, match="has come back before"):
        come_back(address)
    assert Token.objects.get().version == version


def test_a_replayed_code_under_a_new_state_is_refused(login, visitor):
    used = visitor.walk(start(login))
    come_back(used)
    query = dict(parse_qsl(urlsplit(start(login)).query))
    code = dict(parse_qsl(urlsplit(used).query))["code"]
    with pytest.raises(NotConnected, match="no longer takes the code"):
        finish(
            {"state": query["state"], "code": code},
            session_key=SESSION,
            actor="agent",
            now=timezone.now(),
        )


def test_a_sign_in_that_took_too_long_is_refused(login, visitor):
    address = visitor.walk(start(login, now=timezone.now() - timedelta(minutes=16)))
    with pytest.raises(NotConnected, match="quarter of an hour"):
        come_back(address)
    assert nothing_is_stored()


def test_a_callback_without_a_code_is_refused(login):
    state = dict(parse_qsl(urlsplit(start(login)).query))["state"]
    with pytest.raises(NotConnected, match="no code"):
        finish({"state": state}, session_key=SESSION, actor="agent", now=timezone.now())


def test_somebody_elses_sign_in_is_refused_and_changes_nothing(paper, login, visitor):
    """The same app, another Schwab user: a family computer, say."""
    come_back(visitor.walk(start(login)))
    before = list(Account.objects.values_list("hash_value", "login_id"))
    stranger = Visitor(paper, paper.logins()[1])

    address = stranger.walk(start(login))
    with pytest.raises(NotConnected, match="somebody else signed in"):
        come_back(address)

    stranger.session.close()
    assert list(Account.objects.values_list("hash_value", "login_id")) == before


def test_accounts_of_another_login_are_not_taken_from_it(paper, login, visitor):
    other = new_login(paper.logins()[1])
    stranger = Visitor(paper, paper.logins()[1])
    come_back(stranger.walk(start(other)))

    address = stranger.walk(start(login))
    with pytest.raises(NotConnected, match=f"belongs to {other.label}"):
        come_back(address)

    stranger.session.close()
    assert not login.accounts.exists()
