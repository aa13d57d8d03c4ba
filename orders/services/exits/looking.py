"""Look at the broker before a close: what the accounts hold, and what else is working there."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from accounts.fields import key_ring
from accounts.models import Account
from accounts.selectors import access_tokens_of
from accounts.services.asking import FanOut, authorizations, reply_of
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, PutOff, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import ApiRequest, Call, Exchange
from brokerage.schwab.replies import AccountReading, BrokerOrder, read_accounts, read_working_orders
from orders.domain.exiting import Quantities
from orders.domain.matching import CLOCKS_APART
from orders.models import AccountOrder
from orders.services.exits.beginnings import (
    Linked,
    linked_accounts,
    next_beginning,
    read_beginnings,
)
from orders.services.whole_lists import LONGEST_WINDOW, Ask, TooMany, check_whole

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """One account as the broker showed it.

    Args:
        asked_at: before the positions were asked for.
        held: every position, negative where it is short, in whole contracts or shares.
        broken: symbols of which a part of a share is held, which no order here can close.
        foreign: numbers of working orders of other hands, with the symbols that they close.
    """

    asked_at: datetime
    held: Quantities
    broken: Collection[str]
    foreign: Mapping[str, Collection[str]]


@dataclass(slots=True)
class Looked:
    """What a look brought, by account.

    Args:
        silent: of the other accounts, why it brought nothing.
        put_off: those of them that were not asked, for their request budget is spent.
        readings: positions as they were read, to be kept when nothing waits any more; likewise.
        beginnings: where the next lists begin, by login, for the accounts `linked` now.
    """

    seen: dict[UUID, Seen] = field(default_factory=dict)
    silent: dict[UUID, str] = field(default_factory=dict)
    put_off: set[UUID] = field(default_factory=set)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)
    readings: list[tuple[UUID, AccountReading]] = field(default_factory=list)
    beginnings: dict[UUID, datetime] = field(default_factory=dict)
    linked: Linked = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Question:
    """One request about all accounts of a login: for its positions, or for a list of orders."""

    login_id: UUID
    ask: Ask | None = None

    def request(self) -> ApiRequest:
        return self.ask.request() if self.ask else messages.accounts(positions=True)


def look(accounts: Sequence[Account], *, gateway: FanOut, now: datetime) -> Looked:
    """Read positions and working orders of these accounts, all logins at once.

    Args:
        accounts: with their logins and tokens.
    """
    looked = Looked()
    by_login: dict[UUID, list[Account]] = defaultdict(list)
    for account in accounts:
        by_login[account.login_id].append(account)
    headers = authorizations(access_tokens_of(by_login.keys()))
    for login_id in by_login.keys() - headers.keys():
        _silence(looked, by_login[login_id], "The login has no usable token.")
    payers = {pk: group[0].login.app_key_index for pk, group in by_login.items()}
    looked.linked = linked_accounts(headers)
    questions, read = _questions(headers, read_beginnings(looked.linked), now), _Read()
    while questions:
        calls = [
            Call(one.request(), headers[one.login_id], payer=payers[one.login_id])
            for one in questions
        ]
        again: list[_Question] = []
        for batch in thrifty(gateway, Lane.EXITS).stream(calls):
            for index, exchange in batch:
                again += _take_in(questions[index], exchange, read, by_login, looked)
        questions = again
    _sum_up(accounts, read, looked)
    looked.readings = [(pk, one) for pk, (_, one) in read.positions.items()]
    looked.beginnings = _beginnings(read, looked, by_login, asked_at=now)
    return looked


@dataclass(slots=True)
class _Read:
    """What was read so far.

    Args:
        positions: with when they were asked for, by account.
        orders: those that are not over, by account.
        shown: all accounts whose positions were shown, by login.
        entered: when the orders that are not over were entered, by login, whoever's they are.
        unsure: logins with rows that could not be read.
    """

    positions: dict[UUID, tuple[datetime, AccountReading]] = field(default_factory=dict)
    orders: dict[UUID, list[BrokerOrder]] = field(default_factory=dict)
    shown: dict[UUID, set[str]] = field(default_factory=dict)
    entered: dict[UUID, set[datetime | None]] = field(default_factory=lambda: defaultdict(set))
    unsure: set[UUID] = field(default_factory=set)

    def take_positions(self, login_id: UUID, exchange: Exchange, named: Mapping[str, UUID]) -> None:
        """Read the accounts of a login; `named` are those it is about. Errors: BrokerError."""
        asked_at, ring = datetime.fromtimestamp(exchange.sent_at or 0, UTC), key_ring()
        shown = self.shown.setdefault(login_id, set())
        for reading in read_accounts(reply_of(exchange)):
            index = ring.blind_index(reading.number, column="number")
            shown.add(index)
            if index in named and not reading.hides_positions:  # what is hidden is not flat
                self.positions[named[index]] = asked_at, reading

    def take_orders(self, login_id: UUID, exchange: Exchange, named: Mapping[str, UUID]) -> None:
        """Read a list of a login's orders. Errors: BrokerError, TooMany of one cut short."""
        page, ring = read_working_orders(reply_of(exchange)), key_ring()
        check_whole(page.rows)
        if page.unreadable:
            self.unsure.add(login_id)
        for pk in named.values():
            self.orders.setdefault(pk, [])
        for order in page.orders:
            self.entered[login_id].add(order.entered_at)
            index = ring.blind_index(order.account_number, column="number")
            if index in named:
                self.orders[named[index]].append(order)


def _take_in(
    question: _Question,
    exchange: Exchange,
    read: _Read,
    by_login: Mapping[UUID, Sequence[Account]],
    looked: Looked,
) -> list[_Question]:
    """Read an answer; return what must be asked instead of it."""
    login_id = question.login_id
    named = {account.number_index: account.pk for account in by_login[login_id]}
    take = read.take_orders if question.ask else read.take_positions
    try:
        take(login_id, exchange, named)
    except BrokerError as error:
        halves = question.ask.halves() if question.ask and isinstance(error, TooMany) else []
        if not halves:
            _note(looked, by_login[login_id], error)
        return [_Question(login_id, half) for half in halves]
    return []


def _sum_up(accounts: Sequence[Account], read: _Read, looked: Looked) -> None:
    ours = _owned({order.order_id for listed in read.orders.values() for order in listed})
    for account in accounts:
        pk = account.pk
        if pk in looked.silent:
            continue
        if pk in read.positions and pk in read.orders:
            asked_at, reading = read.positions[pk]
            held = _held(reading)
            looked.seen[pk] = Seen(
                asked_at=asked_at,
                held={symbol: int(quantity) for symbol, quantity in held.items()},
                broken={symbol for symbol, quantity in held.items() if quantity % 1},
                foreign=_foreign(read.orders[pk], ours),
            )
        else:
            looked.silent[pk] = "The broker did not show this account."


def _beginnings(
    read: _Read, looked: Looked, by_login: Mapping[UUID, Sequence[Account]], *, asked_at: datetime
) -> dict[UUID, datetime]:
    """Return where the next lists may begin, of the logins that were read whole."""
    found = {}
    for login_id, group in by_login.items():
        is_whole = not any(account.pk in looked.silent for account in group)
        shows_all = looked.linked.get(login_id, frozenset()) <= read.shown.get(login_id, set())
        if is_whole and shows_all and login_id in looked.linked and login_id not in read.unsure:
            since = next_beginning(read.entered[login_id], asked_at=asked_at)
            if since is not None:
                found[login_id] = since
    return found


def _questions(
    login_ids: Iterable[UUID], beginnings: Mapping[UUID, datetime], now: datetime
) -> list[_Question]:
    """Return two questions to each login; a list begins early unless it is known to need less."""
    oldest = now - LONGEST_WINDOW
    found = []
    for login_id in login_ids:
        since = beginnings.get(login_id, oldest)
        # After now only for a clock that was set back.
        ask = Ask(login_id, since if oldest < since < now else oldest, now + CLOCKS_APART)
        found += [_Question(login_id), _Question(login_id, ask)]
    return found


def _note(looked: Looked, group: Sequence[Account], error: BrokerError) -> None:
    log.warning("exit: %s", error)
    _silence(looked, group, str(error))
    if isinstance(error, PutOff):
        looked.put_off |= {account.pk for account in group}
    if isinstance(error, TokenRefused):
        looked.refused_tokens[group[0].login_id] = group[0].login.token.version


def _silence(looked: Looked, group: Sequence[Account], words: str) -> None:
    for account in group:
        looked.silent[account.pk] = words


def _held(reading: AccountReading) -> dict[str, Decimal]:
    """Return positions by symbol, however many rows the broker shows of one."""
    held: dict[str, Decimal] = defaultdict(Decimal)
    for holding in reading.holdings:
        held[holding.symbol] += holding.quantity
    return held


def _foreign(working: Sequence[BrokerOrder], ours: Collection[str]) -> dict[str, Collection[str]]:
    """Return what orders of other hands close, by their numbers."""
    closing = {
        order.order_id: {leg.symbol for leg in order.legs if _closes(leg.instruction)}
        for order in working
        if order.order_id not in ours and not order.is_dormant
    }
    return {name: symbols for name, symbols in closing.items() if symbols}


def _owned(names: Collection[str]) -> set[str]:
    rows = AccountOrder.objects.filter(broker_order_id__in=names)
    return {name for name in rows.values_list("broker_order_id", flat=True) if name}


def _closes(instruction: str) -> bool:
    return instruction.endswith("_TO_CLOSE") or instruction in {"SELL", "BUY_TO_COVER"}
