"""What the paper broker is asked and what it answers, as plain values without a socket."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

JSON_TYPE = "application/json"
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One request, complete.

    Args:
        at: Unix seconds at which its last byte was read.
        path: decoded, without query and trailing slash.
        headers: names in small letters.
        is_local: whether it came over the plain port from this machine.
        stream_url: where the stream is, on the port it came in by.
    """

    at: float
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_local: bool = False
    stream_url: str = ""


@dataclass(slots=True)
class Response:
    """One answer; the body is sent as it is.

    Args:
        order_id: the order that this answer created, for the journal.
        at: Unix seconds by the broker's clock, for the Date header; None takes the real ones.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    order_id: int | None = None
    at: float | None = None


class Refused(Exception):
    """The broker says no; knows the answer to give."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(f"{status}: {body}")
        self.response = json_response(body, status=status, headers=headers)


def json_response(
    body: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Answer with a value as JSON; amounts become numbers."""
    return Response(status, to_json(body), dict(headers or {}))


def to_json(body: Any) -> bytes:
    """Write a value as JSON."""
    return json.dumps(body, default=_number, separators=(",", ":")).encode()


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer.")


def trader_error(status: int, message: str) -> Refused:
    """Refuse in the words of the trader interface: `{"message": ...}`."""
    return Refused(status, {"message": message})


def gateway_error(status: int, title: str, **more: Any) -> Refused:
    """Refuse in the words of the gateway and of market data: `{"errors": [...]}`."""
    return Refused(
        status, {"errors": [{"id": str(uuid4()), "status": status, "title": title, **more}]}
    )


def split_target(target: bytes) -> tuple[str, dict[str, str]]:
    """Split a request target into its path, decoded and without trailing slash, and its query."""
    raw_path, _, raw_query = target.decode("latin-1").partition("?")
    path = unquote(raw_path).rstrip("/") or "/"
    if not raw_query:
        return path, {}
    return path, dict(parse_qsl(raw_query, keep_blank_values=True))


class DuplicateKey(ValueError):
    """A JSON object names a key twice."""


def read_json(body: bytes) -> Any:
    """Read a body as JSON, numbers with a point as Decimal.

    Raises:
        Refused: it is not JSON, or an object names a key twice.
    """
    try:
        return json.loads(body, parse_float=Decimal, object_pairs_hook=_unique)
    except DuplicateKey as twice:
        raise trader_error(400, str(twice)) from None
    except (ValueError, RecursionError):
        raise trader_error(400, "The request body is not valid JSON.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKey("The request body names a field twice.")
    return found


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body that must be a JSON object; an empty body is an empty object."""
    found = read_json(body) if body else {}
    if not isinstance(found, dict):
        raise trader_error(400, "The request body must be a JSON object.")
    return found
