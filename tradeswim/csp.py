"""Send what browsers are to enforce with every answer, and keep all answers out of caches.

That is the content security policy, who may embed an answer and which powers of a browser a page
may use. Django's own middleware adds HSTS, nosniff and the opener's policy. Django 6 has one for
the content security policy, too; the setting is named like its setting.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.middleware import middleware


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add the policies, and `no-store` where an answer names no caching of its own.

    Strangers' answers, too: a way to sign in, kept by a cache, would outlive the signing in.
    """
    response.headers["Content-Security-Policy"] = settings.SECURE_CSP
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY
    response.headers.setdefault("Cache-Control", "no-store")
    return response


content_security_policy = middleware(after=_with_headers)
