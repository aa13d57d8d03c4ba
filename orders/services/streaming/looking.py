"""What a stream needs of the database: who is connected, with which token, whose order it is."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections

from accounts.domain.envelope import CannotOpen
from accounts.models import Token
from accounts.services.asking import FanOut, payers
from accounts.services.tokens import RENEWABLE
from brokerage.budget import Lane, the_budget
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services import polling
from orders.services.order_reads import Polled
from orders.services.streaming.wakes import News


@dataclass(frozen=True, slots=True)
class StreamPass:
    """What a login needs to open its stream; `version` tells a refused token from the next."""

    login_id: UUID
    version: int
    token: str = field(repr=False)


@dataclass(slots=True)
class Looked:
    """What a look at some logins brought.

    Args:
        strangers: by login, the orders that are not on record, and whether each may have changed.
    """

    polled: list[Polled] = field(default_factory=list)
    strangers: dict[UUID, dict[str, bool]] = field(default_factory=dict)

    @property
    def put_off(self) -> set[UUID]:
        """The logins that could not be read for want of requests."""
        return {login_id for polled in self.polled for login_id in polled.put_off}


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
        rows = Token.objects.filter(
            login__environment=settings.ENVIRONMENT, login__status__in=RENEWABLE
        )
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


def look(news: Mapping[UUID, News], *, gateway: FanOut) -> Looked:
    """Read what the news is about: the proof of the change is what the broker answers."""
    with thread_s_connection():
        looked = Looked()
        children = _named(news, looked)
        whole = [login_id for login_id, one in news.items() if one.everything]
        single = [pk for login_id, pk in children if login_id not in whole]
        if single:
            looked.polled.append(polling.sync_orders(child_ids=single, gateway=gateway))
        if whole:
            looked.polled.append(polling.sync_logins(login_ids=whole, gateway=gateway))
        return looked


def _named(news: Mapping[UUID, News], looked: Looked) -> list[tuple[UUID, UUID]]:
    """Return the working orders that may have changed, with their logins; note the strangers."""
    names = {order_id for one in news.values() for order_id in one.order_ids}
    known = _on_record(news.keys(), names) if names else {}
    for login_id, one in news.items():
        strange = {
            order_id: order_id in one.changed
            for order_id in one.order_ids
            if (login_id, order_id) not in known
        }
        if strange:
            looked.strangers[login_id] = strange
    return [
        (login_id, child_id)
        for (login_id, order_id), (child_id, status) in known.items()
        if status == Status.WORKING and order_id in news[login_id].changed
    ]


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
