"""Read every order of every login once, completely, before anything may be sent after a start."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Min, QuerySet
from django.db.models.functions import Coalesce

from accounts.domain.words import ABLE
from accounts.models import BrokerLogin, Token
from accounts.selectors import access_tokens_of
from accounts.services.asking import FanOut, authorizations, payers, reply_of
from accounts.services.tokens import refresh_login
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, TokenRefused
from brokerage.schwab.exchange import Call
from brokerage.schwab.replies import BrokerOrder
from orders.domain.lifecycle import Status
from orders.domain.matching import CLOCKS_APART
from orders.models import AccountOrder
from orders.services.whole_lists import LONGEST_WINDOW, Ask, TooMany, read_whole

USUAL_WINDOW = timedelta(days=1)
TOKEN_LASTS = timedelta(seconds=30)
SPEECHLESS = "it has no access token that can be used"


@dataclass(slots=True)
class Reads:
    """What the lists of the logins show.

    Args:
        silent: why a login was not read completely; what `shown` has of it proves nothing.
        refused: logins whose token was not taken.
    """

    shown: dict[UUID, list[BrokerOrder]] = field(default_factory=lambda: defaultdict(list))
    silent: dict[UUID, str] = field(default_factory=dict)
    refused: set[UUID] = field(default_factory=set)


def askable_logins() -> QuerySet[BrokerLogin]:
    """Return the logins the broker answers; another one cannot send anything either."""
    return BrokerLogin.objects.filter(
        environment=settings.ENVIRONMENT,
        status__in=ABLE,
        token__isnull=False,
    )


def read_logins(
    logins: Collection[UUID], *, since: datetime | None, gateway: FanOut, now: datetime
) -> Reads:
    """List what was entered since then, or since a login's oldest order that may still change.

    A token that ended is renewed first; one that is refused, for the next attempt.

    Args:
        since: None for the last day.
    """
    _renew(Token.objects.filter(login__in=logins, access_expires_at__lte=now + TOKEN_LASTS), now)
    versions = dict(Token.objects.filter(login__in=logins).values_list("login_id", "version"))
    headers = authorizations(access_tokens_of(logins))
    reads = Reads(silent={login_id: SPEECHLESS for login_id in logins if login_id not in headers})
    # A clock that was set back must not make a window that ends before it begins.
    asks = _asks(headers, min(since or now - USUAL_WINDOW, now), now)
    while asks:
        asks = _list(asks, headers, gateway, reads)
    for login_id in reads.refused:
        refresh_login(login_id, now=now, seen_version=versions.get(login_id))
    return reads


def _renew(tokens: QuerySet[Token], now: datetime) -> None:
    for login_id, version in list(tokens.values_list("login_id", "version")):
        refresh_login(login_id, now=now, seen_version=version)


def _asks(logins: Iterable[UUID], since: datetime, now: datetime) -> list[Ask]:
    """Return one list per login, with room on both sides for clocks that disagree."""
    rows = AccountOrder.objects.filter(status__in=[Status.WORKING, Status.UNKNOWN])
    entered = rows.values("account__login_id").annotate(
        oldest=Min(Coalesce("sent_at", "claimed_at", "created_at"))
    )
    oldest = dict(entered.values_list("account__login_id", "oldest"))
    return [
        Ask(
            login_id,
            max(min(since, oldest.get(login_id, since)) - CLOCKS_APART, now - LONGEST_WINDOW),
            now + CLOCKS_APART,
        )
        for login_id in logins
    ]


def _list(
    asks: Sequence[Ask], headers: Mapping[UUID, str], gateway: FanOut, reads: Reads
) -> list[Ask]:
    """Carry the lists; return those that must be asked for again, in parts."""
    again: list[Ask] = []
    payer = payers(headers)
    calls = [Call(ask.request(), headers[ask.login_id], payer=payer[ask.login_id]) for ask in asks]
    for batch in thrifty(gateway, Lane.UNKNOWN).stream(calls):
        for index, exchange in batch:
            ask = asks[index]
            try:
                reads.shown[ask.login_id] += read_whole(reply_of(exchange))
            except TooMany as error:
                again += (halves := ask.halves())
                if not halves:
                    reads.silent[ask.login_id] = str(error)
            except BrokerError as error:
                reads.silent[ask.login_id] = str(error)
                if isinstance(error, TokenRefused):
                    reads.refused.add(ask.login_id)
    return again
