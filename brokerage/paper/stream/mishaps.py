"""What the fault `stream_cut` does to a stream; its body says in which way."""

import time
from collections.abc import Callable

from brokerage.paper.faults import Fault
from brokerage.paper.stream.session import STOPPED, Session

DROP, CLOSE, STOP, SILENCE, NONSENSE = "drop", "close", "stop", "silence", "nonsense"
DENY = frozenset({"deny"})
CUTS = frozenset({DROP, CLOSE, STOP, SILENCE, NONSENSE})
NONSENSES = (
    '{"data":[{"service":"MOON_PHASES","command":"SUBS","content":[{"key":"full"}]}]}',
    '{"data":[{"service":"ACCT_ACTIVITY","content":[{"seq":0,"1":null,"2":"OrderTeleported",'
    '"3":"{"}]}]}',
    '{"data":"soon"}',
    '{"notify":[{"weather":"fine"}]}',
    '["hello"]',
    '{"response":[{"content":',
)


def is_for_open(fault: Fault) -> bool:
    """Whether it happens to open streams, not to the next login."""
    return fault.way in CUTS


def action(fault: Fault) -> Callable[[Session], None]:
    """Return what is done to a stream."""
    return ACTIONS[fault.way]


def _drop(session: Session) -> None:
    session.drop()


def _close(session: Session) -> None:
    session.close("going away")


def _stop(session: Session) -> None:
    session.sever(STOPPED, "Stop streaming", at=time.time())


def _silence(session: Session) -> None:
    session.is_mute = True


def _nonsense(session: Session) -> None:
    for text in NONSENSES:
        session.send_text(text)


ACTIONS: dict[str, Callable[[Session], None]] = {
    DROP: _drop,
    CLOSE: _close,
    STOP: _stop,
    SILENCE: _silence,
    NONSENSE: _nonsense,
}
