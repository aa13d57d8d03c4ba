"""Renew the tokens of logins: one writer at a time, and stored before anybody uses them."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.domain.words import LoginStatus
from accounts.fields import seal_for
from accounts.models import BrokerLogin, Token
from accounts.services.audit import event, record
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
        _mark(login.pk, LoginStatus.CONNECTED, "", now=now, authorized_at=now)


def refresh_due_tokens(*, now: datetime, ask: Fetch = ask_broker) -> int:
    """Renew every access token that ends within five minutes; return how many were renewed."""
    due = Token.objects.filter(
        access_expires_at__lte=now + RENEW_BEFORE,
        login__status__in=[LoginStatus.CONNECTED, LoginStatus.EXPIRING],
        login__environment=settings.ENVIRONMENT,
    ).values_list("login_id", flat=True)
    return sum(refresh_login(login_id, now=now, ask=ask) for login_id in due)


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
    try:
        grant = _ask_for_grant(token, ask)
    except LoginRequired as error:
        _release(token)
        _mark(login_id, LoginStatus.LOGIN_REQUIRED, str(error), now=now)
        return False
    except BrokerError as error:
        _release(token)
        log.warning("token of login %s not renewed: %s", login_id, error)
        return False
    held = Token.objects.filter(pk=token.pk, lease=token.lease)  # a new login takes it away
    with transaction.atomic():
        if _store(held, token, grant, now=now, ends_at=token.refresh_expires_at):
            _mark(login_id, LoginStatus.CONNECTED, "", now=now)
    return True


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
        version=token.version + 1,
        lease=None,
        lease_until=None,
        updated_at=now,
    )
    return bool(changed)


def _release(token: Token) -> None:
    Token.objects.filter(pk=token.pk, lease=token.lease).update(lease=None, lease_until=None)


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
