"""What a user walks through when he signs in at Schwab and lets an app have his accounts.

Routes, ids and the order of the pages are those that independent automations of Schwab's site agree
on; the wording of errors is ours.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pyotp

from brokerage.paper.oauth import Login

MOST_WRONG = 3
WRONG = "The Login ID or password is not right. Please try again."
WRONG_CODE = "The security code is not right. Please try again."
LOCKED = "Your account is locked. Call us to regain access."
NO_ACCOUNT = "Select at least one account."


class Page(StrEnum):
    """The pages, by their route behind the `#`."""

    LOGIN = "/login-one-step"
    CODE = "/placeholder"
    PICKER = "/authenticators"
    PHONE = "/mobile_approve"
    DEVICE = "/devicetag/remember"
    NOTICE = "/information/update"
    CONSENT = "/third-party-auth/cag"
    ACCOUNTS = "/third-party-auth/account"
    CONFIRMATION = "/third-party-auth/confirmation"


class Factor(StrEnum):
    """What a user is asked for after his password."""

    NONE = "none"
    TOTP = "totp"
    PICKER = "picker"


@dataclass(slots=True)
class Habits:
    """How the site treats one user.

    Args:
        asks_device: whether it asks to remember a device that it does not know.
        notices: how many informational pages stand in the way.
        approves_after_s: when the user approves on his phone; None never.
        wrong: how many wrong passwords came in a row.
    """

    factor: Factor = Factor.TOTP
    asks_device: bool = True
    notices: int = 0
    approves_after_s: float | None = 2.0
    wrong: int = 0
    is_locked: bool = False
    devices: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Flow:
    """One browser's way from the app's address to its callback.

    Args:
        device: what the browser calls itself by; empty if the site never saw it.
        phone_at: Unix seconds at which the phone approves.
        picked: hashes of the accounts that the app may have.
    """

    client_id: str
    redirect_uri: str
    state: str | None
    challenge: str = ""
    device: str = ""
    page: Page = Page.LOGIN
    user: str = ""
    error: str = ""
    notices_left: int = 0
    phone_at: float | None = None
    picked: tuple[str, ...] = ()
    is_done: bool = False


class LoginSite:
    """All flows, and how each user is treated."""

    def __init__(self, logins: Mapping[str, Login]) -> None:
        self._logins = logins
        self._habits: dict[str, Habits] = {}
        self.flows: dict[str, Flow] = {}

    def begin(self, flow: Flow) -> str:
        """Open the login page; return the name of the flow."""
        name = secrets.token_urlsafe(16)
        self.flows[name] = flow
        return name

    def habits_of(self, user: str) -> Habits:
        return self._habits.setdefault(user, Habits())

    def forget(self) -> None:
        """Treat every user as at first, and drop all flows."""
        self._habits.clear()
        self.flows.clear()

    def step(self, flow: Flow, sent: Mapping[str, Any], *, now: float) -> None:
        """Go on from the page a flow is on with what its form sent."""
        flow.error = ""
        steps: dict[Page, Callable[[Flow, Mapping[str, Any], float], None]] = {
            Page.LOGIN: self._sign_in,
            Page.CODE: self._take_code,
            Page.PICKER: self._pick_factor,
            Page.PHONE: lambda flow, _, now: self.look_at_phone(flow, now=now),
            Page.DEVICE: self._remember,
            Page.NOTICE: self._read_notice,
            Page.CONSENT: self._agree,
            Page.ACCOUNTS: self._pick_accounts,
            Page.CONFIRMATION: self._finish,
        }
        steps[flow.page](flow, sent, now)

    def look_at_phone(self, flow: Flow, *, now: float) -> None:
        """Go on by itself once the user has approved on his phone."""
        if flow.page is Page.PHONE and flow.phone_at is not None and flow.phone_at <= now:
            flow.page = self._after_factor(flow)

    def _sign_in(self, flow: Flow, sent: Mapping[str, Any], _: float) -> None:
        user, password = str(sent.get("user", "")), str(sent.get("password", ""))
        login, habits = self._logins.get(user), self.habits_of(user)
        if habits.is_locked:
            flow.error = LOCKED
            return
        if login is None or not secrets.compare_digest(login.password.encode(), password.encode()):
            habits.wrong += 1
            habits.is_locked = habits.wrong >= MOST_WRONG
            flow.error = LOCKED if habits.is_locked else WRONG
            return
        habits.wrong, flow.user, flow.notices_left = 0, user, habits.notices
        if habits.factor is Factor.NONE or flow.device in habits.devices:
            flow.page = self._after_device(flow)
        else:
            flow.page = Page.CODE if habits.factor is Factor.TOTP else Page.PICKER

    def _take_code(self, flow: Flow, sent: Mapping[str, Any], now: float) -> None:
        secret = self._logins[flow.user].totp_secret
        if pyotp.TOTP(secret).verify(str(sent.get("code", "")), for_time=int(now), valid_window=1):
            flow.page = self._after_factor(flow)
        else:
            flow.error = WRONG_CODE

    def _pick_factor(self, flow: Flow, sent: Mapping[str, Any], now: float) -> None:
        way = sent.get("way")
        if way == "otp_sms":
            flow.page = Page.CODE
        elif way == "mobile_approve":
            waits = self.habits_of(flow.user).approves_after_s
            flow.page, flow.phone_at = Page.PHONE, None if waits is None else now + waits

    def _remember(self, flow: Flow, sent: Mapping[str, Any], _: float) -> None:
        if sent.get("remember") == "yes":
            flow.device = secrets.token_urlsafe(16)
            self.habits_of(flow.user).devices.add(flow.device)
        flow.page = self._after_device(flow)

    def _read_notice(self, flow: Flow, _: Mapping[str, Any], __: float) -> None:
        flow.notices_left -= 1
        flow.page = self._after_device(flow)

    def _agree(self, flow: Flow, sent: Mapping[str, Any], _: float) -> None:
        if sent.get("accepted") is True:
            flow.page = Page.ACCOUNTS

    def _pick_accounts(self, flow: Flow, sent: Mapping[str, Any], _: float) -> None:
        picked = sent.get("accounts")
        flow.picked = tuple(map(str, picked)) if isinstance(picked, list) else ()
        if flow.picked:
            flow.page = Page.CONFIRMATION
        else:
            flow.error = NO_ACCOUNT

    def _finish(self, flow: Flow, _: Mapping[str, Any], __: float) -> None:
        flow.is_done = True

    def _after_factor(self, flow: Flow) -> Page:
        return Page.DEVICE if self.habits_of(flow.user).asks_device else self._after_device(flow)

    def _after_device(self, flow: Flow) -> Page:
        return Page.NOTICE if flow.notices_left > 0 else Page.CONSENT
