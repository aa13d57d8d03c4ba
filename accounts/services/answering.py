"""Let a call under an Idempotency-Key act once: claimed before it acts, its answer kept after."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from accounts.domain.refusals import NothingDone
from accounts.models import AnsweredCall, User

KEPT = timedelta(hours=24)
AT_WORK = (
    "A call with this Idempotency-Key is at work, or was cut off before its answer was kept. Look "
    "what became of it; what you want beyond that, ask for with a new key."
)
TAKEN = "This Idempotency-Key was used for another call. Use a new key for everything new."


class KeyTaken(NothingDone):
    """The same key came with another call or another body."""


class CallAtWork(NothingDone):
    """The same call is at work, or was cut off: whether it acted cannot be said here."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that may act now, and nobody else with its key."""

    id: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer to a call that acted before; `text` is JSON."""

    status: int
    text: str


def claim_call(*, user: User, key: UUID, call: str, sent: str, now: datetime) -> Claim | Kept:
    """Take a key before acting, on the disk when this returns; or return the answer it got.

    Args:
        call: method and address.
        sent: the body in one spelling; only a digest of it is kept.

    Errors: KeyTaken, CallAtWork.
    """
    digest = salted_hmac("answered-call", sent, algorithm="sha256").hexdigest()
    row = AnsweredCall(user=user, key=key, call=call[:200], digest=digest, at=now)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return _earlier(row)
    return Claim(row.pk)


def keep_answer(claim: Claim, *, status: int, text: str) -> None:
    """Keep what a call was answered: from now on its key is answered the same."""
    AnsweredCall.objects.filter(pk=claim.id).update(status=status, answer=text)


def release_call(claim: Claim) -> None:
    """Give a key back whose call was refused before it did anything."""
    AnsweredCall.objects.filter(pk=claim.id, status=None).delete()


def _earlier(row: AnsweredCall) -> Kept:
    earlier = AnsweredCall.objects.filter(user=row.user, key=row.key).first()
    if earlier is None:  # it was refused and released a moment ago
        raise CallAtWork(AT_WORK)
    if (earlier.call, earlier.digest) != (row.call, row.digest):
        raise KeyTaken(TAKEN)
    if earlier.status is None:
        raise CallAtWork(AT_WORK)
    return Kept(earlier.status, earlier.answer)
