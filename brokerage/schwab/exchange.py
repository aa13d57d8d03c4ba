"""What goes to the broker and what comes back, as plain values that both transports share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request without host and without credentials.

    Args:
        path: from the root, query included and already encoded.
        body: the exact bytes to send; hidden from `repr`, an OAuth body holds secrets.
    """

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request and the Authorization header's value to send with it.

    Args:
        not_after: Unix seconds after which the request must not be written any more; None if it
            can never be too late, as with a read.
        payer: whose request budget a read spends, the blind index of an app key; empty for what
            must never wait for a budget, as orders.
    """

    request: ApiRequest
    authorization: str = field(repr=False)
    not_after: float | None = None
    payer: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer.

    Args:
        headers: names in lower case; a repeated header is joined with ", ".
        complete: False if the body was cut short or longer than the limit.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    complete: bool = True


class FailureKind(StrEnum):
    """How far a request without an answer came; PUT_OFF is a read that nobody tried to send."""

    NOT_WRITTEN = "NOT_WRITTEN"
    MAYBE_WRITTEN = "MAYBE_WRITTEN"
    PUT_OFF = "PUT_OFF"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, and whether the broker can have seen the request."""

    kind: FailureKind
    words: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it: exactly one of `reply` and `failure` is set.

    Args:
        sent_at: Unix seconds when the last byte was handed to the socket; None if it never was.
        answered_at: Unix seconds when status and headers were read.
    """

    request: ApiRequest
    sent_at: float | None = None
    answered_at: float | None = None
    reply: Reply | None = None
    failure: Failure | None = None
