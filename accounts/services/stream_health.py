"""How the streams of the logins are, told by one process to all others through the cache Redis.

Nothing depends on it but the pace of polling: whoever cannot ask, or finds nothing, polls at full
pace.
"""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from brokerage.impatient_redis import impatient_redis

log = logging.getLogger(__name__)

KEY = "tradeswim:streams"
PULSE = "pulse"
# The streams' process writes every two seconds; without it nothing is known of any stream.
PULSE_S, LASTS_S = 10.0, 30
PATIENCE_S = 0.5
# When a stream was heard of last is told a little late; that it fell silent is told at once.
TOLD_LATE_S = 6.0
HEARD_AGAIN_S = 3.0


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """How one login's stream is.

    Args:
        is_healthy: subscribed, and heard of lately.
        connected_since: when it was subscribed last; None while it is not.
        heard_at: when anything came in last, a heartbeat too.
        messages: activities since the process began.
        reconnects: how often it had to begin anew.
        words: why it is not healthy; empty while it is.
    """

    is_healthy: bool
    connected_since: datetime | None = None
    heard_at: datetime | None = None
    messages: int = 0
    reconnects: int = 0
    words: str = ""

    def is_news(self, told: "StreamHealth | None") -> bool:
        """Whether this differs from what was told, or the last sign is news again."""
        if told is None or told.is_healthy != self.is_healthy or told.words != self.words:
            return True
        if told.heard_at is None or self.heard_at is None:
            return told.heard_at != self.heard_at
        return (self.heard_at - told.heard_at).total_seconds() > HEARD_AGAIN_S


def healthy_streams(*, now: datetime) -> frozenset[UUID]:
    """Return the logins whose streams can be relied on; none if that cannot be found out."""
    return frozenset(pk for pk, health in stream_health(now=now).items() if health.is_healthy)


def stream_health(*, now: datetime) -> dict[UUID, StreamHealth]:
    """Return how each login's stream is; nothing if that cannot be found out."""
    try:
        rows = {_text(name): _text(row) for name, row in _client().hgetall(KEY).items()}
        pulse = float(rows.pop(PULSE, 0))
        if abs(now.timestamp() - pulse) > PULSE_S:
            return {}
        return {UUID(name): _read(json.loads(row), now) for name, row in rows.items()}
    except (redis.RedisError, ValueError, KeyError, TypeError) as error:
        log.warning("the streams' health cannot be read: %s", type(error).__name__)
        return {}


def keep_health(
    changed: Mapping[UUID, StreamHealth],
    gone: Collection[UUID],
    *,
    now: datetime,
    anew: bool = False,
) -> bool:
    """Tell how these streams are, and that the process is alive; False if nobody hears it.

    Args:
        anew: these are all, whatever a process before this one may have left.
    """
    told = {str(pk): json.dumps(_write(health)) for pk, health in changed.items()}
    try:
        with _client().pipeline(transaction=True) as pipe:
            if anew:
                pipe.delete(KEY)
            pipe.hset(KEY, PULSE, str(now.timestamp()), items=_pairs(told))
            if gone:
                pipe.hdel(KEY, *(str(pk) for pk in gone))
            pipe.expire(KEY, LASTS_S)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("the streams' health cannot be told: %s", type(error).__name__)
        return False
    return True


def forget_health() -> None:
    """Say nothing of any stream any more: nobody listens."""
    try:
        _client().delete(KEY)
    except redis.RedisError:
        return  # it is forgotten by itself


def _write(health: StreamHealth) -> dict[str, Any]:
    return {
        "ok": health.is_healthy,
        "since": health.connected_since and health.connected_since.timestamp(),
        "heard": health.heard_at and health.heard_at.timestamp(),
        "messages": health.messages,
        "reconnects": health.reconnects,
        "words": health.words,
    }


def _read(row: Mapping[str, Any], now: datetime) -> StreamHealth:
    heard = _moment(row["heard"])
    silence = (now - heard).total_seconds() if heard else float("inf")
    is_silent = bool(row["ok"]) and silence > settings.STREAM_SILENCE_S + TOLD_LATE_S
    return StreamHealth(
        is_healthy=bool(row["ok"]) and not is_silent,
        connected_since=_moment(row["since"]),
        heard_at=heard,
        messages=int(row["messages"]),
        reconnects=int(row["reconnects"]),
        words=f"Nothing was heard for {silence:.0f} s" if is_silent else str(row["words"]),
    )


def _pairs(told: Mapping[str, str]) -> list[Any]:
    return [part for pair in told.items() for part in pair]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _client() -> redis.Redis:
    return impatient_redis(settings.CACHE_URL, patience_s=PATIENCE_S)
