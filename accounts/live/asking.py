"""Who is being served: what the record keeps of the request that made something happen."""

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Asking:
    """One request.

    Args:
        session: the beginning of a digest of the session's key, which itself opens it.
    """

    request_id: str = ""
    address: str = ""
    session: str = ""


NOBODY = Asking()
_asking: ContextVar[Asking] = ContextVar("asking", default=NOBODY)


def asking() -> Asking:
    """Return the request that is being served here; nothing in it outside of one."""
    return _asking.get()


def begin(*, address: str, session_key: str) -> Asking:
    """Say that a request is served from here on; it is forgotten with its context."""
    session = hashlib.sha256(session_key.encode()).hexdigest()[:12] if session_key else ""
    found = Asking(uuid4().hex, address, session)
    _asking.set(found)
    return found


def go_on(request_id: str) -> None:
    """Say that what happens here is done for a request that was answered elsewhere."""
    _asking.set(Asking(request_id))


def end() -> None:
    """Say that it is over."""
    _asking.set(NOBODY)
