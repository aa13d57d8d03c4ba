"""The start-up gate: while it is closed nothing is sent, whatever the modes beside it say.

It is a row among the modes. One that is *starting* opens when the start is finished; one that is
*held* waits for an agent.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.domain.words import Mode, ModeScope
from accounts.models import TradingMode, User
from accounts.services.audit import event, record

STARTING = "Starting: "
SUBJECT = "gate"


@dataclass(frozen=True, slots=True)
class Gate:
    """The closed gate: why, and since when."""

    words: str
    since: datetime

    @property
    def is_held(self) -> bool:
        """Whether only an agent opens it."""
        return not self.words.startswith(STARTING)


def find_gate() -> Gate | None:
    """Return the gate if it is closed."""
    row = _rows().values_list("why", "since").first()
    return None if row is None else Gate(*row)


def close_gate(words: str, *, now: datetime) -> Gate:
    """Close the gate for a start; one that is held stays held, with its own words.

    Args:
        words: at most 200 characters; STARTING in front lets it open when the start is finished.
    """
    with transaction.atomic():
        before = _rows().select_for_update().first()
        if before is not None and not before.why.startswith(STARTING):
            words = before.why
        TradingMode.objects.update_or_create(
            scope=ModeScope.GATE,
            target="",
            defaults={"mode": Mode.FROZEN, "why": words[:200], "since": now, "who": None},
        )
        _record("OPEN" if before is None else "CLOSED", "CLOSED", words, now=now)
    return Gate(words[:200], now)


def describe_gate(words: str, *, now: datetime) -> bool:
    """Say anew why a gate that is starting is still closed; without STARTING it becomes held."""
    with transaction.atomic():
        changed = _starting().exclude(why=words[:200]).update(why=words[:200])
        if changed:
            _record("CLOSED", "CLOSED", words, now=now)
    return bool(changed)


def open_gate(*, now: datetime, by: User | None = None) -> bool:
    """Open the gate; True if it was this call that did.

    Args:
        by: an agent may open any gate; without one, only a gate that is starting opens.
    """
    rows = _starting() if by is None else _rows()
    actor = "start" if by is None else by.get_username()
    with transaction.atomic():
        words = rows.values_list("why", flat=True).first()
        opened, _ = rows.delete()
        if opened:
            _record("CLOSED", "OPEN", words or "", now=now, actor=actor)
    return bool(opened)


def _rows() -> QuerySet[TradingMode]:
    return TradingMode.objects.filter(scope=ModeScope.GATE)


def _starting() -> QuerySet[TradingMode]:
    return _rows().filter(why__startswith=STARTING)


def _record(old: str, new: str, words: str, *, now: datetime, actor: str = "start") -> None:
    record([event(SUBJECT, "gate", at=now, old=old, new=new, reason=words[:300], actor=actor)])
