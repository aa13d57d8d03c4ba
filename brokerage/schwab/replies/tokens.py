"""The tokens that a grant brings."""

from dataclasses import dataclass, field

from brokerage.errors import LoginRequired, UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.oauth import is_dead_refresh
from brokerage.schwab.replies import parsing


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """Fresh tokens; the refresh token may be a new one, and its seven days are not in here."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int


def read_token(reply: Reply) -> TokenGrant:
    """Read the answer of the token endpoint.

    Raises:
        LoginRequired: the code or the refresh token is dead.
        TryAgain: an outage, a page of the gateway.
    """
    if is_dead_refresh(reply):
        raise LoginRequired("The broker no longer takes this login's tokens")
    found = parsing.row(parsing.read_json(reply))
    access, refresh = (parsing.text(found.get(f"{kind}_token")) for kind in ("access", "refresh"))
    if not access or not refresh:
        raise UnreadableReply("The broker's answer lacks a token")
    return TokenGrant(access, refresh, parsing.whole(found.get("expires_in")) or 1800)
