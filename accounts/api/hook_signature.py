"""Who calls a hook: a program that signed what it sends with the hook's secret."""

import re
import time
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.request import Request

from accounts.api.throttling import CountingThrottle
from accounts.domain.envelope import CannotOpen
from accounts.domain.signing import PREFIX, is_signed
from accounts.models import Hook, User

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView

# For a hook that is not there: the same work is done as for one that is.
NO_SECRET = "none"  # noqa: S105
# The same words for all of it: a stranger learns nothing from them.
REFUSED = "The signature is not that of a hook, or its timestamp is not of now."


class AddressThrottle(CountingThrottle):
    """Slows down whoever guesses, before anything is compared."""

    scope = "hook-address"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        return f"throttle-{self.scope}-{self.get_ident(request)}"


class HookThrottle(CountingThrottle):
    """Slows down a hook that goes mad."""

    scope = "hook"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        return f"throttle-{self.scope}-{request.auth.pk}"


class HookSignature(BaseAuthentication):
    """`Tradeswim-Hook`, `-Timestamp`, `-Delivery` and `-Signature`; see docs/hooks.md."""

    def authenticate(self, request: Request) -> tuple[User, Hook]:
        if not settings.HOOK_IN:
            raise PermissionDenied("Hooks are switched off here. TRADESWIM_HOOK_IN=1 lets them in.")
        throttle = AddressThrottle()
        if not throttle.allow_request(request, self):  # type: ignore[arg-type]
            raise Throttled(throttle.wait())
        hook = _signer(request)
        if not hook.is_enabled:
            raise PermissionDenied("This hook is switched off. Nothing was placed.")
        if not hook.agent.may_trade:
            raise PermissionDenied("The user of this hook may not trade any more.")
        return hook.agent, hook

    def authenticate_header(self, request: Request) -> str:
        return "Tradeswim-Signature"


def delivery_of(request: Request) -> UUID:
    """Return under which id a signed request is to be done once."""
    return UUID(request.headers[f"{PREFIX}Delivery"])


def _signer(request: Request) -> Hook:
    """Return the hook that signed a request. Errors: AuthenticationFailed."""
    body = _body(request)
    key = _uuid(request, "Hook")
    _uuid(request, "Delivery")
    delivery = request.headers[f"{PREFIX}Delivery"]  # as it was spelled when it was signed
    timestamp = _timestamp(request)
    hook = Hook.objects.select_related("agent").filter(pk=key).first()
    given = request.headers.get(f"{PREFIX}Signature", "")
    is_right = is_signed(given, _secret_of(hook), timestamp=timestamp, delivery=delivery, body=body)
    if hook is None or not is_right or abs(time.time() - timestamp) > settings.HOOK_WINDOW_S:
        raise AuthenticationFailed(REFUSED)
    return hook


def _secret_of(hook: Hook | None) -> str:
    try:
        return NO_SECRET if hook is None else hook.secret.open()
    except CannotOpen:
        raise AuthenticationFailed(REFUSED) from None


def _body(request: Request) -> bytes:
    body: bytes = request._request.body
    if len(body) > settings.HOOK_BODY_LIMIT:
        raise RequestDataTooBig(f"A hook takes at most {settings.HOOK_BODY_LIMIT} bytes.")
    return body


def _uuid(request: Request, name: str) -> UUID:
    try:
        return UUID(request.headers.get(PREFIX + name, ""))
    except ValueError:
        raise AuthenticationFailed(REFUSED) from None


def _timestamp(request: Request) -> int:
    given = request.headers.get(f"{PREFIX}Timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", given, re.ASCII):
        raise AuthenticationFailed(REFUSED)
    return int(given)
