"""Thin what was read or answered and grows old, in pieces so small that no click waits."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.models import AnsweredCall, BalanceSnapshot, HookDelivery, Message
from accounts.services.answering import KEPT
from accounts.services.outbox import old_messages
from accounts.services.refreshing import forget_refreshes
from accounts.services.worth import thin_worth
from strategies.domain.new_york import EASTERN, midnight

WHOLE_FOR = timedelta(days=30)
# A delete of so many rows takes milliseconds; whoever waits for the database goes in between.
PIECE = 500
PAUSE_S = 0.05

Wait = Callable[[float], object]
Row = TypeVar("Row", bound=Model)


def thin_readings(*, now: datetime, wait: Wait = time.sleep) -> dict[str, int]:
    """Thin snapshots, the fleet's worth, refreshes and answers; return how many rows went, by what.

    Safe to run again, and to be interrupted: the next run goes on.
    """
    return {
        "snapshots": thin_snapshots(now=now, wait=wait),
        "worth": thin_worth(now=now),
        "refreshes": forget_refreshes(now=now),
        "answers": forget_answers(now=now, wait=wait),
        "messages": delete_in_pieces(
            Message.objects.all(), old_messages(before=now - WHOLE_FOR), wait=wait
        ),
        "deliveries": HookDelivery.objects.filter(received_at__lt=now - WHOLE_FOR).delete()[0],
    }


def thin_snapshots(*, now: datetime, wait: Wait = time.sleep) -> int:
    """Keep of old snapshots the last one of every day at the exchange; return how many went."""
    old = BalanceSnapshot.objects.filter(at__lt=midnight(now - WHOLE_FOR))
    accounts = list(old.order_by("account").values_list("account", flat=True).distinct())
    return sum(
        delete_in_pieces(BalanceSnapshot.objects.all(), list(_surplus(old, account)), wait=wait)
        for account in accounts
    )


def forget_answers(*, now: datetime, wait: Wait = time.sleep) -> int:
    """Remove what programs were answered under keys that are old; return how many went."""
    old = AnsweredCall.objects.filter(at__lt=now - KEPT)
    keys = list(old.values_list("pk", flat=True))
    return delete_in_pieces(AnsweredCall.objects.all(), keys, wait=wait)


def delete_in_pieces(rows: QuerySet[Row], keys: Sequence[int], *, wait: Wait = time.sleep) -> int:
    """Delete rows by their keys, a transaction for each piece; return how many went."""
    gone = 0
    for start in range(0, len(keys), PIECE):
        if start:
            wait(PAUSE_S)
        piece = keys[start : start + PIECE]
        gone += rows.filter(pk__in=piece).delete()[1].get(rows.model._meta.label, 0)
    return gone


def _surplus(old: QuerySet[BalanceSnapshot], account: UUID) -> Iterator[int]:
    """Yield those of an account that another one of the same day follows."""
    later: date | None = None
    rows = old.filter(account=account).order_by("-at", "-pk")
    for key, at in rows.values_list("pk", "at"):
        day = at.astimezone(EASTERN).date()
        if day == later:
            yield key
        later = day
