"""Who is signed in, with what and from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.domain.devices import device_words
from accounts.domain.words import SessionKind
from accounts.live.asking import session_name
from accounts.models import User, UserSession


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as its user sees it; `name` is what the record calls it, and opens nothing."""

    name: str
    device: str
    is_program: bool
    is_this: bool
    address: str
    began_at: datetime
    used_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class UserLine:
    """How much somebody is signed in with."""

    user: User
    used_at: datetime
    pages: int = 0
    programs: int = 0


def sessions_of(user: User, *, here: str, now: datetime) -> Sequence[SessionLine]:
    """Return what a user is signed in with, used last first.

    Args:
        here: the key of the session that asks.
    """
    rows = user.sessions.filter(expire_date__gt=now, proof=user.get_session_auth_hash())
    return [
        SessionLine(
            name=session_name(row.session_key),
            device=device_words(row.agent),
            is_program=row.kind == SessionKind.API,
            is_this=row.session_key == here,
            address=row.address,
            began_at=row.began_at,
            used_at=row.used_at,
            ends_at=row.ends_at,
        )
        for row in sorted(
            rows, key=lambda row: (row.session_key == here, row.used_at), reverse=True
        )
    ]


def signed_in_users(*, but: User, now: datetime) -> Sequence[UserLine]:
    """Return all others who are signed in, by name."""
    rows = UserSession.objects.filter(expire_date__gt=now, user__is_active=True)
    lines: dict[int, UserLine] = {}
    for row in rows.exclude(user=but).select_related("user").order_by("user__username"):
        user = row.user
        if user is None or row.proof != user.get_session_auth_hash():
            continue
        line = lines.setdefault(user.pk, UserLine(user, row.used_at))
        line.used_at = max(line.used_at, row.used_at)
        line.pages += row.kind == SessionKind.PAGE
        line.programs += row.kind == SessionKind.API
    return list(lines.values())
