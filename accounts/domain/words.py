"""The enumerations of users, logins, accounts and modes."""

from enum import StrEnum


class Role(StrEnum):
    """What a user may do; AGENT trades, EXIT_ONLY may only close."""

    VIEWER = "VIEWER"
    AGENT = "AGENT"
    EXIT_ONLY = "EXIT_ONLY"
    ADMIN = "ADMIN"


class SessionKind(StrEnum):
    """Who is signed in: a person with pages, or a program with an access token."""

    PAGE = "PAGE"
    API = "API"


class Density(StrEnum):
    """How much room a page gives its rows."""

    COMPACT = "COMPACT"
    ROOMY = "ROOMY"


class Environment(StrEnum):
    PAPER = "PAPER"
    LIVE = "LIVE"


class LoginStatus(StrEnum):
    CONNECTED = "CONNECTED"
    EXPIRING = "EXPIRING"
    LOGIN_REQUIRED = "LOGIN_REQUIRED"
    ERROR = "ERROR"


# The logins that can trade and be asked; the others must sign in first.
ABLE = (LoginStatus.CONNECTED, LoginStatus.EXPIRING)


class AccountKind(StrEnum):
    CASH = "CASH"
    MARGIN = "MARGIN"


class Mode(StrEnum):
    """What orders may do: everything, only close, or nothing."""

    OPEN = "OPEN"
    CLOSE_ONLY = "CLOSE_ONLY"
    FROZEN = "FROZEN"


class ModeScope(StrEnum):
    """What a mode is set for; GATE is the whole installation until its start is finished."""

    FLEET = "FLEET"
    GROUP = "GROUP"
    ACCOUNT = "ACCOUNT"
    UNDERLYING = "UNDERLYING"
    GATE = "GATE"


class Grain(StrEnum):
    """How long the stretches are of which a history keeps the last value."""

    MINUTE = "MINUTE"
    QUARTER = "QUARTER"
    DAY = "DAY"


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Return an enumeration as Django's choices."""
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]
