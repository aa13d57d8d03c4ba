"""Two callers at the same moment, in real threads with connections of their own."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder
from orders.selectors.choosing import AccountChoice
from orders.services.applying import apply_reading
from orders.services.claiming import claim
from orders.services.creating import create_order
from orders.services.placing import place_account_orders
from orders.services.steps import Step, take_steps
from strategies.domain.new_york import exchange_date
from tests.integration.orders.hands import one, shown_by

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment, each in a thread; return what they returned or raised."""
    ready = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        try:
            ready.wait(5)
            results[place] = works[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@contextmanager
def writers_held_back(model):
    """Let everybody read, and nobody write, until this ends."""
    with transaction.atomic():  # SQLite: IMMEDIATE takes the one write lock
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        yield


def ids_of(order):
    return list(AccountOrder.objects.filter(order=order).values_list("pk", flat=True))


def test_of_many_claims_at_once_each_order_is_won_by_one(fleet):
    orders = [fleet.create(fleet.shares(contracts)) for contracts in range(1, 6)]
    ids = [pk for order in orders for pk in ids_of(order)]

    results = at_once(*[lambda: claim(ids, clock=timezone.now)] * 4)

    won = [one.child_id for result in results for one in result]
    assert sorted(won) == sorted(ids)
    assert set(AccountOrder.objects.values_list("status", "sends")) == {("SUBMITTING", 1)}
    assert AuditEvent.objects.filter(new="SUBMITTING").count() == len(ids)


def test_a_message_delivered_to_ten_workers_at_once_sends_each_order_once(fleet, wire):
    ids = ids_of(fleet.create(fleet.shares()))

    outcomes = at_once(*[lambda: place_account_orders(ids=ids, gateway=fleet.gateway)] * 10)

    assert sorted(wire.posts) == sorted(account.hash_value for account in fleet.accounts)
    assert len(fleet.broker.orders()) == 3
    assert sorted(sum(outcome.counts.values()) for outcome in outcomes) == [0] * 9 + [3]


def test_of_two_twins_claimed_at_once_one_goes_and_the_other_waits(fleet):
    first, second = (ids_of(fleet.create(fleet.shares())) for _ in range(2))

    results = at_once(
        lambda: claim(first, clock=timezone.now), lambda: claim(second, clock=timezone.now)
    )

    won = [one.account_id for result in results for one in result]
    assert sorted(won) == sorted(account.pk for account in fleet.accounts)
    assert AccountOrder.objects.filter(status=Status.READY).count() == 3


def test_the_same_key_twice_at_once_makes_one_broadcast(fleet):
    key, ticket = uuid4(), fleet.shares()
    looked = threading.Semaphore(0)

    def create():
        now = timezone.now()
        looked.release()
        return create_order(
            agent=fleet.agent,
            ticket=ticket,
            choice=AccountChoice(),
            idempotency_key=key,
            clicked_at=now,
            now=now,
            today=exchange_date(now),
        )

    with writers_held_back(ComplexOrder):
        results: list[Any] = []
        helper = threading.Thread(target=lambda: results.extend(at_once(create, create)))
        helper.start()
        for _ in range(2):
            looked.acquire(timeout=5)
        helper.join(0.3)  # both have looked for the key by now and wait to write
    helper.join(30)

    assert sorted(creation.is_new for creation in results) == [False, True]
    assert results[0].order == results[1].order
    assert ComplexOrder.objects.count() == 1
    assert AccountOrder.objects.count() == 3


def test_of_two_steps_at_once_one_is_taken_and_recorded(fleet):
    (pk, *_) = ids_of(fleet.create(fleet.shares()))

    def take(to):
        step = Step(pk, to)
        return take_steps([step], out_of=[Status.READY], now=timezone.now(), actor="test")

    results = at_once(*[lambda to=to: take(to) for to in (Status.SKIPPED, Status.FAILED_TO_PLACE)])

    assert sorted(len(moved) for moved in results) == [0, 1]
    events = AuditEvent.objects.filter(subject=f"accountorder:{pk}", old="READY")
    assert [event.new for event in events] == [AccountOrder.objects.get(pk=pk).status]


def test_of_two_polls_at_once_the_older_read_changes_nothing(fleet):
    fleet.broker.market(fills="manual")
    _, child = one(fleet, fleet.shares(10, limit=Decimal(500)))
    fleet.broker.fill(child.broker_order_id, quantity=4, price=210)
    early = shown_by(fleet, child)
    fleet.broker.fill(child.broker_order_id, quantity=2, price=210)
    later = shown_by(fleet, child)
    results: list[Any] = []

    def apply_early():
        results.append(apply_reading([(child.pk, early)], now=timezone.now()))
        connection.close()

    with transaction.atomic():
        apply_reading([(child.pk, later)], now=timezone.now())
        slow = threading.Thread(target=apply_early)
        slow.start()
        slow.join(0.3)  # it has seen the order without fills, and waits to write
        assert slow.is_alive()
    slow.join(30)

    child.refresh_from_db()
    assert results == [set()]
    figures = (child.filled, child.remaining, child.net_price)
    assert figures == (Decimal(6), Decimal(4), Decimal(210))
