"""Which page of the broker's sign-in a browser is on, told by its route and by what is on it.

The routes, ids and roles are those that independent automations of the site agree on.
None of it is documented by the broker: what is not known is UNKNOWN, and never clicked.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page


class Kind(StrEnum):
    LOGIN = "LOGIN"
    CODE = "CODE"
    PICKER = "PICKER"
    PHONE = "PHONE"
    DEVICE = "DEVICE"
    NOTICE = "NOTICE"
    CONSENT = "CONSENT"
    ACCOUNTS = "ACCOUNTS"
    CONFIRMATION = "CONFIRMATION"
    REFUSED = "REFUSED"
    LOADING = "LOADING"
    UNKNOWN = "UNKNOWN"


ROUTES = {
    "/login-one-step": Kind.LOGIN,
    "/placeholder": Kind.CODE,
    "/authenticators": Kind.PICKER,
    "/mobile_approve": Kind.PHONE,
    "/devicetag/remember": Kind.DEVICE,
    "/third-party-auth/cag": Kind.CONSENT,
    "/third-party-auth/account": Kind.ACCOUNTS,
    "/third-party-auth/confirmation": Kind.CONFIRMATION,
}
NOTICES = "/information/"
# Without these a page of this route is not the one we know.
NEEDED = {
    Kind.LOGIN: ("user_name", "password", "log_in"),
    Kind.CODE: ("code", "go_on"),
    Kind.PICKER: ("phone",),
    Kind.DEVICE: ("device_go_on",),
    Kind.NOTICE: ("go_on",),
    Kind.CONSENT: ("terms", "submit"),
    Kind.ACCOUNTS: ("accounts", "submit"),
    Kind.CONFIRMATION: ("done",),
}
LOCKED = re.compile(r"\block(ed|out)?\b|suspended|too many|regain access", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at the browser.

    Args:
        route: what stands behind the `#`, without a query.
        complaint: the words of an alert on the page.
        is_empty: whether there is nothing yet that can be clicked.
    """

    kind: Kind
    route: str
    complaint: str = ""
    is_empty: bool = True

    @property
    def says_locked(self) -> bool:
        return bool(LOCKED.search(self.complaint))


class Controls:
    """What can be filled and clicked, by what it is called, or else by its id."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def find(self, name: str) -> Locator:
        """Return the first control of one of our names."""
        page = self._page
        role = {
            "user_name": page.get_by_role("textbox", name="Login ID"),
            "password": page.get_by_label("Password", exact=True),
            "log_in": page.get_by_role("button", name="Log in", exact=True),
            "code": page.get_by_role("spinbutton", name="Security Code"),
            "go_on": page.get_by_role("button", name="Continue", exact=True),
            "terms": page.get_by_role("checkbox", name=re.compile("^By checking this box")),
            "agree": page.get_by_role("button", name="Accept", exact=True),
            "done": page.get_by_role("button", name="Done", exact=True),
        }.get(name)
        by_id = page.locator(IDS[name])
        return (by_id if role is None else role.or_(by_id)).first


IDS = {
    "user_name": "#loginIdInput",
    "password": "#passwordInput",
    "log_in": "#btnLogin",
    "code": "#placeholderCode",
    "go_on": "#continueButton",
    "phone": "#mobile_approve",
    "device_go_on": "#btnContinue",
    "terms": "#acceptTerms",
    "submit": "#submit-btn",
    "agree": "#agree-modal-btn-",
    "accounts": "#form-container input[type=checkbox]",
    "done": "#cancel-btn",
}


def look(page: Page) -> Sight:
    """Tell which page a browser is on now."""
    route = urlsplit(page.url).fragment.partition("?")[0]
    if page.get_by_role("heading", name="Access Denied").count():
        return Sight(Kind.REFUSED, route)
    alert = page.get_by_role("alert")
    complaint = alert.first.inner_text() if alert.count() else ""
    kind = ROUTES.get(route, Kind.NOTICE if route.startswith(NOTICES) else Kind.UNKNOWN)
    is_empty = page.get_by_role("button").count() == 0
    if kind is Kind.UNKNOWN:
        is_whole = bool(route) and not is_empty
    else:
        controls = Controls(page)
        is_whole = all(controls.find(name).is_visible() for name in NEEDED.get(kind, ()))
    return Sight(kind if is_whole else Kind.LOADING, route, complaint, is_empty)
