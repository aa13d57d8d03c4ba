"""Who proved himself how, and when: what a session keeps of it, and proving it once more.

A session holds `factor` (totp, passkey or recovery) after a sign-in with a second factor, and
`proved_at` (seconds since 1970) since whoever uses it proved who he is.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.domain.factors import Factor
from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.passkeys import Site, State, check_passkey
from accounts.services.second_factors import (
    WrongFactor,
    check_code,
    factor_is_required,
    factors_of,
)
from accounts.services.tries import OF_PROOF, forget_tries, take_try

FRESH_S = 15 * 60
FACTOR, PROVED_AT = "factor", "proved_at"
ASKED = "passkey_asked"

# A session of a page or a program: Django's has no type of its own for what it keeps.
Facts = MutableMapping[str, Any]


class WrongPassword(Exception):
    """It is not his password."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed or signed to prove oneself: a code, or a passkey's answer to `state`."""

    code: str = field(default="", repr=False)
    passkey: str = field(default="", repr=False)
    state: State | None = field(default=None, repr=False)
    site: Site | None = None


def check_factor(user: User, given: Given, *, now: datetime) -> Factor:
    """Take a second factor of any kind. Errors: WrongFactor, TooManyTries."""
    if given.passkey:
        return check_passkey(
            user, answer=given.passkey, state=given.state, site=given.site, now=now
        )
    if not given.code.strip():
        raise WrongFactor("Give a code, or use a passkey.")
    return check_code(user, given.code, now=now)


def prove_again(user: User, password: str, given: Given, *, now: datetime) -> Factor | None:
    """Check that a session is still used by whom it belongs to.

    Errors: WrongPassword, WrongFactor, TooManyTries; none of them ends the session.
    """
    check_own_password(user, password, now=now)
    factor = check_factor(user, given, now=now) if factors_of(user) else None
    record([event(user, "proved again", at=now, new=factor or "", actor=user.get_username()[:80])])
    return factor


def check_own_password(user: User, password: str, *, now: datetime) -> None:
    """Check the password of who is signed in; whoever has his browser does not guess for long.

    Errors: WrongPassword, TooManyTries.
    """
    is_last = take_try(OF_PROOF, str(user.pk), now=now)
    if not user.check_password(password):
        kinds = ["proof refused", *(["locked out"] if is_last else [])]
        record(event(user, kind, at=now, actor=user.get_username()[:80]) for kind in kinds)
        raise WrongPassword("That is not your password.")
    forget_tries(OF_PROOF, str(user.pk))


def note_proof(session: Facts, factor: Factor | None, *, now: datetime) -> None:
    """Keep in a session that it was proved just now, and by what."""
    session[PROVED_AT] = int(now.timestamp())
    if factor is not None:
        session[FACTOR] = factor.value


def lacks_factor(session: Facts) -> bool:
    """Tell whether a session is without the second factor that everybody must have here."""
    return factor_is_required() and FACTOR not in session


def fresh_until(session: Facts) -> int:
    """Return until when the last proof is good enough for what matters, in seconds since 1970."""
    return int(session.get(PROVED_AT, 0)) + FRESH_S


def is_fresh(session: Facts, *, now: datetime) -> bool:
    """Tell whether whoever uses a session proved himself within the last 15 minutes."""
    return int(session.get(PROVED_AT, 0)) <= now.timestamp() + 1 < fresh_until(session)
