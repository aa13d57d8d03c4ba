"""Whether an order may be replaced: its new limit, its accounts, and what is said otherwise."""

from decimal import Decimal

import pytest

from accounts.domain.words import LoginStatus, Mode, ModeScope
from accounts.models import AuditEvent
from orders.domain.errors import BadTicket, CannotControl, GuardRefused
from tests.integration.orders.hands import only
from tests.integration.orders.stopping import (
    LIMIT,
    ask,
    change,
    go_on,
    prices_at,
    resting,
    stop,
)
from tests.support.make import make_mode


def test_the_limit_it_has_already_is_no_replace(fleet, wire):
    order = resting(fleet)

    with pytest.raises(CannotControl, match="has this limit already"):
        change(order, LIMIT)

    assert stop(fleet).sent == 0


def test_the_new_limit_is_recorded_with_who_asked(fleet):
    order = resting(fleet)

    change(order)

    event = AuditEvent.objects.get(kind="limit")
    assert (event.subject, event.old, event.new, event.actor) == (
        f"complexorder:{order.pk}",
        "1.0000",
        "1.25",
        "agent",
    )


@pytest.mark.parametrize("limit", ["0", "-1", "1.255"])
def test_a_limit_that_no_ticket_could_have_is_refused(fleet, limit):
    order = resting(fleet)

    with pytest.raises(BadTicket) as error:
        change(order, Decimal(limit))

    assert {problem.field for problem in error.value.problems} == {"limit"}
    assert only(fleet, order).cancel_asked_at is None


def test_a_market_order_gets_no_limit(fleet, by_hand):
    order = fleet.broadcast(fleet.shares(5), accounts=fleet.accounts[:1])

    with pytest.raises(BadTicket):
        change(order)


def test_a_limit_far_from_the_market_needs_the_agents_word(fleet, broker):
    order = resting(fleet)

    with pytest.raises(GuardRefused) as error:
        change(order, Decimal(9000))
    assert [(p.field, p.code) for p in error.value.problems] == [("limit", "PRICE_AWAY")]
    order.refresh_from_db()
    assert order.limit == LIMIT

    assert change(order, Decimal(9000), confirm=["PRICE_AWAY"]).asked


def test_accounts_that_may_not_send_keep_their_orders_and_are_named(fleet, broker):
    order = resting(fleet, accounts=3)
    frozen, lost = fleet.accounts[0], fleet.accounts[1]
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(frozen.pk))
    type(lost.login).objects.filter(pk=lost.login.pk).update(status=LoginStatus.LOGIN_REQUIRED)

    asked = change(order)
    stop(fleet)
    go_on(fleet, order)

    assert set(asked.left_out) == {frozen.alias, lost.alias}
    assert "frozen" in asked.left_out[frozen.alias]
    assert prices_at(broker) == [(10, 1.0), (10, 1.0), (10, 1.25)]


def test_while_the_fleet_is_frozen_nothing_is_replaced(fleet):
    order = resting(fleet)
    make_mode(Mode.FROZEN)

    with pytest.raises(CannotControl, match="frozen"):
        change(order)

    assert only(fleet, order).cancel_asked_at is None


def test_when_nothing_works_there_is_nothing_to_replace(fleet):
    order = resting(fleet)
    ask(order)
    stop(fleet)

    with pytest.raises(CannotControl, match="nothing to replace"):
        change(order)
