"""What a stream needs of the database: who is connected, with which token, whose order it is."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import Error, close_old_connections

from accounts.domain.envelope import CannotOpen
from accounts.domain.words import ABLE
from accounts.models import Token
from accounts.services.asking import FanOut, payers
from accounts.services.beat_runs import WRITE_EVERY_S, flush_days
from brokerage.budget import Lane, the_budget
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services import polling
from orders.services.streaming.wakes import News

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamPass:
    """What a login needs to open its stream; `version` tells a refused token from the next."""

    login_id: UUID
    version: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What some news are about.

    Args:
        orders: working orders of ours that may have changed, by login.
        whole: logins whose working orders must all be read.
        strangers: by login, the orders that are not on record, and whether each may have changed.
    """

    orders: dict[UUID, set[UUID]]
    whole: frozenset[UUID]
    strangers: dict[UUID, dict[str, bool]]

    @property
    def logins(self) -> set[UUID]:
        """Return the logins that must be read."""
        return self.orders.keys() | self.whole


@contextmanager
def thread_s_connection() -> Iterator[None]:
    """Do a piece of work in a thread that is used again: its connection may have died since."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def roster() -> dict[UUID, int]:
    """Return the connected logins of this environment with the versions of their tokens."""
    with thread_s_connection():
        rows = Token.objects.filter(login__environment=settings.ENVIRONMENT, login__status__in=ABLE)
        return dict(rows.values_list("login_id", "version"))


def stream_pass(login_id: UUID) -> StreamPass | None:
    """Return what a login opens its stream with; None while it has no token that can be used."""
    with thread_s_connection():
        token = Token.objects.filter(login=login_id).only("version", "access").first()
        if token is None:
            return None
        try:
            return StreamPass(login_id, token.version, token.access.open())
        except CannotOpen:
            return None


def count_preference(login_id: UUID) -> None:
    """Count the read that tells where a login's streamer is."""
    with thread_s_connection():
        the_budget().charge(payers([login_id])[login_id], Lane.POLLS)


def write_counts(*, every_s: float = WRITE_EVERY_S) -> None:
    """Write down what reads of the streams cost, if that was last done so long ago."""
    with thread_s_connection():
        try:
            flush_days(every_s=every_s)
        except Error as error:
            log.warning("what reads cost is not written: %s", error)


def sort(news: Mapping[UUID, News]) -> Sorted:
    """Find out what some news are about, in one query."""
    with thread_s_connection():
        names = {order_id for one in news.values() for order_id in one.order_ids}
        known = _on_record(news.keys(), names) if names else {}
    whole = frozenset(login_id for login_id, one in news.items() if one.everything)
    orders: dict[UUID, set[UUID]] = defaultdict(set)
    for (login_id, order_id), (child_id, status) in known.items():
        is_news = status == Status.WORKING and order_id in news[login_id].changed
        if is_news and login_id not in whole:
            orders[login_id].add(child_id)
    strangers = {login_id: _strangers(one, login_id, known) for login_id, one in news.items()}
    return Sorted(orders, whole, {login_id: them for login_id, them in strangers.items() if them})


def read_named(found: Sorted, *, gateway: FanOut, progress: polling.Progress) -> None:
    """Read the orders that were named: the proof of a change is what the broker answers.

    Args:
        progress: told after each batch of answers, for a login that takes its time holds up no
            other.
    """
    child_ids = {child_id for them in found.orders.values() for child_id in them}
    with thread_s_connection():
        polling.sync_orders(child_ids=child_ids, gateway=gateway, progress=progress)


def read_whole(found: Sorted, *, gateway: FanOut, progress: polling.Progress) -> None:
    """Read all working orders of the logins of which something may have been missed; as above."""
    with thread_s_connection():
        polling.sync_logins(login_ids=found.whole, gateway=gateway, progress=progress)


def _strangers(one: News, login_id: UUID, known: Collection[tuple[UUID, str]]) -> dict[str, bool]:
    return {
        order_id: order_id in one.changed
        for order_id in one.order_ids
        if (login_id, order_id) not in known
    }


def _on_record(
    logins: Collection[UUID], names: Collection[str]
) -> dict[tuple[UUID, str], tuple[UUID, str]]:
    rows = AccountOrder.objects.filter(broker_order_id__in=names, account__login__in=logins)
    return {
        (login_id, order_id or ""): (pk, status)
        for login_id, order_id, pk, status in rows.values_list(
            "account__login_id", "broker_order_id", "pk", "status"
        )
    }
