"""Describe in the OpenAPI document what every call answers when it refuses: problem details."""

from typing import Any

from orders.domain.guards import Guard
from tradeswim.api_codes import FAULTS, PROBLEMS, codes_of
from tradeswim.api_errors import PROBLEM_JSON

METHODS = ("get", "post", "put", "patch", "delete")
_WORDS = {
    "400": "Something in the request is invalid; `errors` says what.",
    "401": "No good access token and no session: sign in.",
    "403": "The role of the user does not allow it, or the CSRF token is missing.",
    "404": "There is no such thing.",
    "406": "Answers are JSON; the header Accept asks for something else.",
    "409": "It cannot be done as things stand, or the Idempotency-Key is in use.",
    "413": "The body is too large.",
    "415": "The body is not declared as JSON.",
    "429": "Too many calls; Retry-After says for how many seconds to wait.",
    "502": "The broker refused, or its answer is of no use.",
    "503": "Database, queue or broker do not answer; the same may be sent again later.",
}
_HEADERS = {
    "401": {
        "WWW-Authenticate": {
            "description": "`Bearer`: what proves a caller.",
            "schema": {"type": "string"},
        }
    },
    "429": {
        "Retry-After": {
            "description": "Seconds to wait.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
    },
}
# Calls whose body names what may not be there.
NAMING = ("/accounts/refresh/",)
_FAULT = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "code": {"type": "string", "enum": sorted({*FAULTS, *Guard})},
        "message": {"type": "string"},
        "overridable": {"type": "boolean", "description": "`confirm` with the code sends it"},
        "accounts": {"type": "array", "items": {}},
    },
    "required": ["field", "code", "message", "overridable", "accounts"],
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457); `code` is stable.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(one.code for one in PROBLEMS)},
        "errors": {"type": "array", "items": _FAULT},
    },
    "required": ["type", "title", "status", "detail", "code"],
}


def describe_problems(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Add to each call the refusals that it may answer with; a hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for path, item in result["paths"].items():
        for method in METHODS:
            if method in item:
                _describe(path, method, item[method])
    return result


def _describe(path: str, method: str, call: dict[str, Any]) -> None:
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for status in sorted(_statuses(path, method, call)):
        codes = ", ".join(f"`{code}`" for code in codes_of(int(status)))
        answer: dict[str, Any] = {
            "description": f"{_WORDS[status]} Codes: {codes}.",
            "content": {PROBLEM_JSON: reference},
        }
        if status in _HEADERS:
            answer["headers"] = _HEADERS[status]
        call["responses"].setdefault(status, answer)


def _statuses(path: str, method: str, call: dict[str, Any]) -> set[str]:
    """Return how a call may refuse, by what it takes and what it does."""
    found = {"401", "406", "429", "503"}
    if "requestBody" in call or call.get("parameters"):
        found.add("400")
    if "{" in path or path.endswith(NAMING):
        found.add("404")
    if "{underlying}" in path:
        found.add("502")
    if method == "get":
        return found
    found |= {"403"} if "/auth/" in path else {"403", "409"}
    return found if method == "delete" else found | {"400", "413", "415"}
