"""A mode that is set while orders are on their way stops what was not sent and says what was."""

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope, Role
from accounts.models import AuditEvent
from accounts.selectors.modes import modes_in_force
from accounts.services.modes import Loosening
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder, ExitStep, PlacedOrderSet, PriceLadder
from orders.services.freezing import (
    MayNotLoosen,
    PasswordRequired,
    change_mode,
    change_mode_as,
    freeze_fleet,
)
from orders.services.placing import place_account_orders
from tests.integration.orders.hands import force, hit, rests, trail
from tests.support.fleet import PASSWORD
from tests.support.make import make_group

FROZEN = ModeRule(ModeScope.FLEET, "", Mode.FROZEN, "bad news")
CLOSE_ONLY = ModeRule(ModeScope.FLEET, "", Mode.CLOSE_ONLY, "bad news")


def change(fleet, wish=FROZEN, **more):
    return change_mode(wish, by=fleet.agent, now=timezone.now(), **more)


def ladder(order):
    return PriceLadder.objects.create(
        order=order,
        step=Decimal("0.05"),
        every_s=5,
        bound=Decimal(1),
        next_at=timezone.now() + timedelta(seconds=5),
    )


def test_a_freeze_between_two_chunks_stops_what_was_not_sent_and_lists_what_was(fleet, wire):
    order = fleet.create(rests(fleet))
    ids = [child.pk for child in fleet.children(order)]
    place_account_orders(ids=ids[:1], gateway=fleet.gateway)

    frozen = change(fleet)
    for chunk in (ids[1:2], ids[2:]):
        place_account_orders(ids=chunk, gateway=fleet.gateway)

    assert wire.posts == [fleet.accounts[0].hash_value]
    assert fleet.statuses(order) == ["WORKING", "SKIPPED", "SKIPPED"]
    for child in fleet.children(order)[1:]:
        assert (child.reason_code, child.reason) == ("FROZEN", "The fleet is frozen: bad news.")
        assert trail(child)[-1] == ("READY", "SKIPPED")
    order.refresh_from_db()
    assert order.status == "WORKING"
    assert frozen.skipped == 2
    (left,) = frozen.left.orders
    assert (left.id, left.working, left.under_way) == (order.pk, 1, 0)
    stopped = AuditEvent.objects.filter(kind="status", new="SKIPPED")
    assert set(stopped.values_list("actor", flat=True)) == {"agent"}


@pytest.mark.parametrize("status", [Status.SUBMITTING, Status.UNKNOWN])
def test_what_is_on_the_wire_or_unknown_is_left_alone_and_counted(fleet, status):
    order = fleet.create(rests(fleet))
    force(fleet.children(order)[0], status=status)

    frozen = change(fleet)

    assert fleet.statuses(order) == [status, "SKIPPED", "SKIPPED"]
    assert (frozen.left.working, frozen.left.under_way) == (0, 1)


def test_an_order_that_waits_to_be_sent_again_is_stopped(fleet, wire):
    hit(fleet, "http_429", retry_after=1)
    order = fleet.create(rests(fleet), accounts=fleet.accounts[:1])
    fleet.send(order)
    assert fleet.statuses(order) == ["READY"]

    assert change(fleet).skipped == 1
    force(fleet.children(order)[0], not_before=None)
    fleet.send(order)

    assert len(wire.posts) == 1


def test_an_order_that_was_being_written_while_the_mode_was_set_is_stopped_too(fleet):
    order = fleet.create(rests(fleet))
    force(*fleet.children(order), status=Status.SKIPPED)

    with before_the_second_look(lambda: force(*fleet.children(order), status=Status.READY)):
        frozen = change(fleet)

    assert frozen.skipped == 3
    assert fleet.statuses(order) == ["SKIPPED"] * 3


@contextmanager
def before_the_second_look(do):
    """Do something just before what is READY is looked for the second time."""
    looks = []

    def watch(execute, sql, params, many, context):
        if sql.startswith("SELECT") and '"purpose" IN' in sql and "accountorder" in sql:
            looks.append(sql)
            if len(looks) == 2:
                do()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
    assert len(looks) == 2


def test_close_only_stops_what_opens_and_lets_exits_go_on(fleet):
    opening, closing = fleet.create(rests(fleet)), fleet.create(rests(fleet, contracts=7))
    AccountOrder.objects.filter(order=closing).update(purpose="CLOSE")

    frozen = change(fleet, CLOSE_ONLY)

    assert fleet.statuses(closing) == ["READY"] * 3
    assert {child.reason_code for child in fleet.children(opening)} == {"CLOSE_ONLY"}
    assert frozen.skipped == 3
    assert change(fleet).skipped == 3
    assert fleet.statuses(closing) == ["SKIPPED"] * 3


@pytest.mark.parametrize(
    ("scope", "target", "stopped"),
    [
        (ModeScope.GROUP, "family", [False, True, False]),
        (ModeScope.ACCOUNT, "second", [False, True, False]),
        (ModeScope.UNDERLYING, "AAPL", [True, True, True]),
        (ModeScope.UNDERLYING, "MSFT", [False, False, False]),
    ],
)
def test_a_mode_stops_and_lists_only_what_it_covers(fleet, scope, target, stopped):
    make_group("family", fleet.accounts[1])
    target = str(fleet.accounts[1].pk) if target == "second" else target
    working, ready = fleet.broadcast(rests(fleet)), fleet.create(rests(fleet, contracts=7))

    frozen = change(fleet, ModeRule(scope, target, Mode.FROZEN, "news"))

    assert [status == "SKIPPED" for status in fleet.statuses(ready)] == stopped
    assert fleet.statuses(working) == ["WORKING"] * 3
    listed = [(one.id, one.working) for one in frozen.left.orders]
    assert listed == [(working.pk, sum(stopped))] * any(stopped)


def test_opening_stops_nothing(fleet):
    order = fleet.create(rests(fleet))

    frozen = change(fleet, ModeRule(ModeScope.FLEET, "", Mode.OPEN))

    assert frozen.skipped == 0
    assert fleet.statuses(order) == ["READY"] * 3


def test_a_ladder_stops_with_what_it_would_send_next(fleet):
    opening, closing = fleet.broadcast(rests(fleet)), fleet.broadcast(rests(fleet, contracts=7))
    ComplexOrder.objects.filter(pk=closing.pk).update(purpose="CLOSE")
    ladders = ladder(opening), ladder(closing)

    first = change(fleet, CLOSE_ONLY)
    second = change(fleet)

    assert (first.ladders_stopped, first.left.ladders) == (1, 1)
    assert (second.ladders_stopped, second.left.ladders) == (1, 0)
    for one, words in zip(ladders, ("close only", "frozen"), strict=True):
        one.refresh_from_db()
        assert one.stopped_at is not None
        assert one.next_at is None
        assert one.why == f"The fleet is {words}: bad news."
    events = AuditEvent.objects.filter(kind="ladder", old="RUNNING", new="STOPPED")
    assert [event.subject for event in events.order_by("id")] == [
        f"complexorder:{opening.pk}",
        f"complexorder:{closing.pk}",
    ]


def test_a_ladder_stops_when_one_of_its_accounts_is_frozen_and_no_sooner(fleet):
    order = fleet.broadcast(rests(fleet), accounts=fleet.accounts[:2])
    ladder(order)

    def freeze(place):
        target = str(fleet.accounts[place].pk)
        return change(fleet, ModeRule(ModeScope.ACCOUNT, target, Mode.FROZEN, "news"))

    assert freeze(2).ladders_stopped == 0
    assert freeze(1).ladders_stopped == 1
    assert freeze(0).ladders_stopped == 0


@pytest.mark.parametrize(
    ("rule", "exits"),
    [
        (FROZEN, 2),
        (ModeRule(ModeScope.UNDERLYING, "AAPL", Mode.FROZEN, "news"), 2),
        (ModeRule(ModeScope.UNDERLYING, "MSFT", Mode.FROZEN, "news"), 0),
        (ModeRule(ModeScope.GROUP, "family", Mode.FROZEN, "news"), 1),
    ],
)
def test_exits_at_work_are_counted_by_account(fleet, rule, exits):
    make_group("family", fleet.accounts[0], fleet.accounts[2])
    placed = PlacedOrderSet.objects.create(order=fleet.broadcast(fleet.shares()))
    states = {"CLOSING": None, "WAITING": None, "RESIDUAL": None}
    for account, state in zip(fleet.accounts, states, strict=True):
        ExitStep.objects.create(placed_order_set=placed, account=account, state=state)

    assert change(fleet, rule).left.exits == exits


def test_the_same_freeze_again_is_harmless(fleet):
    change(fleet)
    again = freeze_fleet(why="by a button", by=fleet.agent, now=timezone.now())

    assert (again.change.is_new, again.skipped) == (False, 0)
    assert [one.rule.why for one in modes_in_force()] == ["bad news"]


def test_opening_again_needs_the_password_of_who_does_it(fleet):
    change(fleet)
    wish = ModeRule(ModeScope.FLEET, "", Mode.OPEN, "all is well")

    for wrong in ("", "not it", "agent"):
        with pytest.raises(PasswordRequired):
            change_mode_as(fleet.agent, wish, password=wrong, now=timezone.now())
    assert len(modes_in_force()) == 1

    change_mode_as(fleet.agent, wish, password=PASSWORD, now=timezone.now())
    assert modes_in_force() == []
    assert fleet.statuses(fleet.broadcast(rests(fleet))) == ["WORKING"] * 3


def test_who_may_only_exit_freezes_and_opens_nothing(fleet):
    fleet.agent.role = Role.EXIT_ONLY
    change_mode_as(fleet.agent, FROZEN, password="", now=timezone.now())

    with pytest.raises(MayNotLoosen):
        change_mode_as(fleet.agent, CLOSE_ONLY, password=PASSWORD, now=timezone.now())
    assert modes_in_force()[0].rule.mode == Mode.FROZEN


def test_nobody_opens_by_accident_what_another_has_just_frozen(fleet):
    change(fleet)

    with pytest.raises(Loosening):
        change(fleet, CLOSE_ONLY)
    assert modes_in_force()[0].rule == FROZEN
