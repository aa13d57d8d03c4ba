"""The hook: a signed call that places a saved order by its name, and can do nothing else."""

from typing import cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import (
    api_view,
    authentication_classes,
    permission_classes,
    throttle_classes,
)
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import MayTrade
from accounts.api.hook_signature import HookSignature, HookThrottle, delivery_of
from accounts.api.inputs import StrictInput
from accounts.domain.signing import PREFIX
from accounts.models import Hook, User
from accounts.services.hooks import take_delivery
from accounts.tasks.queue import check_queue
from orders.api.answers import answer_order
from orders.api.serializers import OrderAnswer
from orders.decorators import received_at
from orders.domain.saved import LONGEST_NAME
from orders.services.hooked import place_saved
from orders.tasks import ring_for_new
from strategies.domain.new_york import exchange_date

HEADERS = [
    OpenApiParameter(f"{PREFIX}{name}", kind, OpenApiParameter.HEADER, required=True)
    for name, kind in (
        ("Hook", OpenApiTypes.UUID),
        ("Delivery", OpenApiTypes.UUID),
        ("Timestamp", OpenApiTypes.INT),
    )
]


class HookInput(StrictInput):
    """The body of POST hooks/saved-order/."""

    saved_order = serializers.CharField(max_length=LONGEST_NAME)


@extend_schema(
    parameters=HEADERS,
    request=HookInput,
    responses={201: OrderAnswer, 200: OrderAnswer},
    auth=[{"hookSignature": []}],  # type: ignore[list-item]
)
@api_view(["POST"])
@authentication_classes([HookSignature])
@permission_classes([MayTrade])
@throttle_classes([HookThrottle])
def saved_order(request: Request) -> Response:
    """Place a saved order of the hook's agent; the same delivery again finds the same order."""
    body = HookInput(data=request.data)
    body.is_valid(raise_exception=True)
    check_queue()
    now = timezone.now()
    delivery = take_delivery(
        cast("Hook", request.auth),
        delivery=delivery_of(request),
        body=request._request.body,
        saved_order=body.validated_data["saved_order"],
        now=now,
    )
    made = place_saved(
        delivery,
        agent=cast("User", request.user),
        clicked_at=received_at(request),
        now=now,
        today=exchange_date(now),
    )
    ring_for_new(made)
    return Response(answer_order(made.order.pk), status=201 if made.is_new else 200)
