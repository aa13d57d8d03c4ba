"""When each login was last asked and last answered, so that no two beats ask it the same."""

import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import redis
from django.conf import settings

from accounts.services.short_memory import short_memory

log = logging.getLogger(__name__)

ORDERS, BALANCES = "orders", "balances"
KEPT_S = 24 * 3600
# A beat that comes early, or behind a read of the other one, must not make a login wait too long.
EARLY_S = 2.0

# KEYS: when logins were asked. ARGV: now, then login and period each; -1 for a login that is not
# due, else when it was asked before (0: never).
_CLAIM = """
local now, won = tonumber(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  local before = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if before > now then before = 0 end
  if now - before < tonumber(ARGV[i + 1]) then
    won[#won + 1] = '-1'
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[1])
    won[#won + 1] = string.format('%.17g', before)
  end
end
redis.call('EXPIRE', KEYS[1], 86400)
return won
"""

# What this process knows by itself, for the time without a cache.
_own: dict[str, dict[UUID, float]] = {}


def claim_reads(what: str, periods: Mapping[UUID, float], *, now: datetime) -> dict[UUID, float]:
    """Take the logins that are due; of two callers one gets each. The longest asked come first.

    Args:
        periods: seconds after which a login is due again.

    Returns:
        When each was asked before, Unix seconds; 0 for never.
    """
    if not periods:
        return {}
    at, wanted = now.timestamp(), {pk: max(s - EARLY_S, 0.0) for pk, s in periods.items()}
    own = _own.setdefault(f"{what}:asked", {})
    try:
        found = _claim(what, wanted, at)
    except redis.RedisError as error:
        log.warning("read times are kept in memory: %s", type(error).__name__)
        found = {pk: own.get(pk, 0.0) for pk, period in wanted.items() if _due(own, pk, period, at)}
    own.update(dict.fromkeys(found, at))
    return dict(sorted(found.items(), key=lambda one: one[1]))


def give_back(what: str, before: Mapping[UUID, float]) -> None:
    """Undo claims of logins that were not asked after all."""
    if not before:
        return
    _own.setdefault(f"{what}:asked", {}).update(before)
    _write(what, "asked", before)


def note_answers(what: str, login_ids: Collection[UUID], *, at: datetime) -> None:
    """Remember that what these logins showed is as of now."""
    if not login_ids:
        return
    answers = dict.fromkeys(login_ids, at.timestamp())
    _own.setdefault(f"{what}:answered", {}).update(answers)
    _write(what, "answered", answers)


def answered_at(what: str) -> dict[UUID, datetime]:
    """Return when each login last answered; what is not known is left out."""
    times = dict(_own.get(f"{what}:answered", {}))
    try:
        rows = cast("dict[bytes, bytes]", short_memory().hgetall(_name(what, "answered")))
    except redis.RedisError:
        rows = {}
    for name, value in rows.items():
        login_id = UUID(name.decode())
        times[login_id] = max(float(value), times.get(login_id, 0.0))
    return {pk: datetime.fromtimestamp(at, UTC) for pk, at in times.items()}


def forget_reads() -> None:
    """Forget what this process remembers."""
    _own.clear()


def _claim(what: str, periods: Mapping[UUID, float], at: float) -> dict[UUID, float]:
    arguments: list[str] = [repr(at)]
    for pk, period in periods.items():
        arguments += [str(pk), repr(period)]
    script = short_memory().register_script(_CLAIM)
    before = script(keys=[_name(what, "asked")], args=arguments)
    pairs = zip(periods, map(float, before), strict=True)
    return {pk: at for pk, at in pairs if at >= 0}


def _due(own: Mapping[UUID, float], login_id: UUID, period_s: float, at: float) -> bool:
    asked = own.get(login_id, 0.0)
    return asked > at or at - asked >= period_s


def _write(what: str, kind: str, times: Mapping[UUID, float]) -> None:
    name = _name(what, kind)
    try:
        with short_memory().pipeline(transaction=False) as commands:
            commands.hset(name, mapping={str(pk): repr(at) for pk, at in times.items()})
            commands.expire(name, KEPT_S)
            commands.execute()
    except redis.RedisError as error:
        log.warning("read times are not kept: %s", type(error).__name__)


def _name(what: str, kind: str) -> str:
    return f"reads:{settings.ENVIRONMENT}:{what}:{kind}"
