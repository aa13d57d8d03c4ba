"""Where everybody must have a second factor, let a session without one reach its set-up alone.

It stands in front of every address, so that a page, a call or the admin's site that forgets to ask
is closed as well. Programs with an access token are asked where they get it.
"""

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.middleware import middleware
from accounts.services.proving import lacks_factor
from accounts.services.second_factors import factor_is_required
from tradeswim.api_errors import without_second_factor

SET_UP = "/settings/second-factors/"
# What is reached without: the ways in and out, the set-up, and the proof that it asks for.
OPEN = ("/sign-in/", "/sign-out/", SET_UP, "/prove/", "/api/v1/auth/")


def _lead(request: HttpRequest) -> HttpResponse | None:
    if _may_need_one(request) and _lacks_one(request):
        return without_second_factor(request) or redirect(SET_UP)
    return None


def _may_need_one(request: HttpRequest) -> bool:
    if not factor_is_required() or request.path.startswith(OPEN):
        return False
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _lacks_one(request: HttpRequest) -> bool:
    return SESSION_KEY in request.session and lacks_factor(request.session)


lead_to_second_factor = middleware(before=_lead)
