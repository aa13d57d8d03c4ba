"""Who is being served: what the record keeps of the request that made something happen."""

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import uuid4

LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Asking:
    """One request.

    Args:
        session: the name of the session; see `session_name`.
        agent: what the browser or program calls itself.
    """

    request_id: str = ""
    address: str = ""
    session: str = ""
    agent: str = ""


NOBODY = Asking()
_asking: ContextVar[Asking] = ContextVar("asking", default=NOBODY)


def asking() -> Asking:
    """Return the request that is being served here; nothing in it outside of one."""
    return _asking.get()


def begin(*, address: str, session_key: str, agent: str = "") -> Asking:
    """Say that a request is served from here on; it is forgotten with its context."""
    found = Asking(uuid4().hex, address[:45], session_name(session_key), agent[:LONGEST_AGENT])
    _asking.set(found)
    return found


def now_in(session_key: str) -> None:
    """Say that the request goes on in another session: that of who has just signed in."""
    _asking.set(replace(asking(), session=session_name(session_key)))


def go_on(request_id: str) -> None:
    """Say that what happens here is done for a request that was answered elsewhere."""
    _asking.set(Asking(request_id))


def end() -> None:
    """Say that it is over."""
    _asking.set(NOBODY)


def session_name(session_key: str) -> str:
    """Return the name of a session, the beginning of its key's digest; the key itself opens it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:12] if session_key else ""
