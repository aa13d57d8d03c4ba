"""Whether a click would be sent now: the parts that placing needs."""

from datetime import datetime

from django.db import DatabaseError, transaction

from accounts.domain.heartbeats import is_alive, queue_name
from accounts.models import UptimeDay
from accounts.services.gate import find_gate
from accounts.services.uptime import ages
from orders.selectors.health import Part
from orders.tasks.health import queue_part

# Without these nothing is sent, or nobody notices what became of it.
NEEDED = ("placement", "maint", "beat", "sweeper", queue_name("placement"), queue_name("recon"))


def parts(*, now: datetime) -> list[Part]:
    """Return each part that placing needs, and whether it is well."""
    return [_database(now), queue_part(), *_signs(now), _gate()]


def _database(now: datetime) -> Part:
    try:
        with transaction.atomic():
            UptimeDay.objects.create(on=now.date(), name="a probe", first_at=now, counted_at=now)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return Part("Database", is_well=False, words=f"takes no writes ({type(error).__name__})")
    return Part("Database", is_well=True, words="takes writes")


def _signs(now: datetime) -> list[Part]:
    known = ages(now_s=now.timestamp())
    return [_sign(name, known.get(name)) for name in NEEDED]


def _sign(name: str, age_s: float | None) -> Part:
    words = "no sign of life" if age_s is None else f"last sign of life {age_s:.0f} s ago"
    return Part(name, is_alive(name, age_s), words)


def _gate() -> Part:
    """Return the start-up gate: one that an agent must open is not for a machine to wait for."""
    gate = find_gate()
    if gate is None:
        return Part("Gate", is_well=True, words="open")
    return Part("Gate", is_well=False, words=gate.words)
