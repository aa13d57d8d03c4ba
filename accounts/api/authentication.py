"""Who calls the API: programs with an access token, pages with their session."""

from typing import TYPE_CHECKING, cast

from django.utils import timezone
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.domain.roles import REFUSALS, Power
from accounts.models import User
from accounts.services.proving import Facts, is_fresh
from accounts.services.sessions import SessionEnded, user_of_access

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView


PROOF_TOO_OLD = (
    "This needs a sign-in of the last 15 minutes: POST auth/token/ again (on the pages: /prove/). "
    "Nothing was done."
)


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>` from POST auth/token/."""

    def authenticate(self, request: Request) -> tuple[User, Facts] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return user_of_access(token.strip())
        except SessionEnded as error:
            raise AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class NoAuthentication(BaseAuthentication):
    """For calls that open or end a session: nobody yet, and a refusal is a 401."""

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PageSessionAuthentication(SessionAuthentication):
    """The session cookie of the pages, with its CSRF token."""


def check_freshly_proved(request: Request) -> None:
    """Refuse a call that matters where nobody proved who he is for 15 minutes."""
    session = request.session if request.auth is None else cast("Facts", request.auth)
    if not is_fresh(session, now=timezone.now()):
        raise PermissionDenied(PROOF_TOO_OLD, code="proof_too_old")


class _May(BasePermission):
    """Whose role has the power; everybody signed in may read."""

    power: Power

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and request.user.may(self.power)


class MayTrade(_May):
    power = Power.TRADE
    message = REFUSALS[power]


class MaySync(_May):
    power = Power.SYNC
    message = REFUSALS[power]


def caller_with(request: Request, power: Power) -> User:
    """Return who calls: for a call that asks a power for some of its methods.

    Errors: PermissionDenied.
    """
    user = request.user
    if isinstance(user, User) and user.may(power):
        return user
    raise PermissionDenied(REFUSALS[power])
