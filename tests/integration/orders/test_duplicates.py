"""The same order in the same account within a minute: a mistake, unless it is confirmed."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Account
from orders.domain.errors import GuardRefused
from orders.models import AccountOrder, ComplexOrder
from strategies.domain.catalog import share_order
from strategies.domain.tickets import Instruction
from tests.integration.orders.hands import force, hit, limit, refused


def test_the_same_order_in_the_same_account_within_a_minute_must_be_confirmed(fleet):
    one, two, _ = fleet.accounts
    first = fleet.create(fleet.shares(), accounts=[one])

    words = refused(fleet, fleet.shares(), accounts=[one, two])["DUPLICATE_ORDER"]

    assert one.alias in words
    assert two.alias not in words
    assert fleet.create(fleet.shares(), accounts=[two], confirm=[]).pk != first.pk
    assert fleet.create(fleet.shares(11), accounts=[one], confirm=[]).pk
    assert fleet.create(fleet.shares(), confirm=["DUPLICATE_ORDER"]).pk


@pytest.mark.parametrize(
    ("status", "is_duplicate"),
    [
        ("READY", True),
        ("SUBMITTING", True),
        ("UNKNOWN", True),
        ("WORKING", True),
        ("FILLED", True),
        ("CANCELED", True),
        ("FAILED_TO_PLACE", False),
        ("REJECTED", False),
        ("SKIPPED", False),
    ],
)
def test_an_order_that_came_to_nothing_is_no_duplicate(fleet, status, is_duplicate):
    order = fleet.create(fleet.shares(), accounts=fleet.accounts[:1])
    force(*fleet.children(order), status=status)

    if is_duplicate:
        assert "DUPLICATE_ORDER" in refused(fleet, fleet.shares())
    else:
        fleet.create(fleet.shares(), confirm=[])


def test_after_a_minute_or_what_the_admin_says_it_is_no_duplicate(fleet):
    order = fleet.create(fleet.shares())
    AccountOrder.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    fleet.create(fleet.shares(), confirm=[])

    AccountOrder.objects.exclude(order=order).update(
        created_at=timezone.now() - timedelta(seconds=61)
    )
    limit("DUPLICATE_WINDOW_S", 90)
    assert "DUPLICATE_ORDER" in refused(fleet, fleet.shares())
    limit("DUPLICATE_WINDOW_S", 0)
    fleet.create(fleet.shares(), confirm=[])


def test_an_account_of_another_size_does_not_stand_for_its_neighbour(fleet):
    one, two, _ = fleet.accounts
    Account.objects.filter(pk=two.pk).update(multiplier=2)
    fleet.create(fleet.shares(10), accounts=[two])  # 20 there

    fleet.create(fleet.shares(20), accounts=[one], confirm=[])  # 20 here
    words = refused(fleet, fleet.shares(10), accounts=[two])["DUPLICATE_ORDER"]

    assert two.alias in words


def test_exits_are_no_duplicates(fleet):
    sale = fleet.shares(legs=share_order("AAPL", Instruction.SELL).legs)

    fleet.create(sale, confirm=[])
    fleet.create(sale, confirm=[])

    assert ComplexOrder.objects.filter(purpose="CLOSE").count() == 2


def test_a_refused_order_may_be_sent_again_at_once(fleet):
    hit(fleet, "reject")
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    fleet.poll()
    assert fleet.statuses(order)[0] in {"REJECTED", "FAILED_TO_PLACE"}

    assert fleet.create(fleet.shares(), accounts=fleet.accounts[:1], confirm=[]).pk


def test_the_same_click_again_finds_its_broadcast_instead_of_a_duplicate(fleet):
    first = fleet.create(fleet.shares(), confirm=[])

    again = fleet.create(fleet.shares(), confirm=[], key=first.idempotency_key)

    assert again == first


def test_what_is_confirmed_is_no_part_of_what_is_asked(fleet, condor):
    key = "3c2a1b2e-6f4f-4dbb-8f0f-1df1a57c1c11"
    refused(fleet, condor, key=key)

    first = fleet.create(condor, confirm=["PRICE_AWAY"], key=key)

    assert fleet.create(condor, confirm=[], key=key) == first
    assert fleet.create(condor, confirm=["PRICE_AWAY", "BUYING_POWER"], key=key) == first


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_at_the_same_moment_one_is_a_duplicate(fleet):
    begin = threading.Barrier(4)
    outcomes: list[str] = []

    def click() -> None:
        begin.wait()
        try:
            fleet.create(fleet.shares(), confirm=[])
            outcomes.append("created")
        except GuardRefused as error:
            outcomes.extend(problem.code for problem in error.problems)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["DUPLICATE_ORDER"] * 3 + ["created"]
    assert AccountOrder.objects.count() == 3
