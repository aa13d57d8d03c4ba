"""How a process tells `manage.py up` that it is ready: by a file with its process id."""

import os
from pathlib import Path

from django.conf import settings


def ready_file(name: str) -> Path:
    """Return the file that says the process of this name is ready."""
    return Path(settings.HOME) / "run" / f"{name}.ready"


def say_ready() -> None:
    """Say that this process is ready, if it was started under a name."""
    if name := os.environ.get("TRADESWIM_PROCESS"):
        path = ready_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(os.getpid()), encoding="ascii")
