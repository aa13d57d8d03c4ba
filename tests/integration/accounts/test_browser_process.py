"""The browser's process is ended when it lasts or grows too much, with all it started."""

import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from accounts.services import browser_process

SLEEPS = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)  # {}']); time.sleep(60)"
GROWS = "import time; held = bytearray(400 * 2**20); time.sleep(60)"


def run(code: str, *, timeout_s: float = 20, memory_mb: int = 200) -> bool:
    return browser_process._run([sys.executable, "-c", code], timeout_s, memory_mb)  # noqa: SLF001


def test_one_that_ends_by_itself_says_whether_it_went_well():
    assert run("pass")
    assert not run("raise SystemExit(1)")


def test_one_that_hangs_is_ended_with_its_children():
    mark = f"mark-{time.time_ns()}"
    began = time.monotonic()

    assert not run(SLEEPS.format(mark), timeout_s=1.5)

    assert time.monotonic() - began < 5
    while is_running(mark):  # what is killed takes a moment to be gone
        assert time.monotonic() - began < 10
        time.sleep(0.05)


def is_running(mark: str) -> bool:
    return any(mark in said_by(one) for one in Path("/proc").glob("[0-9]*/cmdline"))


def said_by(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it ended meanwhile
        return ""


def test_one_that_grows_is_ended():
    began = time.monotonic()
    assert not run(GROWS)
    assert time.monotonic() - began < 15


@pytest.mark.django_db
def test_a_second_browser_is_not_started_beside_the_first(monkeypatch):
    entered, leave = threading.Event(), threading.Event()

    def wait(*_):
        entered.set()
        return leave.wait(10)

    monkeypatch.setattr(browser_process, "_run", wait)
    first = threading.Thread(target=browser_process.run_browser, args=[uuid4()])
    first.start()
    entered.wait(10)
    assert browser_process.run_browser(uuid4()) is False
    leave.set()
    first.join()
