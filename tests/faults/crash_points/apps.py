"""Named points in the product at which a test lets a process die, stop, or run out of disk.

The product knows nothing of them: when Django starts, the functions below are wrapped. A point is
armed by a file of its name in the home's folder `crash`; the first to reach it takes the file away
and suffers what it says.
"""

import os
import signal
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connection

# Name → module, function, and whether the point is behind the call instead of before it.
POINTS = {
    "before the commit": ("orders.services.creating", "write_children", True),
    "before the publish": ("accounts.tasks.queue", "_publish", False),
    "before the claim": ("orders.services.placing", "claim", False),
    "after the claim": ("orders.services.placing", "authorizations", False),
    "after the answers": ("orders.services.placing", "record_batch", False),
    "after the plan": ("orders.services.exits.advancing", "write_outcomes", True),
}
# Another thread may be the one that is told to stop all: until then this one must do nothing.
TAKES_EFFECT_S = 0.3


class CrashPoints(AppConfig):
    """Wraps the functions as soon as all apps are loaded."""

    name = "tests.faults.crash_points"

    def ready(self) -> None:
        for point, (module, function, is_behind) in POINTS.items():
            _wrap(point, import_module(module), function, is_behind=is_behind)


def arm(home: Path, point: str, action: str) -> Path:
    """Let the next process that reaches a point `kill` or `stop` itself, or have its disk `full`.

    Returns the file, which is gone once the point was reached.
    """
    assert point in POINTS, point
    folder = home / "crash"
    folder.mkdir(exist_ok=True)
    draft = folder / f"{point}.new"
    draft.write_text(action)
    return draft.rename(folder / point)


def _wrap(point: str, module: Any, function: str, *, is_behind: bool) -> None:
    real: Callable[..., Any] = getattr(module, function)

    @wraps(real)
    def wrapped(*args: Any, **named: Any) -> Any:
        if is_behind:
            result = real(*args, **named)
            _strike(point)
            return result
        _strike(point)
        return real(*args, **named)

    setattr(module, function, wrapped)


def _strike(point: str) -> None:
    path = Path(settings.HOME) / "crash" / point
    try:
        action = path.read_text()
        path.unlink()
    except FileNotFoundError:
        return
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(TAKES_EFFECT_S)
        case "full":
            _fill_disk()


def _fill_disk() -> None:
    """Let this connection's SQLite file not grow any more, as on a disk without room."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {int(pages)}")
