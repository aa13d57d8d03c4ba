"""API calls about orders and chains: check, one call, answer."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller_with
from accounts.api.inputs import OneOf, StrictInput
from accounts.api.requests import KEY, NEXT_PAGE, idempotency_key, page_of, query_of
from accounts.domain.roles import Power
from accounts.tasks.queue import check_queue
from orders.api.serializers import (
    ChainRowAnswer,
    ExpirationAnswer,
    OrderAnswer,
    OrderInput,
    ladder_of,
)
from orders.decorators import received_at
from orders.domain.lifecycle import ParentStatus
from orders.selectors import chains
from orders.selectors.showing import Filters, find_broadcast, fresh_broadcast, list_broadcasts
from orders.services.creating import create_order
from orders.tasks import ring_for_new
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Strategy


class ListFilters(StrictInput):
    """The query of GET orders/; `from` and `to` are dates in UTC, both included."""

    status = OneOf(ParentStatus, required=False)
    strategy = OneOf(Strategy, required=False)
    underlying = serializers.CharField(max_length=12, required=False)
    account = serializers.UUIDField(required=False)
    before = serializers.IntegerField(
        min_value=1, required=False, help_text="those with lower numbers: the next page"
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=500, default=100, help_text="how many at most"
    )

    def get_fields(self) -> dict[str, Any]:
        """Add those whose names are words of Python."""
        first = serializers.DateField(source="placed_from", required=False)
        last = serializers.DateField(source="placed_to", required=False)
        return {**super().get_fields(), "from": first, "to": last}

    def validate_to(self, value: date) -> date:
        if value == date.max:
            raise serializers.ValidationError("There is no day after this one.")
        return value


class ChainFilters(StrictInput):
    """The query of GET chains/{underlying}/{expiration}/."""

    def get_fields(self) -> dict[str, Any]:
        """Add one whose name is taken in the framework."""
        words = "where an underlying has several: SPX or SPXW"
        root = serializers.CharField(
            source="wanted_root", max_length=6, required=False, help_text=words
        )
        return {**super().get_fields(), "root": root}


@extend_schema(
    methods=["GET"], parameters=[ListFilters, NEXT_PAGE], responses=OrderAnswer(many=True)
)
@extend_schema(
    methods=["POST"],
    parameters=[KEY],
    request=OrderInput,
    responses={201: OrderAnswer, 200: OrderAnswer},
)
@api_view(["GET", "POST"])
def orders(request: Request) -> Response:
    """List broadcasts, newest first; or broadcast an order to accounts."""
    if request.method == "POST":
        return _broadcast(request)
    wanted = ListFilters(data=query_of(request))
    wanted.is_valid(raise_exception=True)
    given: dict[str, Any] = dict(wanted.validated_data)
    most = given.pop("limit")
    if "placed_from" in given:
        given["placed_from"] = _midnight(given["placed_from"])
    if "placed_to" in given:
        given["placed_to"] = _midnight(given["placed_to"] + timedelta(days=1))
    rows = list_broadcasts(Filters(**given), most=most + 1)
    return page_of(rows, most=most, request=request, answer=OrderAnswer, cursor="before")


@extend_schema(responses=OrderAnswer)
@api_view(["GET"])
def order(request: Request, pk: int) -> Response:
    """Show one broadcast with every account's latest attempt."""
    return Response(_answer(pk))


@extend_schema(responses=ExpirationAnswer(many=True))
@api_view(["GET"])
def expirations(request: Request, underlying: str) -> Response:
    """List the expirations of an underlying."""
    return Response(ExpirationAnswer(chains.expirations(underlying), many=True).data)


@extend_schema(parameters=[ChainFilters], responses=ChainRowAnswer(many=True))
@api_view(["GET"])
def chain(request: Request, underlying: str, expiration: date) -> Response:
    """List one expiration's strikes, a row per strike and side."""
    wanted = ChainFilters(data=query_of(request))
    wanted.is_valid(raise_exception=True)
    rows = chains.chain(underlying, expiration, root=wanted.validated_data.get("wanted_root"))
    return Response(ChainRowAnswer(rows, many=True).data)


def _broadcast(request: Request) -> Response:
    user = caller_with(request, Power.TRADE)
    key = idempotency_key(request)
    body = OrderInput(data=request.data)
    body.is_valid(raise_exception=True)
    check_queue()
    creation = create_order(
        agent=user,
        ticket=body.ticket(),
        choice=body.validated_data["accounts"],
        confirm=body.validated_data["confirm"],
        ladder=ladder_of(body.validated_data),
        idempotency_key=key,
        clicked_at=received_at(request),
        now=timezone.now(),
        today=exchange_date(timezone.now()),
    )
    ring_for_new(creation)
    if creation.is_new:
        fresh = fresh_broadcast(creation.order, creation.legs, creation.shares, creation.ladder)
        return Response(OrderAnswer(fresh).data, status=201)
    return Response(_answer(creation.order.pk), status=200)


def _answer(pk: int) -> Any:
    found = find_broadcast(pk)
    if found is None:
        raise Http404
    return OrderAnswer(found).data


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
