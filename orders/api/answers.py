"""Answers that several calls of the API give."""

from typing import Any

from django.http import Http404

from orders.api.serializers import OrderAnswer
from orders.selectors.showing import find_broadcast


def answer_order(pk: int) -> Any:
    """Return a broadcast as it stands now. Errors: Http404."""
    found = find_broadcast(pk)
    if found is None:
        raise Http404
    return OrderAnswer(found).data
