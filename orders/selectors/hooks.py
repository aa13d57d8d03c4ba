"""Hooks and receivers with what came and went last, and who was told of each alarm."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Model, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.domain.happenings import DeliveryState
from accounts.models import Alarm, Delivery, Hook, HookDelivery, Receiver
from orders.models import ComplexOrder

Row = TypeVar("Row", bound=Model)

LAST = 8


@dataclass(frozen=True, slots=True)
class Came:
    """One delivery to a hook; `order` is the broadcast it made, None if it was refused."""

    at: datetime
    saved_order: str
    order: int | None
    refused: str


@dataclass(frozen=True, slots=True)
class HookShown:
    """A hook with its last deliveries, newest first."""

    hook: Hook
    came: Sequence[Came]


@dataclass(frozen=True, slots=True)
class ReceiverShown:
    """A receiver with how many messages wait and were given up, and its last deliveries."""

    receiver: Receiver
    waiting: int
    dead: int
    went: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class AlarmShown:
    """An alarm, and to whom the last message about it went."""

    alarm: Alarm
    told: Sequence[Delivery]


def list_hooks() -> list[HookShown]:
    """Return every hook, by name."""
    hooks = Hook.objects.select_related("agent")
    came = _newest(HookDelivery.objects.all(), "hook_id", "-received_at", "-pk")
    keys = [row.pk for rows in came.values() for row in rows]
    orders = ComplexOrder.objects.filter(idempotency_key__in=keys)
    made = dict(orders.values_list("idempotency_key", "pk"))
    return [HookShown(one, [_came(row, made) for row in came[one.pk]]) for one in hooks]


def list_receivers() -> list[ReceiverShown]:
    """Return every receiver, by name."""
    rows = Receiver.objects.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.PENDING)),
        dead=Count("deliveries", filter=Q(deliveries__state=DeliveryState.DEAD)),
    )
    went = _newest(Delivery.objects.select_related("message"), "receiver_id", "-pk")
    ordered = rows.order_by("name")
    return [ReceiverShown(one, one.waiting, one.dead, went[one.pk]) for one in ordered]


def with_tellings(alarms: Sequence[Alarm]) -> list[AlarmShown]:
    """Return alarms with the deliveries of the last message about each."""
    rows = Delivery.objects.filter(message__alarm__in=[alarm.pk for alarm in alarms])
    by_alarm: dict[int, dict[int, list[Delivery]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.select_related("message", "receiver").order_by("receiver__name"):
        by_alarm[row.message.alarm_id or 0][row.message_id].append(row)
    return [AlarmShown(alarm, _last(by_alarm[alarm.pk])) for alarm in alarms]


def _last(messages: Mapping[int, list[Delivery]]) -> list[Delivery]:
    return messages[max(messages)] if messages else []


def _newest(rows: QuerySet[Row], whose: str, *order: str) -> dict[UUID, list[Row]]:
    """Return the first LAST rows of each, in this order, by whose they are: in one query."""
    place = Window(RowNumber(), partition_by=whose, order_by=order)
    kept: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows.annotate(place=place).filter(place__lte=LAST).order_by(*order):
        kept[getattr(row, whose)].append(row)
    return kept


def _came(row: HookDelivery, made: Mapping[UUID, int]) -> Came:
    return Came(row.received_at, row.saved_order, made.get(row.pk), row.refused)
