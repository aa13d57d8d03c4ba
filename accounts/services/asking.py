"""Ask the broker many things at once: who sends, with which token, and what came back."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from accounts.domain.envelope import CannotOpen
from accounts.fields import Secret, key_ring
from accounts.models import BrokerLogin
from brokerage.errors import PutOff, Unavailable
from brokerage.schwab import oauth
from brokerage.schwab.exchange import Call, Exchange, FailureKind, Reply

log = logging.getLogger(__name__)

REMEMBERED_S = 60
_payers: dict[UUID, tuple[str, float]] = {}


class FanOut(Protocol):
    """Sends many requests at once; brokerage/transport has the real one."""

    def stream(self, calls: Sequence[Call]) -> Iterator[list[tuple[int, Exchange]]]:
        """Yield answers with the index of their call, in batches, as they come."""


def authorizations(tokens: Mapping[UUID, Secret]) -> dict[UUID, str]:
    """Return a header value per login; a token that cannot be opened gives none."""
    headers: dict[UUID, str] = {}
    ring = key_ring()
    for login_id, token in tokens.items():
        try:
            headers[login_id] = oauth.bearer(token.open(ring))
        except CannotOpen as error:
            log.error("token of login %s: %s", login_id, error)
    return headers


def payers(login_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return whose request budget each login spends, remembered for a minute."""
    now, wanted = time.monotonic(), set(login_ids)
    known = {pk: payer for pk, (payer, until) in _payers.items() if pk in wanted and until > now}
    if missing := wanted - known.keys():
        rows = BrokerLogin.objects.filter(pk__in=missing).values_list("pk", "app_key_index")
        for pk, payer in rows:
            known[pk] = payer
            _payers[pk] = payer, now + REMEMBERED_S
    return known


def reply_of(exchange: Exchange) -> Reply:
    """Return what a read brought. Errors: PutOff, Unavailable when there is no answer."""
    failure = exchange.failure
    if exchange.reply is None:
        words = failure.words if failure else "No answer"
        raise (PutOff if failure and failure.kind is FailureKind.PUT_OFF else Unavailable)(words)
    return exchange.reply
