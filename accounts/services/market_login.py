"""Ask for market data with any login that can afford it: it is the same for every one."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from django.conf import settings

from accounts.domain.words import ABLE
from accounts.models import Token
from accounts.services.tokens import ask_broker
from brokerage.budget import Lane, the_budget
from brokerage.errors import LoginRequired, PutOff
from brokerage.schwab import oauth
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.schwab.refusals import JUNK_RETRY_AFTER_S, retry_after_s

# Keys that are tried; with more of them busy, one more would hardly help.
MOST_KEYS = 8
NOBODY = "No login is connected, so there is nobody to ask for prices."
BUSY = "The broker takes no more questions of ours at the moment. Try again in a few seconds."

Carry = Callable[[ApiRequest, str], Reply]


def ask_market(request: ApiRequest, *, now: datetime, carry: Carry = ask_broker) -> Reply:
    """Spend one request for quotes and return the answer, whatever its status.

    Errors: those of brokerage.errors, PutOff when every key is busy; CannotOpen.
    """
    key, token = _pick(now)
    reply = carry(request, oauth.bearer(token.access.open()))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        pause = retry_after_s(reply, now=now.timestamp()) or JUNK_RETRY_AFTER_S
        the_budget().note_throttled(Lane.QUOTES, {key: pause})
    return reply


def _pick(now: datetime) -> tuple[str, Token]:
    """Return the token that lasts longest of a key that has a request left, and spend it."""
    rows = Token.objects.filter(
        login__environment=settings.ENVIRONMENT,
        login__status__in=ABLE,
        access_expires_at__gt=now,
    ).select_related("login")
    rows = rows.only("access", "access_expires_at", "login__app_key_index")
    by_key: dict[str, Token] = {}
    for token in rows.order_by("-access_expires_at")[:MOST_KEYS]:
        by_key.setdefault(token.login.app_key_index, token)
    if not by_key:
        raise LoginRequired(NOBODY)
    key = the_budget().take_any(Lane.QUOTES, list(by_key))
    if key is None:
        raise PutOff(BUSY)
    return key, by_key[key]
