"""Read what a request says beside its body: its query, and its idempotency key."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

KEY = OpenApiParameter("Idempotency-Key", UUID, OpenApiParameter.HEADER, required=True)
OPTIONAL_KEY = OpenApiParameter("Idempotency-Key", UUID, OpenApiParameter.HEADER)


def query_of(request: Request) -> dict[str, str]:
    """Return the query; a parameter given twice is refused instead of the last one winning."""
    for name, values in request.GET.lists():
        if len(values) > 1:
            raise ValidationError({name: ["Give it once."]}, code="given_twice")
    return request.GET.dict()


def idempotency_key(request: Request) -> UUID:
    """Return the key of a request that makes an order; without one it is refused."""
    try:
        return UUID(request.headers.get("Idempotency-Key", ""))
    except ValueError:
        words = "Send the header Idempotency-Key with a fresh UUID for every new order."
        raise ValidationError({"Idempotency-Key": [words]}, code="required") from None
