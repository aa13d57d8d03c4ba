"""Write down what the broker says of our orders: fills, quantities, status; never backwards."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet

from accounts.services.audit import event, record
from accounts.services.inserting import update_each
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder
from orders.domain.fills import LegTotal, net_price, shows
from orders.domain.lifecycle import Reason, Status, status_of_broker
from orders.domain.matching import OUR_TAG
from orders.models import AccountOrder, AccountOrderLeg, LegFill
from orders.services.parents import refresh_parents
from orders.services.sets import keep_sets
from orders.services.steps import Step, take_steps
from strategies.domain.tickets import Instruction

log = logging.getLogger(__name__)

Reading = tuple[AccountOrder, BrokerOrder]

# What taking over a read can raise that no column can hold, an absurd price say.
UNKEEPABLE = (DataError, IntegrityError, ArithmeticError)
STRANGER = "The broker shows another order under the number {} that it gave for this one."
UNSEEN = "The broker knows no order under the number {} that it gave for this one."
# What is said of an end for which the broker gives no words itself.
ENDS = {
    Status.REJECTED: "The broker rejected the order and gave no reason.",
    Status.CANCELED: "The order was canceled at the broker.",
    Status.EXPIRED: "The order expired at the broker.",
}
REPLACED = "The broker replaced the order by another, which is being looked for."


def apply_reading(readings: Sequence[tuple[UUID, BrokerOrder]], *, now: datetime) -> set[UUID]:
    """Apply reads of working orders; a late or repeated one changes nothing.

    Returns:
        The account orders that changed.
    """
    shown = dict(readings)
    working = AccountOrder.objects.filter(pk__in=shown, status=Status.WORKING).defer("body")
    told = [child.pk for child in working if _differs(child, shown[child.pk])]
    if not told:
        return set()
    with transaction.atomic():
        # Looked at again under the lock: another poll may have read later and written first.
        fresh = _fresh(working.filter(pk__in=told), shown)
        own = [pair for pair in fresh if not _is_stranger(*pair)]
        _disown([child for child, shown in fresh if _is_stranger(child, shown)], STRANGER, now)
        totals = _keep_fills(own, now)
        _keep_figures(own, totals, now)
        steps = [
            step
            for child, order in own
            if (step := _step(child, order, totals[child.pk])) is not None
        ]
        take_steps(steps, out_of=[Status.WORKING], now=now, actor="poll")
        parents = {child.order_id for child, _ in fresh}
        refresh_parents(parents)
        keep_sets(parents, now=now)
    return {child.pk for child, _ in fresh}


def apply_each(readings: Sequence[tuple[UUID, BrokerOrder]], *, now: datetime) -> set[UUID]:
    """Apply reads as above; one that cannot be kept is logged and does not hide the others."""
    try:
        return apply_reading(readings, now=now)
    except UNKEEPABLE:
        if len(readings) > 1:
            return set().union(*(apply_each([one], now=now) for one in readings))
        log.exception("account order %s: what the broker shows cannot be kept", readings[0][0])
        return set()


def _fresh(working: QuerySet[AccountOrder], shown: dict[UUID, BrokerOrder]) -> list[Reading]:
    rows = working.select_for_update().order_by("pk")
    return [(child, shown[child.pk]) for child in rows if _differs(child, shown[child.pk])]


def _differs(child: AccountOrder, shown: BrokerOrder) -> bool:
    """Whether a read tells something new; fewer fills than we have is an old one.

    Nothing follows a terminal status, so a read that shows one is never old.
    """
    if shown.is_terminal or _is_stranger(child, shown):
        return True
    if shown.filled < child.filled:
        return False
    return (
        shown.status[:40] != child.broker_status
        or shown.filled > child.filled
        or shown.status_description[:300] != child.broker_text
    )


def _is_stranger(child: AccountOrder, shown: BrokerOrder) -> bool:
    """Whether the first read of an order shows that its `Location` named another one.

    That may be an equal one which somebody made by hand: its tag tells.
    """
    if child.broker_status:
        return False
    is_by_hand = bool(shown.tag) and not shown.tag.startswith(OUR_TAG)
    return is_by_hand or fingerprint(shown.raw) != child.fingerprint


def doubt_number(child_id: UUID, *, now: datetime) -> None:
    """Give up the number of an order that the broker does not know under it, before it was seen."""
    with transaction.atomic():
        unseen = AccountOrder.objects.filter(
            pk=child_id, status=Status.WORKING, broker_status=""
        ).select_for_update()
        _disown(list(unseen), UNSEEN, now)


def _disown(children: Sequence[AccountOrder], words: str, now: datetime) -> None:
    """Look for orders anew whose `Location` was wrong: they are somewhere else, or nowhere."""
    steps = [
        Step(
            child.pk,
            Status.UNKNOWN,
            {
                "broker_order_id": None,
                "reason_code": Reason.WRONG_LOCATION,
                "reason": words.format(child.broker_order_id),
            },
            {"broker_order_id": child.broker_order_id},
        )
        for child in children
    ]
    if take_steps(steps, out_of=[Status.WORKING], now=now, actor="poll"):
        refresh_parents({child.order_id for child in children})


def _keep_fills(own: Sequence[Reading], now: datetime) -> dict[UUID, list[LegTotal]]:
    """Insert the fills we do not have and return what each order's legs add up to."""
    legs: dict[UUID, dict[str, AccountOrderLeg]] = defaultdict(dict)
    for leg in AccountOrderLeg.objects.filter(child__in=[child.pk for child, _ in own]):
        legs[leg.child_id][leg.symbol.strip()] = leg
    fills = [
        fill
        for child, shown in own
        for fill in _fills(shown, legs[child.pk], shown.closed_at or now)
    ]
    LegFill.objects.bulk_create(fills, ignore_conflicts=True)
    return _totals([leg for named in legs.values() for leg in named.values()])


def _fills(shown: BrokerOrder, legs: dict[str, AccountOrderLeg], at: datetime) -> list[LegFill]:
    """Return an order's fills by the symbols of its legs: their numbers are the broker's own."""
    ours = {leg.leg_id: legs.get(leg.symbol.strip()) for leg in shown.legs}
    return [
        LegFill(
            leg=leg,
            activity_id=fill.activity_id,
            quantity=fill.quantity,
            price=fill.price,
            at=fill.at or at,
        )
        for fill in shown.fills
        if (leg := ours.get(fill.leg_id)) is not None
    ]


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
    update_each(changed, ["filled", "average_price"])
    return totals


def _keep_figures(
    own: Sequence[Reading], totals: dict[UUID, list[LegTotal]], now: datetime
) -> None:
    """Keep quantities, net price and the broker's own words of orders still working for us."""
    events = [
        event(
            child,
            "broker",
            at=now,
            old=child.broker_status,
            new=shown.status[:40],
            actor="poll",
            data={"filled": str(shown.filled)},
        )
        for child, shown in own
        if shown.filled > child.filled or shown.status[:40] != child.broker_status
    ]
    for child, shown in own:
        for name, value in _figures(child, shown, totals[child.pk]).items():
            setattr(child, name, value)
    update_each(
        [child for child, _ in own],
        ["filled", "remaining", "net_price", "broker_status", "broker_text"],
    )
    record(events)


def _figures(child: AccountOrder, shown: BrokerOrder, legs: list[LegTotal]) -> dict[str, Any]:
    filled = max(shown.filled, child.filled)
    return {
        "filled": filled,
        "remaining": max(child.contracts - filled, Decimal(0)),
        "net_price": net_price(legs, contracts=child.contracts),
        "broker_status": shown.status[:40],
        "broker_text": shown.status_description[:300],
    }


def _step(child: AccountOrder, shown: BrokerOrder, legs: list[LegTotal]) -> Step | None:
    units = Decimal(child.contracts) if shown.status == Status.FILLED else shown.filled
    fills_listed = shows(legs, units=units, contracts=child.contracts)
    status = status_of_broker(shown.status, fills_listed=fills_listed)
    if status == Status.WORKING:
        return None
    words = shown.status_description[:300]
    if status == Status.REPLACED and child.successor_id is None:
        return Step(child.pk, status, {"reason": words or REPLACED, "needs_agent": True})
    return Step(child.pk, status, {"reason": words or ENDS.get(status, "")})
