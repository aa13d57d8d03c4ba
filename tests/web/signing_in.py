"""People at browsers of their own, and time that passes for their sessions."""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.test import Client

from accounts.models import User, UserSession
from accounts.services.session_use import forget_uses
from tests.support.make import PASSWORD

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
CHROME_LATER = CHROME.replace("131.0", "132.0")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def browser(*, agent: str = CHROME, address: str = HERE) -> Client:
    """A browser that says what it is, somewhere."""
    return Client(REMOTE_ADDR=address, headers={"user-agent": agent})


def sign_in(user: User, client: Client | None = None, **place: str) -> Client:
    """Sign somebody in by the page, in this browser or in a new one."""
    client = client or browser(**place)
    answer = client.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def row_of(client: Client) -> UserSession:
    return UserSession.objects.get(pk=key_of(client))


def is_in(client: Client) -> bool:
    return client.get("/settings/sessions/").status_code == 200


def let_pass(client: Client, **time: Any) -> UserSession:
    """Let time pass for one session: what it keeps moves into the past."""
    past = timedelta(**time)
    UserSession.objects.filter(pk=key_of(client)).update(
        **{name: F(name) - past for name in ("began_at", "used_at", "ends_at", "expire_date")}
    )
    forget_uses()
    return row_of(client)
