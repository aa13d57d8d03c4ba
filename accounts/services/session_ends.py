"""End sessions: one, all others, all of a user, and those whose time is over."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.domain.devices import device_words
from accounts.live.asking import session_name
from accounts.live.panels import tell_ended
from accounts.models import ApiRefresh, AuditEvent, User, UserSession
from accounts.services.audit import event, record

BY_HAND = "ended in the list of sessions"
BY_ADMIN = "ended by an admin"
BY_HOST = "ended from the host"
NEWLY_SET = "the password was set anew"
UNUSED = "not used for {minutes} minutes"
WHOLE_TIME = "{hours} hours after the sign-in"
NO_LONGER = "the user was switched off"


def end_session(user: User, name: str, *, actor: str, now: datetime) -> bool:
    """End the session of this name (`session_name`); False if the user has none of it."""
    return bool(_end(_named(user, name), actor=actor, reason=BY_HAND, now=now))


def end_other_sessions(user: User, *, but: str, now: datetime) -> int:
    """End all sessions of a user except that with the key `but`; return how many."""
    others = user.sessions.exclude(session_key=but)
    return _end(others, actor=user.get_username(), reason=BY_HAND, now=now)


def end_all_sessions(user: User, *, actor: str, reason: str, now: datetime) -> int:
    """End everything a user is signed in with, pages and programs; return how many."""
    return _end(user.sessions.all(), actor=actor, reason=reason, now=now)


def forget_ended(*, now: datetime) -> int:
    """Remove sessions and refresh tokens that are over, and record it; return how many rows went.

    Nobody could use them any more. Those of users who were switched off go, too: they must not
    come to life again with their user.
    """
    refreshes, _ = ApiRefresh.objects.filter(expires_at__lte=now).delete()
    words = UNUSED.format(minutes=settings.SESSION_IDLE_S // 60)
    hours = WHOLE_TIME.format(hours=settings.SESSION_HOURS)
    over = UserSession.objects.filter(expire_date__lte=now)
    gone = _end(over.filter(ends_at__gt=now), actor="", reason=words, now=now)
    gone += _end(over.filter(ends_at__lte=now), actor="", reason=hours, now=now)
    off = UserSession.objects.filter(user__is_active=False)
    gone += _end(off, actor="", reason=NO_LONGER, now=now)
    return gone + refreshes


def _named(user: User, name: str) -> QuerySet[UserSession]:
    keys = user.sessions.values_list("session_key", flat=True)
    return user.sessions.filter(pk__in=[key for key in keys if session_name(key) == name])


def _end(sessions: QuerySet[UserSession], *, actor: str, reason: str, now: datetime) -> int:
    """Remove sessions with their refresh tokens, record it, and tell their open pages."""
    with transaction.atomic():
        rows = list(sessions.select_related("user"))
        keys = [row.session_key for row in rows]
        ApiRefresh.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(pk__in=keys).delete()
        record(_events(rows, actor=actor, reason=reason, now=now))
        names = frozenset(map(session_name, keys))
        transaction.on_commit(lambda: tell_ended(names), robust=True)
    return len(rows)


def _events(
    rows: Iterable[UserSession], *, actor: str, reason: str, now: datetime
) -> list[AuditEvent]:
    """Describe the end of each session that was somebody's."""
    return [
        event(
            row.user,
            "session ended",
            at=now,
            old=session_name(row.session_key),
            reason=reason,
            actor=actor,
            data={"device": device_words(row.agent), "from": row.address, "kind": row.kind},
        )
        for row in rows
        if row.user is not None
    ]
