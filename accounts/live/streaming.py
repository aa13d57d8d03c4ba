"""What an open page is sent: events that name panels, and a comment while there is nothing."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from accounts.live.hub import OVER, Hub, Told
from accounts.live.panels import BEAT, SESSION_OVER

# Sent when the page is listened for: what changed while it connected is asked for then.
HELLO = b"retry: 1000\nevent: hello\ndata: 1\n\n"
# The session is over: the page says so, and must not come again.
ENDED = b"event: ended\ndata: 1\n\n"
NOTHING = b": nothing\n\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the page hears of us and its session is looked at, and when it must come again."""

    beat_s: float = 15.0
    life_s: float = 600.0


async def events(
    hub: Hub,
    *,
    is_signed_in: Callable[[], Awaitable[bool]],
    session: str = "",
    pace: Pace | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield what an open page is told, until its session, the hub or the stream's life ends.

    Args:
        session: the name of the page's session, which may be told of as ended.
    """
    pace = pace or Pace()
    end_at = time.monotonic() + pace.life_s
    with hub.listener() as told:
        yield HELLO
        beat_at = time.monotonic() + pace.beat_s
        while (now := time.monotonic()) < end_at:
            if now >= beat_at:
                beat_at = now + pace.beat_s
                if not await is_signed_in():
                    yield ENDED
                    return
                yield NOTHING
            words = await _wait(told, min(beat_at, end_at) - now)
            if OVER in words:
                return
            if f"{SESSION_OVER}{session}" in words:
                yield ENDED
                return
            if told_all := [word for word in words if not word.startswith(SESSION_OVER)]:
                yield b"".join(map(_event, told_all))


def _event(word: str) -> bytes:
    """Write one event: a panel's name with nothing beside it, or a beat and when it ran."""
    if word.startswith(BEAT):
        return f"event: beat\ndata: {word.removeprefix(BEAT)}\n\n".encode()
    return f"event: {word}\ndata: 1\n\n".encode()


async def _wait(told: Told, seconds: float) -> list[str]:
    """Return everything that waits, each word once; nothing if nothing comes in this time."""
    try:
        words = [await asyncio.wait_for(told.get(), max(seconds, 0))]
    except TimeoutError:
        return []
    while not told.empty():
        words.append(told.get_nowait())
    return list(dict.fromkeys(words))
