"""Tell open pages that a panel may have changed; the panel's own answer says what is true."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import redis
from django.conf import settings
from django.db import transaction

from accounts.selectors import figures_tag, recent_events_tag
from brokerage.impatient_redis import impatient_redis

log = logging.getLogger(__name__)

Panel = Literal["orders", "sets", "fleet", "accounts", "positions", "status"]
PANELS: tuple[Panel, ...] = get_args(Panel)

CHANNEL = "tradeswim.live"
# Begins what is published of a beat: its name and when it ran.
BEAT = "beat:"
# Begins what is published of a session that was ended: its name, which opens nothing.
SESSION_OVER = "over:"
# A click never waits for pages to be told: a Redis that is silent is left alone for a while.
TIMEOUT_S = 0.25
SILENCE_S = 5.0

# Panels that show figures which are read without an event being written.
_WITH_FIGURES = frozenset({"sets", "fleet", "accounts", "positions", "status"})


@dataclass(frozen=True, slots=True)
class _Nudge:
    """What is published when the transaction commits."""

    panels: frozenset[str]

    def __call__(self) -> None:
        _publish(self.panels)


def nudge(*panels: Panel) -> None:
    """Tell open pages, when the transaction commits, that these panels may have changed.

    Each panel is told of once per transaction. Nothing is raised and nothing is promised: who
    misses it asks again within 15 s.
    """
    missing = frozenset(panels) - _told_already()
    if missing:
        transaction.on_commit(_Nudge(missing), robust=True)


def tell_beat(beat: str, at: datetime) -> None:
    """Tell open pages at once that a beat has run well, so that the ages they show begin again."""
    _publish(frozenset({f"{BEAT}{beat}:{at.timestamp():.3f}"}))


def tell_ended(sessions: frozenset[str]) -> None:
    """Tell the open pages of sessions, by their names, that these are over."""
    if sessions:
        _publish(frozenset(f"{SESSION_OVER}{name}" for name in sessions))


def panel_version(panel: Panel) -> str:
    """Return a word that changes whenever anything the panel shows may have.

    It is read from the database, so that a lost nudge changes nothing about what is true. Read it
    before what is shown.
    """
    return figures_tag() if panel in _WITH_FIGURES else recent_events_tag()


def _told_already() -> set[str]:
    """Return the panels that this transaction tells of already, whatever is still rolled back.

    What was asked for in a savepoint that encloses this one, or is this one, lives as long.
    """
    connection = transaction.get_connection()
    here = set(connection.savepoint_ids)
    waiting = [(sids, call) for sids, call, *_ in connection.run_on_commit]
    nudges = [call for sids, call in waiting if isinstance(call, _Nudge) and set(sids) <= here]
    return {panel for one in nudges for panel in one.panels}


def _publish(panels: frozenset[str]) -> None:
    address, began = settings.CACHE_URL, time.monotonic()
    if _silent_until.get(address, 0.0) > began:
        return
    try:
        _publisher(address).publish(CHANNEL, " ".join(sorted(panels)))
    except (redis.RedisError, OSError) as error:
        log.warning("open pages are not told of changes: %s", type(error).__name__)
        _silent_until[address] = time.monotonic() + SILENCE_S


def forget_silence() -> None:
    """Try again at once, whatever was silent: for tests, which share a Redis."""
    _silent_until.clear()


_silent_until: dict[str, float] = {}


def _publisher(address: str) -> redis.Redis:
    return impatient_redis(address, patience_s=TIMEOUT_S)
