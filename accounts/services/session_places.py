"""Where users sign in from: a device or an address that nobody knows yet raises an alarm."""

from datetime import datetime

from accounts.domain.devices import device_words
from accounts.live.asking import Asking, asking
from accounts.models import AuditEvent, User, UserSession
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record, subject_of

SIGN_IN, API_SIGN_IN, ELSEWHERE = "sign-in", "api sign-in", "session used elsewhere"
ALARM = "NEW_DEVICE"
WHAT_TO_DO = "If that was not him: Settings, Sessions, end it, and change the password."
# Places of sessions that this process has looked up already.
MOST_KNOWN = 1000
_known: dict[tuple[str, str, str], None] = {}


def record_sign_in(user: User, kind: str, *, now: datetime) -> None:
    """Record a sign-in, with an alarm if this user was never seen at this place before.

    The first one of all has nothing to be compared with. Outside of a request there is no place.
    """
    asked = asking()
    if not asked.request_id:
        return
    device, name = device_words(asked.agent), user.get_username()
    is_new = _is_new(user, asked)
    facts = {"device": device, "agent": asked.agent}
    record([event(user, kind, at=now, actor=name, data=facts)])
    if is_new:
        words = f"{name} signed in from somewhere new: {device}, {asked.address}. {WHAT_TO_DO}"
        raise_alarm(ALARM, f"usersession:{asked.session}", words, now=now)


def watch_place(row: UserSession, *, now: datetime) -> None:
    """Raise an alarm when a session is used where its user was never seen: it may be stolen."""
    asked = asking()
    if not row.address or (asked.address, asked.agent) == (row.address, row.agent):
        return
    device = device_words(asked.agent)
    if (asked.address, device) == (row.address, device_words(row.agent)):
        return
    place = (row.session_key, asked.address, device)
    if place in _known or row.user is None:
        return
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[place] = None
    if _is_new(row.user, asked):
        _tell(row, row.user, device, now=now)


def forget_places() -> None:
    """Look places up again: for tests, whose databases are the same one again and again."""
    _known.clear()


def _tell(row: UserSession, user: User, device: str, *, now: datetime) -> None:
    asked, name = asking(), user.get_username()
    facts = {"device": device, "agent": asked.agent}
    record([event(user, ELSEWHERE, at=now, actor=name, data=facts)])
    words = (
        f"A session of {name} that began on {device_words(row.agent)}, {row.address}, is used on "
        f"{device}, {asked.address}. {WHAT_TO_DO}"
    )
    raise_alarm(ALARM, f"usersession:{asked.session}", words, now=now)


def _is_new(user: User, asked: Asking) -> bool:
    """Whether the record shows this user at other places only."""
    seen = AuditEvent.objects.filter(
        subject=subject_of(user), kind__in=(SIGN_IN, API_SIGN_IN, ELSEWHERE)
    )
    here = seen.filter(address=asked.address, data__device=device_words(asked.agent))
    return not here.exists() and seen.exists()
