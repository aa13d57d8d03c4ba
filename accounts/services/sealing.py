"""Seal the record: a chain of keyed digests that shows what was changed or removed afterwards.

Events are sealed a moment after they are written, by one process, so that 45 claims at once need
not wait for each other. Nothing that was inserted by hand can be told from an event; what was
sealed can be neither changed nor removed without the key, which is in the key file.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.domain.chain import BEGINNING, COLUMNS, Break, Link, find_break, link_digest
from accounts.fields import key_ring
from accounts.models import AuditEvent, AuditSeal
from accounts.services.alarms import raise_alarm

log = logging.getLogger(__name__)

AT_ONCE = 2000
# Numbers are given out before a commit: what is younger may still get an older neighbour.
SETTLED = timedelta(seconds=2)
LATE = timedelta(minutes=5)
LOOKED_BACK = 10_000
_KEYED_AS = "audit_chain"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What walking the whole chain came to.

    Args:
        links: how many hold.
        head: the digest of the last of them; keep it elsewhere to notice a chain cut short.
        unsealed: events that are not covered yet.
    """

    broken: Break | None
    links: int
    head: str
    unsealed: int


def seal_events(*, now: datetime, at_once: int = AT_ONCE) -> int:
    """Seal what is settled and not sealed; return how many. A second sealer adds nothing."""
    settled = _waiting().filter(at__lt=now - SETTLED)
    rows = list(settled.order_by("id").values(*COLUMNS)[:at_once])
    if not rows:
        return 0
    try:
        with transaction.atomic():
            last = AuditSeal.objects.order_by("-number").values("number", "digest").first()
            before, head = (last["number"], last["digest"]) if last else (0, BEGINNING)
            seals = []
            for number, row in enumerate(rows, before + 1):
                head = link_digest(head, row, _digest)
                seals.append(
                    AuditSeal(number=number, event_id=row["id"], digest=head, sealed_at=now)
                )
            AuditSeal.objects.bulk_create(seals)
    except IntegrityError:
        return 0
    # The journal of the host is where a thief of the database does not reach.
    log.info("record sealed: link %d, head %s", before + len(rows), head)
    return len(rows)


def check_sealing(*, now: datetime) -> bool:
    """Raise an alarm where events wait too long for their seal; tell whether all is well."""
    late = _waiting().filter(at__lt=now - LATE)
    if not late.exists():
        return True
    words = "Events of the record are not sealed. Look at the maint worker: manage.py verify_audit"
    raise_alarm("AUDIT_NOT_SEALED", "audit", words, now=now)
    return False


def oldest_unsealed() -> datetime | None:
    """Return when the oldest event was written that waits for its seal; None if none does."""
    return _waiting().order_by("at").values_list("at", flat=True).first()


def verify_chain() -> Verdict:
    """Walk the whole chain and compare every event with what was sealed."""
    broken, (links, head) = find_break(_links(), _digest)
    waiting = AuditEvent.objects.filter(auditseal__isnull=True).order_by("id")
    return Verdict(broken, int(links), str(head), waiting.count())


def _waiting() -> QuerySet[AuditEvent]:
    """Return what is not sealed, looking back only as far as numbers can come late."""
    last = AuditSeal.objects.order_by("-number").values_list("event_id", flat=True).first() or 0
    return AuditEvent.objects.filter(pk__gt=last - LOOKED_BACK, auditseal__isnull=True)


def _links() -> Iterator[Link]:
    """Read seals with their events, in the order of sealing, a few thousand at a time."""
    after = 0
    while seals := list(
        AuditSeal.objects.filter(number__gt=after)
        .order_by("number")
        .values_list("number", "event_id", "digest")[:AT_ONCE]
    ):
        ids = [event_id for _, event_id, _ in seals]
        events = {row["id"]: row for row in AuditEvent.objects.filter(pk__in=ids).values(*COLUMNS)}
        for number, event_id, digest in seals:
            yield Link(number, event_id, digest, events.get(event_id))
        after = seals[-1][0]


def _digest(text: str) -> str:
    return key_ring().blind_index(text, column=_KEYED_AS)
