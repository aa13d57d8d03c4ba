"""API calls that change what works: cancel, replace, and retry where nothing was placed."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, throttle_classes
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.inputs import StrictInput
from accounts.api.once import once_per_key
from accounts.api.requests import OPTIONAL_KEY
from accounts.api.throttling import WayOutThrottle
from accounts.models import User
from accounts.tasks.queue import check_queue
from orders.api.answers import answer_order
from orders.api.exits import PartOfAccounts
from orders.api.serializers import OrderAnswer, Price, confirmations
from orders.domain.lifecycle import Purpose
from orders.models import ComplexOrder
from orders.selectors.choosing import AccountChoice, members_of
from orders.services.canceling import ask_cancel_of_order
from orders.services.replacing import ask_replace
from orders.services.retrying import retry_failed
from orders.tasks.controlling import ring_asked
from orders.tasks.placing import ring_for

MAY_NOT = (
    "Your role may not do this. Ask an admin for the role AGENT; EXIT_ONLY cancels and closes."
)


class CancelInput(StrictInput):
    """The body of POST orders/{id}/cancel/; without accounts it is about all of them."""

    accounts = PartOfAccounts(default=AccountChoice)


class RetryInput(CancelInput):
    """The body of POST orders/{id}/retry-failed/."""

    confirm = confirmations()


class ReplaceInput(RetryInput):
    """The body of POST orders/{id}/replace/; the limit is USD per unit, positive."""

    limit = Price()


@extend_schema(parameters=[OPTIONAL_KEY], request=CancelInput, responses={202: OrderAnswer})
@api_view(["POST"])
@throttle_classes([WayOutThrottle])
@once_per_key
def cancel(request: Request, pk: int) -> Response:
    """Cancel what works of a broadcast; watch it for what became of that."""
    user = _controller(request, _order(pk), may_close_only=False)
    body = _checked(CancelInput(data=request.data))
    accounts = members_of(pk, body["accounts"])
    asked = ask_cancel_of_order(pk, accounts, by=user.get_username(), now=timezone.now())
    ring_asked(asked)
    return Response(answer_order(pk), status=202)


@extend_schema(parameters=[OPTIONAL_KEY], request=ReplaceInput, responses={202: OrderAnswer})
@api_view(["POST"])
@once_per_key
def replace(request: Request, pk: int) -> Response:
    """Cancel what works of a broadcast and send what is left of it at another limit."""
    user = _controller(request, _order(pk), may_close_only=True)
    body = _checked(ReplaceInput(data=request.data))
    asked = ask_replace(
        order_id=pk,
        limit=body["limit"],
        accounts=members_of(pk, body["accounts"]),
        confirm=body["confirm"],
        by=user.get_username(),
        now=timezone.now(),
    )
    ring_asked(asked)
    return Response(answer_order(pk), status=202)


@extend_schema(parameters=[OPTIONAL_KEY], request=RetryInput, responses={202: OrderAnswer})
@api_view(["POST"])
@once_per_key
def retry(request: Request, pk: int) -> Response:
    """Send a broadcast again to the accounts in which it failed to place or was rejected."""
    user = _controller(request, _order(pk), may_close_only=True)
    body = _checked(RetryInput(data=request.data))
    ready = retry_failed(
        order_id=pk,
        accounts=members_of(pk, body["accounts"]),
        confirm=body["confirm"],
        agent=user,
        now=timezone.now(),
    )
    ring_for(ready)
    return Response(answer_order(pk), status=202)


def _order(pk: int) -> ComplexOrder:
    order = ComplexOrder.objects.filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def _controller(request: Request, order: ComplexOrder, *, may_close_only: bool) -> User:
    """Return the user if his role allows it: some may cancel, but send only what closes."""
    user = request.user
    if isinstance(user, User):
        is_closing = order.purpose == Purpose.CLOSE or not may_close_only
        if user.may_trade or (user.may_exit and is_closing):
            return user
    raise PermissionDenied(MAY_NOT)


def _checked(body: StrictInput) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    check_queue()
    return dict(body.validated_data)
