"""The small readers that every reply needs: JSON without floats, numbers, times, errors."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any

from brokerage.errors import Refused, Throttled, TokenRefused, Unavailable, UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.refusals import casts_doubt, refusal_words, retry_after_s

DEFAULT_PAUSE_S = 5.0
LARGEST_EXPONENT = 20
COME_BACK_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})

Row = Mapping[str, Any]


def raise_for_reply(reply: Reply) -> None:
    """Raise what may be done next about an answer to a read; a whole 2xx passes."""
    status = reply.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        if not reply.complete:
            raise UnreadableReply("The broker's answer was cut short")
        return
    if status < HTTPStatus.BAD_REQUEST:
        raise UnreadableReply(f"HTTP {status} where an answer was expected")
    words = refusal_words(reply)
    said = words or f"HTTP {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled(said, retry_after=retry_after_s(reply) or DEFAULT_PAUSE_S)
    if status == HTTPStatus.UNAUTHORIZED:
        raise TokenRefused(said)
    # A gateway in trouble answers 403 and 404 too, as HTML or plain text.
    broken = words is None or casts_doubt(reply)
    if broken or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in COME_BACK_LATER:
        raise Unavailable(said)
    raise Refused(said, status=status)


def read_json(reply: Reply) -> Any:
    """Return the JSON of a good answer; numbers with a point become Decimal, never float."""
    raise_for_reply(reply)
    try:
        return json.loads(reply.body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise UnreadableReply("The broker's answer is no JSON") from None


def row(value: object) -> Row:
    """Return an object; anything else makes no sense here."""
    if not isinstance(value, dict):
        raise UnreadableReply("The broker's answer lacks an object where one belongs")
    return value


def rows(value: object) -> Sequence[Any]:
    """Return a list inside a row; a missing one is empty."""
    return [] if value is None else listing(value)


def listing(value: object) -> Sequence[Any]:
    """Return a list that must be there: `null` where orders belong is no empty list of them."""
    if not isinstance(value, list):
        raise UnreadableReply("The broker's answer lacks a list where one belongs")
    return value


def text(value: object) -> str:
    """Return text; ids and numbers are spelled out, a missing value is empty."""
    return "" if value is None else str(value)


def number(value: object) -> Decimal | None:
    """Return a finite number, written as such or as text; None when missing or NaN."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise UnreadableReply("The broker's answer has a number that is none") from None
    if found.is_finite() and found.adjusted() > LARGEST_EXPONENT:
        raise UnreadableReply("The broker's answer has an absurd number")
    return found if found.is_finite() else None


def quantity(value: object) -> Decimal:
    """Return a number that counts as zero when missing."""
    return number(value) or Decimal(0)


def whole(value: object) -> int:
    """Return a whole number that counts as zero when missing."""
    return int(quantity(value))


def first(source: Row, *names: str) -> Any:
    """Return the first of several spellings that is there: captures and specification differ."""
    return next((source[name] for name in names if source.get(name) is not None), None)


def moment(value: object) -> datetime | None:
    """Return a UTC time from ISO text (`+0000` and Z alike) or epoch milliseconds."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value / 1000, UTC)
        at = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        raise UnreadableReply("The broker's answer has a time that is none") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def day(value: object) -> date:
    """Return the date that a text begins with."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise UnreadableReply("The broker's answer has a date that is none") from None


def _no_number(_: str) -> None:
    """Read NaN and Infinity, which are no JSON, as missing."""
