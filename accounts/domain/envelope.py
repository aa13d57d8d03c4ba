"""Seal and open secrets: AES-256-GCM under a ring of keys, bound to the place they are kept in."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = 1
_KEY_BYTES = 32
_NONCE_BYTES = 12
_LONGEST_ID = 8


class CannotOpen(Exception):
    """A sealed value is not what was put there: wrong place, wrong key, or tampered with."""


class BadKeyRing(Exception):
    """The key file is missing, unreadable or incomplete; its text says which and what to do."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The installation's data keys.

    Args:
        active: id of the key that seals from now on (1 to 8 ASCII characters).
        keys: every key that may still open something, by id; 32 random bytes each.
        index_key: 32 random bytes of the blind indexes; never rotated, so that look-ups go on.
    """

    active: str
    keys: Mapping[str, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Self:
        """Make a ring with one random key."""
        return cls("k1", {"k1": secrets.token_bytes(_KEY_BYTES)}, secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read what `dumps` wrote. Errors: BadKeyRing."""
        try:
            data = json.loads(text)
            keys = {name: base64.b64decode(key) for name, key in data["keys"].items()}
            ring = cls(str(data["active"]), keys, base64.b64decode(data["index_key"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadKeyRing(
                "The key file is not a key ring. Restore it from its backup."
            ) from None
        if not all(name.isascii() and 1 <= len(name) <= _LONGEST_ID for name in keys):
            raise BadKeyRing("A key's id in the key file does not have 1 to 8 ASCII characters.")
        if ring.active not in keys:
            raise BadKeyRing(f"The key file names {ring.active} as active but does not hold it.")
        if any(len(key) != _KEY_BYTES for key in [*keys.values(), ring.index_key]):
            raise BadKeyRing("A key in the key file does not have 32 bytes.")
        return ring

    def dumps(self) -> str:
        """Write the ring as JSON, keys in base64."""
        return json.dumps(
            {
                "active": self.active,
                "keys": {name: base64.b64encode(key).decode() for name, key in self.keys.items()},
                "index_key": base64.b64encode(self.index_key).decode(),
            },
            indent=1,
        )

    def with_new_key(self) -> "KeyRing":
        """Return the ring with one more key, which seals from now on."""
        numbers = [int(name[1:]) for name in self.keys if name[:1] == "k" and name[1:].isdigit()]
        name = f"k{1 + max(numbers, default=0)}"
        keys = {**self.keys, name: secrets.token_bytes(_KEY_BYTES)}
        return KeyRing(name, keys, self.index_key)

    def without(self, retired: str) -> "KeyRing":
        """Return the ring without a key that nothing is sealed with any more."""
        keys = {name: key for name, key in self.keys.items() if name != retired}
        return KeyRing(self.active, keys, self.index_key)

    def seal(self, plain: str, *, place: str) -> bytes:
        """Encrypt for one place (`table|primary key|field`); opening it elsewhere fails."""
        name = self.active.encode("ascii")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.active]).encrypt(
            nonce, plain.encode("utf-8"), _bound_to(place, self.active)
        )
        return bytes([_VERSION, len(name)]) + name + nonce + sealed

    def open(self, envelope: bytes, *, place: str) -> str:
        """Decrypt what `seal` made for the same place. Errors: CannotOpen."""
        name, rest = _key_id_and_rest(envelope)
        key = self.keys.get(name)
        if key is None:
            raise CannotOpen(f"Key {name} is not in the key file.")
        nonce, sealed = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, sealed, _bound_to(place, name)).decode("utf-8")
        except (InvalidTag, ValueError):
            raise CannotOpen(f"A sealed value at {place} does not belong there.") from None

    def blind_index(self, plain: str, *, column: str) -> str:
        """Return a keyed digest (64 hex digits) to find an encrypted value by equality."""
        message = f"{column}|{plain}".encode()
        return hmac.new(self.index_key, message, hashlib.sha256).hexdigest()


def key_id(envelope: bytes) -> str:
    """Return the id of the key an envelope is sealed with. Errors: CannotOpen."""
    return _key_id_and_rest(envelope)[0]


def _key_id_and_rest(envelope: bytes) -> tuple[str, bytes]:
    if len(envelope) < 2 or envelope[0] != _VERSION:
        raise CannotOpen("A value in an encrypted column is not an envelope.")
    end = 2 + envelope[1]
    try:
        return envelope[2:end].decode("ascii"), envelope[end:]
    except UnicodeDecodeError:
        raise CannotOpen("A value in an encrypted column is not an envelope.") from None


def _bound_to(place: str, name: str) -> bytes:
    return f"v{_VERSION}|{place}|{name}".encode()
