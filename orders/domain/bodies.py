"""An account's order as it goes on the wire, with what recognises it."""

import hashlib
from dataclasses import dataclass, replace

from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.payloads import encode, order_body
from strategies.domain.tickets import Ticket


@dataclass(frozen=True, slots=True)
class Body:
    """The exact text of an account's order; an account that gets nothing has an empty one."""

    text: str
    fingerprint: str
    digest: str


NOTHING = Body("", "", "")


def body_of(ticket: Ticket, contracts: int) -> Body:
    """Return what an account with this many contracts sends."""
    if contracts == 0:
        return NOTHING
    body = order_body(replace(ticket, contracts=contracts))
    text = encode(body)
    return Body(text.decode("ascii"), fingerprint(body), hashlib.sha256(text).hexdigest())
