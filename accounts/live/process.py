"""How a process tells that it is ready: `manage.py up` by a file with its id, and systemd."""

import gc
import os
import threading
import time
from pathlib import Path

from django.conf import settings

from brokerage.supervision import notify

COLLECT_EVERY_S = 20


def ready_file(name: str) -> Path:
    """Return the file that says the process of this name is ready."""
    return Path(settings.HOME) / "run" / f"{name}.ready"


def calm_garbage_collector() -> None:
    """Leave what is loaded by now out of every later collection, and collect less often.

    A broadcast makes thousands of short-lived objects; at the default threshold the collector
    runs dozens of times between the click and the first request sent.

    By itself it would then hardly ever look at what is old, and closed connections with their
    buffers are: a thread does, at its own pace. What is frozen it need not look at.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 50)
    threading.Thread(target=_collect, name="collector", daemon=True).start()


def _collect() -> None:
    while True:
        time.sleep(COLLECT_EVERY_S)
        gc.collect()


def say_ready() -> None:
    """Say that this process is ready and alive; to `manage.py up` only what has a name."""
    notify()
    if name := os.environ.get("TRADESWIM_PROCESS"):
        path = ready_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(os.getpid()), encoding="ascii")
