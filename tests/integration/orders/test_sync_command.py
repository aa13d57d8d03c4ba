"""The operator runs a beat from the host, also while the queue is down."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.domain.beats import Beat
from accounts.models import BeatDay
from accounts.services.beat_lock import beat_lock
from brokerage.budget import Lane, the_budget
from orders.services import order_beats


def run(beat: str) -> str:
    out = StringIO()
    call_command("sync", beat, stdout=out)
    return out.getvalue()


def test_a_beat_of_orders_is_run_without_a_queue_and_reported(fleet, dead_queue):
    order = fleet.broadcast(fleet.shares())

    said = run("stocks")

    assert "Stock orders. Costs 3 requests of 3 app keys." in said
    assert "3 working orders, 3 changed, 3 requests." in said
    assert fleet.statuses(order) == ["FILLED"] * 3
    assert BeatDay.objects.get(beat=Beat.STOCKS).calls == 3


def test_accounts_are_read_and_a_login_that_fails_is_named(fleet):
    fleet.broker.fault("html_403", method="GET", path="/accounts")

    said = run("accounts")

    assert "2 accounts read" in said
    assert sum(label in said for label in (login.label for login in fleet.logins)) == 1


def test_a_login_without_budget_is_named_and_not_asked(fleet):
    the_budget().take(Lane.EXITS, {fleet.logins[1].app_key_index: 200})

    said = run("accounts")

    assert f"Not asked, for their request budget is spent: {fleet.logins[1].label}" in said


def test_a_beat_that_does_not_end_is_not_waited_for_for_ever(fleet, monkeypatch):
    monkeypatch.setattr(order_beats, "WAIT_S", 0.1)

    with beat_lock(Beat.OPTIONS), pytest.raises(CommandError, match="runs already"):
        run("options")
