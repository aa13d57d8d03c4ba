"""What the fleet holds: a row per account and symbol, and which placed order sets explain it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from accounts.models import Position
from orders.domain.bookmarks import NOTHING
from orders.selectors.explaining import Explained, Part, explained
from orders.selectors.ground import Ground
from strategies.domain.symbols import SHARES_PER_CONTRACT, is_option, readable, underlying_of

_HUNDREDTH_CENT = Decimal("0.0001")
_CENT = Decimal("0.01")
# As the broker calls them; an ETF is a fund there and a share to everybody else.
_SHARES = frozenset({"EQUITY", "COLLECTIVE_INVESTMENT"})


class Holding(StrEnum):
    """What kind of thing a position is in."""

    STOCKS = "stocks"
    OPTIONS = "options"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One position of one account, or the sum of all positions in a symbol.

    Args:
        account_id: None for a sum; `account` then is empty, and `accounts` says how many hold it.
        text: the symbol for people.
        quantity: negative when short; `long` and `short` are what a sum is made of, both positive.
        average, mark: USD per share or contract; None where the broker does not say.
        value: USD, negative for what is short; `gain` is what it would bring beyond its price.
        sets: the open placed order sets that explain some of it, and how much.
        strange: what no set explains: more than they say, or less where the signs differ.
    """

    account_id: UUID | None
    account: str
    mask: str
    place: int
    accounts: int
    symbol: str
    text: str
    underlying: str
    kind: Holding
    quantity: Decimal
    long: Decimal
    short: Decimal
    average: Decimal | None
    mark: Decimal | None
    value: Decimal | None
    gain: Decimal | None
    sets: Sequence[Part]
    strange: Decimal
    read_at: datetime | None

    @property
    def is_strange(self) -> bool:
        """Whether no placed order set explains all of it."""
        return bool(self.strange)

    @property
    def is_missing(self) -> bool:
        """Whether the sets say that there is more of it."""
        return self.strange * self.quantity < 0

    @property
    def key(self) -> str:
        """A name for its row that stays while others come and go."""
        return f"p{self.place}-{self.symbol.replace(' ', '')}"


@dataclass(frozen=True, slots=True)
class Held:
    """All positions of the fleet.

    Args:
        aliases: of the accounts that can be chosen, in grid order.
        unread: in how many accounts the broker was never asked for positions.
        oldest: when the account was read that was read longest ago.
    """

    rows: Sequence[HeldRow]
    aliases: Mapping[UUID, str]
    unread: int
    oldest: datetime | None


# A fleet holds the same few symbols in all of its accounts.
_readable = lru_cache(maxsize=4096)(readable)
_underlying = lru_cache(maxsize=4096)(underlying_of)


class _Account(NamedTuple):
    """What is needed of an account."""

    alias: str
    last4: str
    place: int
    read_at: datetime | None


class _Read(NamedTuple):
    """A position as the broker said it."""

    account_id: UUID
    symbol: str
    asset_type: str
    quantity: Decimal
    average: Decimal | None
    value: Decimal | None


def all_positions(ground: Ground | None = None) -> Held:
    """Read every position with what explains it, in five queries whatever their number.

    Args:
        ground: of the whole page, where it shows more than these.
    """
    known = {
        one.pk: _Account(one.alias, one.last4, one.position, one.positions_at)
        for one in (ground or Ground()).accounts
    }
    rows = (
        Position.objects.filter(account__in=known)
        .order_by("account__position", "symbol")
        .values_list(
            *("account_id", "symbol", "asset_type"),
            *("quantity", "average_price", "market_value"),
        )
    )
    found = [_Read(*row) for row in rows]
    ours = explained(symbols={one.symbol for one in found}) if found else {}
    times = [one.read_at for one in known.values() if one.read_at is not None]
    return Held(
        rows=[_row(one, known[one.account_id], ours) for one in found],
        aliases={pk: one.alias for pk, one in known.items()},
        unread=len(known) - len(times),
        oldest=min(times, default=None),
    )


def by_symbol(rows: Sequence[HeldRow]) -> list[HeldRow]:
    """Add up positions by symbol, in the order in which these are met."""
    groups: dict[str, list[HeldRow]] = defaultdict(list)
    for row in rows:
        groups[row.symbol].append(row)
    return [_sum(group) for group in groups.values()]


def kind_of(symbol: str, asset_type: str) -> Holding:
    """Tell what kind of thing a position is in."""
    if is_option(symbol) or asset_type == "OPTION":
        return Holding.OPTIONS
    return Holding.STOCKS if asset_type in _SHARES else Holding.OTHER


def multiplier_of(kind: Holding) -> int:
    """Return how many times its price one of it is worth."""
    return SHARES_PER_CONTRACT if kind is Holding.OPTIONS else 1


def _row(one: _Read, account: _Account, ours: Explained) -> HeldRow:
    kind = kind_of(one.symbol, one.asset_type)
    sets = ours.get(one.account_id, {}).get(one.symbol, [])
    return HeldRow(
        account_id=one.account_id,
        account=account.alias,
        mask=f"••••{account.last4}",
        place=account.place,
        accounts=1,
        symbol=one.symbol,
        text=_readable(one.symbol),
        underlying=_underlying(one.symbol),
        kind=kind,
        quantity=one.quantity,
        long=max(one.quantity, NOTHING),
        short=max(-one.quantity, NOTHING),
        average=one.average,
        mark=_mark(one, kind),
        value=one.value,
        gain=_gain(one, kind),
        sets=sets,
        strange=one.quantity - sum((part.quantity for part in sets), NOTHING),
        read_at=account.read_at,
    )


def _mark(one: _Read, kind: Holding) -> Decimal | None:
    if one.value is None or not one.quantity:
        return None
    return (one.value / one.quantity / multiplier_of(kind)).quantize(_HUNDREDTH_CENT)


def _gain(one: _Read, kind: Holding) -> Decimal | None:
    if one.value is None or one.average is None:
        return None
    return (one.value - one.average * one.quantity * multiplier_of(kind)).quantize(_CENT)


def _sum(group: Sequence[HeldRow]) -> HeldRow:
    """Add up the positions in one symbol; a figure that one of them lacks is not said."""
    first = group[0]
    quantity, value = sum((one.quantity for one in group), NOTHING), _total(group, "value")
    parts: dict[int, Decimal] = defaultdict(Decimal)
    for row in group:
        for part in row.sets:
            parts[part.set_id] += part.quantity
    return HeldRow(
        account_id=None,
        account="",
        mask="",
        place=0,
        accounts=len(group),
        symbol=first.symbol,
        text=first.text,
        underlying=first.underlying,
        kind=first.kind,
        quantity=quantity,
        long=sum((one.long for one in group), NOTHING),
        short=sum((one.short for one in group), NOTHING),
        average=_average(group),
        mark=next((one.mark for one in group if one.mark is not None), None),
        value=value,
        gain=_total(group, "gain"),
        sets=[Part(set_id, parts[set_id]) for set_id in sorted(parts)],
        strange=_strange(group),
        read_at=min((one.read_at for one in group if one.read_at), default=None),
    )


def _total(group: Sequence[HeldRow], name: str) -> Decimal | None:
    figures = [getattr(row, name) for row in group]
    return None if None in figures else sum(figures, NOTHING)


def _strange(group: Sequence[HeldRow]) -> Decimal:
    """Add up what no set explains, whichever way it points; what is only gone counts as gone."""
    extra = sum((abs(row.strange) for row in group if not row.is_missing), NOTHING)
    gone = sum((abs(row.strange) for row in group if row.is_missing), NOTHING)
    sign = -1 if sum((row.quantity for row in group), NOTHING) < 0 else 1
    return sign * (extra or -gone)


def _average(group: Sequence[HeldRow]) -> Decimal | None:
    """Return the mean price, if all of them point one way."""
    if any(row.average is None for row in group):
        return None
    signs = {row.quantity > 0 for row in group}
    quantity = sum((row.quantity for row in group), NOTHING)
    if len(signs) > 1 or not quantity:
        return None
    cost = sum(((row.average or NOTHING) * row.quantity for row in group), NOTHING)
    return (cost / quantity).quantize(_HUNDREDTH_CENT)
