"""Which processes and queues give signs of life, and how much of a time they were there."""

from datetime import datetime, timedelta
from math import floor

PROCESSES = (
    "web",
    "placement",
    "stocks",
    "options",
    "accounts",
    "logins",
    "maint",
    "beat",
    "sweeper",
    "stream",
)
QUEUES = ("placement", "stocks", "options", "accounts", "logins", "recon", "maint")
# Of a process, by a thread of its own; of a queue, by a task that went all the way through it.
PROCESS_EVERY_S = 5.0
QUEUE_EVERY_S = 15
LATE_AFTER = 3
# The name of all of them together.
EVERYTHING = "everything"
MINUTE = timedelta(minutes=1)


def queue_name(queue: str) -> str:
    """Return the name under which a queue's signs of life are kept."""
    return f"queue {queue}"


def is_alive(name: str, age_s: float | None) -> bool:
    """Tell whether the last sign of life is fresh enough."""
    every = QUEUE_EVERY_S if name.startswith("queue ") else PROCESS_EVERY_S
    return age_s is not None and age_s <= every * LATE_AFTER


def share_words(share: float | None) -> str:
    """Return a share in percent, never rounded up to the whole."""
    if share is None:
        return ""
    return f"{floor(share * 10_000) / 100:.2f} %"


def share_of(minutes: int, *, since: datetime, began_at: datetime, now: datetime) -> float:
    """Return how much of the time from `since` to `now` was counted, at most 1.

    Args:
        minutes: that were counted.
        began_at: the first minute that was ever counted; there is no time before it.
    """
    whole = max(int((now - max(since, began_at)) / MINUTE), 1)
    return min(minutes / whole, 1.0)
