"""Let the browser sign in for a login, once, and store what came of it."""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.fields import Secret, seal_for
from accounts.models import BrokerLogin, LoginAttempt
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from accounts.services.authorizing import (
    NotConnected,
    address_of,
    exchange_for,
    keep,
    new_verifier,
)
from accounts.services.renewals import why_not
from accounts.services.tokens import Fetch, ask_broker
from brokerage.browser_login.journey import Credentials, Ending, Journey, Outcome

Walk = Callable[[Journey, Credentials], Outcome]
ACTOR = "browser"
# After these, another attempt could lock the login: a person has to look first.
ENDS_AUTOMATION = frozenset({Ending.WRONG_PASSWORD, Ending.LOCKED, Ending.WRONG_CODE})
NOT_OURS = "The broker sent the browser back with another state than ours."
OFF = "Its automatic sign-in is off until you switch it on again."
PICTURES_KEPT = timedelta(days=7)


class MayNotTry(Exception):
    """The browser is not sent out; the text says why."""


def sign_in_by_browser(
    login_id: UUID, *, walk: Walk, now: datetime, ask: Fetch = ask_broker
) -> LoginAttempt:
    """Send the browser out once for a login; return the attempt as it was closed.

    Args:
        walk: brokerage.browser_login.walking.walk with the settings of this installation.

    Errors: MayNotTry.
    """
    with transaction.atomic():  # counted before anything is typed, and nobody counts beside it
        login = BrokerLogin.objects.select_for_update().get(pk=login_id)
        if words := why_not(login, now=now):
            raise MayNotTry(words)
        attempt = LoginAttempt(login=login, began_at=now)
        attempt.save(force_insert=True)
        record([event(login, "browser sign-in", at=now, new="BEGAN", actor=ACTOR)])
    state, verifier = secrets.token_urlsafe(32), new_verifier()
    outcome = walk(_journey(login, address_of(login, state=state, verifier=verifier)), _of(login))
    words = outcome.ending.words
    if outcome.ending is Ending.ARRIVED:
        words = _take(login, outcome.callback, state, verifier, ask)
    _close(attempt, outcome, words)
    return attempt


def close_unfinished(login_id: UUID, *, since: datetime) -> None:
    """Close what a browser began since then and was ended in from outside, so that it is seen."""
    begun = LoginAttempt.objects.filter(login=login_id, began_at__gte=since, ended_at=None)
    for attempt in begun.select_related("login"):
        _close(attempt, Outcome(Ending.BROKEN, ""), Ending.BROKEN.words)


def switch_automation(login_id: UUID, *, is_on: bool, actor: str, now: datetime) -> None:
    """Let the browser sign in for a login, or not any more."""
    with transaction.atomic():
        rows = BrokerLogin.objects.filter(pk=login_id).exclude(is_automatic=is_on)
        if rows.update(is_automatic=is_on, automatic_why=""):
            new = "ON" if is_on else "OFF"
            subject = f"brokerlogin:{login_id}"
            record([event(subject, "automatic sign-in", at=now, new=new, actor=actor)])


def picture_of(attempt: LoginAttempt) -> bytes | None:
    """Return the PNG of an attempt's last page; None if there is none (any more)."""
    return None if attempt.screenshot is None else b64decode(attempt.screenshot.open())


def forget_pictures(*, now: datetime) -> int:
    """Drop pictures older than a week; return how many."""
    old = LoginAttempt.objects.filter(began_at__lt=now - PICTURES_KEPT, screenshot__isnull=False)
    return old.update(screenshot=None)


def _journey(login: BrokerLogin, address: str) -> Journey:
    endings = login.accounts.filter(is_linked=True).values_list("last4", flat=True)
    return Journey(
        authorize_url=address,
        callback_url=login.callback_url,
        host=settings.BROWSER_HOST,
        # The pages show three digits of a number, or four.
        endings=tuple(last4[-3:] for last4 in endings),
        timeout_s=settings.BROWSER_TIMEOUT_S - 20,  # it ends by itself before it is ended
    )


def _of(login: BrokerLogin) -> Credentials:
    def text(secret: Secret | None) -> str:
        return "" if secret is None else secret.open()

    return Credentials(text(login.user_name), text(login.password), text(login.totp_secret))


def _take(login: BrokerLogin, callback: str, state: str, verifier: str | None, ask: Fetch) -> str:
    """Store what the browser was sent back with; return what is wrong with it, or nothing."""
    query = dict(parse_qsl(urlsplit(callback).query))
    if not secrets.compare_digest(query.get("state", ""), state):
        return NOT_OURS
    try:
        connection = exchange_for(login, query.get("code", ""), verifier, ask=ask)
    except NotConnected as error:
        return str(error)
    keep(login, connection, actor=ACTOR, now=timezone.now())
    return ""


def _close(attempt: LoginAttempt, outcome: Outcome, words: str) -> None:
    """Write how an attempt ended; what a person must see to raises an alarm."""
    now, login = timezone.now(), attempt.login
    attempt.ended_at, attempt.ending, attempt.page = now, outcome.ending, outcome.page[:80]
    attempt.words = words[:300]
    picture = outcome.screenshot
    sealed = picture and seal_for(
        LoginAttempt, "screenshot", attempt.pk, b64encode(picture).decode()
    )
    with transaction.atomic():
        LoginAttempt.objects.filter(pk=attempt.pk).update(
            ended_at=now,
            ending=attempt.ending,
            page=attempt.page,
            words=attempt.words,
            screenshot=sealed,
        )
        facts = {"page": attempt.page}
        record(
            [
                event(
                    login,
                    "browser sign-in",
                    at=now,
                    old="BEGAN",
                    new=attempt.ending,
                    reason=attempt.words,
                    actor=ACTOR,
                    data=facts,
                )
            ]
        )
        if words:
            is_over = outcome.ending in ENDS_AUTOMATION
            said = f"{login.label}: {words}{' ' + OFF if is_over else ''} Connect it by hand."
            raise_alarm("LOGIN_NOT_RENEWED", f"brokerlogin:{login.pk}", said, now=now)
            if is_over:
                BrokerLogin.objects.filter(pk=login.pk).update(
                    is_automatic=False, automatic_why=f"{words} {OFF}"[:300]
                )
