"""Look at the broker before a close: what the accounts hold, and what else is working there."""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.fields import key_ring
from accounts.models import Account
from accounts.selectors import access_tokens_of
from accounts.services.asking import FanOut, authorizations, reply_of
from brokerage.budget import Lane, thrifty
from brokerage.errors import BrokerError, PutOff, TokenRefused
from brokerage.schwab import messages
from brokerage.schwab.exchange import Call, Exchange
from brokerage.schwab.replies import AccountReading, BrokerOrder, read_accounts, read_working_orders
from orders.domain.exiting import Quantities
from orders.models import AccountOrder

log = logging.getLogger(__name__)

# Orders live for 180 days at most; a list reaches back 60.
LONGEST_WINDOW = timedelta(days=59)
AHEAD = timedelta(minutes=10)


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
        readings: positions as they were read, to be kept when nothing waits any more.
    """

    seen: dict[UUID, Seen] = field(default_factory=dict)
    silent: dict[UUID, str] = field(default_factory=dict)
    put_off: set[UUID] = field(default_factory=set)
    refused_tokens: dict[UUID, int] = field(default_factory=dict)
    readings: list[tuple[UUID, AccountReading]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Question:
    """One request about all accounts of a login."""

    login_id: UUID
    is_positions: bool


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
    questions, calls = _ask(headers, payers, now)
    read = _Read()
    for batch in thrifty(gateway, Lane.EXITS).stream(calls) if calls else ():
        for index, exchange in batch:
            group = by_login[questions[index].login_id]
            try:
                read.take_in(questions[index], exchange, group)
            except BrokerError as error:
                _note(looked, group, error)
    _sum_up(accounts, read, looked)
    looked.readings = [(pk, one) for pk, (_, one) in read.positions.items()]
    return looked


@dataclass(slots=True)
class _Read:
    """What was read so far, by account: positions with when they were asked for, and orders."""

    positions: dict[UUID, tuple[datetime, AccountReading]] = field(default_factory=dict)
    orders: dict[UUID, list[BrokerOrder]] = field(default_factory=dict)

    def take_in(self, question: _Question, exchange: Exchange, group: Sequence[Account]) -> None:
        """Read one answer. Errors: BrokerError."""
        reply, ring = reply_of(exchange), key_ring()
        named = {account.number_index: account.pk for account in group}
        if question.is_positions:
            asked_at = datetime.fromtimestamp(exchange.sent_at or 0, UTC)
            for reading in read_accounts(reply):
                pk = named.get(ring.blind_index(reading.number, column="number"))
                if pk and not reading.hides_positions:  # what is hidden is not flat
                    self.positions[pk] = asked_at, reading
            return
        self.orders.update({account.pk: [] for account in group})
        for order in read_working_orders(reply):
            if pk := named.get(ring.blind_index(order.account_number, column="number")):
                self.orders[pk].append(order)


def _sum_up(accounts: Sequence[Account], read: _Read, looked: Looked) -> None:
    ours = _owned({order.order_id for listed in read.orders.values() for order in listed})
    for account in accounts:
        pk = account.pk
        if pk in read.positions and pk in read.orders:
            asked_at, reading = read.positions[pk]
            held = _held(reading)
            looked.seen[pk] = Seen(
                asked_at=asked_at,
                held={symbol: int(quantity) for symbol, quantity in held.items()},
                broken={symbol for symbol, quantity in held.items() if quantity % 1},
                foreign=_foreign(read.orders[pk], ours),
            )
        elif pk not in looked.silent:
            looked.silent[pk] = "The broker did not show this account."


def _ask(
    headers: Mapping[UUID, str], payers: Mapping[UUID, str], now: datetime
) -> tuple[list[_Question], list[Call]]:
    positions = messages.accounts(positions=True)
    listed = messages.orders(now - LONGEST_WINDOW, now + AHEAD)
    questions = [_Question(pk, is_positions) for pk in headers for is_positions in (True, False)]
    calls = [
        Call(
            positions if question.is_positions else listed,
            headers[question.login_id],
            payer=payers[question.login_id],
        )
        for question in questions
    ]
    return questions, calls


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
        if order.order_id not in ours
    }
    return {name: symbols for name, symbols in closing.items() if symbols}


def _owned(names: Collection[str]) -> set[str]:
    rows = AccountOrder.objects.filter(broker_order_id__in=names)
    return {name for name in rows.values_list("broker_order_id", flat=True) if name}


def _closes(instruction: str) -> bool:
    return instruction.endswith("_TO_CLOSE") or instruction in {"SELL", "BUY_TO_COVER"}
