"""How a message between programs is signed: when, as which delivery, and its very bytes."""

import hashlib
import hmac
import secrets

SCHEME = "v1"
PREFIX = "Tradeswim-"


def new_secret() -> str:
    """Make a secret for one hook or receiver: 256 random bits."""
    return secrets.token_urlsafe(32)


def signature(secret: str, *, timestamp: int, delivery: str, body: bytes) -> str:
    """Return `v1=<hex>`: HMAC-SHA256 over `v1.<timestamp>.<delivery>.` and the body.

    The delivery is signed, too: with another one the same body would be another order.

    Args:
        timestamp: seconds since 1970 at which it was signed.
        delivery: the id under which the receiver does it once.
    """
    signed = f"{SCHEME}.{timestamp}.{delivery}.".encode() + body
    return f"{SCHEME}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def is_signed(given: str, secret: str, *, timestamp: int, delivery: str, body: bytes) -> bool:
    """Tell whether a signature is the right one, in a time that says nothing of how wrong it is."""
    right = signature(secret, timestamp=timestamp, delivery=delivery, body=body)
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
