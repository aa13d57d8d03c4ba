"""The rows of the history: what each broadcast became, out of thousands of account orders."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from accounts.selectors import our_accounts
from orders.domain.exits import ExitState
from orders.domain.lifecycle import ParentStatus, Purpose, Status
from orders.models import AccountOrder, ComplexOrder, ExitStep, OrderLeg
from orders.selectors.desk_facts import RowLeg
from orders.selectors.filled import averages_of
from orders.selectors.showing import effect_words
from orders.templatetags.desk import CANCELING, MOST_CELLS, NOT_PART, amount, price, status_words

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One broadcast as the history shows it; prices are USD per unit.

    Args:
        codes: a status per account in grid order, with its words in `tips`; NOT_PART where the
            broadcast did not go.
        average: of all fills, weighted, to the cent; lowest and highest are of single accounts.
    """

    order: ComplexOrder
    legs: Sequence[RowLeg]
    codes: Sequence[str]
    tips: Sequence[str]
    statuses: Mapping[str, int]
    average: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None

    @property
    def id(self) -> int:
        return int(self.order.pk)

    @property
    def is_exit(self) -> bool:
        return self.order.purpose == Purpose.CLOSE and self.order.closes_id is not None

    @property
    def name(self) -> str:
        return f"Exit: {self.order.name}" if self.is_exit else self.order.name

    @property
    def effect(self) -> str:
        """What stands before the price: `CREDIT`, `LIMIT`; the order type where there is none."""
        return effect_words(self.order.order_type, self.order.price_effect)

    @property
    def filled(self) -> str:
        """How many accounts are filled, of those it was sent to: `31/45`."""
        sent = sum(self.statuses.values()) - self.statuses.get(Status.SKIPPED, 0)
        return f"{self.statuses.get(Status.FILLED, 0)}/{sent}"


class _Share(NamedTuple):
    """Where one account stands, at its place of the grid."""

    status: str
    filled: Decimal
    net_price: Decimal | None
    cancel_asked_at: datetime | None

    @property
    def code(self) -> str:
        if self.status != Status.WORKING:
            return self.status
        if self.cancel_asked_at is not None:
            return CANCELING
        return ParentStatus.PARTIAL if self.filled else self.status


@lru_cache(maxsize=4096)
def _tip(share: _Share) -> str:
    """Return the words of a cell: `Filled 2.35`, `Partly filled 4 at 2.35`.

    Of thousands of cells most say the same as others.
    """
    said = status_words(share.code)
    if not share.filled or share.net_price is None:
        return said
    of = "" if share.status == Status.FILLED else f" {amount(share.filled)} at"
    return f"{said}{of} {price(share.net_price)}"


_Shares = dict[int, dict[int, _Share]]
_Fills = dict[int, list[tuple[Decimal, Decimal]]]


def grid_places() -> list[int]:
    """Return the places of the accounts in the grid."""
    return list(our_accounts().values_list("position", flat=True))


def history_rows(ids: Sequence[int], *, places: Sequence[int]) -> list[HistoryRow]:
    """Return these broadcasts, in this order.

    Args:
        places: of the accounts in the grid.
    """
    if not ids:
        return []
    found = ComplexOrder.objects.filter(pk__in=ids).defer("allocation", "body_hash").in_bulk()
    return rows_of_orders({pk: found[pk] for pk in ids if pk in found}, places=places)


def rows_of_orders(
    orders: Mapping[int, ComplexOrder], *, places: Sequence[int]
) -> list[HistoryRow]:
    """Return these broadcasts, which are read already, in this order."""
    ids = list(orders)
    legs = _legs(ids)
    shares, fills = _shares(ids)
    exits = [pk for pk, order in orders.items() if order.closes_id is not None]
    if exits:
        _add_steps(exits, shares)
    return [
        _row(orders[pk], legs.get(pk, ()), shares.get(pk, {}), fills.get(pk, ()), places)
        for pk in ids
    ]


def _row(
    order: ComplexOrder,
    legs: Sequence[RowLeg],
    shares: Mapping[int, _Share],
    fills: Sequence[tuple[Decimal, Decimal]],
    places: Sequence[int],
) -> HistoryRow:
    told = [shares.get(place) for place in places]
    prices = [net_price for _, net_price in fills]
    return HistoryRow(
        order=order,
        legs=legs,
        codes=[NOT_PART if one is None else one.code for one in told],
        tips=["" if one is None else _tip(one) for one in told] if len(told) <= MOST_CELLS else (),
        statuses=Counter(one.status for one in shares.values()),
        average=average_of(fills),
        lowest=min(prices, default=None),
        highest=max(prices, default=None),
    )


def average_of(fills: Collection[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the mean price of (quantity, price), weighted, to the cent."""
    quantity = sum((filled for filled, _ in fills), Decimal(0))
    if not quantity:
        return None
    return (sum((one * at for one, at in fills), Decimal(0)) / quantity).quantize(_CENT)


def _legs(ids: Collection[int]) -> Mapping[int, Sequence[RowLeg]]:
    """Return the legs, each with what it was filled at on average."""
    averages = averages_of(ids)
    legs: dict[int, list[RowLeg]] = defaultdict(list)
    rows = OrderLeg.objects.filter(order__in=ids)
    for pk, symbol, instruction, ratio in rows.values_list(
        "order_id", "symbol", "instruction", "ratio"
    ):
        legs[pk].append(RowLeg(symbol, instruction, ratio, averages.get((pk, symbol))))
    return legs


def _shares(ids: Collection[int]) -> tuple[_Shares, _Fills]:
    """Return the latest attempts by place of the grid, and what all attempts have filled."""
    shares: _Shares = defaultdict(dict)
    fills: _Fills = defaultdict(list)
    rows = AccountOrder.objects.filter(order__in=ids).order_by("attempt")
    for pk, place, status, filled, net_price, cancel_asked_at in rows.values_list(
        "order_id", "account__position", "status", "filled", "net_price", "cancel_asked_at"
    ):
        share = shares[pk][place] = _Share(status, filled, net_price, cancel_asked_at)
        if share.filled and share.net_price is not None:
            fills[pk].append((share.filled, share.net_price))
    return shares, fills


def _add_steps(exits: Collection[int], shares: _Shares) -> None:
    """Show accounts of an exit for which nothing was sent: what they wait for, or why not."""
    steps = ExitStep.objects.filter(order__in=exits, child__isnull=True)
    for pk, place, state in steps.values_list("order_id", "account__position", "state"):
        status = Status.READY if state == ExitState.WAITING else Status.SKIPPED
        shares[pk].setdefault(place, _Share(status, Decimal(0), None, None))
