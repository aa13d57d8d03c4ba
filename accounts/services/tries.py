"""Count tries at what can be guessed, before they are judged: many at once are still counted.

A check that reads a count, judges and then adds one lets everything through that comes meanwhile,
and a good password check takes its time. Here one UPDATE takes the try, or there is none left.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, F, QuerySet, Value, When

from accounts.fields import key_ring
from accounts.models import Tries

WINDOW = timedelta(minutes=15)


class TooManyTries(Exception):
    """Nothing more is judged for a while, right or wrong; `wait_s` says for how long at most."""

    def __init__(self) -> None:
        super().__init__("Too many tries. Wait 15 minutes, then try again.")
        self.wait_s = int(WINDOW.total_seconds())


@dataclass(frozen=True, slots=True)
class Cap:
    """How many tries there are within 15 minutes; the last of them begins the 15 minutes anew."""

    kind: str
    limit: int


# One name from one address; all names from one address; his second factor, from anywhere;
# and a session that is to prove once more whose it is.
OF_NAME = Cap("name", 5)
OF_ADDRESS = Cap("address", 60)
OF_FACTOR = Cap("factor", 10)
OF_PROOF = Cap("proof", 5)


def take_try(cap: Cap, *of: str, now: datetime) -> bool:
    """Count one try; return whether it was the last one. Errors: TooManyTries."""
    rows = _rows(cap, of)
    while not _counted(rows, cap, now):
        if rows.filter(count__gte=cap.limit).exists():
            raise TooManyTries
        # Not there yet, or not any more: somebody else proved who he is just now.
        Tries.objects.bulk_create([Tries(key=_key(cap, of), since=now)], ignore_conflicts=True)
    return rows.filter(count__gte=cap.limit).exists()


def give_back(cap: Cap, *of: str) -> None:
    """Take back one try that was no guess."""
    _rows(cap, of).filter(count__gt=0).update(count=F("count") - 1)


def forget_tries(cap: Cap, *of: str) -> None:
    """Let all tries begin anew: somebody proved who he is."""
    _rows(cap, of).delete()


def forget_old_tries(*, now: datetime) -> int:
    """Remove counts that count no more; return how many."""
    return Tries.objects.filter(since__lte=now - WINDOW).delete()[0]


def _counted(rows: QuerySet[Tries], cap: Cap, now: datetime) -> bool:
    if rows.filter(since__lte=now - WINDOW).update(count=1, since=now):
        return True
    last = When(count__gte=cap.limit - 1, then=Value(now))
    left = rows.filter(count__lt=cap.limit)
    return bool(left.update(count=F("count") + 1, since=Case(last, default=F("since"))))


def _rows(cap: Cap, of: tuple[str, ...]) -> QuerySet[Tries]:
    return Tries.objects.filter(key=_key(cap, of))


def _key(cap: Cap, of: tuple[str, ...]) -> str:
    return key_ring().blind_index(repr(of), column=f"tries {cap.kind}")
