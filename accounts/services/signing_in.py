"""Sign in: first name and password, then the second factor of who has one.

Between the two nobody is signed in: the session holds, for five minutes and five tries, whose
password was right.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate

from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.proving import Facts
from accounts.services.tries import OF_ADDRESS, OF_NAME, forget_tries, give_back, take_try

PENDING = "pending_sign_in"
SECOND_WITHIN_S = 300
MOST_TRIES = 5
# Nobody is told whether there is such a user: neither by words, nor by the time an answer takes.
WRONG = "Please enter a correct username and password. Both tell capital letters from small ones."


class WrongCredentials(Exception):
    """No user has this name and this password."""


def check_credentials(*, name: str, password: str, address: str, now: datetime) -> User:
    """Return who signs in; his second factor is asked for next.

    Errors: WrongCredentials, TooManyTries.
    """
    name = User.normalize_username(name)
    lasts = [take_try(OF_ADDRESS, address, now=now), take_try(OF_NAME, name, address, now=now)]
    user = authenticate(username=name, password=password)
    if not isinstance(user, User):
        _record_refusal(name, now, is_last=any(lasts))
        raise WrongCredentials(WRONG)
    give_back(OF_ADDRESS, address)
    return user


def begin_tries_anew(user: User, *, address: str) -> None:
    """Forget the tries of who is in."""
    forget_tries(OF_NAME, user.get_username(), address)


def wait_for_second(session: Facts, user: User, *, after: str, now: datetime) -> None:
    """Keep whose password was right, and where he wants to go."""
    session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "after": after,
        "at": int(now.timestamp()),
        "tries": 0,
    }


def find_waiting(session: Facts, *, now: datetime) -> tuple[User, str] | None:
    """Return whose second factor is waited for, and where he goes then; None if nobody's."""
    kept: Mapping[str, Any] = session.get(PENDING) or {}
    if not kept or now.timestamp() - kept["at"] > SECOND_WITHIN_S or kept["tries"] >= MOST_TRIES:
        session.pop(PENDING, None)
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"]:
        return None
    return user, str(kept["after"])


def count_second_try(session: Facts) -> None:
    """Count a try in the session that waits; over all sessions they are counted beside it."""
    kept = session[PENDING]
    session[PENDING] = {**kept, "tries": kept["tries"] + 1}


def _record_refusal(name: str, now: datetime, *, is_last: bool) -> None:
    """Record who it was meant to be; what is no user's name may be a password, and is not kept."""
    pk = User.objects.filter(username=name).values_list("pk", flat=True).first()
    kinds = ["sign-in refused", *(["locked out"] if is_last else [])]
    record(event(f"user:{pk or 'unknown'}", kind, at=now) for kind in kinds)
