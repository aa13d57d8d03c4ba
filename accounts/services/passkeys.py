"""Passkeys: what a browser is asked for, and whether its answer proves anything.

The library checks type, origin, challenge, domain, presence, verification and signature; we see to
it that a challenge is answered once, in time, and that the key's counter never goes back.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.db import IntegrityError, transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.domain.factors import Factor, is_host_of, is_name
from accounts.models import Passkey, User
from accounts.services.second_factors import WrongFactor, judged, leaving_one, note_factor

ANSWER_WITHIN_S = 300
MOST_PASSKEYS = 20
REFUSED = "The passkey was refused. Try once more, or take a code."
TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
# What a library that takes apart a stranger's bytes may find wrong with them.
NOT_READABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    RecursionError,
    struct.error,
    UnsupportedAlgorithm,
)

State = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Site:
    """Where the browser is: the domain its passkeys are for, and the origin it must name."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a browser is asked: options for its script, and what to keep until it answers."""

    options: str
    state: State


def find_site(host: str, origin: str) -> Site | None:
    """Return the site of a host; None where browsers make no passkeys (numeric addresses)."""
    name = host.rsplit(":", 1)[0].lower() if not host.endswith("]") else host
    rp_id = settings.PASSKEY_DOMAIN or name
    return Site(rp_id, origin) if is_name(name) and is_host_of(rp_id, name) else None


def ask_for_new(user: User, site: Site, *, now: datetime) -> Question:
    """Ask a browser to make a passkey on a device that does not have one yet."""
    person = PublicKeyCredentialUserEntity(
        id=f"user:{user.pk}".encode(), name=user.get_username(), display_name=user.get_username()
    )
    options, state = _server(site).register_begin(
        person,
        [_descriptor(one) for one in user.passkeys.all()],
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _question(options, state, now)


def ask_for_proof(user: User, site: Site, *, now: datetime) -> Question | None:
    """Ask for one of his passkeys; None if he has none."""
    known = [_descriptor(one) for one in user.passkeys.all()]
    if not known:
        return None
    options, state = _server(site).authenticate_begin(
        known, user_verification=UserVerificationRequirement.REQUIRED
    )
    return _question(options, state, now)


def add_passkey(
    user: User, *, name: str, answer: str, state: State | None, site: Site | None, now: datetime
) -> Passkey:
    """Keep the passkey that a browser made. Errors: WrongFactor."""
    question, site = _in_time(state, now), _known(site)
    response = _read(lambda: RegistrationResponse.from_dict(_loaded(answer)))
    made: AuthenticatorData = _read(lambda: _server(site).register_complete(question, response))
    if made.credential_data is None or user.passkeys.count() >= MOST_PASSKEYS:
        raise WrongFactor("No passkey was added.")
    row = Passkey(
        user=user,
        name=name.strip()[:60] or "Passkey",
        credential_id=websafe_encode(made.credential_data.credential_id),
        public_key=bytes(made.credential_data),
        sign_count=made.counter,
        transports=_read(lambda: _transports(answer)),
        last_challenge=_digest(question),
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            note_factor(user, "factor added", Factor.PASSKEY, now=now, data={"name": row.name})
    except IntegrityError:
        raise WrongFactor("This passkey is there already.") from None
    return row


def check_passkey(
    user: User, *, answer: str, state: State | None, site: Site | None, now: datetime
) -> Factor:
    """Take what a passkey of his signed. Errors: WrongFactor, TooManyTries."""
    with judged(user, now=now):
        question, site = _in_time(state, now), _known(site)
        response = _read(lambda: AuthenticationResponse.from_dict(_loaded(answer)))
        keys = {one.credential_id: one for one in user.passkeys.all()}
        known = [AttestedCredentialData(bytes(one.public_key)) for one in keys.values()]
        used = _read(lambda: _server(site).authenticate_complete(question, known, response))
        row = keys[websafe_encode(used.credential_id)]
        _count(row, response.response.authenticator_data.counter, _digest(question), now)
        note_factor(user, "second factor used", Factor.PASSKEY, now=now, data={"name": row.name})
    return Factor.PASSKEY


def rename_passkey(user: User, key: Passkey, name: str, *, now: datetime) -> None:
    """Give a passkey another name."""
    old, name = key.name, name.strip()[:60] or key.name
    with transaction.atomic():
        user.passkeys.filter(pk=key.pk).update(name=name)
        data: dict[str, object] = {"name": name, "before": old}
        note_factor(user, "factor renamed", Factor.PASSKEY, now=now, data=data)


def remove_passkey(user: User, key: Passkey, *, now: datetime) -> None:
    """Let a passkey prove nothing any more. Errors: LastFactor."""
    with leaving_one(user):
        if user.passkeys.filter(pk=key.pk).delete()[0]:
            note_factor(user, "factor removed", Factor.PASSKEY, now=now, data={"name": key.name})


def _count(row: Passkey, count: int, challenge: str, now: datetime) -> None:
    """Raise the counter, or refuse: an older one is a copy's; keys without one always say 0."""
    rows = Passkey.objects.filter(pk=row.pk).exclude(last_challenge=challenge)
    rows = rows.filter(sign_count__lt=count) if count else rows.filter(sign_count=0)
    if not rows.update(sign_count=count, last_challenge=challenge, used_at=now):
        raise WrongFactor("The passkey was refused: its answer came twice, or it was copied.")


def _server(site: Site) -> Fido2Server:
    rp = PublicKeyCredentialRpEntity(id=site.rp_id, name="Tradeswim")
    return Fido2Server(rp, verify_origin=lambda origin: origin == site.origin)


def _question(options: Any, state: State, now: datetime) -> Question:
    kept = {**state, "at": now.timestamp()}
    return Question(json.dumps(dict(options)["publicKey"]), kept)


def _in_time(state: State | None, now: datetime) -> State:
    if state is None or now.timestamp() - state["at"] > ANSWER_WITHIN_S:
        raise WrongFactor("That took too long. Try once more.")
    return state


def _known(site: Site | None) -> Site:
    if site is None:
        raise WrongFactor("Passkeys do not work at this address. Open the site by its name.")
    return site


def _descriptor(key: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY,
        id=websafe_decode(key.credential_id),
        transports=key.transports or None,
    )


def _read(take: Callable[[], Found]) -> Found:
    try:
        return take()
    except NOT_READABLE:
        raise WrongFactor(REFUSED) from None


def _loaded(answer: str) -> Mapping[str, Any]:
    found = json.loads(answer)
    if not isinstance(found, Mapping):
        raise TypeError("not an object")
    return found


def _transports(answer: str) -> list[str]:
    said = _loaded(answer).get("response", {}).get("transports", [])
    return sorted(TRANSPORTS & {one for one in said if isinstance(one, str)})


def _digest(question: State) -> str:
    return hashlib.sha256(question["challenge"].encode()).hexdigest()
