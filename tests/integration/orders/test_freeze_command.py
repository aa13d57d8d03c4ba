"""`manage.py freeze` freezes whatever is down, and opens only when told so twice."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from accounts.selectors.modes import modes_in_force
from tests.integration.orders.hands import rests


def test_the_command_freezes_without_redis_and_says_what_is_left(fleet, dead_queue, capsys):
    order, waiting = fleet.broadcast(rests(fleet)), fleet.create(rests(fleet, contracts=7))

    call_command("freeze", "--why", "bad news")

    said = capsys.readouterr().out
    assert "Fleet is frozen: bad news" in said
    assert "stopped before sending  3 orders" in said
    assert "left at the broker      3 orders" in said
    assert f"#{order.pk} Shares AAPL, open: 3 working, 0 under way" in said
    assert fleet.statuses(waiting) == ["SKIPPED"] * 3
    assert (modes_in_force()[0].who, AuditEvent.objects.get(kind="mode").actor) == ("", "host")


def test_the_command_opens_only_when_told_so_twice(fleet, capsys):
    call_command("freeze", "--agent", "agent")
    assert modes_in_force()[0].who == "agent"

    with pytest.raises(CommandError, match="--yes-open"):
        call_command("freeze", "--mode", "OPEN")
    call_command("freeze", "--mode", "OPEN", "--yes-open")

    assert "Fleet is open" in capsys.readouterr().out
    assert modes_in_force() == []


@pytest.mark.parametrize(
    "options",
    [
        ["--scope", "GROUP", "--target", "nobody"],
        ["--scope", "UNDERLYING"],
        ["--agent", "nobody"],
        ["--why", "x" * 201],
    ],
)
def test_the_command_refuses_what_cannot_be(fleet, options):
    with pytest.raises(CommandError):
        call_command("freeze", *options)
    assert modes_in_force() == []
