"""Hands for tests of placed order sets: make them, let accounts hold something, close parts."""

from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from accounts.services.balances import sync_accounts
from orders.domain.exits import ExitState
from orders.domain.lifecycle import Purpose
from orders.models import ComplexOrder, ExitStep, PlacedOrderSet
from orders.selectors.sets import (
    find_set,
)
from strategies.domain.reversal import reverse

SIX = 6


def sync(fleet):
    sync_accounts(gateway=fleet.gateway, now=timezone.now())


def filled(fleet, ticket, **more):
    """Broadcast, read the fills, and return the set."""
    order = fleet.broadcast(ticket, **more)
    fleet.poll()
    return PlacedOrderSet.objects.get(order=order)


def shown(placed_set):
    row = find_set(placed_set.pk)
    assert row is not None
    return row


def signed(ticket):
    return {leg.symbol: 1 if leg.instruction.is_buy else -1 for leg in ticket.legs}


def times(quantities, n):
    return {symbol: quantity * n for symbol, quantity in quantities.items()}


def let_hold(fleet, account, **quantities):
    """Set what an account holds, and read it."""
    fleet.broker.positions({account.hash_value: quantities})
    sync(fleet)


def close(placed_set, fleet, ticket, contracts, *, index=0):
    """Send and fill an order that closes a part of a set in one account."""
    closing = reverse(replace(ticket, contracts=contracts, limit=Decimal(20)))
    order = fleet.create(closing, accounts=fleet.accounts[index : index + 1])
    ComplexOrder.objects.filter(pk=order.pk).update(closes=placed_set, purpose=Purpose.CLOSE)
    fleet.send(order)
    fleet.poll()
    return order


def step(placed_set, account, **fields):
    values = {"state": ExitState.CLOSING, "read_at": timezone.now(), **fields}
    return ExitStep.objects.create(placed_order_set=placed_set, account=account, **values)
