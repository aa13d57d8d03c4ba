"""API calls about accounts; credentials and numbers never leave through here."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
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


class AccountChange(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ["alias", "is_active", "multiplier"]


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
