"""Ask the broker many things at once: who sends, with which token, and what came back."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from accounts.domain.envelope import CannotOpen
from accounts.fields import Secret
from brokerage.errors import Unavailable
from brokerage.schwab import oauth
from brokerage.schwab.exchange import Call, Exchange, Reply

log = logging.getLogger(__name__)


class FanOut(Protocol):
    """Sends many requests at once; brokerage/transport has the real one."""

    def stream(self, calls: Sequence[Call]) -> Iterator[list[tuple[int, Exchange]]]:
        """Yield answers with the index of their call, in batches, as they come."""


def authorizations(tokens: Mapping[UUID, Secret]) -> dict[UUID, str]:
    """Return a header value per login; a token that cannot be opened gives none."""
    headers: dict[UUID, str] = {}
    for login_id, token in tokens.items():
        try:
            headers[login_id] = oauth.bearer(token.open())
        except CannotOpen as error:
            log.error("token of login %s: %s", login_id, error)
    return headers


def reply_of(exchange: Exchange) -> Reply:
    """Return what a read brought. Errors: Unavailable when there is no answer."""
    if exchange.reply is None:
        raise Unavailable(exchange.failure.words if exchange.failure else "No answer")
    return exchange.reply
