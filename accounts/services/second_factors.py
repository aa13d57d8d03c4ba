"""The second factors of a user: what he has, an app that makes codes, and codes on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts.domain.factors import (
    RECOVERY_CODES,
    Factor,
    fresh_recovery_code,
    recovery_parts,
    step_of,
)
from accounts.models import Passkey, RecoveryCode, TotpSecret, User
from accounts.services.audit import event, record
from accounts.services.tries import OF_FACTOR, forget_tries, take_try

SET_UP_WITHIN = timedelta(minutes=15)
ISSUER = "Tradeswim"


class WrongFactor(Exception):
    """What was given proves nothing; its text says it to the user."""


class LastFactor(Exception):
    """It is the only one, and everybody must have one."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What a user has beside his password; codes on paper stand in for it, and alone count not."""

    app_since: datetime | None
    passkeys: tuple[Passkey, ...]
    codes_left: int

    def __bool__(self) -> bool:
        return bool(self.app_since or self.passkeys)


@dataclass(frozen=True, slots=True)
class AppOffer:
    """A secret for an app on a phone, shown once: as text, and as the address of a QR code."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


def factor_is_required() -> bool:
    """Tell whether everybody must have a second factor here."""
    required: bool = settings.SECOND_FACTOR == "required"
    return required


def factors_of(user: User) -> Factors:
    """Return what a user has."""
    app = user.totp_secrets.filter(confirmed_at__isnull=False).only("confirmed_at").first()
    return Factors(
        app_since=app.confirmed_at if app else None,
        passkeys=tuple(user.passkeys.all()),
        codes_left=user.recovery_codes.filter(used_at__isnull=True).count(),
    )


def offer_app(user: User, *, now: datetime) -> AppOffer:
    """Make a secret that counts once a code of it was given, in place of one that waits for his."""
    secret = pyotp.random_base32()
    with transaction.atomic():
        user.totp_secrets.filter(confirmed_at__isnull=True).delete()
        TotpSecret.objects.create(user=user, secret=secret, created_at=now)
    address = pyotp.TOTP(secret).provisioning_uri(name=user.get_username(), issuer_name=ISSUER)
    return AppOffer(secret, address)


def confirm_app(user: User, code: str, *, now: datetime) -> None:
    """Let the app count whose code this is, in place of an older one. Errors: WrongFactor."""
    offered = user.totp_secrets.filter(
        confirmed_at__isnull=True, created_at__gt=now - SET_UP_WITHIN
    ).first()
    if offered is None:
        raise WrongFactor("Begin anew: the key is more than 15 minutes old, or there is none.")
    step = step_of(code, offered.secret.open(), now=now)
    if step is None:
        raise WrongFactor("That is not the code of the key. Look at the clock of the phone, too.")
    with transaction.atomic():
        user.totp_secrets.filter(confirmed_at__isnull=False).delete()
        waiting = TotpSecret.objects.filter(pk=offered.pk, confirmed_at__isnull=True)
        if not waiting.update(confirmed_at=now, last_step=step):
            raise WrongFactor("Begin anew: another page has set up an app meanwhile.")
        note_factor(user, "factor added", Factor.TOTP, now=now)


def remove_app(user: User, *, now: datetime) -> None:
    """Let the app count no more. Errors: LastFactor."""
    with leaving_one(user):
        gone, _ = user.totp_secrets.all().delete()
        if gone:
            note_factor(user, "factor removed", Factor.TOTP, now=now)


def make_recovery_codes(user: User, *, now: datetime) -> list[str]:
    """Make codes for paper, in place of all older ones; nobody can show them a second time."""
    codes = [fresh_recovery_code(number) for number in range(1, RECOVERY_CODES + 1)]
    rows = [_row(user, code, now) for code in codes]  # hashing is slow: before the transaction
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(rows)
        note_factor(user, "factor added", Factor.RECOVERY, now=now, data={"codes": len(rows)})
    return codes


def _row(user: User, code: str, now: datetime) -> RecoveryCode:
    number, letters = recovery_parts(code) or (0, "")
    return RecoveryCode(user=user, number=number, digest=make_password(letters), created_at=now)


def check_code(user: User, typed: str, *, now: datetime) -> Factor:
    """Take a code of his app, or one from paper; each is good once.

    Errors: WrongFactor, TooManyTries.
    """
    with judged(user, now=now):
        if parts := recovery_parts(typed):
            _use_recovery_code(user, *parts, now=now)
            return Factor.RECOVERY
        _use_step(user, "".join(typed.split()), now)
        return Factor.TOTP


@contextmanager
def judged(user: User, *, now: datetime) -> Iterator[None]:
    """Count a try at a second factor and record what becomes of it. Errors: TooManyTries."""
    is_last = take_try(OF_FACTOR, str(user.pk), now=now)
    try:
        yield
    except WrongFactor as error:
        refused = event(user, "second factor refused", at=now, reason=str(error))
        record([refused, *([event(user, "locked out", at=now)] if is_last else [])])
        raise
    forget_tries(OF_FACTOR, str(user.pk))


def _use_step(user: User, code: str, now: datetime) -> None:
    app = user.totp_secrets.filter(confirmed_at__isnull=False).first()
    step = step_of(code, app.secret.open(), now=now) if app else None
    if app is None or step is None:
        raise WrongFactor("That code is not right.")
    # Of two workers with the same code, the UPDATE lets one through.
    if not TotpSecret.objects.filter(pk=app.pk, last_step__lt=step).update(last_step=step):
        raise WrongFactor("That code was used before. Wait for the next one.")
    note_factor(user, "second factor used", Factor.TOTP, now=now)


def _use_recovery_code(user: User, number: int, letters: str, *, now: datetime) -> None:
    if not factors_of(user):
        raise WrongFactor("That code is not right.")
    row = user.recovery_codes.filter(number=number).first()
    if row is None or not check_password(letters, row.digest):
        raise WrongFactor("That code is not right.")
    with transaction.atomic():
        if not RecoveryCode.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=now):
            raise WrongFactor("That code was used before. Take another one.")
        left = user.recovery_codes.filter(used_at__isnull=True).count()
        note_factor(user, "recovery code used", Factor.RECOVERY, now=now, data={"left": left})


@contextmanager
def leaving_one(user: User) -> Iterator[None]:
    """Remove a factor, but never the last one where everybody must have one. Errors: LastFactor."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        yield
        if factors_of(user):
            return
        if factor_is_required():
            raise LastFactor("This is your only second factor. Add another one first.")
        user.recovery_codes.all().delete()


def note_factor(
    user: User, kind: str, factor: Factor, *, now: datetime, data: dict[str, object] | None = None
) -> None:
    """Record what was done with a second factor, in the transaction of what it records."""
    actor = user.get_username()[:80]
    record([event(user, kind, at=now, new=factor, actor=actor, data=data or {})])
