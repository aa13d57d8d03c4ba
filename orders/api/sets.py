"""API calls about placed order sets: what was filled, what is held, what closing costs now."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.inputs import OneOf, StrictInput
from accounts.api.requests import NEXT_PAGE, page_of, query_of
from orders.api.serializers import LegAnswer, Price
from orders.domain.bookmarks import SetStatus
from orders.domain.lifecycle import ParentStatus
from orders.selectors.exit_pricing import exit_prices, remembered_exit_prices
from orders.selectors.set_rows import SetRow
from orders.selectors.sets import find_set, list_sets
from strategies.domain.tickets import Leg, PriceEffect, Strategy


class SetFilters(StrictInput):
    """The query of GET sets/."""

    open = serializers.BooleanField(default=False, help_text="leave out those that are flat")
    before = serializers.IntegerField(
        min_value=1, required=False, help_text="those with lower numbers: the next page"
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=500, default=100, help_text="how many at most"
    )


class SetLegAnswer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    bookmarked = serializers.IntegerField(help_text="filled; negative where sold")
    held = serializers.IntegerField(
        allow_null=True, help_text="of this symbol in the account, whichever set it is of"
    )


class SetAccountAnswer(serializers.Serializer[Any]):
    """Numbers are units of the strategy unless they are by leg."""

    id = serializers.UUIDField(help_text="of the account")
    alias = serializers.CharField()
    mask = serializers.CharField()
    bookmarked = serializers.IntegerField(help_text="filled")
    held = serializers.IntegerField(
        allow_null=True, help_text="of this set, at read_at; null before the first read"
    )
    residual = serializers.IntegerField(help_text="what an exit still has to close")
    residual_legs = serializers.DictField(
        source="residual_by_leg",
        child=serializers.IntegerField(),
        help_text="the same by symbol, negative where the account is short",
    )
    legs = SetLegAnswer(source="by_leg", many=True)
    is_flat = serializers.BooleanField()
    state = serializers.CharField(help_text="of the latest exit step; empty before the first exit")
    why = serializers.CharField()
    step = serializers.IntegerField(source="step_id", allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    entry_price = Price(allow_null=True)


class ExitPricesAnswer(serializers.Serializer[Any]):
    """USD per unit, positive and on tick; null while a leg has no quote."""

    price_effect = OneOf(PriceEffect, allow_null=True)
    natural = Price(allow_null=True)
    mid = Price(allow_null=True)


class SetExitAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="of the closing order")
    status = OneOf(ParentStatus)
    broadcast_ms = serializers.FloatField(allow_null=True)


class SetAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = OneOf(SetStatus)
    order = serializers.IntegerField(source="order.id", help_text="the broadcast it is of")
    strategy = OneOf(Strategy, source="order.strategy")
    name = serializers.CharField(source="order.name")
    underlying = serializers.CharField(source="order.underlying")
    expiration = serializers.DateField(source="order.expiration", allow_null=True)
    price_effect = OneOf(PriceEffect, source="order.price_effect", allow_null=True)
    limit = Price(source="order.limit", allow_null=True)
    contracts = serializers.IntegerField(source="order.contracts")
    created_at = serializers.DateTimeField()
    legs = LegAnswer(source="order.legs", many=True)
    accounts = SetAccountAnswer(many=True)
    flat_accounts = serializers.IntegerField()
    accounts_total = serializers.IntegerField()
    flat_at = serializers.DateTimeField(allow_null=True)
    exit = SetExitAnswer(allow_null=True, help_text="the closing order at work")
    exit_prices = serializers.SerializerMethodField(
        help_text="what closing costs or brings now, in lists by quotes of the last minute; null "
        "once it is flat"
    )

    @extend_schema_field(ExitPricesAnswer(allow_null=True))
    def get_exit_prices(self, row: SetRow) -> Any:
        if row.flat_at is not None:
            return None
        return ExitPricesAnswer(self.context["prices"][row.id]).data


@extend_schema(parameters=[SetFilters, NEXT_PAGE], responses=SetAnswer(many=True))
@api_view(["GET"])
def sets(request: Request) -> Response:
    """List placed order sets, newest first."""
    wanted = SetFilters(data=query_of(request))
    wanted.is_valid(raise_exception=True)
    given = wanted.validated_data
    most = given["limit"]
    rows = list_sets(open_only=given["open"], before=given.get("before"), most=most + 1)
    prices = remembered_exit_prices(_to_close(rows))
    shown = partial(SetAnswer, context={"prices": prices})
    return page_of(rows, most=most, request=request, answer=shown, cursor="before")


@extend_schema(responses=SetAnswer)
@api_view(["GET"])
def placed_set(request: Request, pk: int) -> Response:
    """Show one placed order set, and what closing it costs or brings now."""
    row = find_set(pk)
    if row is None:
        raise Http404
    prices = {pk: exit_prices(legs) for pk, legs in _to_close([row]).items()}
    return Response(SetAnswer(row, context={"prices": prices}).data)


def _to_close(rows: Sequence[SetRow]) -> dict[int, Sequence[Leg]]:
    """Return the closing legs of the sets that are not flat."""
    return {row.id: row.order.closing_legs for row in rows if row.flat_at is None}
