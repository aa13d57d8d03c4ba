"""A freeze at the very moment orders are claimed, sent and made, and two modes set at once."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.models import AuditEvent, TradingMode
from accounts.selectors.modes import modes_in_force
from orders.domain.errors import BadTicket
from orders.models import AccountOrder
from orders.services.freezing import change_mode
from orders.services.placing import place_account_orders
from tests.integration.orders.hands import hit
from tests.integration.orders.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

FROZEN = ModeRule(ModeScope.FLEET, "", Mode.FROZEN, "bad news")


def freeze(wish: ModeRule = FROZEN) -> Any:
    return change_mode(wish, by=None, now=timezone.now())


def test_what_is_on_the_wire_when_the_freeze_comes_is_listed_and_followed(fleet, wire):
    hit(fleet, "delay", delay_ms=1500)
    order = fleet.create(fleet.shares(limit=Decimal("0.50")))
    ids = [child.pk for child in fleet.children(order)]

    def send() -> None:
        place_account_orders(ids=ids[:1], gateway=fleet.gateway)
        connection.close()

    sending = threading.Thread(target=send)
    sending.start()
    until = timezone.now() + timedelta(seconds=5)
    while fleet.statuses(order)[0] != "SUBMITTING" and timezone.now() < until:
        pass
    frozen = freeze()
    sending.join(10)

    assert (frozen.skipped, frozen.left.under_way, frozen.left.working) == (2, 1, 0)
    assert [(one.id, one.under_way) for one in frozen.left.orders] == [(order.pk, 1)]
    assert fleet.statuses(order) == ["WORKING", "SKIPPED", "SKIPPED"]
    assert len(wire.posts) == 1


@pytest.mark.parametrize("round_", range(3))
def test_claims_clicks_and_a_freeze_at_once_leave_nothing_to_be_sent(fleet, wire, round_):
    orders = [fleet.create(fleet.shares(5 + n, limit=Decimal("0.50"))) for n in range(3)]
    ids = {order.pk: fleet.ready(order) for order in orders}

    def send(order):
        return lambda: place_account_orders(ids=ids[order.pk], gateway=fleet.gateway)

    def click():
        return fleet.send(fleet.create(fleet.shares(50, limit=Decimal("0.50"))))

    results = at_once(*[send(order) for order in orders], freeze, click)

    errors = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, BadTicket) for one in errors), errors
    statuses = list(AccountOrder.objects.values_list("status", flat=True))
    assert set(statuses) <= {"WORKING", "SKIPPED"}
    assert len(wire.posts) == statuses.count("WORKING")
    skipped = AccountOrder.objects.filter(status="SKIPPED")
    assert {one.reason for one in skipped} <= {"The fleet is frozen: bad news."}
    sent = len(wire.posts)
    for order in orders:
        fleet.send(order)
    assert len(wire.posts) == sent


def test_of_two_who_set_the_first_mode_at_once_both_are_on_record(fleet):
    results = at_once(freeze, freeze, freeze)

    assert sorted(one.change.is_new for one in results) == [False, False, True]
    assert TradingMode.objects.count() == 1
    assert AuditEvent.objects.filter(kind="mode").count() == 1
    assert modes_in_force()[0].rule == FROZEN
