"""A person's session begins and ends with his signing in and out, whichever page he used for it."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.domain.devices import device_words
from accounts.domain.words import SessionKind
from accounts.live.asking import asking, now_in
from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.session_places import SIGN_IN, record_sign_in
from accounts.services.session_store import BEGAN_AT, KIND, SessionStore


def begin_page_session(session: SessionStore, user: User, *, now: datetime) -> None:
    """Fix when the session of who has just signed in ends, under a key that nobody knew before."""
    if session.row is not None or not session.session_key:
        session.cycle_key()
    session.set_expiry(now + timedelta(hours=settings.SESSION_HOURS))
    session[BEGAN_AT] = now.isoformat()
    session[KIND] = SessionKind.PAGE  # whatever it was before: a page's ends when nobody uses it
    now_in(session.session_key or "")
    record_sign_in(user, SIGN_IN, now=now)


def record_sign_out(user: User, *, now: datetime) -> None:
    """Record that a person signed out; Django removes his session."""
    facts = {"device": device_words(asking().agent)}
    record([event(user, "sign-out", at=now, actor=user.get_username(), data=facts)])
