"""Second factors in plain Python: codes of an app by time, recovery codes, hosts of passkeys."""

import ipaddress
import re
import secrets
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest

import pyotp

STEP_S = 30
RECOVERY_CODES = 10
# Without 0, O, 1 and I, which look alike on paper; 12 of 32 are 60 bits.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_RECOVERY = re.compile(rf"(\d{{1,2}})([{_LETTERS}]{{12}})")


class Factor(StrEnum):
    """What somebody proved himself with beside his password; a session keeps the word."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


def step_of(code: str, secret: str, *, now: datetime) -> int | None:
    """Return the time step whose code this is: the present one, or one beside it."""
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        return None
    app, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    steps = [present, present - 1, present + 1]
    right = [step for step in steps if compare_digest(app.generate_otp(step), code)]
    return right[0] if right else None


def fresh_recovery_code(number: int) -> str:
    """Make up the code of this number, as it is written down: 3-ABCD-EFGH-JKLM."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return f"{number}-{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def recovery_parts(typed: str) -> tuple[int, str] | None:
    """Return number and letters of what may be a recovery code, however it is spaced."""
    found = _RECOVERY.fullmatch(re.sub(r"[\s-]", "", typed).upper())
    return (int(found[1]), found[2]) if found else None


def is_host_of(rp_id: str, host: str) -> bool:
    """Tell whether a passkey of this domain works on this host: the same, or one below it."""
    return host == rp_id or host.endswith(f".{rp_id}")


def is_name(host: str) -> bool:
    """Tell whether a host is a name: browsers make no passkeys for numeric addresses."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return bool(host)
    return False
