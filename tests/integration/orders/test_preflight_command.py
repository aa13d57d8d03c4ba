"""`manage.py preflight`: GO or NO-GO, and one share's order through the whole installation."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Account
from orders.management import round_trip as trip
from orders.management.round_trip import round_trip
from orders.models import AccountOrder
from tests.integration.orders.hands import hit
from tests.integration.orders.working import working

pytestmark = pytest.mark.django_db(transaction=True)
PLACING, CANCELING = "orders.place_account_orders", "orders.send_cancels"


def preflight(*options: str) -> tuple[int, str]:
    """Return how the command ended, and what it said."""
    said = StringIO()
    try:
        call_command("preflight", *options, stdout=said)
    except SystemExit as end:
        return int(str(end)), said.getvalue()
    return 0, said.getvalue()


def last() -> AccountOrder:
    return AccountOrder.objects.latest("order", "attempt")


def test_all_is_well(morning, queue):
    with working(queue):
        code, said = preflight()

    assert (code, said.splitlines()[-1]) == (0, "GO")
    assert "NO-GO" not in said
    assert f"canceled in {morning.accounts[0].alias}, " in said
    assert last().status == "CANCELED"


def test_something_is_in_the_way(morning):
    morning.logins[0].status = "LOGIN_REQUIRED"
    morning.logins[0].save()

    code, said = preflight("--no-order")

    assert (code, said.splitlines()[-1]) == (1, "NO-GO: Logins")
    words = f"{morning.logins[0].label}: connect them on the logins page"
    assert f"NO-GO  {'Logins':<20}  {words}" in said
    assert not AccountOrder.objects.exists()


def test_an_order_that_ends_at_once_is_not_waited_for(morning, queue):
    hit(morning, "reject")
    with working(queue):
        check = round_trip(morning.agent)

    assert not check.is_go
    assert last().status in check.words.upper()
    assert float(check.words.split()[-2]) < trip.WITHIN_S


def test_an_order_that_ends_before_its_cancel_is_told_as_it_ended(morning, queue):
    order = morning.broadcast(morning.shares(1), accounts=morning.accounts[:1])
    morning.poll()

    assert trip.take_back(order.pk, morning.agent) == "FILLED"


def test_an_order_that_nobody_sends_is_taken_back(morning, queue, monkeypatch):
    monkeypatch.setattr(trip, "WITHIN_S", 0.5)
    with working(queue, deaf_to={PLACING}):
        check = round_trip(morning.agent)

    assert (check.is_go, check.words.split(" in ")[0]) == (False, "ready, then skipped")
    assert (last().status, last().reason_code) == ("SKIPPED", "CANCELED_UNSENT")


def test_an_order_of_unknown_outcome_is_taken_back_when_it_is_found(morning, queue, monkeypatch):
    monkeypatch.setattr(trip, "WITHIN_S", 0.5)
    hit(morning, "drop_after")
    with working(queue, deaf_to={"orders.reconcile"}):
        check = round_trip(morning.agent)

    assert (check.is_go, check.words.split(" in ")[0]) == (False, "unknown")
    assert last().cancel_asked_by == morning.agent.get_username()


def test_an_order_whose_cancel_nobody_sends_is_no_go(morning, queue, monkeypatch):
    monkeypatch.setattr(trip, "WITHIN_S", 2)
    with working(queue, deaf_to={CANCELING}):
        check = round_trip(morning.agent)

    assert (check.is_go, check.words.split(" in ")[0]) == (False, "working")
    assert last().cancel_asked_at is not None


def test_nothing_is_sent_where_money_is_real_or_nobody_could_hear(morning, queue, settings):
    settings.ENVIRONMENT = "LIVE"
    assert round_trip(morning.agent).is_go
    settings.ENVIRONMENT = "PAPER"
    queue.kill()
    try:
        assert "was refused: The task queue" in round_trip(morning.agent).words
    finally:
        queue.start()
    Account.objects.update(is_active=False)
    assert round_trip(morning.agent).words == "there is no active account"
    assert not AccountOrder.objects.exists()
