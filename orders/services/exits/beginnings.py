"""From when on a login's orders must be listed before an exit: what was entered earlier is over.

An order that has ended never works again. So who has read a whole list remembers when the oldest
order in it was entered that was not over, and the next list begins there. Without that, every look
of every exit would fetch two months of orders.

It counts for the accounts that the login had then: another one brings orders of its own. It may be
lost with the Redis that keeps it; then one list is long again.
"""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import redis
from django.conf import settings

from accounts.selectors import our_accounts
from accounts.services.short_memory import short_memory
from orders.domain.matching import CLOCKS_APART

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)

Linked = Mapping[UUID, frozenset[str]]


def linked_accounts(login_ids: Collection[UUID]) -> Linked:
    """Return the accounts that each of these logins has now, by their blind indexes."""
    rows = our_accounts().filter(login__in=login_ids, is_linked=True)
    found: dict[UUID, set[str]] = defaultdict(set)
    for login_id, index in rows.values_list("login_id", "number_index"):
        found[login_id].add(index)
    return {login_id: frozenset(indexes) for login_id, indexes in found.items()}


def read_beginnings(linked: Linked) -> dict[UUID, datetime]:
    """Return the beginnings that are known for these logins with these accounts."""
    if not linked:
        return {}
    try:
        texts = cast("list[bytes | None]", short_memory().mget([_name(pk) for pk in linked]))
    except redis.RedisError as error:
        log.warning("where lists begin is not known: %s", type(error).__name__)
        return {}
    found = {
        login_id: _since(text, accounts)
        for (login_id, accounts), text in zip(linked.items(), texts, strict=True)
    }
    return {login_id: since for login_id, since in found.items() if since is not None}


def _since(text: bytes | None, accounts: Collection[str]) -> datetime | None:
    """Return what is kept for these accounts; nothing of what another version wrote."""
    try:
        kept = json.loads(text or b"{}")
        return (
            datetime.fromisoformat(kept["since"]) if kept["accounts"] == _digest(accounts) else None
        )
    except (ValueError, KeyError, TypeError):
        return None


def keep_beginnings(beginnings: Mapping[UUID, datetime], linked: Linked) -> None:
    """Keep where the next lists of these logins begin, for the accounts that were linked then."""
    if not beginnings:
        return
    try:
        with short_memory().pipeline(transaction=False) as commands:
            for login_id, since in beginnings.items():
                kept = {"since": since.isoformat(), "accounts": _digest(linked[login_id])}
                commands.set(_name(login_id), json.dumps(kept), ex=int(KEPT.total_seconds()))
            commands.execute()
    except redis.RedisError as error:
        log.warning("where lists begin is not kept: %s", type(error).__name__)


def next_beginning(entered: Iterable[datetime | None], *, asked_at: datetime) -> datetime | None:
    """Return where the next list begins after a whole one.

    Args:
        entered: when the orders that are not over were; None where the broker does not say.
        asked_at: when the list was asked for.

    Returns:
        None where that is not known.
    """
    oldest = asked_at
    for at in entered:
        if at is None:
            return None
        oldest = min(oldest, at)
    return oldest - CLOCKS_APART


def _digest(accounts: Collection[str]) -> str:
    return hashlib.sha256(" ".join(sorted(accounts)).encode()).hexdigest()


def _name(login_id: UUID) -> str:
    return f"exit:{settings.ENVIRONMENT}:lists-begin:{login_id.hex}"
