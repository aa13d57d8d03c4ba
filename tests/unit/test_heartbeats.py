"""What must give signs of life is what is started."""

from typing import Any

from accounts.domain.heartbeats import PROCESSES, QUEUES, is_alive, queue_name, share_words
from tradeswim.schedule import BEAT_SCHEDULE
from tradeswim.up.plan import WORKERS, programs


def test_every_started_process_is_expected():
    assert {program.name for program in programs({})} == set(PROCESSES)


def test_every_queue_is_served_and_gives_signs_of_life():
    served = {queue for queues, _ in WORKERS.values() for queue in queues.split(",")}
    entries: list[Any] = list(BEAT_SCHEDULE.values())
    beats = {
        entry["kwargs"]["queue"]: entry["options"]["queue"]
        for entry in entries
        if entry["task"] == "accounts.say_alive"
    }
    assert served == set(QUEUES)
    assert beats == {queue: queue for queue in QUEUES}


def test_a_queue_may_be_silent_for_longer_than_a_process():
    assert is_alive("web", 15.0)
    assert not is_alive("web", 15.1)
    assert is_alive(queue_name("recon"), 45.0)
    assert not is_alive(queue_name("recon"), 45.1)
    assert not is_alive("web", None)


def test_almost_always_is_not_always():
    assert share_words(0.99999) == "99.99 %"
    assert share_words(1.0) == "100.00 %"
    assert share_words(None) == ""
