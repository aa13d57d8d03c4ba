"""Hooks and receivers with what came and went last, and who was told of each alarm."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from accounts.domain.happenings import DeliveryState
from accounts.models import Alarm, Delivery, Hook, HookDelivery, Receiver
from orders.models import ComplexOrder

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
    return [HookShown(one, _came(one)) for one in Hook.objects.select_related("agent")]


def list_receivers() -> list[ReceiverShown]:
    """Return every receiver, by name."""
    rows = Receiver.objects.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.PENDING)),
        dead=Count("deliveries", filter=Q(deliveries__state=DeliveryState.DEAD)),
    )
    ordered = rows.order_by("name")
    return [ReceiverShown(one, one.waiting, one.dead, _went(one)) for one in ordered]


def with_tellings(alarms: Sequence[Alarm]) -> list[AlarmShown]:
    """Return alarms with the deliveries of the last message about each."""
    rows = Delivery.objects.filter(message__alarm__in=[alarm.pk for alarm in alarms])
    by_alarm: dict[int, dict[int, list[Delivery]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.select_related("message", "receiver").order_by("receiver__name"):
        by_alarm[row.message.alarm_id or 0][row.message_id].append(row)
    return [AlarmShown(alarm, _last(by_alarm[alarm.pk])) for alarm in alarms]


def _last(messages: Mapping[int, list[Delivery]]) -> list[Delivery]:
    return messages[max(messages)] if messages else []


def _came(hook: Hook) -> list[Came]:
    rows = list(HookDelivery.objects.filter(hook=hook).order_by("-received_at", "-pk")[:LAST])
    keys = [row.pk for row in rows]
    orders = ComplexOrder.objects.filter(idempotency_key__in=keys)
    made = dict(orders.values_list("idempotency_key", "pk"))
    return [Came(row.received_at, row.saved_order, made.get(row.pk), row.refused) for row in rows]


def _went(receiver: Receiver) -> list[Delivery]:
    rows = Delivery.objects.filter(receiver=receiver).select_related("message")
    return list(rows.order_by("-pk")[:LAST])
