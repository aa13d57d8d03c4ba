"""Refuse what a page of another site makes a browser send here, before anything looks at it.

A second lock beside the CSRF token and the cookies' SameSite: browsers say where a request comes
from (Sec-Fetch-Site), and no page can make them say something else. Programs do not say it.
"""

from django.http import HttpRequest, HttpResponse

from accounts.middleware import READING, middleware
from tradeswim.api_errors import from_elsewhere
from tradeswim.cors import is_let_in

# "none" is a person who typed the address or opened a bookmark.
HERE = {None, "same-origin", "none"}


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.method in READING or request.headers.get("Sec-Fetch-Site") in HERE:
        return None
    # Who is let in proves himself by an access token: a cookie that came with it counts nothing.
    if is_let_in(request) and not request.COOKIES:
        return None
    return from_elsewhere(request)


refuse_foreign = middleware(before=_refusal)
