"""What a browser is sent out with, and what it comes back with."""

from dataclasses import dataclass, field
from enum import StrEnum


class Ending(StrEnum):
    """How an attempt ended. After WRONG_PASSWORD and LOCKED nothing may try again by itself."""

    ARRIVED = "ARRIVED"
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - the name of an ending
    LOCKED = "LOCKED"
    WRONG_CODE = "WRONG_CODE"
    PHONE_NEEDED = "PHONE_NEEDED"
    REFUSED = "REFUSED"
    UNKNOWN_PAGE = "UNKNOWN_PAGE"
    TOO_SLOW = "TOO_SLOW"
    BROKEN = "BROKEN"

    @property
    def words(self) -> str:
        """What happened, for the agent."""
        return WORDS[self]


WORDS = {
    Ending.ARRIVED: "Signed in.",
    Ending.WRONG_PASSWORD: "The broker did not take user name and password.",
    Ending.LOCKED: "The broker says that the login is locked. Call the broker.",
    Ending.WRONG_CODE: "The broker did not take the security code of the stored TOTP secret.",
    Ending.PHONE_NEEDED: "The broker wants this sign-in approved on a phone, or by text message.",
    Ending.REFUSED: "The broker's gateway refused the browser (Access Denied).",
    Ending.UNKNOWN_PAGE: "The broker showed a page that is not known here.",
    Ending.TOO_SLOW: "The broker's pages did not go on in time.",
    Ending.BROKEN: "The browser could not be started, or it broke.",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person would type."""

    user_name: str = field(repr=False)
    password: str = field(repr=False)
    totp_secret: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Journey:
    """Where to, and how.

    Args:
        authorize_url: the address that begins the sign-in; it holds the app's key.
        callback_url: where the broker sends the browser in the end; it is caught, never opened.
        host: the end of all host names that may be asked: `schwab.com`, `127.0.0.1`.
        endings: last digits of the accounts to link; none links all that are offered.
        phone_wait_s: how long to wait for somebody to approve on his phone; 0 does not try.
    """

    authorize_url: str = field(repr=False)
    callback_url: str
    host: str
    endings: tuple[str, ...] = ()
    phone_wait_s: float = 0
    timeout_s: float = 180
    page_timeout_s: float = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Args:
        page: the last page's route, without anything else of its address.
        callback: the whole address the browser was sent back to; holds the code.
        screenshot: PNG of the last page with everything typed blanked; None where it ARRIVED.
    """

    ending: Ending
    page: str
    callback: str = field(repr=False, default="")
    screenshot: bytes | None = field(repr=False, default=None)
