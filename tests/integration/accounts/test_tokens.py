"""Tokens are renewed early, once, by one writer, and stored before anybody uses them."""

import threading
import time
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.fields import seal_for
from accounts.models import AuditEvent, BrokerLogin, Token
from accounts.services.connecting import exchange, keep_connection
from accounts.services.tokens import LEASE, ask_broker, refresh_due_tokens, refresh_login
from brokerage.errors import BrokerError
from brokerage.schwab import messages, oauth
from brokerage.schwab.replies import read_account_numbers
from tests.support.fleet import connect

GRANT = "/v1/oauth/token"
OUTAGES = [
    "http_500",
    "http_500_after",
    "html_403",
    "http_429",
    "redirect",
    "bad_json",
    "truncated",
    "drop_before",
    "drop_after",
    "never_answer_after",
]


@pytest.fixture
def login(db, broker, gateway_to_paper) -> BrokerLogin:
    """One connected login; everything the broker hears is counted from here."""
    login = connect(broker, gateway_to_paper, accounts=1).logins[0]
    broker.heard_before = len(grants(broker))
    return login


def grants(broker):
    return [one for one in broker.journal() if one["path"] == GRANT]


def asked(broker):
    """How often the token endpoint was asked since the login was connected."""
    return len(grants(broker)) - broker.heard_before


def token_of(login: BrokerLogin) -> Token:
    return Token.objects.select_related("login").get(login=login)


def soon_over(login: BrokerLogin, **fields) -> None:
    """Let the access token end in four minutes."""
    ends = timezone.now() + timedelta(minutes=4)
    Token.objects.filter(login=login).update(access_expires_at=ends, **fields)


def works(token: Token) -> bool:
    """Whether the broker takes the access token."""
    try:
        reply = ask_broker(messages.account_numbers(), oauth.bearer(token.access.open()))
        return len(read_account_numbers(reply)) == 1
    except BrokerError:
        return False


def status_events(login: BrokerLogin) -> list[AuditEvent]:
    rows = AuditEvent.objects.filter(subject=f"brokerlogin:{login.pk}", kind="status")
    return list(rows.order_by("id"))


@pytest.mark.parametrize(
    ("minutes_left", "renewed"), [(30, 0), (5.1, 0), (4.9, 1), (0, 1), (-600, 1)]
)
def test_a_token_is_renewed_in_its_last_five_minutes(login, broker, minutes_left, renewed):
    ends = timezone.now() + timedelta(minutes=minutes_left)
    Token.objects.update(access_expires_at=ends)

    assert refresh_due_tokens(now=timezone.now()) == renewed
    assert asked(broker) == renewed


def test_a_renewal_is_stored_and_works(login, broker):
    before = token_of(login)
    broker.tokens(access="expire")
    soon_over(login)
    now = timezone.now()

    refresh_due_tokens(now=now)

    after = token_of(login)
    assert not works(before)
    assert works(after)
    assert after.version == before.version + 1
    assert after.lease is None
    assert timedelta(minutes=29) < after.access_expires_at - now < timedelta(minutes=31)


def test_a_renewal_never_extends_the_seven_days(login, broker):
    before = token_of(login).refresh_expires_at
    soon_over(login)

    refresh_due_tokens(now=timezone.now() + timedelta(hours=1))

    assert token_of(login).refresh_expires_at == before


def test_a_refresh_token_that_stays_the_same_goes_on_working(login, broker):
    before = token_of(login).refresh.open()

    for _ in range(2):
        soon_over(login)
        assert refresh_due_tokens(now=timezone.now()) == 1

    assert token_of(login).refresh.open() == before


def test_a_refresh_token_that_rotates_is_followed(login, broker):
    broker.tokens(rotate=True)
    seen = {token_of(login).refresh.open()}

    for _ in range(3):
        soon_over(login)
        assert refresh_due_tokens(now=timezone.now()) == 1
        seen.add(token_of(login).refresh.open())

    assert len(seen) == 4
    assert works(token_of(login))


def test_a_login_that_must_sign_in_is_not_asked_for(login, broker):
    soon_over(login)
    BrokerLogin.objects.update(status=LoginStatus.LOGIN_REQUIRED)

    assert refresh_due_tokens(now=timezone.now()) == 0
    assert not refresh_login(login.pk, now=timezone.now(), seen_version=token_of(login).version)
    assert asked(broker) == 0
    assert token_of(login).lease is None


def test_a_login_of_the_other_environment_is_not_asked_for(login, broker, settings):
    soon_over(login)
    settings.ENVIRONMENT = "LIVE"

    assert refresh_due_tokens(now=timezone.now()) == 0
    assert asked(broker) == 0


def test_a_refused_token_that_was_renewed_meanwhile_needs_no_call(login, broker):
    seen = token_of(login).version
    refresh_login(login.pk, now=timezone.now(), seen_version=seen)

    assert refresh_login(login.pk, now=timezone.now(), seen_version=seen)
    assert asked(broker) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rotate", [False, True])
def test_of_twenty_who_ask_at_once_one_calls_and_all_get_the_token(login, broker, rotate):
    broker.tokens(rotate=rotate)
    broker.fault("delay", path=GRANT, delay_ms=300)
    seen = token_of(login).version

    answers = all_at_once(
        20, lambda: refresh_login(login.pk, now=timezone.now(), seen_version=seen)
    )

    assert answers == [True] * 20
    assert asked(broker) == 1
    assert works(token_of(login))


@pytest.mark.django_db(transaction=True)
def test_beats_that_overlap_renew_each_login_once(login, broker):
    broker.tokens(rotate=True)
    soon_over(login)

    all_at_once(8, lambda: refresh_due_tokens(now=timezone.now()))

    assert asked(broker) == 1
    assert token_of(login).login.status == LoginStatus.CONNECTED
    assert works(token_of(login))


def test_a_login_that_another_beat_renewed_meanwhile_is_left_alone(db, broker, gateway_to_paper):
    for login in connect(broker, gateway_to_paper, accounts=2).logins:
        soon_over(login)
    before = len(grants(broker))
    renewed: list[UUID] = []

    def ask_while_another_beat_runs(request, authorization):
        if not renewed:
            renewed.append(Token.objects.get(lease__isnull=True).login_id)
            refresh_login(renewed[0], now=timezone.now())
        return ask_broker(request, authorization)

    refresh_due_tokens(now=timezone.now(), ask=ask_while_another_beat_runs)

    assert len(grants(broker)) - before == 2
    assert list(Token.objects.values_list("version", flat=True)) == [3, 3]


def test_a_login_late_in_a_slow_round_gets_a_whole_lease(db, broker, gateway_to_paper):
    for login in connect(broker, gateway_to_paper, accounts=2).logins:
        soon_over(login)
    leases = []

    def ask_slowly(request, authorization):
        held = Token.objects.get(lease__isnull=False)
        assert held.lease_until
        leases.append(held.lease_until - timezone.now())
        time.sleep(0.5)
        return ask_broker(request, authorization)

    refresh_due_tokens(now=timezone.now(), ask=ask_slowly)

    assert len(leases) == 2
    assert min(leases) > LEASE - timedelta(seconds=0.4)


@pytest.mark.parametrize("how", ["expire", "revoke", "superseded", "wrong secret", "unknown app"])
def test_a_dead_refresh_token_asks_for_a_login_and_is_never_tried_again(login, broker, how):
    kill(login, broker, how)
    soon_over(login)
    before = asked(broker)

    for _ in range(3):
        assert refresh_due_tokens(now=timezone.now()) == 0

    found = BrokerLogin.objects.get(pk=login.pk)
    assert found.status == LoginStatus.LOGIN_REQUIRED
    assert found.status_reason == "The broker no longer takes this login's tokens"
    assert asked(broker) - before == 1
    last = status_events(login)[-1]
    assert (last.new, last.reason) == (LoginStatus.LOGIN_REQUIRED, found.status_reason)
    assert len(status_events(login)) == 2


@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outage_of_the_token_endpoint_keeps_the_login_and_is_tried_again(
    login, broker, settings, fault
):
    settings.BROKER_TIMEOUT_S = 1.0
    soon_over(login)
    broker.fault(fault, path=GRANT)

    assert refresh_due_tokens(now=timezone.now()) == 0
    assert BrokerLogin.objects.get().status == LoginStatus.CONNECTED
    assert token_of(login).lease is None
    assert refresh_due_tokens(now=timezone.now()) == 1
    assert works(token_of(login))


def test_one_login_that_cannot_be_opened_does_not_hold_up_the_others(db, broker, gateway_to_paper):
    first, second = connect(broker, gateway_to_paper, accounts=2).logins
    for login in (first, second):
        soon_over(login)
    stolen = Token.objects.filter(login=second).values_list("refresh", flat=True).get()
    Token.objects.filter(login=first).update(refresh=bytes(stolen))

    assert refresh_due_tokens(now=timezone.now()) == 1

    found = BrokerLogin.objects.get(pk=first.pk)
    assert found.status == LoginStatus.ERROR
    assert "does not belong there" in found.status_reason
    assert works(token_of(second))


def test_a_lease_whose_holder_died_is_taken_over_when_it_ends(login, broker):
    now = timezone.now()
    held = login.pk
    soon_over(login, lease=held, lease_until=now + LEASE)

    assert not refresh_login(login.pk, now=now)
    assert asked(broker) == 0
    assert refresh_login(login.pk, now=now + LEASE + timedelta(seconds=1))
    assert works(token_of(login))


def test_a_new_connection_during_a_renewal_wins(login, broker):
    offer = broker.logins()[0]

    def connect_meanwhile(request, authorization):
        reply = ask_broker(request, authorization)
        keep_connection(login, exchange(login, broker.authorize(offer)), now=timezone.now())
        fresh.append(token_of(login).access.open())
        return reply

    fresh: list[str] = []
    assert refresh_login(login.pk, now=timezone.now(), ask=connect_meanwhile)

    assert [token_of(login).access.open()] == fresh
    assert token_of(login).version == 3
    assert BrokerLogin.objects.get().status == LoginStatus.CONNECTED


def test_a_renewal_that_fails_because_of_a_new_connection_does_not_ask_for_a_login(login, broker):
    """At the broker a new authorization ends the refresh token that is just being used."""
    offer = broker.logins()[0]

    def connect_first(request, authorization):
        keep_connection(login, exchange(login, broker.authorize(offer)), now=timezone.now())
        return ask_broker(request, authorization)

    assert refresh_login(login.pk, now=timezone.now(), ask=connect_first)

    assert BrokerLogin.objects.get().status == LoginStatus.CONNECTED
    assert works(token_of(login))


def test_connecting_anew_revives_a_dead_login(login, broker):
    broker.tokens(refresh="revoke")
    soon_over(login)
    refresh_due_tokens(now=timezone.now())

    offer = broker.logins()[0]
    keep_connection(login, exchange(login, broker.authorize(offer)), now=timezone.now())

    found = BrokerLogin.objects.get()
    assert (found.status, found.status_reason) == (LoginStatus.CONNECTED, "")
    assert [event.new for event in status_events(login)] == [
        LoginStatus.CONNECTED,
        LoginStatus.LOGIN_REQUIRED,
        LoginStatus.CONNECTED,
    ]
    assert works(token_of(login))


def kill(login: BrokerLogin, broker, how: str) -> None:
    """Make the stored refresh token worthless."""
    match how:
        case "expire" | "revoke":
            broker.tokens(refresh=how)
        case "superseded":
            broker.authorize(broker.logins()[0])
        case "wrong secret":
            sealed = seal_for(BrokerLogin, "app_secret", login.pk, "wrong")
            BrokerLogin.objects.update(app_secret=sealed)
        case "unknown app":
            sealed = seal_for(BrokerLogin, "app_key", login.pk, "unknown")
            BrokerLogin.objects.update(app_key=sealed)


def all_at_once(count, act):
    """Let so many threads begin together; return what they return."""
    begin, answers = threading.Barrier(count), []

    def work() -> None:
        begin.wait()
        try:
            answers.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
