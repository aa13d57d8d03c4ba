"""What one attempt of the browser comes to; the browser itself is tested in tests/e2e."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.words import Environment, LoginStatus
from accounts.models import Alarm, AuditEvent, BrokerLogin, LoginAttempt
from accounts.services import browser_process, renewals
from accounts.services.browser_sign_in import (
    MayNotTry,
    forget_pictures,
    picture_of,
    sign_in_by_browser,
    switch_automation,
)
from accounts.services.connecting import add_login
from accounts.tasks.renewing import sign_in_by_browser as sign_in_by_browser_task
from brokerage.browser_login.journey import Credentials, Ending, Journey, Outcome
from tests.support.make import make_login, make_token
from tests.support.paper import PaperBroker
from tests.support.visiting import Visitor

PICTURE = b"\x89PNG a picture"
Walk = Callable[[Journey, Credentials], Outcome]


@pytest.fixture
def login(db, broker: PaperBroker, settings) -> BrokerLogin:
    settings.AUTHORIZE_URL = broker.url
    offer = broker.logins()[0]
    login = add_login(
        label=offer["label"],
        environment=Environment.PAPER,
        app_key=offer["app_key"],
        app_secret=offer["app_secret"],
        callback_url=offer["callback_url"],
        optional={
            "user_name": offer["user"],
            "password": offer["password"],
            "totp_secret": offer["totp_secret"],
        },
    )
    switch_automation(login.pk, is_on=True, actor="agent", now=timezone.now())
    return login


@pytest.fixture
def walk(broker: PaperBroker) -> Iterator[Walk]:
    """Walk as the browser would, without one."""
    visitor = Visitor(broker, broker.logins()[0])

    def walk(journey: Journey, credentials: Credentials) -> Outcome:
        assert credentials.password == visitor.login["password"]
        return Outcome(
            Ending.ARRIVED,
            "/third-party-auth/confirmation",
            callback=visitor.walk(journey.authorize_url),
        )

    yield walk
    visitor.session.close()


def ending(end: Ending) -> Walk:
    return lambda journey, credentials: Outcome(end, "/a-page", screenshot=PICTURE)


def go(login: BrokerLogin, walk: Walk, **later: float) -> LoginAttempt:
    return sign_in_by_browser(login.pk, walk=walk, now=timezone.now() + timedelta(**later))


def test_an_attempt_that_arrives_connects_the_login(login, walk):
    attempt = go(login, walk)

    login.refresh_from_db()
    assert (attempt.ending, attempt.words) == ("ARRIVED", "")
    assert login.status == LoginStatus.CONNECTED
    assert login.accounts.count() == 1
    assert AuditEvent.objects.filter(kind="authorized", actor="browser").exists()


def test_an_address_with_another_state_is_not_believed(login, walk):
    def other(journey: Journey, credentials: Credentials) -> Outcome:
        outcome = walk(journey, credentials)
        return Outcome(
            Ending.ARRIVED, "", callback=outcome.callback.replace("state=", "state=other")
        )

    attempt = go(login, other)

    login.refresh_from_db()
    assert "another state" in attempt.words
    assert login.status == LoginStatus.LOGIN_REQUIRED
    assert Alarm.objects.get().code == "LOGIN_NOT_RENEWED"


@pytest.mark.parametrize("end", [Ending.WRONG_PASSWORD, Ending.LOCKED, Ending.WRONG_CODE])
def test_what_could_lock_the_login_switches_its_automation_off(login, end):
    go(login, ending(end))

    login.refresh_from_db()
    assert not login.is_automatic
    assert end.words in login.automatic_why
    assert end.words in Alarm.objects.get().words
    with pytest.raises(MayNotTry, match="off until you switch it on"):
        go(login, ending(end), days=2)


@pytest.mark.parametrize("end", [Ending.UNKNOWN_PAGE, Ending.TOO_SLOW, Ending.REFUSED])
def test_other_endings_leave_a_picture_and_may_be_tried_later(login, end):
    attempt = go(login, ending(end))

    login.refresh_from_db()
    attempt.refresh_from_db()
    assert login.is_automatic
    assert picture_of(attempt) == PICTURE
    kept = LoginAttempt.objects.values_list("screenshot", flat=True).get()
    assert kept is not None
    assert b64encode(PICTURE) not in bytes(kept)
    with pytest.raises(MayNotTry, match="has tried already"):
        go(login, ending(end), hours=5)
    go(login, ending(end), hours=6, minutes=1)
    with pytest.raises(MayNotTry, match="has tried already"):
        go(login, ending(end), hours=13)


def test_an_attempt_is_counted_before_anything_is_typed(login):
    def crash(journey: Journey, credentials: Credentials) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(login, crash)
    assert LoginAttempt.objects.count() == 1
    with pytest.raises(MayNotTry):
        go(login, crash)


def test_a_browser_that_was_ended_from_outside_is_told_of(login, monkeypatch):
    def killed(login_id):
        with pytest.raises(KeyboardInterrupt):
            go(login, crash)
        return False

    def crash(journey: Journey, credentials: Credentials) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr(browser_process, "run_browser", killed)
    sign_in_by_browser_task(login_id=str(login.pk))

    attempt = LoginAttempt.objects.get()
    assert (attempt.ending, attempt.ended_at is not None) == ("BROKEN", True)
    assert Ending.BROKEN.words in Alarm.objects.get().words


def test_without_its_switch_or_its_password_nothing_is_tried(login):
    BrokerLogin.objects.filter(pk=login.pk).update(is_automatic=False)
    with pytest.raises(MayNotTry, match="not switched on"):
        go(login, ending(Ending.BROKEN))
    switch_automation(login.pk, is_on=True, actor="agent", now=timezone.now())
    BrokerLogin.objects.filter(pk=login.pk).update(password=None)
    with pytest.raises(MayNotTry, match="no user name and password"):
        go(login, ending(Ending.BROKEN))
    assert not LoginAttempt.objects.exists()


def test_pictures_are_kept_a_week(login):
    attempt = go(login, ending(Ending.BROKEN))
    assert forget_pictures(now=timezone.now() + timedelta(days=6)) == 0
    assert forget_pictures(now=timezone.now() + timedelta(days=8)) == 1
    attempt.refresh_from_db()
    assert picture_of(attempt) is None


def due(*, is_market_open: bool) -> list[str]:
    ids = renewals.due_for_browser(now=timezone.now(), is_market_open=is_market_open)
    return [BrokerLogin.objects.get(pk=pk).label for pk in ids]


def automatic(label: str, *, days_left: float, renew_in_h: float) -> None:
    now = timezone.now()
    login = make_login(
        label=label,
        is_automatic=True,
        user_name="a user",
        password="a password",
        renew_at=now + timedelta(hours=renew_in_h),
    )
    make_token(login, refresh_expires_at=now + timedelta(days=days_left))


def test_while_the_market_is_open_only_the_urgent_are_renewed(db):
    automatic("due", days_left=2, renew_in_h=-1)
    automatic("urgent", days_left=0.9, renew_in_h=-20)
    automatic("later", days_left=5, renew_in_h=50)

    assert due(is_market_open=False) == ["urgent", "due"]
    assert due(is_market_open=True) == ["urgent"]


def test_a_login_that_ends_within_a_day_is_marked_once_with_an_alarm(db):
    automatic("soon", days_left=0.9, renew_in_h=-20)
    automatic("later", days_left=5, renew_in_h=50)

    assert [renewals.note_expiring(now=timezone.now()) for _ in range(2)] == [1, 0]

    assert BrokerLogin.objects.get(label="soon").status == LoginStatus.EXPIRING
    assert Alarm.objects.get().code == "LOGIN_EXPIRING"
