"""Answer every error of the API as problem details (RFC 9457) with a stable code."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.services.answering import CallAtWork, KeyTaken
from accounts.services.editing import MayNotEdit
from accounts.services.hooks import DeliveryUsed
from accounts.services.sessions import SET_UP_FIRST, SecondFactorNeeded, SessionEnded
from accounts.services.tries import TooManyTries
from accounts.tasks.queue import QueueDown
from brokerage.errors import (
    BrokerError,
    LoginRequired,
    NotSent,
    OutcomeUnknown,
    Refused,
    TryAgain,
)
from orders.domain.errors import AlreadyFlat, BadTicket, CannotControl, KeyReused
from orders.domain.guards import Guard
from strategies.domain.symbols import InvalidSymbol
from strategies.domain.tickets import Problem

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"

DATABASE_BUSY = (
    "The database did not answer in time. Send the same again, with the same Idempotency-Key: what "
    "was written meanwhile is then found, and not done twice."
)
TOO_LARGE = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KB. Send less."
KINDS: dict[type[Exception], tuple[int, str, str]] = {
    KeyReused: (409, "idempotency_key_reused", "Idempotency-Key reused"),
    KeyTaken: (409, "idempotency_key_reused", "Idempotency-Key reused"),
    CallAtWork: (409, "in_progress", "The same call is at work"),
    DeliveryUsed: (409, "delivery_used", "Delivery used already"),
    AlreadyFlat: (409, "already_flat", "Nothing is left to close"),
    CannotControl: (409, "cannot_control", "This cannot be done now"),
    MayNotEdit: (409, "mode_forbids", "A mode forbids this"),
    QueueDown: (503, "queue_down", "The task queue is down"),
    SessionEnded: (401, "session_ended", "Sign in again"),
    SecondFactorNeeded: (403, "second_factor_required", "A second factor is needed"),
    InvalidSymbol: (400, "invalid_symbol", "Not a symbol"),
    LoginRequired: (503, "login_required", "A broker login must be connected"),
    TryAgain: (503, "broker_unavailable", "The broker does not answer"),
    NotSent: (503, "broker_unavailable", "The broker does not answer"),
    OutcomeUnknown: (503, "broker_unavailable", "The broker does not answer"),
    BrokerError: (502, "broker_error", "The broker's answer is of no use"),
}


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of a view into an answer; None lets an unforeseen one be a 500."""
    set_rollback()
    if isinstance(error, BadTicket):
        return _of_ticket(error)
    if isinstance(error, exceptions.ValidationError):
        problems = list(_flatten(error.get_full_details(), ""))
        return _problem(400, "invalid", "Invalid request", "See errors.", problems)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return _problem(404, "not_found", "Not found", "There is no such thing here.")
    if isinstance(error, RequestDataTooBig):
        return _problem(413, "too_large", "The body is too large", TOO_LARGE)
    if isinstance(error, Refused):
        status = 404 if error.status == 404 else 502
        code = "not_found" if status == 404 else "broker_refused"
        return _problem(status, code, "The broker says no", str(error))
    return _of_kind(error)


@csrf_exempt  # it does nothing, and a program is owed a problem instead of a page
def not_found(request: HttpRequest, path: str) -> JsonResponse:
    """Answer an address that the API does not have."""
    body = _body(404, "not_found", "Not found", f"The API has no {request.path}.", ())
    return JsonResponse(body, status=404, content_type=PROBLEM_JSON)


def from_elsewhere(request: HttpRequest) -> HttpResponse:
    """Refuse what a page of another site sent: a problem to programs, words to people."""
    words = "This came from another site. Nothing was done."
    if not request.path.startswith("/api/"):
        return HttpResponse(words, status=403, content_type="text/plain")
    body = _body(403, "from_elsewhere", "From another site", words, ())
    return JsonResponse(body, status=403, content_type=PROBLEM_JSON)


def without_second_factor(request: HttpRequest) -> HttpResponse | None:
    """Refuse who has no second factor where everybody must: words to what is no whole page."""
    if request.path.startswith("/api/"):
        body = _body(403, "second_factor_required", "A second factor is needed", SET_UP_FIRST, ())
        return JsonResponse(body, status=403, content_type=PROBLEM_JSON)
    if "HX-Request" in request.headers or request.method != "GET":
        return HttpResponse(SET_UP_FIRST, status=403, content_type="text/plain")
    return None


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what nobody foresaw: a problem to programs, the page to people."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    words = "Something went wrong on our side; it is in the log. Look before you try again."
    body = _body(500, "server_error", "Internal error", words, ())
    return JsonResponse(body, status=500, content_type=PROBLEM_JSON)


def _of_kind(error: Exception) -> Response | None:
    if isinstance(error, TooManyTries):
        answer = _problem(429, "too_many_tries", "Too many tries", str(error))
        answer["Retry-After"] = str(error.wait_s)
        return answer
    if isinstance(error, OperationalError):
        log.error("the database did not answer: %s", error)
        return _problem(503, "database_busy", "The database is busy", DATABASE_BUSY)
    for kind, (status, code, title) in KINDS.items():
        if isinstance(error, kind):
            return _problem(status, code, title, str(error))
    return None


def _of_ticket(error: BadTicket) -> Response:
    """Answer with the guard's own code where a single guard is all that objects."""
    codes = {problem.code for problem in error.problems}
    if len(codes) == 1 and codes <= set(Guard):
        return _problem(400, codes.pop(), "Refused by a guard", str(error), error.problems)
    return _problem(400, "invalid", "Invalid request", "See errors.", error.problems)


def _of_framework(error: exceptions.APIException) -> Response:
    code = str(getattr(error.detail, "code", error.default_code))
    title = HTTPStatus(error.status_code).phrase
    answer = _problem(error.status_code, code, title, str(error.detail))
    if wait := getattr(error, "wait", None):
        answer["Retry-After"] = str(int(wait) + 1)
    if header := getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = header
    return answer


def _problem(status: int, code: str, title: str, detail: str, problems: Any = ()) -> Response:
    body = _body(status, code, title, detail, problems)
    return Response(body, status=status, content_type=PROBLEM_JSON)


def _body(status: int, code: str, title: str, detail: str, problems: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if problems:
        body["errors"] = [
            {
                "field": problem.field,
                "code": problem.code,
                "message": problem.message,
                "overridable": problem.is_overridable,
                "accounts": problem.accounts,
            }
            for problem in problems
        ]
    return body


def _flatten(details: Any, path: str) -> Iterator[Problem]:
    """Turn nested error details into `legs[1].symbol` and its like."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield Problem(path or "body", str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _flatten(inner, _join(path, name))
    else:
        is_plain = all(set(inner) == {"message", "code"} for inner in details)
        for index, inner in enumerate(details):
            yield from _flatten(inner, path if is_plain else f"{path}[{index}]")


def _join(path: str, name: Any) -> str:
    if name == "non_field_errors":
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)
