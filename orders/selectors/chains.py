"""Option chains and expirations, asked of the broker with any login that is connected."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.models import Token
from accounts.services.tokens import ask_broker
from brokerage.errors import LoginRequired
from brokerage.schwab import messages, oauth
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.schwab.replies import (
    ChainRow,
    Expiration,
    Quotes,
    read_chain,
    read_expirations,
    read_quotes,
)
from strategies.domain.symbols import check_ticker, default_root, quote_symbol


def expirations(underlying: str) -> Sequence[Expiration]:
    """Return the expirations listed for an underlying (`SPX` means `$SPX`), nearest first.

    Errors: InvalidSymbol; those of brokerage.errors.
    """
    reply = _ask(messages.expiration_chain(quote_symbol(check_ticker(underlying))))
    return sorted(read_expirations(reply), key=lambda one: one.expiration)


def chain(underlying: str, expiration: date, *, root: str | None = None) -> Sequence[ChainRow]:
    """Return one expiration's strikes, a row per strike and side, standard contracts only.

    Args:
        root: unless given, the usual one (SPXW for SPX), or the one that this day has.

    Errors: InvalidSymbol; those of brokerage.errors.
    """
    symbol = quote_symbol(check_ticker(underlying))
    reply = _ask(messages.chain(symbol, expiration, expiration))
    standard = [row for row in read_chain(reply).rows if not row.non_standard]
    listed = {row.root for row in standard}
    usual = default_root(underlying)
    wanted = root or (usual if usual in listed else min(listed, default=usual))
    rows = [row for row in standard if row.root == wanted]
    return sorted(rows, key=lambda row: (row.strike, row.put_call))


def quotes(symbols: Sequence[str]) -> Quotes:
    """Return quotes by wire symbol. Errors: those of brokerage.errors."""
    return read_quotes(_ask(messages.quotes(symbols)))


def _ask(request: ApiRequest) -> Reply:
    return ask_broker(request, oauth.bearer(_any_token().access.open()))


def _any_token() -> Token:
    """Return the token that lasts longest: market data is the same for every login."""
    token = (
        Token.objects.filter(
            login__environment=settings.ENVIRONMENT,
            login__status__in=[LoginStatus.CONNECTED, LoginStatus.EXPIRING],
            access_expires_at__gt=timezone.now(),
        )
        .order_by("-access_expires_at")
        .first()
    )
    if token is None:
        raise LoginRequired("No login is connected, so there is nobody to ask for prices.")
    return token
