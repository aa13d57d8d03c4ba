"""Sessions of programs: a short access token bound to a session row, and a refresh used once."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.utils import timezone

from accounts.domain.factors import Factor
from accounts.domain.words import SessionKind
from accounts.live.asking import now_in
from accounts.models import ApiRefresh, User, UserSession
from accounts.services.audit import event, record
from accounts.services.proving import Facts, lacks_factor, note_proof
from accounts.services.second_factors import factor_is_required
from accounts.services.session_places import API_SIGN_IN, record_sign_in, watch_place
from accounts.services.session_store import BEGAN_AT, KIND, SessionStore, find_user
from accounts.services.signing_in import begin_tries_anew

_ALGORITHM = "HS256"


SET_UP_FIRST = (
    "Everybody needs a second factor here, and this user signed in without one. Sign in on the "
    "site's pages and set one up: Settings, Second factors."
)


class SecondFactorNeeded(Exception):
    """He has no second factor, and everybody must have one."""

    def __init__(self) -> None:
        super().__init__(SET_UP_FIRST)


class SessionEnded(Exception):
    """The token is not, or no longer, good: sign in again."""


@dataclass(frozen=True, slots=True)
class ApiSession:
    """What a program gets: send `access` with every call, keep `refresh` for the next one."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in_s: int


def open_api_session(
    user: User, *, factor: Factor | None = None, address: str = "", now: datetime
) -> ApiSession:
    """Begin a session for a program whose user has just proved who he is, by this factor, too.

    Errors: SecondFactorNeeded.
    """
    if factor_is_required() and factor is None:
        raise SecondFactorNeeded
    store = SessionStore()
    note_proof(store, factor, now=now)
    store[SESSION_KEY] = str(user.pk)
    # Without a backend: its key, which every access token shows, is of no use as a page's cookie.
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store[KIND], store[BEGAN_AT] = SessionKind.API, now.isoformat()
    store.set_expiry(now + timedelta(seconds=settings.API_REFRESH_SECONDS))
    with transaction.atomic():
        store.save()
        now_in(str(store.session_key))
        record_sign_in(user, API_SIGN_IN, now=now)
        begin_tries_anew(user, address=address)
        return _tokens(user, str(store.session_key), now)


def renew_api_session(refresh: str, *, now: datetime) -> ApiSession:
    """Exchange a refresh token for the next pair; one that comes twice ends its session.

    Errors: SessionEnded.
    """
    row = ApiRefresh.objects.select_related("user").filter(digest=_digest(refresh)).first()
    if row is None or row.expires_at <= now or not row.user.is_active:
        raise SessionEnded("The refresh token is not valid. Sign in again.")
    _user_of_session(row.session_key, now=now)
    with transaction.atomic():
        if ApiRefresh.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=now):
            UserSession.objects.filter(pk=row.session_key).update(used_at=now)
            return _tokens(row.user, row.session_key, now)
        _end(row.session_key)
        record([event(row.user, "api refresh reused", at=now, actor=row.user.get_username())])
    raise SessionEnded("This refresh token was used before. The session is ended; sign in.")


def end_api_session(refresh: str, *, now: datetime) -> None:
    """End the session a refresh token belongs to; unknown tokens are ignored."""
    row = ApiRefresh.objects.select_related("user").filter(digest=_digest(refresh)).first()
    if row is not None:
        _end(row.session_key)
        record([event(row.user, "api sign-out", at=now, actor=row.user.get_username())])


def user_of_access(access: str) -> tuple[User, Facts]:
    """Return the user of an access token whose session still stands, and what it keeps of him.

    Errors: SessionEnded.
    """
    try:
        claims = jwt.decode(
            access,
            settings.SECRET_KEY,
            algorithms=[_ALGORITHM],
            options={"require": ["exp", "sid"]},
        )
    except jwt.InvalidTokenError:
        raise SessionEnded("The access token is not valid or has ended.") from None
    return _user_of_session(str(claims["sid"]), now=timezone.now())


def _user_of_session(session_key: str, *, now: datetime) -> tuple[User, Facts]:
    store = SessionStore(session_key=session_key)
    user = find_user(store)
    if store.row is None or user is None:
        raise SessionEnded("The session has ended. Sign in again.")
    if lacks_factor(store):
        raise SessionEnded("The session has no second factor. Sign in again.")
    now_in(session_key)
    watch_place(store.row, now=now)
    return user, store


def _tokens(user: User, session_key: str, now: datetime) -> ApiSession:
    refresh = secrets.token_urlsafe(32)
    ends_at = now + timedelta(seconds=settings.API_REFRESH_SECONDS)
    ApiRefresh.objects.create(
        user=user, session_key=session_key, digest=_digest(refresh), expires_at=ends_at
    )
    access = jwt.encode(
        {"sid": session_key, "exp": now + timedelta(seconds=settings.API_ACCESS_SECONDS)},
        settings.SECRET_KEY,
        algorithm=_ALGORITHM,
    )
    return ApiSession(access, refresh, settings.API_ACCESS_SECONDS)


def _end(session_key: str) -> None:
    UserSession.objects.filter(pk=session_key).delete()
    ApiRefresh.objects.filter(session_key=session_key).delete()


def _digest(refresh: str) -> str:
    return hashlib.sha256(refresh.encode()).hexdigest()
