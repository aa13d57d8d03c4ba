"""`manage.py exit`: a set, or everything, closed from the host without any worker or queue."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders.models import ComplexOrder
from tests.integration.orders.leaving import Way, enter


@pytest.fixture
def way(fleet, condor, dead_queue) -> Way:
    """A condor in three accounts, and nobody who could be rung for."""
    return enter(fleet, condor)


def exit_by_command(*arguments: object, **options: object) -> str:
    said = StringIO()
    call_command("exit", *map(str, arguments), stdout=said, **options)
    return said.getvalue()


def test_a_set_is_closed_and_proved_flat(way):
    said = exit_by_command(way.placed_set.pk, limit=Decimal("4.90"), confirm=["PRICE_AWAY"])

    assert [way.held(index) for index in range(3)] == [[0] * 4] * 3
    assert way.is_flat()
    assert "3 filled" in said
    assert "flat      3/3, " in said


def test_one_account_and_what_is_left_of_the_set(way, fleet):
    said = exit_by_command(way.placed_set.pk, at="natural", accounts=str(fleet.accounts[0].pk))

    assert (way.held(0), way.held(1)) == ([0] * 4, [1, -1, -1, 1])
    assert "flat      1/3\n" in said


def test_everything_is_canceled_and_closed(way, fleet):
    working = fleet.broadcast(fleet.shares(3, limit=Decimal("1.00")))
    shares = enter(fleet, fleet.shares(5))
    said = exit_by_command(everything="CLOSE EVERYTHING", at="natural")

    assert "3 being canceled, 2 sets being closed" in said
    fleet.poll()
    assert set(fleet.statuses(working)) == {"CANCELED"}
    assert way.is_flat()
    assert shares.is_flat()


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, "Name a set"),
        ((999,), {}, "There is no set 999"),
        ((), {"everything": "please"}, "To close everything write"),
        (("the set",), {"accounts": "nobody"}, "no list of account ids"),
    ],
    ids=["nothing", "no such set", "phrase", "accounts"],
)
def test_what_cannot_be_done_is_said(way, arguments, options, words):
    arguments = [way.placed_set.pk if one == "the set" else one for one in arguments]
    with pytest.raises(CommandError, match=words):
        exit_by_command(*arguments, **options)
    assert not ComplexOrder.objects.filter(purpose="CLOSE").exists()


def test_a_guard_is_named_with_what_overrides_it(way):
    with pytest.raises(CommandError, match=r"limit: .*--confirm PRICE_AWAY"):
        exit_by_command(way.placed_set.pk, limit=Decimal("4.90"))


def test_a_flat_set_is_said_to_be_flat(way):
    way.leave()
    with pytest.raises(CommandError, match="Nothing of this set is left"):
        exit_by_command(way.placed_set.pk)
