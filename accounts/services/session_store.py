"""The session engine: sessions in a table of ours, which says whose they are, and from where."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.domain.words import SessionKind
from accounts.live.asking import asking
from accounts.models import User, UserSession
from accounts.prepared import Given, Prepared

# Beside Django's own in a session's data.
BEGAN_AT = "began_at"
KIND = "kind"


class SessionStore(DatabaseStore):
    """Keeps a session, and beside it what the list of sessions shows.

    `row` is what was read of the session that a request came with, and of its user; reading it
    costs no query more.
    """

    row: UserSession | None = None

    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def load(self) -> dict[str, Any]:
        self.row = _find(self.session_key)
        if self.row is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(self.row.session_data)
        return data

    def create_model_instance(self, data: dict[str, Any]) -> UserSession:
        row = cast("UserSession", super().create_model_instance(data))
        now, asked = timezone.now(), asking()
        row.user_id, row.proof = data.get(SESSION_KEY), data.get(HASH_SESSION_KEY, "")
        row.kind = SessionKind(data.get(KIND, SessionKind.PAGE))
        row.address, row.agent = asked.address, asked.agent
        row.began_at = datetime.fromisoformat(data[BEGAN_AT]) if BEGAN_AT in data else now
        row.used_at, row.ends_at = now, row.expire_date
        row.expire_date = unused_until(now, kind=row.kind, ends_at=row.ends_at)
        return row


_OWN, _USERS = (
    [field.attname for field in model._meta.concrete_fields] for model in (UserSession, User)
)
_lasting = Prepared(
    lambda: UserSession.objects.filter(
        pk=Given("key", UserSession._meta.get_field("session_key")),
        expire_date__gt=Given("now", UserSession._meta.get_field("expire_date")),
    ).values_list(*_OWN, *(f"user__{name}" for name in _USERS))
)


def _find(key: str | None) -> UserSession | None:
    """Return a session that lasts, with its user."""
    for row in _lasting.rows(key=key, now=timezone.now()):
        own, users = row[: len(_OWN)], row[len(_OWN) :]
        found = UserSession.from_db(UserSession.objects.db, _OWN, own)
        if found.user_id is not None:
            found.user = User.from_db(User.objects.db, _USERS, users)
        return found
    return None


def find_user(session: SessionStore) -> User | None:
    """Return whose session it is, read with it; None if it holds no more.

    It holds while he may sign in, with the password and the rights that he had as it began.
    """
    owner, proof = session.get(SESSION_KEY), session.get(HASH_SESSION_KEY, "")
    user = session.row.user if session.row else None
    if user is None or not user.is_active or str(user.pk) != owner:
        return None
    return user if constant_time_compare(proof, user.get_session_auth_hash()) else None


def unused_until(used_at: datetime, *, kind: str, ends_at: datetime) -> datetime:
    """Return until when a session lasts that is not used again; programs have all their time."""
    if kind == SessionKind.API:
        return ends_at
    return min(ends_at, used_at + timedelta(seconds=settings.SESSION_IDLE_S))
