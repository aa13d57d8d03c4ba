"""Plan when logins are renewed before they die, and say which of them the browser may renew."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.domain.renewals import LATEST, RED, next_attempt, renewal_time
from accounts.domain.words import LoginStatus
from accounts.models import BrokerLogin
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from accounts.services.tokens import REFRESH_LIFE


def note_renewed(login_id: UUID, *, now: datetime) -> None:
    """Plan the next renewal of a login that was connected a moment ago."""
    at = renewal_time(now + REFRESH_LIFE, spread=_spread(login_id))
    BrokerLogin.objects.filter(pk=login_id).update(renew_at=at)


def note_expiring(*, now: datetime) -> int:
    """Mark logins that lose access within a day, with an alarm each; return how many are new."""
    soon = Q(status=LoginStatus.CONNECTED, token__refresh_expires_at__lt=now + RED)
    marked = 0
    for login in _ours().filter(soon):
        words = f"{login.label} loses access within 24 hours. Connect it again under Logins."
        with transaction.atomic():
            rows = BrokerLogin.objects.filter(pk=login.pk, status=LoginStatus.CONNECTED)
            if rows.update(status=LoginStatus.EXPIRING):
                old, new = LoginStatus.CONNECTED, LoginStatus.EXPIRING
                record([event(login, "status", at=now, old=old, new=new)])
                raise_alarm("LOGIN_EXPIRING", f"brokerlogin:{login.pk}", words, now=now)
                marked += 1
    return marked


def due_for_browser(*, now: datetime, is_market_open: bool) -> list[UUID]:
    """Return which logins the browser is to renew now, the one that ends first in front.

    While the market is open only those that end within a day, or have ended.
    """
    wanted = Q(token__refresh_expires_at__lt=now + LATEST) | Q(status=LoginStatus.LOGIN_REQUIRED)
    if not is_market_open:
        wanted |= Q(renew_at__lte=now)
    rows = _ours().filter(wanted, is_automatic=True).order_by("token__refresh_expires_at")
    return [login.pk for login in rows if not why_not(login, now=now)]


def why_not(login: BrokerLogin, *, now: datetime) -> str:
    """Say why the browser may not sign in for this login now, or nothing."""
    if not login.is_automatic:
        return login.automatic_why or "Its automatic sign-in is not switched on."
    if login.user_name is None or login.password is None:
        return "It has no user name and password."
    began = login.attempts.filter(began_at__gt=now - timedelta(days=1))
    allowed = next_attempt(list(began.values_list("began_at", flat=True)), now=now)
    if allowed > now:
        return f"The browser has tried already; it may again from {allowed:%b %d %H:%M} UTC on."
    return ""


def _ours() -> QuerySet[BrokerLogin]:
    return BrokerLogin.objects.filter(environment=settings.ENVIRONMENT)


def _spread(login_id: UUID) -> float:
    """Return a login's own place from 0 to 1, the same every week."""
    return int.from_bytes(hashlib.sha256(login_id.bytes).digest()[:4], "big") / 2**32
