"""Post one signed message to an allowed address: once, without redirects, within a time."""

import threading
from dataclasses import dataclass, field

import requests
from django.conf import settings

from accounts.alerts.errors import NotDelivered, RefusedByReceiver
from accounts.alerts.guarded import ForbiddenAddress, Lines, guarded_adapter
from accounts.domain.allow_list import NotAllowed
from accounts.domain.signing import PREFIX, signature

# These say that it is the receiver's own trouble, or that it wants to be left alone for a while.
BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it goes out.

    Args:
        timestamp: seconds since 1970 at which it is signed, which is each time it is sent.
    """

    url: str
    key: str
    kind: str
    body: bytes
    timestamp: int
    secret: str = field(repr=False)


def post(letter: Letter) -> str:
    """Send a letter; return in words how it was taken.

    Errors: NotDelivered, RefusedByReceiver.
    """
    allowed = settings.WEBHOOKS_TO
    try:
        allowed.check_url(letter.url)
    except NotAllowed as error:
        raise NotDelivered(str(error)) from None
    lines = Lines(allowed.permits)
    timer = threading.Timer(settings.WEBHOOK_TIMEOUT_S, lines.cut)
    timer.daemon = True
    timer.start()
    try:
        status = _status(letter, lines)
    except ForbiddenAddress:
        raise NotDelivered("Its name leads to an address that is not allowed.") from None
    except requests.Timeout:
        raise NotDelivered("No answer in time.") from None
    except requests.RequestException as error:
        late = "" if timer.is_alive() else " in time"
        raise NotDelivered(f"No connection or no answer{late} ({_kind(error)}).") from None
    finally:
        timer.cancel()
        lines.close()
    return _judged(status)


def _status(letter: Letter, lines: Lines) -> int:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        for scheme in ("http://", "https://"):
            session.mount(scheme, guarded_adapter(lines))
        with session.post(
            letter.url,
            data=letter.body,
            headers=_headers(letter),
            timeout=settings.WEBHOOK_TIMEOUT_S,
            allow_redirects=False,
            stream=True,  # what it says beside its status is not read
        ) as answer:
            return answer.status_code


def _headers(letter: Letter) -> dict[str, str]:
    signed = signature(
        letter.secret, timestamp=letter.timestamp, delivery=letter.key, body=letter.body
    )
    return {
        "Content-Type": "application/json",
        "User-Agent": "tradeswim",
        f"{PREFIX}Event": letter.kind,
        f"{PREFIX}Delivery": letter.key,
        f"{PREFIX}Timestamp": str(letter.timestamp),
        f"{PREFIX}Signature": signed,
    }


def _judged(status: int) -> str:
    if 200 <= status < 300:
        return f"HTTP {status}"
    if 300 <= status < 400:
        raise NotDelivered(f"HTTP {status}: it leads elsewhere, where nobody follows.")
    if 400 <= status < 500 and status not in BUSY:
        raise RefusedByReceiver(f"HTTP {status}")
    raise NotDelivered(f"HTTP {status}")


def _kind(error: requests.RequestException) -> str:
    return type(error).__name__
