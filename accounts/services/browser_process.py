"""Run the browser in a process of its own, within limits of time and memory.

A browser can hang or grow; the worker that asked for it renews tokens, too, and must do neither.
The process reads the credentials itself: its arguments name the login only.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings

log = logging.getLogger(__name__)

MANAGE = Path(settings.BASE_DIR) / "manage.py"
COMMAND = "sign_in_by_browser"
LOOK_EVERY_S = 0.5
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_one_at_a_time = threading.Lock()


def run_browser(
    login_id: UUID, *, timeout_s: float | None = None, memory_mb: int | None = None
) -> bool:
    """Let the browser sign in for a login; True if the process ended well by itself.

    One browser at a time: whoever comes meanwhile gets False at once.
    """
    if not _one_at_a_time.acquire(blocking=False):
        return False
    try:
        return _run(
            [sys.executable, str(MANAGE), COMMAND, str(login_id)],
            timeout_s or settings.BROWSER_TIMEOUT_S,
            memory_mb or settings.BROWSER_MEMORY_MB,
        )
    finally:
        _one_at_a_time.release()


def _run(command: list[str], timeout_s: float, memory_mb: int) -> bool:
    until = time.monotonic() + timeout_s
    # What it says is for whoever types the command; nothing of it is kept.
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while process.poll() is None:
            if time.monotonic() > until:
                log.warning("the browser was ended after %.0f s", timeout_s)
                return False
            if memory_of(process.pid) > memory_mb * 2**20:
                log.warning("the browser was ended above %d MB", memory_mb)
                return False
            time.sleep(LOOK_EVERY_S)
        return process.returncode == 0
    finally:
        _end(process)


def memory_of(group: int) -> int:
    """Return the bytes that the processes of a group hold, shared ones counted once each."""
    total = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError):
            if os.getpgid(int(folder.name)) == group:
                resident, shared = (folder / "statm").read_text().split()[1:3]
                total += (int(resident) - int(shared)) * PAGE_BYTES
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
