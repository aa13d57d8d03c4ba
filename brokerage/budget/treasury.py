"""The budget of every app key: in the cache Redis, or a quarter of it in memory without one."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import redis
from django.conf import settings

from brokerage.budget.bucket import Bucket, stopped_with
from brokerage.budget.lanes import MAY_SPEND_RESERVE, PACED, SLOT_S, WINDOW_S, Lane, Terms
from brokerage.budget.script import STOP, TAKE
from brokerage.impatient_redis import impatient_redis

log = logging.getLogger(__name__)

# A cache that hangs holds up a beat for this long, and is then left alone for a while.
PATIENCE_S = 0.25
SILENCE_S = 2.0
# A script holds up its whole Redis, and with it what a click asks there.
KEYS_AT_ONCE = 100
# Without the cache no process knows what the others spend. Exits and reads of orders of unknown
# outcome are made by one process each, and keep what they have.
PARTS = 4


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What one key has spent in the last minute.

    Args:
        used: calls by lane; a lane without calls is left out.
        stopped: seconds for which a lane still pauses after a 429.
        is_shared: False if it was counted by this process alone, the cache being away.
    """

    used: Mapping[Lane, int]
    stopped: Mapping[Lane, float]
    is_shared: bool = True

    @property
    def total(self) -> int:
        """Calls of all lanes."""
        return sum(self.used.values())


class Budget:
    """Grants calls to keys; every answer takes a round trip for each 100 keys asked for.

    Args:
        clock: Unix seconds; None lets the cache's own clock count, the same for every host.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._silent_until = 0.0

    @property
    def terms(self) -> Terms:
        """Return what one key may do."""
        return Terms(settings.BUDGET_PER_MINUTE, settings.BUDGET_RESERVE)

    def take(self, lane: Lane, wanted: Mapping[str, int]) -> dict[str, int]:
        """Spend calls of keys (blind indexes of app keys); return how many each was granted."""
        granted: dict[str, int] = {}
        keys = list(wanted)
        for start in range(0, len(keys), KEYS_AT_ONCE):
            part = keys[start : start + KEYS_AT_ONCE]
            granted |= self._granted("each", lane, part, [wanted[key] for key in part])
        return granted

    def take_any(self, lane: Lane, keys: Sequence[str]) -> str | None:
        """Spend one call of the first of these keys that can afford it; None if none can."""
        granted = self._granted("any", lane, keys, [1] * len(keys)) if keys else {}
        return next((key for key, calls in granted.items() if calls), None)

    def charge(self, key: str, lane: Lane, calls: int = 1) -> None:
        """Count calls that are made whether or not the key can afford them."""
        if self.take(lane, {key: calls})[key] < calls:
            self.take(Lane.TOKENS, {key: calls})

    def note_throttled(self, lane: Lane, keys: Mapping[str, float]) -> None:
        """Take note of 429s: of each key, how many seconds the broker asked us to wait."""
        for key, pause_s in keys.items():
            self._bucket(key).stop(lane, pause_s, now=self._now())
        lanes = stopped_with(lane)
        self._run(
            STOP, list(keys), [self._time(), *map(_plain, (len(lanes), *lanes, *keys.values()))]
        )

    def uses(self, keys: Sequence[str]) -> dict[str, KeyUse]:
        """Return what keys have spent, in one round trip."""
        client = self._client() if keys else None
        if client is not None:
            try:
                with client.pipeline(transaction=False) as commands:
                    for key in keys:
                        commands.hgetall(_name(key))
                    return dict(zip(keys, map(self._use, commands.execute()), strict=True))
            except redis.RedisError as error:
                self._note_silence(error)
        return {key: self._own_use(key) for key in keys}

    def forget(self) -> None:
        """Forget what was counted in memory, and that the cache was silent."""
        self._buckets.clear()
        self._silent_until = 0.0

    def _granted(
        self, mode: str, lane: Lane, keys: Sequence[str], wanted: Sequence[int]
    ) -> dict[str, int]:
        found = self._run(TAKE, keys, [self._time(), mode, *_numbers(self.terms, lane), *wanted])
        if found is not None:
            return dict(zip(keys, (int(one) for one in found), strict=False))
        terms, now, granted = replace(self.terms, parts=PARTS), self._now(), {}
        for key, calls in zip(keys, wanted, strict=True):
            granted[key] = self._bucket(key).take(lane, calls, now=now, terms=terms)
            if mode == "any" and granted[key]:
                break
        return granted

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script; None without the cache."""
        client = self._client()
        if client is None:
            return None
        try:
            # EVALSHA, and EVAL only where the server does not know it (any more).
            return client.register_script(script)(keys=[_name(key) for key in keys], args=arguments)
        except redis.RedisError as error:
            self._note_silence(error)
            return None

    def _client(self) -> redis.Redis | None:
        if self._silent_until > time.monotonic():
            return None
        return impatient_redis(settings.CACHE_URL, patience_s=PATIENCE_S)

    def _note_silence(self, error: redis.RedisError) -> None:
        log.warning("the budget is counted in memory: %s", type(error).__name__)
        self._silent_until = time.monotonic() + SILENCE_S

    def _bucket(self, key: str) -> Bucket:
        return self._buckets.setdefault(key, Bucket())

    def _now(self) -> float:
        return time.time() if self.clock is None else self.clock()

    def _time(self) -> str:
        return "" if self.clock is None else repr(self.clock())

    def _use(self, fields: Any) -> KeyUse:
        now, used, stopped = self._now(), dict[Lane, int](), dict[Lane, float]()
        for name, value in cast("Mapping[bytes, bytes]", fields).items():
            kind, _, rest = name.decode().partition(":")
            if kind == "c":
                start, lane = map(int, rest.split(":"))
                if start > now - WINDOW_S - SLOT_S:
                    used[Lane(lane)] = used.get(Lane(lane), 0) + int(value)
            elif kind == "s" and float(value) > now:
                stopped[Lane(int(rest))] = float(value) - now
        return KeyUse(used, stopped)

    def _own_use(self, key: str) -> KeyUse:
        bucket, now = self._buckets.get(key, Bucket()), self._now()
        used = {lane: calls for lane in Lane if (calls := bucket.used(lane))}
        stopped = {lane: until - now for lane, until in bucket.stops.items() if until > now}
        return KeyUse(used, stopped, is_shared=False)


_budget = Budget()


def the_budget() -> Budget:
    """Return this process's way to the budget."""
    return _budget


def _name(key: str) -> str:
    return f"budget:{settings.ENVIRONMENT}:{key}"


def _numbers(terms: Terms, lane: Lane) -> list[str]:
    values = (
        *(WINDOW_S, SLOT_S, terms.limit, terms.shared, terms.most_quotes),
        *(lane, MAY_SPEND_RESERVE[-1], Lane.QUOTES, *PACED),
        *(*terms.paces, *terms.purses),
    )
    return [_plain(value) for value in values]


def _plain(value: float) -> str:
    return str(int(value)) if isinstance(value, int) else repr(value)
