"""API calls about trading modes: what is in force and what it leaves behind; set one."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, throttle_classes
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller_with, check_freshly_proved
from accounts.api.inputs import OneOf, StrictInput
from accounts.api.once import once_per_key
from accounts.api.requests import OPTIONAL_KEY
from accounts.api.throttling import WayOutThrottle
from accounts.domain.modes import ModeRule, opens_fleet
from accounts.domain.roles import Power
from accounts.domain.words import Mode, ModeScope
from accounts.selectors.modes import ModeInForce, get_mode, modes_in_force
from accounts.services.modes import LONGEST_WHY, BadMode
from orders.domain.lifecycle import Purpose
from orders.selectors.leaving import Left, left_behind
from orders.services.freezing import Frozen, MayNotLoosen, PasswordRequired, change_mode_as

SETTABLE = [scope for scope in ModeScope if scope != ModeScope.GATE]


class ModeInput(StrictInput):
    """The body of POST mode/; the password only where more is to be allowed than now."""

    scope = OneOf(SETTABLE)
    target = serializers.CharField(
        max_length=60,
        default="",
        allow_blank=True,
        help_text="empty for the fleet; else a group's name, an account's id, an underlying",
    )
    mode = OneOf(Mode)
    why = serializers.CharField(
        max_length=LONGEST_WHY, default="", allow_blank=True, help_text="needed unless OPEN"
    )
    password = serializers.CharField(
        max_length=500,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )

    def rule(self) -> ModeRule:
        """Return the checked body as the rule that is asked for."""
        body = self.validated_data
        return ModeRule(ModeScope(body["scope"]), body["target"], Mode(body["mode"]), body["why"])


class LeftOrderAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    underlying = serializers.CharField()
    purpose = OneOf(Purpose)
    working = serializers.IntegerField(help_text="accounts in which the broker has the order")
    under_way = serializers.IntegerField(help_text="accounts in which that is not known yet")


class LeftAnswer(serializers.Serializer[Any]):
    working = serializers.IntegerField()
    under_way = serializers.IntegerField()
    exits = serializers.IntegerField(help_text="accounts with an exit at work")
    ladders = serializers.IntegerField(help_text="broadcasts whose price still moves")
    orders = LeftOrderAnswer(many=True)


class ModeAnswer(serializers.Serializer[Any]):
    scope = OneOf(ModeScope, help_text="GATE while a start is not finished")
    target = serializers.CharField()
    name = serializers.CharField(help_text="the target in words")
    mode = OneOf(Mode)
    why = serializers.CharField()
    who = serializers.CharField()
    since = serializers.DateTimeField()
    left = LeftAnswer()


class ModeChangeAnswer(ModeAnswer):
    before = OneOf(Mode)
    skipped = serializers.IntegerField(help_text="orders stopped before they were sent")
    ladders_stopped = serializers.IntegerField()


@extend_schema(methods=["GET"], responses=ModeAnswer(many=True))
@extend_schema(
    methods=["POST"], parameters=[OPTIONAL_KEY], request=ModeInput, responses=ModeChangeAnswer
)
@api_view(["GET", "POST"])
@throttle_classes([WayOutThrottle])
@once_per_key
def mode(request: Request) -> Response:
    """List the modes in force with what they leave behind; or set one.

    To open the fleet, the sign-in must be of the last 15 minutes, else `proof_too_old` (403).
    """
    if request.method == "POST":
        return _set(request)
    rows = [_shown(one, left_behind(one.rule)) for one in modes_in_force()]
    return Response(ModeAnswer(rows, many=True).data)


def _set(request: Request) -> Response:
    user = caller_with(request, Power.FREEZE)
    body = ModeInput(data=request.data)
    body.is_valid(raise_exception=True)
    if opens_fleet(body.rule()):
        check_freshly_proved(request)
    password = body.validated_data["password"]
    try:
        frozen = change_mode_as(user, body.rule(), password=password, now=timezone.now())
    except BadMode as error:
        raise ValidationError({error.field: [str(error)]}) from None
    except PasswordRequired as error:
        raise PermissionDenied(str(error), code="password_required") from None
    except MayNotLoosen as error:
        raise PermissionDenied(str(error)) from None
    return Response(ModeChangeAnswer(_changed(frozen)).data)


def _changed(frozen: Frozen) -> dict[str, Any]:
    rule = frozen.change.rule
    return {
        **_shown(get_mode(rule.scope, rule.target), frozen.left),
        "before": frozen.change.before,
        "skipped": frozen.skipped,
        "ladders_stopped": frozen.ladders_stopped,
    }


def _shown(one: ModeInForce, left: Left) -> dict[str, Any]:
    rule = one.rule
    return {
        "scope": rule.scope,
        "target": rule.target,
        "name": one.name,
        "mode": rule.mode,
        "why": rule.why,
        "who": one.who,
        "since": one.since,
        "left": left,
    }
