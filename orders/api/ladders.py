"""API calls that start and stop the price ladder of an order that works."""

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.once import once_per_key
from accounts.api.requests import OPTIONAL_KEY
from accounts.models import User
from accounts.tasks.queue import check_queue
from orders.api.answers import answer_order
from orders.api.serializers import LadderInput, OrderAnswer, confirmations
from orders.domain.lifecycle import Purpose
from orders.models import ComplexOrder
from orders.services.ladders import start_ladder, stop_ladder

MAY_NOT = "Your role may not do this. Ask an admin for the role AGENT; EXIT_ONLY moves exits."


class StartInput(LadderInput):
    """The body of POST orders/{id}/ladder/."""

    confirm = confirmations()


@extend_schema(
    methods=["POST"], parameters=[OPTIONAL_KEY], request=StartInput, responses={202: OrderAnswer}
)
@extend_schema(methods=["DELETE"], request=None, responses={202: OrderAnswer})
@api_view(["POST", "DELETE"])
@once_per_key
def ladder(request: Request, pk: int) -> Response:
    """Let the limit of a broadcast move step by step; or let it stay where it is."""
    order = ComplexOrder.objects.filter(pk=pk).first()
    if order is None:
        raise Http404
    is_start = request.method == "POST"
    user = _controller(request, order, may_close_only=is_start)
    if is_start:
        body = StartInput(data=request.data)
        body.is_valid(raise_exception=True)
        check_queue()
        start_ladder(order_id=pk, agent=user, now=timezone.now(), **body.validated_data)
    else:
        stop_ladder(order_id=pk, by=user.get_username(), now=timezone.now())
    return Response(answer_order(pk), status=202)


def _controller(request: Request, order: ComplexOrder, *, may_close_only: bool) -> User:
    """Return the user if his role allows it: some move only what closes, but stop anything."""
    user = request.user
    if isinstance(user, User):
        is_allowed = order.purpose == Purpose.CLOSE or not may_close_only
        if user.may_trade or (user.may_exit and is_allowed):
            return user
    raise PermissionDenied(MAY_NOT)
