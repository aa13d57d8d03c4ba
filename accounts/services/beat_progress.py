"""How far a beat is that somebody started by hand: for whoever looks, and for two minutes."""

import json
import logging
from dataclasses import asdict, dataclass
from typing import cast

import redis
from django.conf import settings

from accounts.domain.beats import Beat
from accounts.services.short_memory import short_memory

log = logging.getLogger(__name__)

KEPT_S = 120


@dataclass(slots=True)
class BeatProgress:
    """A run that `by` asked for at `asked_at` (Unix seconds), as far as it is.

    Args:
        logins: to be read; of them `read` answered and `failed` did not.
        words: why it did not run, or how it ended.
    """

    by: str
    asked_at: float
    logins: int = 0
    read: int = 0
    failed: int = 0
    is_started: bool = False
    is_done: bool = False
    words: str = ""


def note_progress(beat: Beat, progress: BeatProgress) -> None:
    """Show how far a run is; without the cache nobody sees it."""
    try:
        short_memory().set(_name(beat), json.dumps(asdict(progress)), ex=KEPT_S)
    except redis.RedisError as error:
        log.warning("progress is not shown: %s", type(error).__name__)


def progress_of_runs() -> dict[Beat, BeatProgress]:
    """Return what was asked for in the last two minutes."""
    try:
        texts = cast("list[bytes | None]", short_memory().mget([_name(beat) for beat in Beat]))
    except redis.RedisError:
        return {}
    pairs = zip(Beat, texts, strict=True)
    return {beat: BeatProgress(**json.loads(text)) for beat, text in pairs if text is not None}


def _name(beat: Beat) -> str:
    return f"beat:{settings.ENVIRONMENT}:{beat}:asked"
