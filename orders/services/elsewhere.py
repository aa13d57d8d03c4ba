"""List the orders of accounts that hold what no set of ours explains, to see who traded there."""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Min

from accounts.domain.beats import Beat, Savings
from accounts.domain.words import ABLE
from accounts.models import Position
from accounts.selectors import access_tokens_of, our_accounts, token_versions_of
from accounts.services.asking import FanOut, authorizations, payers, reply_of
from accounts.services.balances import askable_logins
from accounts.services.beat_runs import WRITE_EVERY_S, count_calls, flush_days
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, PutOff, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Call, Exchange
from brokerage.schwab.replies import OrderPage, read_orders
from orders.domain.bookmarks import NOTHING
from orders.domain.matching import CLOCKS_APART
from orders.models import ElsewhereLook, ExternalOrder
from orders.selectors.explaining import explained
from orders.services.external import Noted, note_external
from orders.services.whole_lists import LONGEST_WINDOW, is_full
from strategies.domain.new_york import exchange_date

log = logging.getLogger(__name__)

# A fill is on record before the position is read, and the other way about: what is left of a
# difference after that is not ours.
LASTS = timedelta(seconds=45)
USUAL_WINDOW = timedelta(days=1)
AGAIN = timedelta(seconds=60)
SEALED = "its token cannot be opened"
# Orders that are read take many times the memory of what came; a day of a fleet has thousands.
ORDERS_AT_ONCE = 500

Differences = Mapping[UUID, Mapping[str, str]]


@dataclass(slots=True)
class LookedElsewhere:
    """What one look did.

    Args:
        asked: accounts or logins whose list is on record now; `rows` of orders were in the lists,
            and `written` rows changed by them.
        calls: requests made.
        failed: why accounts or logins are to be asked again: no answer, or not all of its orders
            were shown, could be read or are on record.
        refused_tokens: the token version that was refused, by login.
    """

    asked: int = 0
    calls: int = 0
    rows: int = 0
    written: int = 0
    failed: dict[UUID, str] = field(default_factory=dict)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)


class _Ask(NamedTuple):
    """A list to be asked for; `about` is the account, or the login for all of its accounts."""

    about: UUID
    login_id: UUID
    request: ApiRequest
    token_version: int


def look_elsewhere(
    *, gateway: FanOut, now: datetime, logins: Collection[UUID] | None = None
) -> LookedElsewhere:
    """List what may have been traded elsewhere, and keep what is not ours.

    Args:
        logins: one list each, whatever their accounts hold: something was heard of them. None for
            the accounts whose positions say so, once for each difference that lasts, and for those
            of which orders from elsewhere still work.
    """
    asks = _of_logins(logins, now) if logins is not None else _of_accounts(now)
    looked = LookedElsewhere()
    flush_days(only=Beat.ACCOUNTS, every_s=WRITE_EVERY_S)  # what earlier looks counted
    if not asks:
        return looked
    headers = authorizations(access_tokens_of({ask.login_id for ask in asks}))
    looked.failed = {ask.about: SEALED for ask in asks if ask.login_id not in headers}
    able = [ask for ask in asks if ask.login_id in headers]
    payer = payers(headers)
    calls = [Call(ask.request, headers[ask.login_id], payer=payer[ask.login_id]) for ask in able]
    for batch in thrifty(gateway, Lane.CHANGES).stream(calls) if calls else ():
        _keep([(able[index], exchange) for index, exchange in batch], looked, now)
    if looked.failed and logins is None:
        ElsewhereLook.objects.filter(account__in=looked.failed).update(looked_at=None)
    count_calls(Beat.ACCOUNTS, Savings(looked.calls, points_read=looked.rows))
    log.info("looked elsewhere: %s", looked)
    return looked


def _keep(batch: Sequence[tuple[_Ask, Exchange]], looked: LookedElsewhere, now: datetime) -> None:
    """Keep what a batch of lists shows, and note which of them must be asked for again."""
    pages: list[tuple[_Ask, OrderPage]] = []
    for ask, exchange in batch:
        try:
            pages.append((ask, read_orders(reply_of(exchange))))
        except PutOff as error:
            looked.failed[ask.about] = str(error)
            continue
        except BrokerError as error:
            _note(ask, error, looked)
        looked.calls += 1
        if sum(page.rows for _, page in pages) >= ORDERS_AT_ONCE:
            _keep_pages(pages, looked, now)
            pages = []
    _keep_pages(pages, looked, now)


def _keep_pages(
    pages: Sequence[tuple[_Ask, OrderPage]], looked: LookedElsewhere, now: datetime
) -> None:
    noted = note_external([order for _, page in pages for order in page.orders], now=now)
    looked.written += noted.written
    for ask, page in pages:
        looked.rows += page.rows
        if words := _missing(page, noted):
            looked.failed[ask.about] = words
        else:
            looked.asked += 1


def _missing(page: OrderPage, noted: Noted) -> str:
    """Say why a list does not settle what was traded elsewhere; nothing if it does."""
    if is_full(page.rows):
        return f"the list ends after {page.rows} orders"
    if page.unreadable:
        return f"{page.unreadable} of {page.rows} orders are unreadable"
    if noted.has_left(page.orders):
        return "some of its orders may be ours, or could not be written"
    return ""


def _note(ask: _Ask, error: BrokerError, looked: LookedElsewhere) -> None:
    looked.failed[ask.about] = str(error)
    if isinstance(error, TokenRefused):
        looked.refused_tokens[ask.login_id] = ask.token_version


def _of_logins(logins: Collection[UUID], now: datetime) -> list[_Ask]:
    request = messages.orders(now - USUAL_WINDOW, now + CLOCKS_APART)
    versions = token_versions_of(logins)
    able = askable_logins(logins)
    return [_Ask(pk, pk, request, versions.get(pk, 0)) for pk in able]


def _of_accounts(now: datetime) -> list[_Ask]:
    """Keep how positions differ, and take the accounts that are to be listed now."""
    working = _working()
    _keep_differences(_differences(now), working, now)
    ready = our_accounts().filter(login__status__in=ABLE, is_linked=True)
    rows = ElsewhereLook.objects.filter(account__in=ready.values("pk")).select_related("account")
    due = [row for row in rows if _is_due(row, row.account_id in working, now)]
    ElsewhereLook.objects.filter(pk__in=[row.pk for row in due]).update(looked_at=now)
    versions = token_versions_of({row.account.login_id for row in due}) if due else {}
    return [
        _Ask(
            row.account_id,
            row.account.login_id,
            messages.account_orders(
                row.account.hash_value,
                _since(working.get(row.account_id, now), now),
                now + CLOCKS_APART,
            ),
            versions.get(row.account.login_id, 0),
        )
        for row in due
    ]


def _since(oldest: datetime, now: datetime) -> datetime:
    return max(min(now - USUAL_WINDOW, oldest - CLOCKS_APART), now - LONGEST_WINDOW)


def _is_due(row: ElsewhereLook, is_working: bool, now: datetime) -> bool:
    if is_working and (row.looked_at is None or row.looked_at <= now - AGAIN):
        return True
    read_at = row.account.positions_at
    has_lasted = row.since <= now - LASTS and read_at is not None and read_at > row.since
    return bool(row.difference) and row.looked_at is None and has_lasted


def _working() -> dict[UUID, datetime]:
    """Return the accounts in which orders from elsewhere work, with when the oldest was entered."""
    rows = ExternalOrder.objects.filter(
        ended_at__isnull=True, account__login__environment=settings.ENVIRONMENT
    )
    return dict(rows.values_list("account_id").annotate(oldest=Min("entered_at")))


def _differences(now: datetime) -> Differences:
    """Return what accounts hold beyond their open sets, or lack of them; expired legs are gone."""
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    read = set(our_accounts().filter(positions_at__isnull=False).values_list("pk", flat=True))
    rows = Position.objects.filter(account__in=read)
    held = {
        (account_id, symbol): quantity
        for account_id, symbol, quantity in rows.values_list("account_id", "symbol", "quantity")
    }
    ours = {
        (account_id, symbol): sum((part.quantity for part in parts), NOTHING)
        for account_id, by_symbol in explained(alive_on=exchange_date(now)).items()
        for symbol, parts in by_symbol.items()
        if account_id in read
    }
    for account_id, symbol in held.keys() | ours.keys():
        difference = held.get((account_id, symbol), NOTHING) - ours.get(
            (account_id, symbol), NOTHING
        )
        if difference:
            found[account_id][symbol] = f"{difference.normalize():f}"
    return found


def _keep_differences(differences: Differences, working: Collection[UUID], now: datetime) -> None:
    """Write what is another difference than before; nothing in most looks."""
    rows = {row.account_id: row for row in ElsewhereLook.objects.all()}
    changed, new = [], []
    for account_id in differences.keys() | rows.keys() | set(working):
        difference = dict(differences.get(account_id, {}))
        row = rows.get(account_id)
        if row is None:
            new.append(ElsewhereLook(account_id=account_id, difference=difference, since=now))
        elif row.difference != difference:
            row.difference, row.since, row.looked_at = difference, now, None
            changed.append(row)
    if changed or new:
        with transaction.atomic():
            ElsewhereLook.objects.bulk_update(changed, ["difference", "since", "looked_at"])
            ElsewhereLook.objects.bulk_create(new, ignore_conflicts=True)
