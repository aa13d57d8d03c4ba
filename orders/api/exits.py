"""API calls that close: the exit of a set, and closing everything."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, throttle_classes
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller_with
from accounts.api.inputs import OneOf, StrictInput
from accounts.api.once import once_per_key
from accounts.api.requests import HEADER, KEY, OPTIONAL_KEY, idempotency_key
from accounts.api.throttling import WayOutThrottle
from accounts.domain.roles import Power
from accounts.tasks.queue import check_queue
from orders.api.answers import answer_order
from orders.api.serializers import (
    AccountsInput,
    LadderInput,
    OrderAnswer,
    Price,
    WholeNumber,
    confirmations,
    ladder_of,
)
from orders.decorators import received_at
from orders.domain.exits import MOST_PERCENT, ExitTerms, Pricing
from orders.models import PlacedOrderSet
from orders.selectors.choosing import AccountChoice, members_of
from orders.services.exits.everything import PHRASE, close_everything
from orders.services.exits.opening import open_exit
from orders.tasks.controlling import ring_asked
from orders.tasks.exiting import ring_exits
from strategies.domain.tickets import OrderType

PRICES = [Pricing.MID, Pricing.NATURAL, Pricing.MARKET]


class PartOfAccounts(AccountsInput):
    """The same, or just a list of ids."""

    def to_internal_value(self, data: Any) -> AccountChoice:
        return super().to_internal_value({"ids": data} if isinstance(data, list) else data)


class ExitInput(StrictInput):
    """The body of POST sets/{id}/exit/; LIMIT without a limit goes out at the mid."""

    order_type = OneOf([OrderType.LIMIT, OrderType.MARKET], default=OrderType.LIMIT.value)
    limit = Price(required=False, allow_null=True)
    pricing = OneOf(
        [Pricing.MID, Pricing.NATURAL],
        required=False,
        allow_null=True,
        help_text="what a LIMIT exit without a limit goes out at",
    )
    percent = WholeNumber(low=1, high=MOST_PERCENT, default=MOST_PERCENT)
    accounts = PartOfAccounts(default=AccountChoice)
    confirm = confirmations()
    ladder = LadderInput(required=False, allow_null=True)

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        if attrs.get("limit") is not None and attrs.get("pricing"):
            words = "Give a limit or a pricing, not both."
            raise ValidationError({"pricing": [words]}, code="not_allowed")
        return attrs

    def terms(self, placed_set: PlacedOrderSet) -> ExitTerms:
        """Return the checked body as the terms of an exit."""
        body = self.validated_data
        if body["order_type"] == OrderType.MARKET:
            pricing = Pricing.MARKET
        elif body.get("limit") is not None:
            pricing = Pricing.LIMIT
        else:
            pricing = Pricing(body.get("pricing") or Pricing.MID)
        return ExitTerms(
            pricing=pricing,
            limit=body.get("limit"),
            percent=body["percent"],
            accounts=members_of(placed_set.order_id, body["accounts"]),
            confirm=frozenset(body["confirm"]),
            ladder=ladder_of(body),
        )


class EverythingInput(StrictInput):
    """The body of POST close-everything/; `confirm` is typed by the agent."""

    confirm = serializers.CharField(max_length=40, help_text=f"exactly {PHRASE}")
    pricing = OneOf(PRICES, default=Pricing.NATURAL.value)

    def validate_confirm(self, value: str) -> str:
        if value != PHRASE:
            raise ValidationError(f"Write {PHRASE} to close everything.", code="not_confirmed")
        return value


class RefusedExit(serializers.Serializer[Any]):
    set = serializers.IntegerField()
    reason = serializers.CharField()


class EverythingAnswer(serializers.Serializer[Any]):
    """What closing everything began; watch orders/ and sets/ for what becomes of it."""

    canceling = serializers.IntegerField(help_text="account orders that are being canceled")
    unsent = serializers.IntegerField(help_text="account orders that are not sent any more")
    exits: serializers.ListField = serializers.ListField(
        child=serializers.IntegerField(), help_text="numbers of the closing orders"
    )
    refused = RefusedExit(many=True)


@extend_schema(parameters=[KEY], request=ExitInput, responses={201: OrderAnswer, 200: OrderAnswer})
@api_view(["POST"])
@throttle_classes([WayOutThrottle])
def leave(request: Request, pk: int) -> Response:
    """Close a placed order set in its accounts; while that is at work, it is the same order."""
    agent = caller_with(request, Power.EXIT)
    key = idempotency_key(request)
    placed_set = PlacedOrderSet.objects.select_related("order").filter(pk=pk).first()
    if placed_set is None:
        raise Http404
    body = ExitInput(data=request.data)
    body.is_valid(raise_exception=True)
    check_queue()
    opened = open_exit(
        placed_set=placed_set,
        terms=body.terms(placed_set),
        agent=agent,
        idempotency_key=key,
        clicked_at=received_at(request),
        now=timezone.now(),
    )
    ring_exits([opened.order.pk])
    return Response(answer_order(opened.order.pk), status=201 if opened.is_new else 200)


@extend_schema(
    parameters=[OPTIONAL_KEY], request=EverythingInput, responses={202: EverythingAnswer}
)
@api_view(["POST"])
@throttle_classes([WayOutThrottle])
@once_per_key
def everything(request: Request) -> Response:
    """Cancel all working orders and exit all sets."""
    agent = caller_with(request, Power.EXIT)
    body = EverythingInput(data=request.data)
    body.is_valid(raise_exception=True)
    key = idempotency_key(request) if HEADER in request.headers else uuid4()
    check_queue()
    begun = close_everything(
        pricing=Pricing(body.validated_data["pricing"]),
        agent=agent,
        key=key,
        clicked_at=received_at(request),
        now=timezone.now(),
    )
    ring_asked(begun.asked)
    ring_exits([order.pk for order in begun.exits])
    answer = {
        "canceling": len(begun.asked.asked),
        "unsent": len(begun.asked.unsent),
        "exits": [order.pk for order in begun.exits],
        "refused": [{"set": pk, "reason": words} for pk, words in begun.refused.items()],
    }
    return Response(EverythingAnswer(answer).data, status=202)
