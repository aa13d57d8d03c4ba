"""API calls about accounts; credentials and numbers never leave through here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import MaySync, MayTrade
from accounts.api.inputs import OneOf, StrictInput
from accounts.api.once import once_per_key
from accounts.api.requests import NEXT_PAGE, OPTIONAL_KEY, page_of, query_of
from accounts.domain.words import AccountKind, LoginStatus, Mode
from accounts.models import Account, RefreshRun
from accounts.selectors import account_rows, get_account_row, our_accounts
from accounts.services.editing import NoSuchAccount, edit_account
from accounts.services.refreshing import progress_of
from accounts.tasks.refreshing import begin_refresh


class ListFilters(StrictInput):
    """The query of GET accounts/; a grid is fixed, so that pages never shift."""

    after = serializers.UUIDField(
        required=False, help_text="those that follow this account: the next page"
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=5000, default=5000, help_text="how many at most"
    )

    def validate_after(self, value: UUID) -> UUID:
        if not our_accounts().filter(pk=value).exists():
            raise serializers.ValidationError("There is no such account.", code="unknown_account")
        return value


class AccountAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    alias = serializers.CharField()
    mask = serializers.CharField()
    is_active = serializers.BooleanField()
    mode = OneOf(Mode)
    multiplier = serializers.DecimalField(max_digits=6, decimal_places=2)
    groups = serializers.ListField(child=serializers.CharField())
    kind = OneOf(AccountKind)
    login = serializers.CharField()
    login_status = OneOf(LoginStatus)
    value = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    cash = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    buying_power = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    day_gain = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
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


class RefreshRequest(StrictInput):
    """Which accounts to read; all of them if none is named."""

    accounts = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=5000
    )


class RefreshFailureAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    words = serializers.CharField()
    accounts = serializers.IntegerField()


class RefreshAnswer(serializers.Serializer[Any]):
    """How far a refresh is: `read` and `failed` of `accounts`, with one call per login."""

    id = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    asked_by = serializers.CharField()
    accounts = serializers.IntegerField()
    calls = serializers.IntegerField()
    read = serializers.IntegerField()
    failed = serializers.IntegerField()
    failures = RefreshFailureAnswer(many=True)
    is_done = serializers.BooleanField()
    is_given_up = serializers.BooleanField()


class AccountChange(serializers.ModelSerializer[Account]):
    is_active = OnOrOff()
    multiplier = Multiplier()
    groups = serializers.ListField(child=serializers.CharField(max_length=60), required=False)

    class Meta:
        model = Account
        fields = ["alias", "is_active", "multiplier", "groups"]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            words = "This cannot be changed here. Leave it out."
            raise serializers.ValidationError({name: [words] for name in unknown}, code="unknown")
        return super().to_internal_value(data)


@extend_schema(parameters=[ListFilters, NEXT_PAGE], responses=AccountAnswer(many=True))
@api_view(["GET"])
def accounts(request: Request) -> Response:
    """List the accounts in grid order."""
    wanted = ListFilters(data=query_of(request))
    wanted.is_valid(raise_exception=True)
    given = wanted.validated_data
    most = given["limit"]
    rows = account_rows(now=timezone.now(), after=given.get("after"), most=most + 1)
    return page_of(rows, most=most, request=request, answer=AccountAnswer, cursor="after")


@extend_schema(request=AccountChange, responses=AccountAnswer)
@api_view(["PATCH"])
@permission_classes([MayTrade])
def account(request: Request, pk: UUID) -> Response:
    """Change alias, switch, multiplier or groups of one account."""
    row = get_object_or_404(our_accounts(), pk=pk)
    change = AccountChange(row, data=request.data, partial=True)
    change.is_valid(raise_exception=True)
    changes: dict[str, Any] = dict(change.validated_data)
    user = request.user.get_username()
    edit_account(account_id=pk, changes=changes, actor=user, now=timezone.now())
    return Response(AccountAnswer(get_account_row(pk, now=timezone.now())).data)


@extend_schema(parameters=[OPTIONAL_KEY], request=RefreshRequest, responses={202: RefreshAnswer})
@api_view(["POST"])
@permission_classes([MaySync])
@once_per_key
def refresh(request: Request) -> Response:
    """Read the balances of these accounts, or of all, now; one at work already is answered."""
    wanted = RefreshRequest(data={} if request.data is None else request.data)
    wanted.is_valid(raise_exception=True)
    user = request.user.get_username()
    try:
        run = begin_refresh(wanted.validated_data.get("accounts"), by=user)
    except NoSuchAccount:
        raise Http404 from None
    return _progress(run, status=202)


@extend_schema(responses=RefreshAnswer)
@api_view(["GET"])
def refresh_progress(request: Request, run_id: int) -> Response:
    """Say how far a refresh is."""
    return _progress(get_object_or_404(RefreshRun, pk=run_id))


def _progress(run: RefreshRun, *, status: int = 200) -> Response:
    answer = RefreshAnswer(progress_of(run, now=timezone.now()))
    return Response(answer.data, status=status)
