"""Read what a stream's client sends: one bare request, or a list of them."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """One request of a client.

    Args:
        request_id: as he wrote it; answers write it as text.
    """

    service: str
    command: str
    request_id: str
    customer_id: str = field(repr=False)
    correl_id: str
    parameters: dict[str, Any] = field(repr=False)


class NotACommand(Exception):
    """The text is no request."""


def read_commands(text: str) -> list[Command]:
    """Read both framings: a bare request object, and `{"requests": [...]}`. Errors: NotACommand."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise NotACommand from None
    listed = found.get("requests", [found]) if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise NotACommand
    return [_command(one) for one in listed]


def _command(raw: dict[str, Any]) -> Command:
    parameters = raw.get("parameters")
    return Command(
        service=str(raw.get("service", "")),
        command=str(raw.get("command", "")),
        request_id=str(raw.get("requestid", "")),
        customer_id=str(raw.get("SchwabClientCustomerId", "")),
        correl_id=str(raw.get("SchwabClientCorrelId", "")),
        parameters=parameters if isinstance(parameters, dict) else {},
    )
