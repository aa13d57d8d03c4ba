"""Who is about to send goes before who records; nobody waits for somebody who stands still."""

import fcntl
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from orders.services import precedence
from orders.services.precedence import about_to_send, give_way, in_turn

pytestmark = pytest.mark.django_db

SOON_S = 0.15
has_one = connection.vendor == "sqlite"
only_one_writer = pytest.mark.skipif(not has_one, reason="others have many writers")
only_many_writers = pytest.mark.skipif(has_one, reason="it has one writer")


@contextmanager
def meanwhile(doing):
    """Let another thread be inside of this for a moment, or as long as the test goes on."""
    inside, leave = threading.Event(), threading.Event()

    def run():
        with doing():
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=run)
    thread.start()
    inside.wait(5)
    try:
        yield leave
    finally:
        leave.set()
        thread.join()


def took(call) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def enter(doing):
    with doing():
        pass


@contextmanager
def another_process_holds(settings, name):
    """Hold the file as another placement worker on this host does."""
    folder = Path(settings.HOME) / "run"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_nobody_is_waited_for_when_nobody_sends():
    assert took(give_way) < SOON_S


def test_who_records_waits_until_all_are_sent():
    with meanwhile(about_to_send) as leave:
        threading.Timer(0.3, leave.set).start()

        assert 0.25 < took(give_way) < 0.9


def test_two_may_be_about_to_send():
    with meanwhile(about_to_send):
        assert took(lambda: enter(about_to_send)) < SOON_S


def test_who_never_sends_holds_nobody_up_for_long(monkeypatch):
    monkeypatch.setattr(precedence, "PATIENCE_S", 0.2)

    with meanwhile(about_to_send):
        assert 0.15 < took(give_way) < 0.9


@only_one_writer
def test_claims_go_one_after_the_other():
    with meanwhile(in_turn) as leave:
        threading.Timer(0.3, leave.set).start()

        assert 0.25 < took(lambda: enter(in_turn)) < 0.9


@only_one_writer
@pytest.mark.parametrize(
    ("name", "wait"),
    [("sending", give_way), ("claiming", lambda: enter(in_turn))],
    ids=["recording", "claiming"],
)
def test_another_process_that_stands_still_is_not_waited_for_long(
    settings, monkeypatch, name, wait
):
    monkeypatch.setattr(precedence, "PATIENCE_S", 0.2)

    with another_process_holds(settings, name):
        assert 0.15 < took(wait) < 0.9


@only_many_writers
def test_where_many_may_write_claims_do_not_wait():
    with meanwhile(in_turn):
        assert took(lambda: enter(in_turn)) < SOON_S


@only_one_writer
def test_a_folder_that_cannot_be_written_to_stops_no_order(settings, tmp_path, caplog):
    settings.HOME = tmp_path / "a file"
    settings.HOME.write_text("in the way")

    assert took(lambda: enter(about_to_send)) < SOON_S
    assert took(lambda: enter(in_turn)) < SOON_S
    assert took(give_way) < SOON_S
    assert "no turn to take: claiming.lock: Not a directory" in caplog.text
