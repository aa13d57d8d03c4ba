"""Remember prices that were read, so that the usual click asks the broker for nothing."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from time import time
from typing import cast
from zlib import compress, decompress

import redis
from django.conf import settings

from brokerage.impatient_redis import impatient_redis
from strategies.domain.pricing import Market

log = logging.getLogger(__name__)

KEPT_S = 900
# A click waits this long for a cache that hangs, and no longer.
PATIENCE_S = 0.25
_NONE = b"-"


class CacheSilent(Exception):
    """The cache does not answer."""


def keep_quotes(market: Market) -> None:
    """Remember what was just read; without the cache it is forgotten."""
    at = f"{time():.3f}"
    groups: dict[str, list[str]] = defaultdict(list)
    for symbol, (bid, ask) in market.items():
        groups[_group(symbol)] += [symbol, f"{_text(bid)} {_text(ask)} {at}"]
    try:
        with _cache().pipeline(transaction=False) as commands:
            for name, quotes in groups.items():
                commands.hset(name, items=quotes)
                commands.expire(name, KEPT_S)
            commands.execute()
    except redis.RedisError as error:
        log.warning("quotes are not kept: %s", type(error).__name__)


def find_quotes(symbols: Sequence[str], *, max_age_s: float) -> Market:
    """Return what is remembered of these symbols and no older than this, in one round trip.

    Errors: CacheSilent.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for symbol in symbols:
        groups[_group(symbol)].append(symbol)
    try:
        with _cache().pipeline(transaction=False) as commands:
            for name, members in groups.items():
                commands.hmget(name, members)
            answers = commands.execute()
    except redis.RedisError as error:
        raise CacheSilent(type(error).__name__) from None
    oldest = time() - max_age_s
    found = {}
    for members, texts in zip(groups.values(), answers, strict=True):
        for symbol, text in zip(members, cast("Iterable[bytes | None]", texts), strict=True):
            bid, ask, at = (text or b"- - 0").split()
            if float(at) >= oldest:
                found[symbol] = (_number(bid), _number(ask))
    return found


def keep_body(name: str, body: bytes) -> None:
    """Remember an answer of the broker as it came; without the cache it is forgotten."""
    stamped = f"{time():.3f} ".encode() + compress(body, 1)
    try:
        _cache().set(_key(name), stamped, ex=KEPT_S)
    except redis.RedisError as error:
        log.warning("an answer is not kept: %s", type(error).__name__)


def find_body(name: str, *, max_age_s: float) -> tuple[bytes, float] | None:
    """Return an answer and the Unix second it came in, if it is remembered and no older than this.

    Without the cache nothing is remembered.
    """
    try:
        kept = cast("bytes | None", _cache().get(_key(name)))
    except redis.RedisError as error:
        log.warning("the cache does not know answers: %s", type(error).__name__)
        return None
    at, _, body = (kept or b"0 ").partition(b" ")
    return (decompress(body), float(at)) if float(at) >= time() - max_age_s and body else None


def _key(name: str) -> str:
    return f"answers:{settings.ENVIRONMENT}:{name}"


def _group(symbol: str) -> str:
    """Name the hash of a symbol: one for an expiration's options, one for each share."""
    return f"quotes:{settings.ENVIRONMENT}:{symbol[:12]}"


def _text(price: Decimal | None) -> str:
    return _NONE.decode() if price is None else f"{price:f}"


def _number(text: bytes) -> Decimal | None:
    return None if text == _NONE else Decimal(text.decode())


def _cache() -> redis.Redis:
    return impatient_redis(settings.CACHE_URL, patience_s=PATIENCE_S)
