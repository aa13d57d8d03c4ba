"""API calls about accounts; credentials and numbers never leave through here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import MayTrade
from accounts.domain.words import Mode
from accounts.models import Account
from accounts.selectors import account_rows, our_accounts
from accounts.services.editing import edit_account
from accounts.tasks import sync_accounts
from accounts.tasks.queue import check_queue, enqueue


class AccountAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    alias = serializers.CharField()
    mask = serializers.CharField()
    is_active = serializers.BooleanField()
    mode = serializers.ChoiceField(choices=[mode.value for mode in Mode])
    multiplier = serializers.DecimalField(max_digits=6, decimal_places=2)
    groups = serializers.ListField(child=serializers.CharField())
    kind = serializers.CharField()
    login = serializers.CharField()
    login_status = serializers.CharField()
    value = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    cash = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    buying_power = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    age_s = serializers.FloatField(allow_null=True)


@extend_schema_field(OpenApiTypes.BOOL)
class OnOrOff(serializers.Field[bool, Any, bool, Any]):
    """True or false and nothing like it: the switch decides whether an account trades."""

    default_error_messages = {"invalid": "Give true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: bool) -> bool:
        return value


class Multiplier(serializers.DecimalField):
    """0 to 100 with at most two decimals, as a JSON number or a text in ASCII."""

    def __init__(self, **options: Any) -> None:
        low, high = Decimal(0), Decimal(100)
        super().__init__(max_digits=6, decimal_places=2, min_value=low, max_value=high, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, str) and not (data.isascii() and "_" not in data):
            self.fail("invalid")
        return super().to_internal_value(data)


class AccountChange(serializers.ModelSerializer[Account]):
    is_active = OnOrOff()
    multiplier = Multiplier()

    class Meta:
        model = Account
        fields = ["alias", "is_active", "multiplier"]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            words = "This cannot be changed here. Leave it out."
            raise serializers.ValidationError({name: [words] for name in unknown}, code="unknown")
        return super().to_internal_value(data)


@extend_schema(responses=AccountAnswer(many=True))
@api_view(["GET"])
def accounts(request: Request) -> Response:
    """List the accounts in grid order."""
    rows = account_rows(now=timezone.now())
    return Response(AccountAnswer(rows, many=True).data)


@extend_schema(request=AccountChange, responses=AccountAnswer)
@api_view(["PATCH"])
@permission_classes([MayTrade])
def account(request: Request, pk: UUID) -> Response:
    """Change alias, switch or multiplier of one account."""
    row = get_object_or_404(our_accounts(), pk=pk)
    change = AccountChange(row, data=request.data, partial=True)
    change.is_valid(raise_exception=True)
    changes: dict[str, Any] = dict(change.validated_data)
    user = request.user.get_username()
    edit_account(account_id=pk, changes=changes, actor=user, now=timezone.now())
    found = [one for one in account_rows(now=timezone.now()) if one.id == pk]
    return Response(AccountAnswer(found[0]).data)


@extend_schema(request=None, responses={202: None})
@api_view(["POST"])
@permission_classes([MayTrade])
def refresh(request: Request) -> Response:
    """Read the balances of the whole fleet now."""
    check_queue()
    enqueue(sync_accounts)
    return Response(status=202)
