"""Keep orders safe when the machine's clock is moved while they are under way."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.services.alarms import raise_alarm
from orders.domain.lifecycle import UNRESOLVED, Reason, Status
from orders.models import AccountOrder
from orders.services.parents import refresh_parents
from orders.services.steps import Step, take_steps

TOLERATED = timedelta(seconds=2)
# It goes on while the machine sleeps: waking up is no step of the clock.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_s() -> float:
    """Return seconds of a clock that nobody sets."""
    return time.clock_gettime(_STEADY)


class ClockWatch:
    """Notices when the wall clock moves against a steady one."""

    def __init__(
        self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady_s
    ) -> None:
        self._wall, self._steady = wall, steady
        self._apart = self._seen = wall() - steady()

    def step(self) -> timedelta:
        """Return by how much the clock was moved since the last accepted step.

        Small corrections are no step, however many there are.
        """
        self._seen = self._wall() - self._steady()
        moved = timedelta(seconds=self._seen - self._apart)
        if abs(moved) > TOLERATED:
            return moved
        self.accept()
        return timedelta()

    def accept(self) -> None:
        """Take the clock as it was seen by `step` for the right one."""
        self._apart = self._seen


def follow_clock(step: timedelta, *, now: datetime) -> None:
    """Move the stamps of unresolved orders with the clock, and send nothing that is older.

    How old a READY order is can no longer be told. Of the others the quiet period and the window
    in which they are looked for keep their real lengths.
    """
    words = f"The clock was moved by {step.total_seconds():+.0f} s"
    with transaction.atomic():
        AccountOrder.objects.filter(status__in=UNRESOLVED, claimed_at__isnull=False).update(
            claimed_at=F("claimed_at") + step, looked_at=None, clean_reads=0
        )
        values = {"reason_code": Reason.STALE_UNSENT, "reason": f"{words}: not sent."}
        ready = AccountOrder.objects.filter(status=Status.READY).values_list("pk", "order_id")
        orders = dict(ready)
        take_steps(
            [Step(pk, Status.FAILED_TO_PLACE, values) for pk in orders],
            out_of=[Status.READY],
            now=now,
            actor="sweeper",
        )
        refresh_parents(set(orders.values()))
        raise_alarm("CLOCK_MOVED", "clock", f"{words}. Check the time service.", now=now)
