"""Option chains and expirations, asked of the broker with any login that is connected."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from accounts.domain.envelope import CannotOpen
from accounts.services.market_login import ask_market
from accounts.services.tokens import ask_broker
from brokerage.errors import BrokerError, Refused
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.schwab.replies import (
    Chain,
    ChainRow,
    Expiration,
    Quotes,
    read_chain,
    read_expirations,
    read_quotes,
)
from brokerage.transport import fetch
from orders.selectors.quoting import (
    KEPT_S,
    CacheSilent,
    find_body,
    find_quotes,
    keep_body,
    keep_quotes,
)
from strategies.domain.pricing import Market
from strategies.domain.symbols import check_ticker, default_root, quote_symbol

log = logging.getLogger(__name__)

_LAST = "last trade of {}"
TOO_OLD = "The prices are too old. Update them."

Read = TypeVar("Read")

# A quote that is asked for between a click and its sending must come soon, or not at all.
CLICK_TIMEOUT_S = 2.0


class NotRemembered(BrokerError):
    """What is asked for was not read lately, and the broker is not to be asked."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old market data may be.

    Args:
        max_age_s: younger than this they are taken as remembered; 0 asks always.
        may_ask: whether to ask the broker for what is not remembered.
    """

    max_age_s: float = 0
    may_ask: bool = True


LIVE = Freshness()


@dataclass(frozen=True, slots=True)
class ChainNow:
    """One expiration: its rows by rising strike, and what the underlying costs.

    Args:
        read_at: aware UTC.
    """

    rows: Sequence[ChainRow]
    price: Decimal | None
    read_at: datetime


def expirations(underlying: str, *, fresh: Freshness = LIVE) -> Sequence[Expiration]:
    """Return the expirations listed for an underlying (`SPX` means `$SPX`), nearest first.

    Errors: InvalidSymbol; NotRemembered; those of brokerage.errors.
    """
    symbol = quote_symbol(check_ticker(underlying))
    request = messages.expiration_chain(symbol)
    found, _ = _answer(f"days:{symbol}", request, read_expirations, fresh)
    return sorted(found, key=lambda one: one.expiration)


def chain(underlying: str, expiration: date, *, root: str | None = None) -> Sequence[ChainRow]:
    """Return one expiration's strikes, a row per strike and side, standard contracts only.

    Args:
        root: unless given, the usual one (SPXW for SPX), or the one that this day has.

    Errors: InvalidSymbol; those of brokerage.errors.
    """
    return chain_now(underlying, expiration, root=root).rows


def chain_now(
    underlying: str, expiration: date, *, root: str | None = None, fresh: Freshness = LIVE
) -> ChainNow:
    """Return the same with the underlying's price and when it was read.

    Errors: InvalidSymbol; NotRemembered; those of brokerage.errors.
    """
    symbol = quote_symbol(check_ticker(underlying))
    request = messages.chain(symbol, expiration, expiration)
    found, read_at = _answer(f"chain:{symbol}:{expiration}", request, _read_chain, fresh)
    standard = [row for row in found.rows if not row.non_standard]
    if read_at is None:
        keep_quotes({row.symbol: (row.bid, row.ask) for row in standard})
    listed = {row.root for row in standard}
    usual = default_root(underlying)
    wanted = root or (usual if usual in listed else min(listed, default=usual))
    rows = [row for row in standard if row.root == wanted]
    rows.sort(key=lambda row: (row.strike, row.put_call))
    return ChainNow(rows, found.underlying_price, read_at or timezone.now())


def quotes(symbols: Sequence[str]) -> Quotes:
    """Return quotes by wire symbol. Errors: those of brokerage.errors."""
    found = read_quotes(_ask(messages.quotes(symbols)))
    keep_quotes(_prices(found))
    return found


def share_market(symbol: str, *, fresh: Freshness) -> tuple[Decimal | None, Decimal | None]:
    """Return bid and ask of shares. Errors: NotRemembered; those of brokerage.errors."""
    try:
        known = find_quotes([symbol], max_age_s=fresh.max_age_s) if fresh.max_age_s else {}
    except CacheSilent:
        known = {}
    if symbol in known:
        return known[symbol]
    if not fresh.may_ask:
        raise NotRemembered(TOO_OLD)
    quote = quotes([symbol]).by_symbol.get(symbol)
    if quote is None:
        raise Refused(f"The broker has no price for {symbol}.", status=404)
    if quote.last is not None:
        keep_body(_LAST.format(symbol), f"{quote.last:f}".encode())
    return quote.bid, quote.ask


def last_price(symbol: str) -> Decimal | None:
    """Return what shares were traded at when their market was last read; the broker is not asked.

    It is only shown, never reckoned with.
    """
    kept = find_body(_LAST.format(symbol), max_age_s=KEPT_S)
    return None if kept is None else Decimal(kept[0].decode())


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


def _answer(
    name: str, request: ApiRequest, read: Callable[[Reply], Read], fresh: Freshness
) -> tuple[Read, datetime | None]:
    """Return what the broker answers, and when it did if it is a remembered answer."""
    if fresh.max_age_s and (kept := find_body(name, max_age_s=fresh.max_age_s)) is not None:
        body, at = kept
        return read(Reply(200, {}, body)), datetime.fromtimestamp(at, UTC)
    if not fresh.may_ask:
        raise NotRemembered(TOO_OLD)
    reply = _ask(request)
    found = read(reply)
    keep_body(name, reply.body)
    return found, None


def _read_chain(reply: Reply) -> Chain:
    """Read a chain; one that is read again while the agent types is taken as it was read."""
    is_good = reply.status == 200 and reply.complete
    return _read_body(reply.body) if is_good else read_chain(reply)


@lru_cache(maxsize=4)
def _read_body(body: bytes) -> Chain:
    return read_chain(Reply(200, {}, body))


def _prices(quotes: Quotes) -> Market:
    return {symbol: (quote.bid, quote.ask) for symbol, quote in quotes.by_symbol.items()}


def _ask(request: ApiRequest, carry: Callable[[ApiRequest, str], Reply] = ask_broker) -> Reply:
    return ask_market(request, now=timezone.now(), carry=carry)


def _at_once(request: ApiRequest, authorization: str) -> Reply:
    return fetch(
        request,
        base_url=settings.BROKER_URL,
        authorization=authorization,
        ca_file=settings.BROKER_CA_FILE,
        timeout_s=CLICK_TIMEOUT_S,
    )
