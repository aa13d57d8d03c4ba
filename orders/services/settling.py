"""Settle orders of unknown outcome by what one complete list of their account shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from brokerage.schwab.replies import BrokerOrder
from orders.domain.lifecycle import Reason, Status
from orders.domain.matching import OUR_TAG, Finding, Match, Seen, counts_as_absence, match
from orders.models import AccountOrder, ExternalOrder
from orders.services.parents import refresh_parents
from orders.services.resurrecting import resurrect
from orders.services.seeking import Sought, under_way
from orders.services.steps import Step, take_steps

FOUND = "Found at the broker under number {}."
ASK = "The broker shows {} that could be this one and may be somebody else's. Decide which is ours."
ORPHAN = "The broker shows order {}, like one that was not placed here. Look at the account."
ABSENT = "Proved not placed: {} complete lists of the account do not show it."


@dataclass(frozen=True, slots=True)
class Look:
    """One complete list of an account's orders.

    Args:
        asked_at: when the request was sent.
        broker_ahead: by how much the broker's clock is ahead of ours.
        shown: the orders by number.
        seen: the same as matching needs them; made before any transaction, for it takes a while.
    """

    asked_at: datetime
    broker_ahead: timedelta
    shown: Mapping[str, BrokerOrder]
    seen: Sequence[Seen]


@dataclass(slots=True)
class Settled:
    """What a list settled; `found` has the broker's number by account order."""

    found: dict[UUID, str] = field(default_factory=dict)
    absent: int = 0
    asked: int = 0


def settle(sought: Sequence[Sought], look: Look, *, now: datetime) -> Settled:
    """Adopt what is ours, count an absence, or prepare the agent's question.

    Args:
        sought: orders of one account.
    """
    settled = Settled()
    with transaction.atomic():
        owned = _owned(sought[0].account_id, look.shown)
        for one in sought:
            found = match(
                one.fingerprint,
                claimed_at=one.claimed_at + look.broker_ahead,
                quiet=timedelta(seconds=settings.QUIET_PERIOD_S),
                listed=look.seen,
                taken={*owned, *settled.found.values(), *one.ruled_out},
            )
            # Another of ours holds a wrong number, and will give it up: this list proves nothing.
            if found.finding != Finding.NOTHING or not _is_held_by_another(one, look.seen, owned):
                _settle_one(one, found, look, settled, now)
        refresh_parents({one.order_id for one in sought})
    return settled


def _settle_one(one: Sought, found: Match, look: Look, settled: Settled, now: datetime) -> None:
    is_given_up = one.status != Status.UNKNOWN
    match found.finding:
        case Finding.OURS if is_given_up:
            name = found.orders[0].order_id
            if resurrect({one.child_id: name}, now=now, actor="reconciliation"):
                settled.found[one.child_id] = name
        case Finding.OURS:
            _adopt(one, found.orders[0].order_id, settled, now)
        case Finding.ASK if is_given_up:
            _report(one, [look.shown[seen.order_id] for seen in found.orders], now)
        case Finding.ASK:
            _ask(one, [look.shown[seen.order_id] for seen in found.orders], settled, now)
        case Finding.NOTHING if not is_given_up:
            _count_absence(one, look, settled, now)


def _owned(account_id: UUID, shown: Collection[str]) -> dict[str, str]:
    """Return which of the orders shown belong to account orders, with the owners' fingerprints."""
    rows = AccountOrder.objects.filter(account=account_id, broker_order_id__in=shown)
    owners = rows.values_list("broker_order_id", "fingerprint")
    return {name: fingerprint for name, fingerprint in owners if name}


def _is_held_by_another(one: Sought, seen: Sequence[Seen], owned: Mapping[str, str]) -> bool:
    """Whether an order that looks like this one belongs to one of ours that does not."""
    same = (order.order_id for order in seen if order.fingerprint == one.fingerprint)
    return any(owned.get(name, one.fingerprint) != one.fingerprint for name in same)


def _adopt(one: Sought, name: str, settled: Settled, now: datetime) -> None:
    values = {
        "broker_order_id": name,
        "needs_agent": False,
        "reason_code": "",
        "reason": FOUND.format(name),
    }
    step = Step(one.child_id, Status.WORKING, values, {"proof": "FOUND"})
    if take_steps([step], out_of=[Status.UNKNOWN], now=now, actor="reconciliation"):
        ExternalOrder.objects.filter(account=one.account_id, broker_order_id=name).delete()
        settled.found[one.child_id] = name


def _report(one: Sought, orders: Sequence[BrokerOrder], now: datetime) -> None:
    """Tell once of orders with our tag that no account order explains; the agent must look."""
    if under_way(one.account_id, one.fingerprint).exists():
        return  # its order may be at the broker before its answer is on record
    rows = [candidate(one.account_id, order, now=now) for order in orders]
    tagged = [row for row in rows if row.tag.startswith(OUR_TAG)]
    known = ExternalOrder.objects.filter(
        account=one.account_id, broker_order_id__in=[row.broker_order_id for row in tagged]
    ).values_list("broker_order_id", flat=True)
    new = [row for row in tagged if row.broker_order_id not in set(known)]
    ExternalOrder.objects.bulk_create(new, ignore_conflicts=True)
    for row in new:
        words = ORPHAN.format(row.broker_order_id)
        raise_alarm("ORPHAN", f"accountorder:{one.child_id}", words, now=now)


def _ask(one: Sought, orders: Sequence[BrokerOrder], settled: Settled, now: datetime) -> None:
    """Keep the candidates; the absence counts from the beginning once there are none."""
    ExternalOrder.objects.bulk_create(
        [candidate(one.account_id, order, now=now) for order in orders],
        update_conflicts=True,
        unique_fields=["account", "broker_order_id"],
        update_fields=["broker_status", "seen_at", "data"],
    )
    words = ASK.format("one order" if len(orders) == 1 else f"{len(orders)} orders")
    child = AccountOrder.objects.filter(pk=one.child_id, status=Status.UNKNOWN)
    child.filter(clean_reads__gt=0).update(clean_reads=0)
    names = sorted(order.order_id for order in orders)
    if child.exclude(candidates=names).update(candidates=names, needs_agent=True, reason=words):
        data = {"candidates": names}
        record([event(_subject(one), "candidates", at=now, reason=words, data=data)])
    settled.asked += 1


def _count_absence(one: Sought, look: Look, settled: Settled, now: datetime) -> None:
    child = AccountOrder.objects.filter(pk=one.child_id, status=Status.UNKNOWN)
    child.filter(needs_agent=True).update(needs_agent=False, candidates=[])
    quiet = timedelta(seconds=settings.QUIET_PERIOD_S)
    if not counts_as_absence(claimed_at=one.claimed_at, asked_at=look.asked_at, quiet=quiet):
        return
    child.update(clean_reads=F("clean_reads") + 1)
    reads = child.values_list("clean_reads", flat=True).first() or 0
    if reads < settings.ABSENCE_READS:
        return
    values = {
        "reason_code": Reason.PROVED_ABSENT,
        "reason": ABSENT.format(reads),
    }
    step = Step(one.child_id, Status.FAILED_TO_PLACE, values, {"reads": reads})
    settled.absent += len(
        take_steps([step], out_of=[Status.UNKNOWN], now=now, actor="reconciliation")
    )


def candidate(account_id: UUID, order: BrokerOrder, *, now: datetime) -> ExternalOrder:
    """Return an order of the broker as a row that belongs to nobody."""
    return ExternalOrder(
        account_id=account_id,
        broker_order_id=order.order_id,
        tag=order.tag[:60],
        broker_status=order.status[:40],
        entered_at=order.entered_at or now,
        seen_at=now,
        data=_facts(order),
    )


def _facts(order: BrokerOrder) -> dict[str, Any]:
    """Return what the agent needs to tell one order from another, as plain words."""
    return {
        "order_type": order.order_type,
        "price": "" if order.price is None else str(order.price),
        "quantity": str(order.quantity),
        "filled": str(order.filled),
        "status_description": order.status_description[:300],
        "legs": [
            {
                "symbol": leg.symbol,
                "instruction": leg.instruction,
                "quantity": str(leg.quantity),
            }
            for leg in order.legs
        ],
    }


def _subject(one: Sought) -> str:
    return f"accountorder:{one.child_id}"
