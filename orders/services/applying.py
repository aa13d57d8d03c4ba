"""Write down what the broker says of our orders: fills, quantities, status; never backwards."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.services.audit import event, record
from brokerage.schwab.replies import BrokerOrder
from orders.domain.fills import LegTotal, all_filled, net_price
from orders.domain.lifecycle import Status, status_of_broker
from orders.models import AccountOrder, AccountOrderLeg, LegFill
from orders.services.steps import Step, take_steps
from strategies.domain.tickets import Instruction


def apply_reading(readings: Sequence[tuple[UUID, BrokerOrder]], *, now: datetime) -> set[UUID]:
    """Apply reads of working orders; a late or repeated one changes nothing.

    Returns:
        The account orders that changed.
    """
    fresh = _unlike_what_we_know(readings)
    if not fresh:
        return set()
    with transaction.atomic():
        totals = _keep_fills(fresh, now)
        _keep_figures(fresh, totals, now)
        steps = [
            step
            for child, shown in fresh
            if (step := _step(child, shown, totals[child.pk])) is not None
        ]
        take_steps(steps, out_of=[Status.WORKING], now=now, actor="poll")
    return {child.pk for child, _ in fresh}


def _unlike_what_we_know(
    readings: Sequence[tuple[UUID, BrokerOrder]],
) -> list[tuple[AccountOrder, BrokerOrder]]:
    shown = dict(readings)
    working = AccountOrder.objects.filter(pk__in=shown, status=Status.WORKING).defer("body")
    return [(child, shown[child.pk]) for child in working if _differs(child, shown[child.pk])]


def _differs(child: AccountOrder, shown: BrokerOrder) -> bool:
    """Whether a read tells something new; fewer fills than we have is an old one."""
    if shown.filled < child.filled:
        return False
    return (
        shown.status != child.broker_status
        or shown.filled > child.filled
        or shown.is_terminal
        or shown.status_description[:300] != child.broker_text
    )


def _keep_fills(
    fresh: Sequence[tuple[AccountOrder, BrokerOrder]], now: datetime
) -> dict[UUID, list[LegTotal]]:
    """Insert the fills we do not have and return what each order's legs add up to."""
    legs: dict[UUID, dict[int, AccountOrderLeg]] = defaultdict(dict)
    for leg in AccountOrderLeg.objects.filter(child__in=[child.pk for child, _ in fresh]):
        legs[leg.child_id][leg.number] = leg
    LegFill.objects.bulk_create(
        (
            LegFill(
                leg=legs[child.pk][fill.leg_id],
                activity_id=fill.activity_id,
                quantity=fill.quantity,
                price=fill.price,
                at=fill.at or shown.closed_at or now,
            )
            for child, shown in fresh
            for fill in shown.fills
            if fill.leg_id in legs[child.pk]
        ),
        ignore_conflicts=True,
    )
    return _totals([leg for numbered in legs.values() for leg in numbered.values()])


def _totals(legs: Collection[AccountOrderLeg]) -> dict[UUID, list[LegTotal]]:
    filled: dict[int, Decimal] = defaultdict(Decimal)
    cost: dict[int, Decimal] = defaultdict(Decimal)
    fills = LegFill.objects.filter(leg__in=legs).values_list("leg_id", "quantity", "price")
    for leg_id, quantity, price in fills:
        filled[leg_id] += quantity
        cost[leg_id] += quantity * price
    totals: dict[UUID, list[LegTotal]] = defaultdict(list)
    changed = []
    for leg in legs:
        is_buy = Instruction(leg.instruction).is_buy
        total = LegTotal(is_buy, leg.quantity, filled[leg.pk], cost[leg.pk])
        totals[leg.child_id].append(total)
        if leg.filled != total.filled:
            leg.filled, leg.average_price = total.filled, total.average_price
            changed.append(leg)
    AccountOrderLeg.objects.bulk_update(changed, ["filled", "average_price"])
    return totals


def _keep_figures(
    fresh: Sequence[tuple[AccountOrder, BrokerOrder]],
    totals: dict[UUID, list[LegTotal]],
    now: datetime,
) -> None:
    """Keep quantities, net price and the broker's own words of orders still working for us."""
    events = []
    for child, shown in fresh:
        if shown.filled > child.filled or shown.status != child.broker_status:
            filled = str(shown.filled)
            events.append(
                event(
                    child,
                    "broker",
                    at=now,
                    old=child.broker_status,
                    new=shown.status,
                    actor="poll",
                    data={"filled": filled},
                )
            )
        for name, value in _figures(child, shown, totals[child.pk]).items():
            setattr(child, name, value)
    AccountOrder.objects.bulk_update(
        [child for child, _ in fresh],
        ["filled", "remaining", "net_price", "broker_status", "broker_text"],
    )
    record(events)


def _figures(child: AccountOrder, shown: BrokerOrder, legs: list[LegTotal]) -> dict[str, Any]:
    return {
        "filled": shown.filled,
        "remaining": max(child.contracts - shown.filled, Decimal(0)),
        "net_price": net_price(legs, contracts=child.contracts),
        "broker_status": shown.status[:40],
        "broker_text": shown.status_description[:300],
    }


def _step(child: AccountOrder, shown: BrokerOrder, legs: list[LegTotal]) -> Step | None:
    status = status_of_broker(shown.status, legs_filled=all_filled(legs))
    if status == Status.WORKING:
        return None
    return Step(child.pk, status, {"reason": shown.status_description[:300]})
