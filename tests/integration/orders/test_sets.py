"""Broadcasts that filled become sets by themselves, once each, and go on with later fills."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from importlib import import_module

from django.apps import apps
from django.utils import timezone

from accounts.models import AuditEvent
from orders.models import PlacedOrderSet
from orders.selectors.filled import bookmarks_of
from orders.selectors.sets import (
    list_sets,
)
from orders.services.sets import keep_sets
from tests.integration.orders.bookmarks import (
    close,
    filled,
    shown,
    signed,
    times,
)
from tests.integration.orders.hands import force, only


def test_a_broadcast_is_a_set_from_its_first_fill_on(fleet, by_hand, condor):
    ticket = replace(condor, contracts=3)
    order = fleet.broadcast(ticket)
    fleet.poll()
    assert not PlacedOrderSet.objects.exists()

    fleet.broker.fill(fleet.children(order)[1].broker_order_id, quantity=2)
    fleet.poll()

    placed_set = PlacedOrderSet.objects.get(order=order)
    account = fleet.accounts[1]
    assert bookmarks_of([order.pk]) == {order.pk: {account.pk: times(signed(ticket), 2)}}
    events = AuditEvent.objects.filter(subject=f"placedorderset:{placed_set.pk}")
    assert list(events.values_list("kind", "new")) == [("set", "OPEN")]
    row = shown(placed_set)
    assert [(one.alias, one.bookmarked) for one in row.accounts] == [(account.alias, 2)]


def test_later_fills_count_in_the_same_set_without_another_event(fleet, by_hand, condor):
    order = fleet.broadcast(replace(condor, contracts=3))
    for child in fleet.children(order):
        fleet.broker.fill(child.broker_order_id, quantity=1)
        fleet.poll()
    fleet.broker.fill(fleet.children(order)[0].broker_order_id, quantity=2)
    fleet.poll()

    row = shown(PlacedOrderSet.objects.get())
    assert [one.bookmarked for one in row.accounts] == [3, 1, 1]
    assert AuditEvent.objects.filter(kind="set").count() == 1


def test_the_fills_of_another_attempt_add_to_the_first_ones(fleet, by_hand):
    order = fleet.broadcast(fleet.shares(10, limit=Decimal(500)), accounts=fleet.accounts[:1])
    first = only(fleet, order)
    fleet.broker.fill(first.broker_order_id, quantity=4, price=210)
    fleet.poll()
    other = fleet.broadcast(fleet.shares(6, limit=Decimal(500)), accounts=fleet.accounts[:1])
    force(only(fleet, other), order=order, attempt=2)
    fleet.broker.fill(fleet.children(order)[1].broker_order_id, quantity=6, price=220)
    fleet.poll()

    (account,) = shown(PlacedOrderSet.objects.get()).accounts
    assert (account.bookmarked, account.entry_price) == (10, Decimal(216))


def test_an_exit_becomes_no_set(fleet, condor):
    placed_set = filled(fleet, condor, accounts=fleet.accounts[:1])

    close(placed_set, fleet, condor, 1)

    assert PlacedOrderSet.objects.get() == placed_set


def test_keeping_a_set_twice_makes_one(fleet, condor):
    placed_set = filled(fleet, condor)
    events = AuditEvent.objects.count()

    keep_sets([placed_set.order_id], now=timezone.now())

    assert PlacedOrderSet.objects.get() == placed_set
    assert AuditEvent.objects.count() == events


def test_the_migration_makes_the_sets_of_what_was_filled_before(fleet, by_hand):
    old = fleet.broadcast(fleet.shares(limit=Decimal(500)))
    unfilled = fleet.broadcast(fleet.shares(5, limit=Decimal(500)))
    for child in fleet.children(old):
        fleet.broker.fill(child.broker_order_id, price=200)
    fleet.poll()
    PlacedOrderSet.objects.all().delete()
    make_sets = import_module("orders.migrations.0004_sets_of_old_orders").make_sets

    make_sets(apps, None)
    make_sets(apps, None)

    placed_set = PlacedOrderSet.objects.get()
    assert (placed_set.order, unfilled.pk > old.pk) == (old, True)
    assert AuditEvent.objects.filter(subject=f"placedorderset:{placed_set.pk}").count() == 1


def test_a_flat_set_is_open_again_once_a_later_order_is_filled(fleet, by_hand):
    ticket = fleet.shares(10, limit=Decimal(500))
    order = fleet.broadcast(ticket, accounts=fleet.accounts[:2])
    early, late = fleet.children(order)
    fleet.broker.fill(early.broker_order_id, price=200)
    fleet.poll()
    assert late.claimed_at is not None
    flat_at = late.claimed_at + timedelta(seconds=1)
    PlacedOrderSet.objects.update(flat_at=flat_at)

    fleet.broker.fill(late.broker_order_id, quantity=1, price=200)
    fleet.poll()
    assert list_sets(open_only=True) == []

    force(late, claimed_at=flat_at + timedelta(seconds=1))
    fleet.broker.fill(late.broker_order_id, price=200)
    fleet.poll()

    assert [row.flat_at for row in list_sets(open_only=True)] == [None]
    last = AuditEvent.objects.filter(kind="set").latest("id")
    assert (last.old, last.new, bool(last.reason)) == ("FLAT", "OPEN", True)
