"""The operator cancels from the host, also while the queue is down."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.integration.orders.hands import hit
from tests.integration.orders.stopping import LIMIT, resting


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("cancel", *arguments, stdout=out)
    return out.getvalue()


def test_a_broadcast_is_canceled_without_a_queue(fleet, dead_queue):
    order = resting(fleet, accounts=3)

    said = run(str(order.pk))

    assert fleet.statuses(order) == ["CANCELED"] * 3
    assert "0 not sent any more, 3 being canceled." in said
    assert "3 canceled" in said


def test_only_some_accounts_are_canceled(fleet):
    order = resting(fleet, accounts=3)
    ids = ",".join(str(account.pk) for account in fleet.accounts[:2])

    run(str(order.pk), "--accounts", ids)

    assert fleet.statuses(order) == ["CANCELED", "CANCELED", "WORKING"]


def test_it_waits_no_longer_than_told(fleet):
    hit(fleet, "http_500")
    order = fleet.broadcast(fleet.shares(limit=LIMIT), accounts=fleet.accounts[:1])

    said = run(str(order.pk), "--wait", "0.1")

    assert fleet.statuses(order) == ["UNKNOWN"]
    assert "1 being canceled" in said


@pytest.mark.parametrize("arguments", [("1",), ("1", "--accounts", "one")])
def test_what_cannot_be_canceled_is_said(db, arguments):
    with pytest.raises(CommandError):
        run(*arguments)
