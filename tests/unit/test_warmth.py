"""How many connections a placement worker keeps open for the next broadcast."""

import pytest

from tradeswim.up import plan
from tradeswim.warmth import MOST_CONNECTIONS, connections_for


@pytest.mark.parametrize(
    ("accounts", "workers", "connections"),
    [
        (0, 1, 0),
        (45, 1, 45),
        (45, 4, 45),
        (1000, 1, 1000),
        (1000, 2, 1000),
        (5000, 1, MOST_CONNECTIONS),
        (5000, 2, MOST_CONNECTIONS),
        (2500, 4, MOST_CONNECTIONS),
    ],
)
def test_each_worker_is_ready_for_its_share_and_a_chunk(accounts, workers, connections):
    assert connections_for(accounts, workers=workers) == connections


def test_more_placement_workers_share_a_queue_under_names_of_their_own(monkeypatch):
    monkeypatch.setenv("PLACEMENT_WORKERS", "3")

    started = {one.name: one for one in plan.programs({}) if one.name.startswith("placement")}

    assert set(started) == {"placement", "placement-2", "placement-3"}
    for name, program in started.items():
        words = program.command
        assert f"{name}@%h" in words
        assert words[words.index("-Q") + 1] == "placement"
        assert "--disable-prefetch" in words
        assert program.environment["TRADESWIM_PROCESS"] == name
