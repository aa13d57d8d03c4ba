"""Option chains and expirations, asked of the broker with any login that is connected."""

import logging
from collections.abc import Callable, Sequence
from datetime import date

from django.conf import settings
from django.utils import timezone

from accounts.domain.envelope import CannotOpen
from accounts.domain.words import LoginStatus
from accounts.models import Token
from accounts.services.tokens import ask_broker
from brokerage.errors import BrokerError, LoginRequired
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
from brokerage.transport import fetch
from orders.selectors.quoting import CacheSilent, find_quotes, keep_quotes
from strategies.domain.pricing import Market
from strategies.domain.symbols import check_ticker, default_root, quote_symbol

log = logging.getLogger(__name__)

# A quote that is asked for between a click and its sending must come soon, or not at all.
CLICK_TIMEOUT_S = 2.0


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
    keep_quotes({row.symbol: (row.bid, row.ask) for row in standard})
    listed = {row.root for row in standard}
    usual = default_root(underlying)
    wanted = root or (usual if usual in listed else min(listed, default=usual))
    rows = [row for row in standard if row.root == wanted]
    return sorted(rows, key=lambda row: (row.strike, row.put_call))


def quotes(symbols: Sequence[str]) -> Quotes:
    """Return quotes by wire symbol. Errors: those of brokerage.errors."""
    found = read_quotes(_ask(messages.quotes(symbols)))
    keep_quotes(_prices(found))
    return found


def market_now(symbols: Sequence[str], *, max_age_s: float, may_ask: bool) -> Market:
    """Return bids and asks as last read, if they are no older than this; without an error.

    Args:
        may_ask: whether to ask the broker, once, if one of them is not known; within two seconds.
    """
    try:
        known = find_quotes(symbols, max_age_s=max_age_s)
        is_cached = True
    except CacheSilent as error:
        log.warning("the cache does not know prices: %s", error)
        known, is_cached = {}, False
    if not may_ask or len(known) == len(symbols):
        return known
    try:
        found = _prices(read_quotes(_ask(messages.quotes(symbols), carry=_at_once)))
    except (BrokerError, CannotOpen) as error:
        log.warning("no quotes for a click: %s", error)
        return known
    if is_cached:
        keep_quotes(found)
    return found


def _prices(quotes: Quotes) -> Market:
    return {symbol: (quote.bid, quote.ask) for symbol, quote in quotes.by_symbol.items()}


def _ask(request: ApiRequest, carry: Callable[[ApiRequest, str], Reply] = ask_broker) -> Reply:
    return carry(request, oauth.bearer(_any_token().access.open()))


def _at_once(request: ApiRequest, authorization: str) -> Reply:
    return fetch(
        request,
        base_url=settings.BROKER_URL,
        authorization=authorization,
        ca_file=settings.BROKER_CA_FILE,
        timeout_s=CLICK_TIMEOUT_S,
    )


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
