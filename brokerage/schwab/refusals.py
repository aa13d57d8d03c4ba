"""The shapes in which Schwab says no, and the small print of its answers."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from brokerage.schwab.exchange import Reply

LONGEST_WORDS = 300
JUNK_RETRY_AFTER_S = 5.0
LEAST_RETRY_AFTER_S, MOST_RETRY_AFTER_S = 1.0, 60.0
# What a server says that did not get to the end of it. Too many here cost a minute's waiting, too
# few an order.
DOUBT = re.compile(
    r"(may|might|could) (already |also |still )?have (already |also )?(been )?(affected|placed"
    r"|entered|received|accepted|processed|executed|submitted|filled|gone through)"
    r"|(check|verify) (the |your )?(order )?status|(unexpected|system) error"
    r"|internal (server )?error|bad gateway"
    r"|service (is )?(temporarily |currently )?unavailable|timed?[ -]?out",
    re.IGNORECASE,
)


def plain_words(text: str) -> str:
    """Return text that is safe to show an operator: one line, nothing invisible, short."""
    visible = (" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join("".join(visible).split())[:LONGEST_WORDS]


def parse_json(body: bytes) -> Any:
    """Return the value, or None when it is no JSON (an HTML page, a cut body, nonsense)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def refusal_words(reply: Reply) -> str | None:
    """Return what the broker says, if the body has the shape of one of its refusals.

    Two shapes exist: `{"message": …}` with optional texts in `errors`, and the gateway's
    `{"errors": [{"title": …, "detail": …}]}`. Anything else says nothing about an order.
    """
    body = parse_json(reply.body) if reply.complete else None
    if not isinstance(body, dict):
        return None
    errors = body.get("errors") or []
    if not isinstance(errors, list):
        return None
    texts = [_error_text(error) for error in errors]
    if "message" in body:
        texts.insert(0, _text(body["message"]))
    if not texts or not all(texts):
        return None
    return plain_words("; ".join(text for text in texts if text))


def casts_doubt(reply: Reply) -> bool:
    """Tell whether a refusal hides a server's failure, after which the order may exist.

    A body of which a part is missing could hide one too.
    """
    if not reply.complete:
        return True
    inside = list(_inside(parse_json(reply.body)))
    if any(500 <= status <= 599 for status in _statuses(inside)):
        return True
    # The texts as they read, for JSON can spell a blank in many ways; and a body that is no JSON.
    texts = [
        *(part for part in inside if isinstance(part, str)),
        reply.body.decode(errors="replace"),
    ]
    return any(DOUBT.search(" ".join(text.split())) for text in texts)


def retry_after_s(reply: Reply, *, now: float | None = None) -> float | None:
    """Return the pause asked for, within 1 to 60 seconds; None if none was.

    A date is measured against the reply's own Date, so that a wrong clock of ours does no harm;
    `now` (Unix seconds) stands in when there is none.
    """
    text = reply.headers.get("retry-after")
    if text is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        seconds = float(text)
    else:
        until = _http_date(text)
        since = _http_date(reply.headers.get("date", ""))
        if since is None and now is not None:
            since = datetime.fromtimestamp(now, UTC)
        if until is None or since is None:
            return JUNK_RETRY_AFTER_S
        seconds = (until - since).total_seconds()
    return min(max(seconds, LEAST_RETRY_AFTER_S), MOST_RETRY_AFTER_S)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _error_text(error: object) -> str | None:
    if isinstance(error, dict):
        parts = [_text(error.get(name)) for name in ("title", "detail", "message")]
        return ": ".join(part for part in parts if part) or None
    return _text(error)


def _inside(value: object) -> Iterator[object]:
    """Yield a JSON value and everything in it, however deep."""
    parts = [value]
    while parts:
        part = parts.pop()
        yield part
        if isinstance(part, dict):
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def _statuses(parts: Iterable[object]) -> Iterator[int]:
    """Find every `status`, whichever way the gateway spells it (500, "500")."""
    for part in parts:
        if isinstance(part, dict) and re.fullmatch(r"[0-9]{3}", str(part.get("status"))):
            yield int(part["status"])


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
