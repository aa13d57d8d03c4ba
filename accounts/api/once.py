"""Answer a call under an Idempotency-Key as it was answered before, instead of acting again."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import HEADER, idempotency_key
from accounts.domain.refusals import NothingDone
from accounts.models import User
from accounts.services.answering import Claim, Kept, claim_call, keep_answer, release_call

View = Callable[..., Response]
# Whatever else is raised may have come after something was done: its key stays taken.
REFUSALS = (NothingDone, APIException, Http404)


def once_per_key(view: View) -> View:
    """Let a POST that has a key act once for it; one without a key, and a read, as always.

    It stands next to the view, below what checks who calls.
    """

    @wraps(view)
    def answer(request: Request, *given: Any, **named: Any) -> Response:
        user = request.user
        is_keyed = request.method == "POST" and HEADER in request.headers
        if not is_keyed or not isinstance(user, User):
            return view(request, *given, **named)
        found = _claim(request, user)
        if isinstance(found, Kept):
            return Response(json.loads(found.text), status=found.status)
        return _act(found, lambda: view(request, *given, **named))

    return answer


def _claim(request: Request, user: User) -> Claim | Kept:
    return claim_call(
        user=user,
        key=idempotency_key(request),
        call=f"{request.method} {request.path}",
        sent=json.dumps(request.data or {}, sort_keys=True),
        now=timezone.now(),
    )


def _act(claim: Claim, view: Callable[[], Response]) -> Response:
    try:
        response = view()
    except REFUSALS:
        release_call(claim)
        raise
    text = JSONRenderer().render(response.data).decode()
    keep_answer(claim, status=response.status_code, text=text)
    return response
