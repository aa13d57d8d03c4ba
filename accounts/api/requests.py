"""Read what a request says beside its body: its query, its idempotency key, its page of a list."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

HEADER = "Idempotency-Key"
KEY = OpenApiParameter(
    HEADER,
    UUID,
    OpenApiParameter.HEADER,
    required=True,
    description="A fresh UUID for every new order; the same again finds the order of the first.",
)
OPTIONAL_KEY = OpenApiParameter(
    HEADER,
    UUID,
    OpenApiParameter.HEADER,
    description="A fresh UUID: within 24 hours the same call again is answered as the first was, "
    "and nothing is done twice.",
)
NEXT_PAGE = OpenApiParameter(
    "Link",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<address>; rel="next"` while the list goes on',
)


class Numbered(Protocol):
    """A row of a list."""

    @property
    def id(self) -> int | UUID: ...


def query_of(request: Request) -> dict[str, str]:
    """Return the query; a parameter given twice is refused instead of the last one winning."""
    for name, values in request.GET.lists():
        if len(values) > 1:
            raise ValidationError({name: ["Give it once."]}, code="given_twice")
    return request.GET.dict()


def idempotency_key(request: Request) -> UUID:
    """Return the key of a request that acts; without one it is refused."""
    try:
        return UUID(request.headers.get(HEADER, ""))
    except ValueError:
        words = "Send the header Idempotency-Key with a fresh UUID for everything new."
        raise ValidationError({HEADER: [words]}, code="required") from None


def page_of(
    rows: Sequence[Numbered], *, most: int, request: Request, answer: Any, cursor: str
) -> Response:
    """Answer with a page of a list, and with the next one's address if the list goes on.

    Args:
        rows: one more than `most` if there are more.
        answer: the serializer of a row.
        cursor: the parameter that says which row the next page begins after.
    """
    page = rows[:most]
    response = Response(answer(page, many=True).data)
    if len(rows) > most:
        query = request.GET.copy()
        query[cursor] = str(page[-1].id)
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return response
