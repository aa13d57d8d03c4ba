"""API calls that open, renew and end a program's session."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import (
    api_view,
    authentication_classes,
    permission_classes,
    throttle_classes,
)
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import NoAuthentication
from accounts.api.throttling import SignInThrottle
from accounts.domain.factors import Factor
from accounts.live.asking import asking
from accounts.models import User
from accounts.services import sessions
from accounts.services.proving import Given, check_factor
from accounts.services.second_factors import WrongFactor, factors_of
from accounts.services.signing_in import WrongCredentials, check_credentials

REFRESH_COOKIE = "tradeswim-refresh"
REFRESH_PATH = "/api/v1/auth/"
OTP_REQUIRED, OTP_WRONG = "otp_required", "otp_wrong"


class Credentials(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="where the user has a second factor: a code of his app, or a recovery code",
    )


class AccessAnswer(serializers.Serializer[Any]):
    access = serializers.CharField()
    expires_in = serializers.IntegerField()


@extend_schema(request=Credentials, responses=AccessAnswer)
@api_view(["POST"])
@authentication_classes([NoAuthentication])
@permission_classes([AllowAny])
@throttle_classes([SignInThrottle])
def token(request: Request) -> Response:
    """Open a session: an access token for five minutes, and the refresh cookie.

    Refusals: `authentication_failed` (401), `otp_required` and `otp_wrong` (401; the user has a
    second factor), `second_factor_required` (403; he must set one up), `too_many_tries` (429).
    """
    given = Credentials(data=request.data)
    given.is_valid(raise_exception=True)
    typed, now, address = given.validated_data, timezone.now(), asking().address
    try:
        user = check_credentials(
            name=typed["username"], password=typed["password"], address=address, now=now
        )
    except WrongCredentials:
        raise AuthenticationFailed("Wrong user name or password.") from None
    factor = _second_factor(user, typed.get("otp", ""))
    return _answer(sessions.open_api_session(user, factor=factor, address=address, now=now))


def _second_factor(user: User, otp: str) -> Factor | None:
    """Take the second factor of who has one; a program cannot use a passkey."""
    if not factors_of(user):
        return None
    if not otp.strip():
        raise AuthenticationFailed("Give otp: a code of the app, or a recovery code.", OTP_REQUIRED)
    try:
        return check_factor(user, Given(code=otp), now=timezone.now())
    except WrongFactor as error:
        raise AuthenticationFailed(str(error), OTP_WRONG) from None


@extend_schema(request=None, responses=AccessAnswer)
@api_view(["POST"])
@authentication_classes([NoAuthentication])
@permission_classes([AllowAny])
@throttle_classes([SignInThrottle])
def refresh(request: Request) -> Response:
    """Exchange the refresh cookie for the next access token."""
    given = request.COOKIES.get(REFRESH_COOKIE, "")
    return _answer(sessions.renew_api_session(given, now=timezone.now()))


@extend_schema(request=None, responses={204: None})
@api_view(["POST"])
@authentication_classes([NoAuthentication])
@permission_classes([AllowAny])
def logout(request: Request) -> Response:
    """End the session of the refresh cookie."""
    sessions.end_api_session(request.COOKIES.get(REFRESH_COOKIE, ""), now=timezone.now())
    answer = Response(status=204)
    answer.delete_cookie(REFRESH_COOKIE, path=REFRESH_PATH, samesite="Strict")
    return answer


def _answer(session: sessions.ApiSession) -> Response:
    answer = Response({"access": session.access, "expires_in": session.expires_in_s})
    answer.set_cookie(
        REFRESH_COOKIE,
        session.refresh,
        max_age=settings.API_REFRESH_SECONDS,
        path=REFRESH_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    answer["Cache-Control"] = "no-store"
    return answer
