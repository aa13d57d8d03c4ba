"""What the broker's accounts held at every moment, played back from its orders' executions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strategies.domain.symbols import is_option, parse_option

OVERSOLD = "oversold/overbought"


@dataclass(frozen=True)
class Deal:
    """One execution of all legs of an order.

    Args:
        number: the broker's activity id: executions of all accounts are numbered in their order.
        changes: of the account's positions, by symbol.
        closes: whether no leg of it may open anything.
    """

    number: int
    account: str
    order_id: str
    is_ours: bool
    closes: bool
    changes: Mapping[str, int]


@dataclass(frozen=True)
class Reset:
    """Positions set by hand, behind the deal of this number."""

    number: int
    account: str
    held: Mapping[str, int]


def deals_of(shown: Mapping[str, Any], *, is_ours: bool) -> Iterator[Deal]:
    """Return the executions of one of the broker's orders."""
    legs = {leg["legId"]: leg for leg in shown["orderLegCollection"]}
    closes = all(leg["positionEffect"] == "CLOSING" for leg in legs.values())
    for activity in shown.get("orderActivityCollection", []):
        if activity["executionType"] != "FILL":
            continue
        changes = {
            legs[part["legId"]]["instrument"]["symbol"]: int(part["quantity"])
            * (1 if legs[part["legId"]]["instruction"].startswith("BUY") else -1)
            for part in activity["executionLegs"]
        }
        order_id = str(shown["orderId"])
        yield Deal(activity["activityId"], shown["account"], order_id, is_ours, closes, changes)


def overclosed(deals: Iterable[Deal], resets: Iterable[Reset]) -> Iterator[str]:
    """I11, I12: no order of ours that closes took a leg through zero, or the cover from a short."""
    held: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    events: list[Deal | Reset] = [*deals, *resets]
    for event in sorted(events, key=lambda one: (one.number, isinstance(one, Reset))):
        account = held[event.account]
        if isinstance(event, Reset):
            account.update(event.held)
            continue
        before = dict(account)
        for symbol, change in event.changes.items():
            account[symbol] += change
        if event.is_ours and event.closes:
            yield from _problems(event, before, account)


def naked(held: Mapping[str, int]) -> int:
    """Count the shorts that no long of their side covers which expires no earlier; no shares."""
    chains: dict[tuple[str, str], list[tuple[Any, int]]] = defaultdict(list)
    for symbol, quantity in held.items():
        if is_option(symbol):
            option = parse_option(symbol)
            chains[option.root, option.put_call].append((option.expiration, quantity))
    return sum(_naked_in(chain_) for chain_ in chains.values())


def _naked_in(options: Sequence[tuple[Any, int]]) -> int:
    spare = bare = 0
    for day in sorted({day for day, _ in options}, reverse=True):
        spare += sum(max(quantity, 0) for when, quantity in options if when == day)
        shorts = sum(max(-quantity, 0) for when, quantity in options if when == day)
        bare += max(shorts - spare, 0)
        spare = max(spare - shorts, 0)
    return bare


def _problems(deal: Deal, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    who = f"{deal.order_id} in {deal.account[:8]}"
    for symbol, change in deal.changes.items():
        had = before.get(symbol, 0)
        if had * change >= 0 or abs(change) > abs(had):
            yield f"I11: {who} closed {change} of {symbol}, of which {had} were held"
    if naked(after) > naked(before):
        yield f"I12: {who} left {naked(after)} short without cover"
