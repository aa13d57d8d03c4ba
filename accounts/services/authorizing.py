"""Sign-ins at the broker that begin here and come back here: their state, code and person.

A sign-in is good once, for a quarter of an hour, and only in the session it was begun in. What
comes back is believed when its `state` is ours and when its accounts are this login's.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.fields import key_ring
from accounts.models import Account, BrokerLogin, PendingConnect
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from accounts.services.connecting import Connection, exchange, keep_connection
from accounts.services.renewals import note_renewed
from accounts.services.tokens import Fetch, ask_broker
from brokerage.errors import BrokerError, LoginRequired
from brokerage.schwab import oauth

LIFE = timedelta(minutes=15)
AGAIN = "Nothing was stored. Start again with Connect."
UNKNOWN_STATE = f"This address belongs to no sign-in that was begun here in this session. {AGAIN}"
USED = f"This sign-in has come back before. {AGAIN}"
TOO_OLD = f"This sign-in was begun more than a quarter of an hour ago. {AGAIN}"
NO_CODE = f"The broker sent no code along: the sign-in was not finished. {AGAIN}"
DEAD_CODE = f"The broker no longer takes the code: it lives for seconds, and once. {AGAIN}"
NOT_HERE = "That is not the address the broker sends to. Copy the whole line, it begins with {}"


class NotConnected(Exception):
    """A sign-in brought no connection; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Connected:
    """What a sign-in brought.

    Args:
        new: aliases of accounts that were not known; they are switched off until somebody looks.
        missing: aliases of accounts of this login that the broker did not list any more.
        queue: the logins to go on with.
    """

    login: BrokerLogin
    accounts: int
    new: Sequence[str]
    missing: Sequence[str]
    queue: Sequence[UUID]


def begin(
    login: BrokerLogin, *, session_key: str, now: datetime, queue: Sequence[UUID] = ()
) -> str:
    """Return the broker's address at which this login's user signs in."""
    state, verifier = secrets.token_urlsafe(32), new_verifier()
    pending = PendingConnect(
        login=login,
        state_digest=_digest(state),
        session_key=session_key,
        queue=[str(pk) for pk in queue],
        opened_at=now,
    )
    pending.verifier = verifier
    with transaction.atomic():
        PendingConnect.objects.filter(opened_at__lt=now - timedelta(days=1)).delete()
        pending.save(force_insert=True)
    return address_of(login, state=state, verifier=verifier)


def new_verifier() -> str | None:
    """Return a fresh PKCE verifier, or None where PKCE is off."""
    return secrets.token_urlsafe(64) if settings.OAUTH_PKCE else None


def address_of(login: BrokerLogin, *, state: str, verifier: str | None) -> str:
    """Return where a login's user signs in."""
    return oauth.authorize_address(
        settings.AUTHORIZE_URL,
        client_id=login.app_key.open(),
        redirect_uri=login.callback_url,
        state=state,
        verifier=verifier,
    )


def finish(
    query: Mapping[str, str],
    *,
    session_key: str,
    actor: str,
    now: datetime,
    ask: Fetch = ask_broker,
) -> Connected:
    """Take what the broker sent the browser back with, at once: a code lives for seconds.

    Errors: NotConnected; nothing is stored then.
    """
    pending = _take(query.get("state", ""), session_key, now)
    if not query.get("code"):
        raise NotConnected(NO_CODE)
    verifier = pending.verifier.open() if pending.verifier else None
    connection = exchange_for(pending.login, query["code"], verifier, ask=ask)
    queue = [UUID(text) for text in pending.queue]
    return keep(pending.login, connection, actor=actor, now=now, queue=queue)


def finish_pasted(
    login: BrokerLogin,
    address: str,
    *,
    session_key: str,
    actor: str,
    now: datetime,
    ask: Fetch = ask_broker,
) -> Connected:
    """Take the address that a browser was sent back to, where nothing listens on it.

    Errors: NotConnected; nothing is stored then.
    """
    address = address.strip()
    if not address.startswith(f"{login.callback_url}?"):
        raise NotConnected(NOT_HERE.format(login.callback_url))
    query = dict(parse_qsl(urlsplit(address).query))
    return finish(query, session_key=session_key, actor=actor, now=now, ask=ask)


def exchange_for(login: BrokerLogin, code: str, verifier: str | None, *, ask: Fetch) -> Connection:
    """Turn a code into tokens and accounts. Errors: NotConnected."""
    try:
        connection = exchange(login, code, ask=ask, verifier=verifier)
    except LoginRequired:
        raise NotConnected(DEAD_CODE) from None
    except BrokerError as error:
        raise NotConnected(f"The broker gave no tokens: {error} {AGAIN}") from None
    _check_person(login, connection)
    return connection


def keep(
    login: BrokerLogin,
    connection: Connection,
    *,
    actor: str,
    now: datetime,
    queue: Sequence[UUID] = (),
) -> Connected:
    """Store a connection that was checked; flag what is missing, offer what is new."""
    with transaction.atomic():
        known = set(_accounts(login).values_list("pk", flat=True))
        keep_connection(login, connection, now=now, new_are_active=False)
        found = [_index(one.number) for one in connection.numbers]
        _accounts(login).filter(number_index__in=found).update(is_linked=True)
        gone = _accounts(login).exclude(number_index__in=found).filter(is_linked=True)
        missing = list(gone.values_list("pk", "alias"))
        gone.update(is_linked=False)
        new = list(_accounts(login).exclude(pk__in=known).values_list("alias", flat=True))
        note_renewed(login.pk, now=now)
        facts = {"accounts": len(found), "new": len(new), "missing": len(missing)}
        record([event(login, "authorized", at=now, actor=actor, data=facts)])
        for pk, alias in missing:
            words = f"{alias} is no longer linked to {login.label}: its orders would be refused."
            raise_alarm("ACCOUNT_UNLINKED", f"account:{pk}", words, now=now)
    return Connected(login, len(found), new, [alias for _, alias in missing], queue)


def _take(state: str, session_key: str, now: datetime) -> PendingConnect:
    """Use up a sign-in. Errors: NotConnected."""
    rows = PendingConnect.objects.filter(state_digest=_digest(state), session_key=session_key)
    pending = rows.select_related("login").first() if state and session_key else None
    if pending is None:
        raise NotConnected(UNKNOWN_STATE)
    if not rows.filter(used_at__isnull=True).update(used_at=now):
        raise NotConnected(USED)
    if pending.opened_at < now - LIFE:
        raise NotConnected(TOO_OLD)
    return pending


def _check_person(login: BrokerLogin, connection: Connection) -> None:
    """Refuse another person's sign-in: accounts of another login, or none of this one's."""
    found = [_index(one.number) for one in connection.numbers]
    if not found:
        raise NotConnected(f"The broker lists no account for this sign-in. {AGAIN}")
    others = Account.objects.filter(number_index__in=found).exclude(login=login)
    if other := others.select_related("login").first():
        raise NotConnected(
            f"This sign-in opens {other.alias}, which belongs to {other.login.label}: somebody "
            f"else signed in. {AGAIN}"
        )
    own = set(_accounts(login).values_list("number_index", flat=True))
    if own and not own & set(found):
        raise NotConnected(
            f"This sign-in opens none of the accounts of {login.label}: somebody else signed in. "
            f"{AGAIN}"
        )


def _accounts(login: BrokerLogin) -> QuerySet[Account]:
    return Account.objects.filter(login=login)


def _index(number: str) -> str:
    return key_ring().blind_index(number, column="number")


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
