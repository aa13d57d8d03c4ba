"""API calls about placed order sets: what was filled, what is held, what closing costs now."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from orders.api.requests import query_of
from orders.api.serializers import LegAnswer, Price, StrictInput
from orders.domain.bookmarks import SetStatus
from orders.selectors.exit_pricing import exit_prices
from orders.selectors.sets import SetRow, find_set, list_sets


class SetFilters(StrictInput):
    """The query of GET sets/."""

    open = serializers.BooleanField(default=False, help_text="leave out those that are flat")
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)


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

    price_effect = serializers.CharField(allow_null=True)
    natural = Price(allow_null=True)
    mid = Price(allow_null=True)


class SetExitAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="of the closing order")
    status = serializers.CharField()
    broadcast_ms = serializers.FloatField(allow_null=True)


class SetAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=[status.value for status in SetStatus])
    order = serializers.IntegerField(source="order.id", help_text="the broadcast it is of")
    strategy = serializers.CharField(source="order.strategy")
    name = serializers.CharField(source="order.name")
    underlying = serializers.CharField(source="order.underlying")
    expiration = serializers.DateField(source="order.expiration", allow_null=True)
    price_effect = serializers.CharField(source="order.price_effect", allow_null=True)
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
        help_text="what closing costs or brings now; null in lists and once it is flat"
    )

    @extend_schema_field(ExitPricesAnswer(allow_null=True))
    def get_exit_prices(self, row: SetRow) -> Any:
        if not self.context.get("is_priced") or row.flat_at is not None:
            return None
        return ExitPricesAnswer(exit_prices(row.order.closing_legs)).data


@extend_schema(parameters=[SetFilters], responses=SetAnswer(many=True))
@api_view(["GET"])
def sets(request: Request) -> Response:
    """List placed order sets, newest first."""
    wanted = SetFilters(data=query_of(request))
    wanted.is_valid(raise_exception=True)
    given = wanted.validated_data
    rows = list_sets(open_only=given["open"], most=given["limit"])
    return Response(SetAnswer(rows, many=True).data)


@extend_schema(responses=SetAnswer)
@api_view(["GET"])
def placed_set(request: Request, pk: int) -> Response:
    """Show one placed order set, and what closing it costs or brings now."""
    row = find_set(pk)
    if row is None:
        raise Http404
    return Response(SetAnswer(row, context={"is_priced": True}).data)
