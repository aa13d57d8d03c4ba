"""Second factors for tests: an app's codes, and a device with passkeys made of plain Python."""

import json
import os
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from accounts.models import User
from accounts.services.second_factors import confirm_app, make_recovery_codes, offer_app

ORIGIN = "http://localhost"
FLAG = AuthenticatorData.FLAG


@dataclass
class App:
    """An app that makes codes; each one that is asked for is of a later time step than before."""

    secret: str = field(repr=False)
    steps: int = -1

    def code(self, *, later: int = 0) -> str:
        """The next code: of the step before now, of now, and of the step after it."""
        self.steps += 1
        assert self.steps <= 2, "no more codes are good at one time"
        return self.at(self.steps - 1 + later)

    def at(self, steps: int) -> str:
        return pyotp.TOTP(self.secret).at(int(time.time()) + 30 * steps)


def give_app(user: User) -> App:
    """Let a user have an app; the code that confirmed it was an old one, so that all are left."""
    app = App(offer_app(user, now=timezone.now()).secret)
    confirm_app(user, app.at(0), now=timezone.now())
    user.totp_secrets.update(last_step=0)
    return app


def give_codes(user: User) -> list[str]:
    return make_recovery_codes(user, now=timezone.now())


def wrong_code(app: App) -> str:
    """A code that is of none of the steps around now."""
    right = {app.at(step) for step in range(-3, 4)}
    return next(code for code in map("{:06d}".format, range(100)) if code not in right)


@dataclass
class Device:
    """An authenticator: makes one passkey, and signs with it as a browser would ask it to."""

    origin: str = ORIGIN
    flags: FLAG = FLAG.UP | FLAG.UV
    count: int = 0
    rp_id: str = ""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))

    def create(self, options: str, **wrong: Any) -> str:
        """Answer `navigator.credentials.create`."""
        asked = json.loads(options)
        public = ES256.from_cryptography_key(self.key.public_key())
        data = AttestedCredentialData.create(b"\0" * 16, self.credential_id, public)
        client = self._client("webauthn.create", asked["challenge"], wrong)
        made = self._data(wrong.get("rp_id", asked["rp"]["id"]), wrong, data)
        attestation = AttestationObject.create("none", made, {})
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(attestation),
                "transports": wrong.get("transports", ["usb", "nonsense"]),
            }
        )

    def get(self, options: str, **wrong: Any) -> str:
        """Answer `navigator.credentials.get`; what is `wrong` is named by its part."""
        asked = json.loads(options)
        self.count += 1
        client = self._client("webauthn.get", asked["challenge"], wrong)
        data = self._data(wrong.get("rp_id", asked["rpId"]), wrong, None)
        signed = wrong.get("signed", data + sha256(client).digest())
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            }
        )

    def _client(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        return bytes(
            CollectedClientData.create(
                wrong.get("kind", kind),
                wrong.get("challenge", challenge),
                wrong.get("origin", self.origin),
            )
        )

    def _data(self, rp_id: str, wrong: dict[str, Any], made: Any) -> AuthenticatorData:
        flags = wrong.get("flags", self.flags)
        if made is not None:
            flags |= FLAG.AT
        count = wrong.get("count", self.count)
        host = sha256(rp_id.encode()).digest()
        data: AuthenticatorData = AuthenticatorData.create(host, flags, count, made or b"")
        return data

    def _answer(self, response: dict[str, Any]) -> str:
        word = websafe_encode(self.credential_id)
        return json.dumps(
            {
                "id": word,
                "rawId": word,
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )
