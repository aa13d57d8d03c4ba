"""Where the milliseconds of a broadcast go: what was done when, counted from the click."""

import time
from datetime import datetime


class Laps:
    """What was done when, by name; costs a microsecond each, so that it may stand before a send.

    Args:
        clicked_at: when the request reached us.
    """

    def __init__(self, clicked_at: datetime) -> None:
        self._start = clicked_at.timestamp()
        self._done: list[tuple[str, float]] = []

    def mark(self, name: str, at: float | None = None) -> None:
        """Say that this is done, now or at that moment (Unix seconds)."""
        self._done.append((name, time.time() if at is None else at))

    def __str__(self) -> str:
        return ", ".join(f"{name} {(at - self._start) * 1000:.1f}" for name, at in self._done)
