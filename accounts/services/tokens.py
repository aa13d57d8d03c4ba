"""Renew the tokens of logins: one writer at a time, and stored before anybody uses them."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.domain.envelope import CannotOpen
from accounts.domain.words import ABLE, LoginStatus
from accounts.fields import seal_for
from accounts.models import AuditEvent, BrokerLogin, Token
from accounts.services.audit import event, record
from brokerage.budget import Lane, the_budget
from brokerage.errors import BrokerError, LoginRequired
from brokerage.schwab import oauth
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.schwab.replies import TokenGrant, read_token
from brokerage.transport import fetch

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
RENEW_BEFORE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=7)

Fetch = Callable[[ApiRequest, str], Reply]


def ask_broker(request: ApiRequest, authorization: str) -> Reply:
    """Carry one request to the broker of this installation. Errors: brokerage.errors."""
    return fetch(
        request,
        base_url=settings.BROKER_URL,
        authorization=authorization,
        ca_file=settings.BROKER_CA_FILE,
        timeout_s=settings.BROKER_TIMEOUT_S,
    )


def keep_grant(login: BrokerLogin, grant: TokenGrant, *, now: datetime) -> None:
    """Store the tokens of a fresh authorization; the login can trade from now on."""
    with transaction.atomic():
        token, _ = Token.objects.get_or_create(
            login=login,
            defaults={
                "access": grant.access_token,
                "refresh": grant.refresh_token,
                "access_expires_at": now,
                "refresh_expires_at": now,
            },
        )
        _store(Token.objects.filter(pk=token.pk), token, grant, now=now, ends_at=now + REFRESH_LIFE)
        record([_event(login.pk, "GRANTED", now)], is_quiet=True)
        _mark(login.pk, LoginStatus.CONNECTED, "", now=now, authorized_at=now)


def refresh_due_tokens(*, now: datetime, ask: Fetch = ask_broker) -> int:
    """Renew every access token that ends within five minutes; return how many were renewed."""
    due = Token.objects.filter(
        access_expires_at__lte=now + RENEW_BEFORE,
        login__status__in=ABLE,
        login__environment=settings.ENVIRONMENT,
    ).values_list("login_id", "version")
    began = time.monotonic()
    renewed = 0
    for login_id, version in list(due):
        # Each lease and each expiry counts from its own call, however long those before it took.
        at = now + timedelta(seconds=time.monotonic() - began)
        renewed += refresh_login(login_id, now=at, seen_version=version, ask=ask)
    return renewed


def refresh_login(
    login_id: UUID, *, now: datetime, seen_version: int | None = None, ask: Fetch = ask_broker
) -> bool:
    """Renew the tokens of one login; True if it has a fresh access token afterwards.

    Whoever finds somebody else at it waits for the result instead of asking a second time.

    Args:
        seen_version: the token version that was refused; a newer one needs no renewal.
    """
    token = _take_lease(login_id, now=now, seen_version=seen_version)
    if token is None:
        return _wait_for_other(login_id, seen_version)
    if token.login.status not in ABLE:  # its refresh token is known to be dead
        _release(token)
        return False
    try:
        grant = _ask_for_grant(token, ask)
    except LoginRequired as error:
        return not _give_up(token, LoginStatus.LOGIN_REQUIRED, str(error), now=now)
    except CannotOpen as error:
        return not _give_up(token, LoginStatus.ERROR, str(error), now=now)
    except BrokerError as error:
        _release(token)
        record([_event(login_id, "NOT_RENEWED", now, str(error))], is_quiet=True)
        log.warning("token of login %s not renewed: %s", login_id, error)
        return False
    held = Token.objects.filter(pk=token.pk, lease=token.lease)  # a new login takes it away
    with transaction.atomic():
        if _store(held, token, grant, now=now, ends_at=token.refresh_expires_at):
            record([_event(login_id, "RENEWED", now)], is_quiet=True)
            _mark(login_id, LoginStatus.CONNECTED, "", now=now)
    return True


def _event(login_id: UUID, what: str, now: datetime, why: str = "") -> AuditEvent:
    """Say what happened to a login's tokens; pages need not be told, a change of status does it."""
    return event(f"brokerlogin:{login_id}", "token", at=now, new=what, reason=why[:300])


def _give_up(token: Token, status: LoginStatus, why: str, *, now: datetime) -> bool:
    """Say that a login needs a person; not if it was connected anew meanwhile."""
    with transaction.atomic():
        held = _release(token)
        if held:
            _mark(token.login_id, status, why, now=now)
    return held


def _take_lease(login_id: UUID, *, now: datetime, seen_version: int | None) -> Token | None:
    free = Q(lease__isnull=True) | Q(lease_until__lt=now)
    mine = uuid4()
    rows = Token.objects.filter(free, login_id=login_id)
    if seen_version is not None:
        rows = rows.filter(version=seen_version)
    if not rows.update(lease=mine, lease_until=now + LEASE):
        return None
    return Token.objects.select_related("login").get(login_id=login_id, lease=mine)


def _wait_for_other(login_id: UUID, seen_version: int | None) -> bool:
    """Wait at most five seconds for the holder of the lease; True if there is a newer token."""
    if seen_version is None:
        return False
    until = time.monotonic() + 5
    while time.monotonic() < until:
        token = Token.objects.filter(login_id=login_id).values("version", "lease").first()
        if token is None or (token["lease"] is None and token["version"] == seen_version):
            return False
        if token["version"] != seen_version:
            return True
        time.sleep(0.05)
    return False


def _ask_for_grant(token: Token, ask: Fetch) -> TokenGrant:
    login = token.login
    basic = oauth.basic_authorization(login.app_key.open(), login.app_secret.open())
    the_budget().charge(login.app_key_index, Lane.TOKENS)
    reply = ask(oauth.refresh(token.refresh.open()), basic)
    return read_token(reply)


def _store(
    rows: QuerySet[Token], token: Token, grant: TokenGrant, *, now: datetime, ends_at: datetime
) -> bool:
    changed = rows.update(
        access=seal_for(Token, "access", token.pk, grant.access_token),
        refresh=seal_for(Token, "refresh", token.pk, grant.refresh_token),
        access_expires_at=now + timedelta(seconds=grant.expires_in_s),
        refresh_expires_at=ends_at,
        version=F("version") + 1,
        lease=None,
        lease_until=None,
        updated_at=now,
    )
    return bool(changed)


def _release(token: Token) -> bool:
    """Give the lease back; False if it is ours no longer."""
    held = Token.objects.filter(pk=token.pk, lease=token.lease)
    return bool(held.update(lease=None, lease_until=None))


def _mark(
    login_id: UUID,
    status: LoginStatus,
    why: str,
    *,
    now: datetime,
    authorized_at: datetime | None = None,
) -> None:
    """Change a login's status and record it, if it is a change."""
    changes = {"status": status, "status_reason": why[:300]}
    with transaction.atomic():
        if authorized_at is not None:
            BrokerLogin.objects.filter(pk=login_id).update(authorized_at=authorized_at)
        if BrokerLogin.objects.filter(pk=login_id).exclude(status=status).update(**changes):
            record(
                [event(f"brokerlogin:{login_id}", "status", at=now, new=status, reason=why[:300])]
            )
