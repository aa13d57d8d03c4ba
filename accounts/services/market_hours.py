"""Whether the market is open, as the broker says; what is not known counts as open."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import redis
from django.conf import settings

from accounts.domain.beats import Beat
from accounts.domain.envelope import CannotOpen
from accounts.services.market_login import ask_market
from accounts.services.short_memory import short_memory
from brokerage.errors import BrokerError
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.schwab.replies import MarketHours, read_market_hours
from brokerage.transport import fetch

log = logging.getLogger(__name__)

KEPT = timedelta(minutes=15)
ASK_AGAIN = timedelta(seconds=60)
# A beat waits for it.
TIMEOUT_S = 2.0
# Orders of the day end a while after the close, and may fill at it.
AFTERWARDS = timedelta(minutes=15)
MARKETS = {Beat.STOCKS: ("equity",), Beat.OPTIONS: ("option",), Beat.ACCOUNTS: ("equity", "option")}

Spans = dict[str, list[tuple[float, float]]]
# When the hours are to be asked for again, and the hours; one entry per cache.
_known: dict[str, tuple[datetime, Spans | None]] = {}


def is_open(beat: Beat, *, now: datetime) -> bool:
    """Tell whether what a beat reads can change by trading now, sessions before and after included.

    The hours come from the broker, through whichever login has budget left, and are kept for a
    quarter of an hour, for all processes.
    """
    spans = _spans(now)
    if spans is None:
        return True
    at, late = now.timestamp(), AFTERWARDS.total_seconds()
    found = [span for market in MARKETS[beat] for span in spans.get(market, [])]
    return any(start <= at < end + late for start, end in found)


def forget_hours() -> None:
    """Forget what this process remembers."""
    _known.clear()


def _spans(now: datetime) -> Spans | None:
    until, spans = _known.get(settings.CACHE_URL, (now, None))
    if until - KEPT <= now < until:
        return spans
    spans = _shared()
    if spans is None:
        spans = _ask(now)
    _known[settings.CACHE_URL] = now + (ASK_AGAIN if spans is None else KEPT), spans
    return spans


def _shared() -> Spans | None:
    try:
        text = short_memory().get(_name())
    except redis.RedisError:
        return None
    return None if text is None else json.loads(text)


def _ask(now: datetime) -> Spans | None:
    try:
        reply = ask_market(messages.markets(["equity", "option"]), now=now, carry=_soon)
        spans = _by_market(read_market_hours(reply))
    except (BrokerError, CannotOpen) as error:
        log.warning("market hours are not known, so they count as open: %s", error)
        return None
    try:
        short_memory().set(_name(), json.dumps(spans), ex=int(KEPT.total_seconds()))
    except redis.RedisError as error:
        log.warning("market hours are not kept: %s", type(error).__name__)
    return spans


def _soon(request: ApiRequest, authorization: str) -> Reply:
    return fetch(
        request,
        base_url=settings.BROKER_URL,
        authorization=authorization,
        ca_file=settings.BROKER_CA_FILE,
        timeout_s=TIMEOUT_S,
    )


def _by_market(days: Sequence[MarketHours]) -> Spans:
    spans: Spans = {}
    for day in days:
        spans.setdefault(day.market.lower(), []).extend(
            (session.start.timestamp(), session.end.timestamp()) for session in day.sessions
        )
    return spans


def _name() -> str:
    return f"hours:{settings.ENVIRONMENT}"
